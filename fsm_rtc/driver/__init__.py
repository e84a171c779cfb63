"""What runs machines in a program: carries out what they ask for, and lets their timers fire. Over asyncio."""

from fsm_rtc.driver.driver import Driver
from fsm_rtc.driver.handlers import Handler, HandlerFailure

__all__ = ["Driver", "HandlerFailure", "Handler"]

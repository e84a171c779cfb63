"""The `fsm-rtc` command. Nothing imports it."""

from fsm_rtc.cli.entry import main

__all__ = ["main"]

"""Heartbeat: something that is done again and again while a call stands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Heartbeat"]


class Heartbeat:
    """Calls `beat` again and again between `start` and `stop`. It says nothing of where the call stands.

    Args:
        seconds: until the first beat.
        beat: called on the loop on which it was started; returns after how many seconds it is to be called again.
    """

    def __init__(self, seconds: float, beat: Callable[[], float]) -> None:
        self._seconds = seconds
        self._beat = beat
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """The first beat comes after the time; nothing, if it beats already."""
        if self._timer is None:
            self._arm(self._seconds)

    def stop(self) -> None:
        """It beats no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._tick)

    def _tick(self) -> None:
        beaten, seconds = self._timer, self._beat()
        if self._timer is beaten:  # else it was stopped meanwhile, and perhaps started anew
            self._arm(seconds)

"""Deadline: something that must have happened by then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Deadline"]


class Deadline:
    """Calls `missed` so many seconds behind its start, unless it is cancelled before.

    Args:
        seconds: how long there is time.
        missed: called on the loop on which it was started.
    """

    def __init__(self, seconds: float, missed: Callable[[], None]) -> None:
        self._seconds = seconds
        self._missed = missed
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """From now on, also if it runs already."""
        self.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._missed)

    def cancel(self) -> None:
        """There is no deadline any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

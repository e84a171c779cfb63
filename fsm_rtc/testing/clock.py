"""A clock that goes when it is told to."""

from __future__ import annotations

__all__ = ["ManualClock"]


class ManualClock:
    """A `Clock` whose time is set by hand.

    Args:
        now: where it starts, in seconds.
    """

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ValueError: `seconds` is negative; a monotonic clock never goes back.
        """
        if seconds < 0:
            raise ValueError(f"time can't go back by {-seconds} seconds")
        self.now += seconds

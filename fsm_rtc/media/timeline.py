"""The time of one sender: frames of one track after another, each in its place.

An RTP timestamp is a frame's `pts` plus a random origin, so a sender whose track is replaced by one that begins at 0
would have its RTP time jump back, and the other side's jitter buffer throw away what comes (RFC 3550, 5.1: timestamps
of one source go on). Whenever the frames' own time doesn't go on, by another track, a file that begins anew, a time
base that changes or is not there, the sender's time goes on by what has passed on the clock.
"""

from __future__ import annotations

__all__ = ["Timeline"]

LEAP_SECONDS = 10.0
"""How far a track's time may run ahead of the clock before it counts as another time."""

SLACK_SECONDS = 0.1
"""How late a frame may be and still count as the next one: waits in the loop are no gaps in the sound."""


class Timeline:
    """Counts in ticks from 0.

    Args:
        rate: ticks a second.

    Attributes:
        rate: the same.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._came: int | None = None
        self._placed: int | None = None
        self._lasted = 0
        self._now = 0.0
        self._offset = 0

    def break_off(self) -> None:
        """What comes next is of another track."""
        self._came = None

    def place(self, ticks: int | None, lasts: int, now: float) -> int:
        """When a frame stands in the sender's time, in ticks; later than every one before.

        Args:
            ticks: its own time, or None.
            lasts: how many ticks it lasts; 0 if nobody knows.
            now: seconds of a monotonic clock.
        """
        if self._placed is None:
            placed = 0
        elif ticks is None or self._came is None or not self._goes_on(ticks, self._came, now):
            placed = self._placed + self._passed(now)
        else:
            placed = ticks + self._offset
        if ticks is not None:
            self._offset = placed - ticks
        self._came, self._placed, self._lasted, self._now = ticks, placed, lasts, now
        return placed

    def _goes_on(self, ticks: int, before: int, now: float) -> bool:
        return 0 < ticks - before <= (now - self._now + LEAP_SECONDS) * self.rate

    def _passed(self, now: float) -> int:
        passed = int((now - self._now) * self.rate)
        if self._lasted and passed <= self._lasted + SLACK_SECONDS * self.rate:
            return self._lasted
        return max(passed, 1)

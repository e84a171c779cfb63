"""Timeouts: one timer of the loop for the timers of many machines, and how long this process stood still.

The machines lie in a heap by when they want `tick`. A machine that wants it later than it once did isn't moved: it is
looked at when its old time comes, and put back.

A timer that comes `LATE_SECONDS` after its time tells that this process or its loop stood still. Linux's monotonic
clock stands still while the host sleeps, so the sleep is found by comparing it with one that doesn't: CLOCK_BOOTTIME,
elsewhere the wall clock. Then the machines hear of it (`Chart.stood_still`) before anything fires, with
`AWAKE_SECONDS` more: what came meanwhile is read first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import Any

from fsm_rtc.driver.lanes import running_loop
from fsm_rtc.engine import Chart, Clock

__all__ = ["AWAKE_SECONDS", "LATE_SECONDS", "LOOK_SECONDS", "Timeouts", "seconds_asleep"]

AnyChart = Chart[Any, Any]

TURN = 1_000
"""So many machines are ticked in one turn of the loop."""

LATE_SECONDS = 0.5
"""A timer that comes so much too late tells that this process, or its loop, stood still."""

AWAKE_SECONDS = 1.0
"""So long the timers that wait for silence wait on after a standstill: until what came meanwhile is read."""

AWAKE_AGAIN_SECONDS = 10.0
"""A loop that is blocked again and again, for part of each second, is given that time this seldom; else a silent peer
would never be noticed."""

LOOK_SECONDS = 30.0
"""So often it is looked whether the host slept, however late the next timer is: a lease runs out while it sleeps."""


class Timeouts:
    """See the module.

    Args:
        clock: the machines' clock.
        tick: called with a machine that wants it, and the time; it calls `follow`, and doesn't raise.
        stood_still: called with each machine when the process stood still, with the seconds and whether the clock ran;
            it doesn't raise.
        asleep: for how many seconds the host has slept, since any time; see `seconds_asleep`.
    """

    def __init__(
        self,
        clock: Clock,
        tick: Callable[[AnyChart, float], None],
        stood_still: Callable[[AnyChart, float, bool], None],
        asleep: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._tick = tick
        self._stood_still = stood_still
        self._seconds_asleep = asleep
        self._asleep = asleep()
        self._heap: list[tuple[float, int, AnyChart]] = []
        self._due: dict[AnyChart, float] = {}
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._awake_again_at = -inf
        self._is_looking = False
        self._is_stopped = False

    def follow(self, machine: AnyChart, not_before: float = -inf) -> None:
        """A machine has stepped: note when it wants `tick`.

        Args:
            machine: it.
            not_before: it is left alone until then, as one whose timer raises.
        """
        due = machine.next_timeout()
        if due is None or self._is_stopped:
            self.forget(machine)
            return
        due = max(due, not_before)
        known = self._due.get(machine)
        if known is not None and known <= due:
            return
        self._due[machine] = due
        heappush(self._heap, (due, next(self._numbers), machine))
        self._settle()

    def forget(self, machine: AnyChart) -> None:
        """A machine wants nothing, or is no longer run."""
        if self._due.pop(machine, None) is not None:
            self._settle()

    def stop(self) -> None:
        """Nothing fires any more."""
        self._is_stopped = True
        self._due.clear()
        self._settle()

    def look(self, *, by_hand: bool = False) -> None:
        """Tick what is due.

        Args:
            by_hand: not the loop's timer calls this; so however late that is, the process didn't stand still.
        """
        now = self._clock()
        self._is_looking = True
        try:
            self._note_standstill(now, 0.0 if by_hand else now - self._timer_at)
            for machine in self._take_due(now):
                if self._due.pop(machine, None) is not None:  # else it was removed by one before it
                    self._tick(machine, now)
        finally:
            self._is_looking = False
            self._settle()

    def _take_due(self, now: float) -> list[AnyChart]:
        # What is armed meanwhile is due in the next look at the earliest, as within one machine's tick; and so is what
        # is more than a turn's worth, for the loop has other work too.
        due: list[AnyChart] = []
        while self._heap and self._heap[0][0] <= now and len(due) < TURN:
            at, _, machine = heappop(self._heap)
            if self._due.get(machine) == at:
                due.append(machine)
        return due

    def _note_standstill(self, now: float, late: float) -> None:
        asleep = self._seconds_asleep()
        slept, self._asleep = asleep - self._asleep, asleep
        if slept > LATE_SECONDS:
            self._shift(slept, clock_ran=False)
        if late > LATE_SECONDS or slept > LATE_SECONDS:
            # One after the other, so that what was heard just before the standstill isn't taken for heard since.
            self._shift(max(late, 0.0), clock_ran=True)
            if now >= self._awake_again_at:
                self._awake_again_at = now + AWAKE_AGAIN_SECONDS
                self._shift(AWAKE_SECONDS, clock_ran=True)

    def _shift(self, seconds: float, *, clock_ran: bool) -> None:
        machines, self._due = list(self._due), {}
        for machine in machines:
            self._stood_still(machine, seconds, clock_ran)
            self.follow(machine)

    def _settle(self) -> None:
        """Drop what isn't wanted any more, and set the loop's timer to what is."""
        if self._is_looking:
            return
        if len(self._heap) > 2 * len(self._due) + 64:
            self._heap = [one for one in self._heap if self._due.get(one[2]) == one[0]]
            heapify(self._heap)
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heappop(self._heap)
        if not self._heap:
            self._cancel()
            return
        now = self._clock()
        at = min(max(self._heap[0][0], now), now + LOOK_SECONDS)
        if self._timer is not None and now < self._timer_at <= at:
            return  # it comes soon enough, and sets itself anew
        self._cancel()
        self._timer_at = at
        self._timer = running_loop().call_later(max(0.0, at - now), self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.look()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def seconds_asleep() -> float:
    """For how many seconds the host has slept while the monotonic clock stood still, since any time."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
    return time.time() - time.monotonic()

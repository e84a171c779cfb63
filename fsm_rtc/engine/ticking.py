"""The timers of one running machine: which are armed, until when, and what each step does to them.

Nothing here waits. The owner asks for `next_timeout`, waits until then in its own way, and calls `tick`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from fsm_rtc.engine.clock import Clock
from fsm_rtc.engine.timer import Timer
from fsm_rtc.errors import ChartError

if TYPE_CHECKING:
    from fsm_rtc.engine.compile import AnyRow, ChartTable

__all__ = ["Armed", "Arming", "Ticking", "Uniform", "arming_of"]

Uniform = Callable[[float, float], float]
"""Draws between two bounds, as `random.Random.uniform` does."""


_new = tuple.__new__


class Armed(NamedTuple):
    """A timer that runs.

    Attributes:
        deadline: when it is due, on the machine's clock.
        seconds: for how long it was armed.
        timer: what it is.
    """

    deadline: float
    seconds: float
    timer: Timer


class Arming(NamedTuple):
    """What a step does to the timers.

    Attributes:
        keeps: the indices of those that run on; None if all do.
        arms: those that are armed, anew too.
        alone: the one that is armed, if no other runs behind it and its time is a number; else None.
    """

    keeps: frozenset[int] | None
    arms: tuple[Timer, ...]
    alone: Timer | None = None


def arming_of(table: ChartTable, row: AnyRow, source: StrEnum, middle: StrEnum) -> Arming | None:
    """What a row does to the timers from one of its states; None if nothing.

    Args:
        table: the chart.
        row: the row.
        source: where the machine is.
        middle: where it is behind the row's implicit first transition, which arms nothing; without one, `source`.
    """
    timers = table.timers.values()
    if not timers:
        return None
    if middle is source and not row.moves_from(source):
        restarted = tuple(table.timers[name] for name in row.restarts)
        return Arming(None, restarted) if restarted else None
    target = row.target_from(middle)
    way = {source, middle, target}
    kept = frozenset(timer.index for timer in timers if timer.per == "sources" and way <= timer.sources)
    arms = tuple(timer for timer in timers if target in timer.sources and timer.index not in kept)
    if not arms and not any(source in timer.sources and timer.index not in kept for timer in timers):
        return None
    is_alone = not kept and len(arms) == 1 and arms[0].jitter == "none" and not callable(arms[0].after)
    return Arming(kept, arms, arms[0] if is_alone else None)


class Ticking:
    """The timers of one machine.

    Args:
        clock: seconds that never run backwards.
        uniform: draws the times of timers with jitter.

    Attributes:
        next: when the first is due; infinity if none runs.
    """

    __slots__ = ("_armed", "_clock", "_last", "_now", "_uniform", "next")

    def __init__(self, clock: Clock, uniform: Uniform) -> None:
        self._clock = clock
        self._uniform = uniform
        self._armed: dict[int, Armed] = {}
        self._now: float | None = None
        self._last: tuple[Armed, ...] = ()
        self.next = inf

    @property
    def armed(self) -> Mapping[str, float]:
        """When each timer that runs is due, by trigger."""
        return {one.timer.trigger: one.deadline for one in self._armed.values()}

    @property
    def armed_last(self) -> dict[str, float]:
        """By trigger, for how many seconds the last step armed it; what a journal keeps."""
        return {one.timer.trigger: one.seconds for one in self._last}

    def remaining(self) -> dict[str, float]:
        """In how many seconds each timer that runs is due, by trigger; less than 0 if that is past."""
        now = self._clock()
        return {one.timer.trigger: one.deadline - now for one in self._armed.values()}

    def begin(self, timers: tuple[Timer, ...], context: object) -> None:
        """Arm those of the state in which a machine is made."""
        self.apply(Arming(frozenset(), timers), context)

    def resume(self, timers: Mapping[str, Timer], remaining: Mapping[str, float]) -> None:
        """Run on with what remained, in seconds; what is past is due at once."""
        now = self._clock()
        self._armed = {
            timers[name].index: Armed(now + max(0.0, seconds), max(0.0, seconds), timers[name])
            for name, seconds in remaining.items()
            if name in timers
        }
        self._last = tuple(self._armed.values())
        self._find_next()

    def apply(self, arming: Arming | None, context: object) -> None:
        """Do what a step does to the timers; if a function of theirs raises, nothing."""
        if arming is None:
            self._last = ()
            return
        keeps, arms, alone = arming
        if alone is not None:
            # What most steps do that arm something, so it is spelt out.
            now, seconds = self._clock() if self._now is None else self._now, alone.after
            one = _new(Armed, (now + seconds, seconds, alone))  # type: ignore[operator]
            self._armed, self._last, self.next = {alone.index: one}, (one,), one[0]
            return
        if not arms and keeps is not None and not keeps:
            self._armed, self._last, self.next = {}, (), inf
            return
        armed = self._armed if keeps is None else {index: one for index, one in self._armed.items() if index in keeps}
        if arms:
            now = self._clock() if self._now is None else self._now
            new = {}
            for timer in arms:
                after = timer.after
                seconds = _seconds(after(context), timer) if callable(after) else after
                if timer.jitter == "full":
                    seconds = self._uniform(0.0, seconds)
                new[timer.index] = Armed(now + seconds, seconds, timer)
            armed = {**armed, **new}
            self._last = tuple(new.values())
        else:
            self._last = ()
        self._armed = armed
        self._find_next()

    def due(self, now: float) -> list[Armed]:
        """Those that are due, in the order of their deadlines and then of the table."""
        return sorted((one for one in self._armed.values() if one.deadline <= now), key=_order)

    def take(self, one: Armed, now: float, context: object) -> bool:
        """Disarm a timer that is due, unless it was cleared or armed anew meanwhile, or waits from a later time."""
        index = one.timer.index
        if self._armed.get(index) is not one:
            return False
        since = one.timer.since(context) if one.timer.since is not None else None
        if since is not None and since + one.seconds > now:
            self._armed[index] = Armed(since + one.seconds, one.seconds, one.timer)
            self._find_next()
            return False
        del self._armed[index]
        self._find_next()
        return True

    def put_back(self, one: Armed) -> None:
        """Let a timer be due again that was taken in vain."""
        self._armed[one.timer.index] = one
        self._find_next()

    def hold(self, now: float | None) -> None:
        """Within a tick everything counts from its time."""
        self._now = now

    def shift(self, seconds: float, *, clock_ran: bool) -> None:
        """The process stood still: what only heard nothing is put off, what is a limit is not."""
        moved = {}
        for index, one in self._armed.items():
            postpones = one.timer.late == "postpone"
            by = seconds if clock_ran and postpones else -seconds if not clock_ran and not postpones else 0.0
            moved[index] = one._replace(deadline=one.deadline + by)
        self._armed = moved
        self._find_next()

    def _find_next(self) -> None:
        self.next = min([one.deadline for one in self._armed.values()], default=inf)


def ticking_for(name: str, clock: Clock | None, uniform: Uniform | None) -> Ticking:
    """The timers of a new machine.

    Raises:
        ChartError: it has no clock.
    """
    if clock is None:
        raise ChartError(f"{name} has timers, so it needs a clock: {name}(…, clock=time.monotonic)")
    return Ticking(clock, uniform or random.uniform)


def _order(one: Armed) -> tuple[float, int]:
    return one.deadline, one.timer.index


def _seconds(given: Any, timer: Timer) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < inf:
        after = getattr(timer.after, "__name__", "after")
        raise ChartError(f"{timer.trigger}: {after} gave {given!r}; it must give seconds, 0 or more")
    return given

"""The timers of one running machine: which are armed, until when, and what each step does to them.

Nothing here waits. The owner asks for `next_timeout`, waits until then in its own way, and calls `tick`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from math import inf, isfinite
from typing import Any, NamedTuple, Protocol

from fsm_rtc.engine.clock import Clock
from fsm_rtc.engine.compile import AnyRow, ChartTable
from fsm_rtc.engine.doors import is_number
from fsm_rtc.engine.outcome import Outcome
from fsm_rtc.engine.timer import Timer
from fsm_rtc.errors import ChartError

__all__ = ["Armed", "Arming", "Ticking", "Uniform", "arming_of"]

Uniform = Callable[[float, float], float]
"""Draws between two bounds, as `random.Random.uniform` does."""


class TimedMachine(Protocol):
    """The machine whose timers fire."""

    context: Any

    def fire(self, trigger: str) -> Outcome:
        """Fire a trigger."""


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
        seconds: if all is known beforehand, since none runs on and at most one is armed, for a number of seconds: that
            number, or infinity if none is armed. Else None.
    """

    keeps: frozenset[int] | None
    arms: tuple[Timer, ...]
    seconds: float | None = None


def arming_of(table: ChartTable, row: AnyRow, source: StrEnum, middle: StrEnum, *, first_moves: bool) -> Arming | None:
    """What a row does to the timers from one of its states; None if nothing.

    Args:
        table: the chart.
        row: the row.
        source: where the machine is.
        middle: where it is behind the row's implicit first transition, which arms nothing; without one, `source`.
        first_moves: whether that transition leaves `source`, be it to enter it anew.
    """
    timers = table.timers.values()
    if not timers:
        return None
    if not first_moves and not row.moves_from(source):
        restarted = tuple(table.timers[name] for name in row.restarts)
        others = {timer.trigger for timer in timers if source in timer.sources} - set(row.restarts)
        return Arming(None, restarted, _seconds_known(restarted) if not others else None) if restarted else None
    target = row.target_from(middle)
    way = {source, middle, target}
    kept = frozenset(timer.index for timer in timers if timer.per == "sources" and way <= timer.sources)
    arms = tuple(timer for timer in timers if target in timer.sources and timer.index not in kept)
    if not arms and not any(source in timer.sources and timer.index not in kept for timer in timers):
        return None
    return Arming(kept, arms, _seconds_known(arms) if not kept else None)


def _seconds_known(arms: tuple[Timer, ...]) -> float | None:
    """`Arming.seconds` of a step behind which no other timer runs."""
    if not arms:
        return inf
    (after, jitter), *others = ((timer.after, timer.jitter) for timer in arms)
    return None if others or jitter != "none" or callable(after) else float(after)


class Ticking:
    """The timers of one machine.

    Most steps arm one timer or clear it. Such a step only sets `next` and `last_step`; what that means is worked out
    when somebody asks for it.

    Args:
        clock: seconds that never run backwards.
        uniform: draws the times of timers with jitter.

    Attributes:
        clock: as given.
        next: when the first is due; infinity if none runs.
        last_step: what the last step did, if that isn't worked out yet and its `seconds` are known; else None.
    """

    __slots__ = ("_armed", "_last", "_now", "_uniform", "clock", "last_step", "next")

    def __init__(self, clock: Clock, uniform: Uniform) -> None:
        self.clock = clock
        self.last_step: Arming | None = None
        self._uniform = uniform
        self._armed: dict[int, Armed] = {}
        self._now: float | None = None
        self._last: tuple[Armed, ...] = ()
        self.next = inf

    @property
    def armed(self) -> Mapping[str, float]:
        """When each timer that runs is due, by trigger."""
        return {one.timer.trigger: one.deadline for one in self._running().values()}

    @property
    def armed_last(self) -> dict[str, float]:
        """By trigger, for how many seconds the last step armed it; what a journal keeps."""
        self._running()
        return {one.timer.trigger: one.seconds for one in self._last}

    def remaining(self) -> dict[str, float]:
        """In how many seconds each timer that runs is due, by trigger; less than 0 if that is past.

        While none runs the clock isn't asked: an event loop's does not run yet where a machine is made before it.
        """
        if not (running := self._running()):
            return {}
        now = self.clock()
        return {one.timer.trigger: one.deadline - now for one in running.values()}

    def begin(self, timers: tuple[Timer, ...], context: object) -> None:
        """Arm those of the state in which a machine is made; without any the clock isn't asked, which may run later."""
        if timers:
            self.apply(Arming(frozenset(), timers), context)

    def resume(self, timers: Mapping[str, Timer], remaining: Mapping[str, float], context: object) -> None:
        """Run on with what remained, in seconds; what is past is due at once.

        Raises:
            ChartError: one of them has no timer in this state; or that isn't seconds.
        """
        now = self.clock()
        self._armed = {}
        for name, seconds in remaining.items():
            timer = timers.get(name)
            if timer is None:
                has = ", ".join(timers) or "none"
                raise ChartError(f"armed={{{name!r}: …}}: this state has no such timer, but {has}; leave it out")
            if not is_number(seconds) or not isfinite(seconds):
                raise ChartError(f"armed={{{name!r}: {seconds!r}}}: give seconds")
            left = max(0.0, seconds)
            # What is heard from now on puts it off by its whole time, not by what is left.
            whole = self._drawn(timer, context) if timer.since is not None else left
            self._armed[timer.index] = Armed(now + left, whole, timer)
        self._last = tuple(self._armed.values())
        self._find_next()

    def apply(self, arming: Arming | None, context: object) -> None:
        """Do what a step does to the timers; if a function of theirs raises, nothing."""
        running = self._running()
        if arming is None:
            self._last = ()
            return
        now = self.clock() if self._now is None else self._now
        drawn = [(timer, self._drawn(timer, context)) for timer in arming.arms]
        new = {timer.index: Armed(now + seconds, seconds, timer) for timer, seconds in drawn if seconds < inf}
        keeps = arming.keeps if arming.keeps is not None else running.keys() - {timer.index for timer in arming.arms}
        self._armed = {**{index: one for index, one in running.items() if index in keeps}, **new}
        self._last = tuple(new.values())
        self._find_next()

    def _drawn(self, timer: Timer, context: object) -> float:
        after = timer.after
        seconds = _seconds(after(context), timer) if callable(after) else after
        return self._uniform(0.0, seconds) if timer.jitter == "full" and seconds < inf else seconds

    def fired(self, now: float, machine: TimedMachine) -> Iterator[Outcome]:
        """Fire what is due, in the order of the deadlines and then of the table; what became of each.

        Until the end everything counts from `now`. One that raises is due again.
        """
        self._now = now
        try:
            for one in sorted((one for one in self._running().values() if one.deadline <= now), key=_order):
                if self._take(one, now, machine.context):
                    try:
                        yield machine.fire(one.timer.trigger)
                    except BaseException:
                        self._running()[one.timer.index] = one
                        self._find_next()
                        raise
        finally:
            self._now = None

    def _take(self, one: Armed, now: float, context: object) -> bool:
        """Disarm a timer that is due, unless it was cleared or armed anew meanwhile, or waits from a later time."""
        index = one.timer.index
        if self._running().get(index) is not one:
            return False
        since = one.timer.since(context) if one.timer.since is not None else None
        if since is not None and since + one.seconds > now:
            self._armed[index] = Armed(since + one.seconds, one.seconds, one.timer)
            self._find_next()
            return False
        del self._armed[index]
        self._find_next()
        return True

    def _running(self) -> dict[int, Armed]:
        """By index, the timers that run, behind the last step too."""
        step = self.last_step
        if step is not None:
            self.last_step = None
            self._last = tuple(Armed(self.next, step.seconds or 0.0, timer) for timer in step.arms)
            self._armed = {one.timer.index: one for one in self._last}
        return self._armed

    def shift(self, seconds: float, context: object, *, clock_ran: bool) -> None:
        """The process stood still: what only heard nothing is put off, what is a limit is not."""
        moved = {}
        for index, one in self._running().items():
            deadline = one.deadline
            if one.timer.late == "postpone":
                deadline = self._due_without(seconds, one, context) + seconds if clock_ran else deadline
            elif not clock_ran:
                deadline -= seconds
            moved[index] = one._replace(deadline=deadline)
        self._armed = moved
        self._find_next()

    def _due_without(self, seconds: float, one: Armed, context: object) -> float:
        """When it would be due had nothing stood still: what was heard before that is too old to be looked at later."""
        since = one.timer.since(context) if one.timer.since is not None else None
        if since is None or since > self.clock() - seconds:
            return one.deadline
        return max(one.deadline, since + one.seconds)

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
    if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 0:
        after = getattr(timer.after, "__name__", "after")
        raise ChartError(
            f"{timer.trigger}: {after} gave {given!r}; it must give seconds, 0 or more, or infinity for never"
        )
    return given

"""The walk over every cell of a chart, each by its shortest way, before any random order of events.

The way is found on the chart itself, which runs beside the system: breadth first over orders of events, each begun with
a new system, since what guards read may be a view of it. An order is gone on from if the chart would say something at
its end that it said nowhere before; one that is not, only while cells are missing, and within a bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from enum import StrEnum
from heapq import heappop, heappush
from itertools import count
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, Verbosity, example, given, settings
from hypothesis import strategies as st
from hypothesis.errors import UnsatisfiedAssumption

from fsm_rtc.conformance.chart_coverage import AnyRow, Branch, CoveredCell, branch_of
from fsm_rtc.conformance.side_by_side import ComparedStep, Setup, SideBySide, Wait, Way
from fsm_rtc.errors import Reason, Rejected

__all__ = ["fresh", "walk_every_cell"]

EVENTS_DRAWN = 50
"""How many events are drawn from each strategy."""

EVENTS_A_CELL = 10
"""How many of them are tried where a row is taken for the first time, and where a guard refuses."""

MAX_STEPS = 20_000
"""How many steps may be made to try what the chart says for the first time."""

REPEATS = 10
"""How often an order is gone on from that ends where the chart says the same as before."""

NEW_BEFORE_OLD = 4
"""So many times as often a way is gone on from whose timers or context are new, where the chart says the same."""

ADDRESS = " at 0x"
"""What is written so differs from run to run."""

Said = tuple[StrEnum, frozenset[CoveredCell]]


class _End(NamedTuple):
    """Where a way ends.

    Attributes:
        said: what the chart would say there.
        remaining: how long its timers have left.
        context: its context as it writes itself; empty if it doesn't.
    """

    said: Said
    remaining: tuple[tuple[str, float], ...]
    context: str


def walk_every_cell(
    setup: Setup, payloads: Mapping[str, st.SearchStrategy[Any]], *, more_steps: int, written: Callable[[Way], str]
) -> list[Way]:
    """Try every cell; fail at the first difference, with the shortest order that shows it.

    Returns:
        The shortest way to each place where the chart says something else than anywhere before, but for its ends.

    Args:
        setup: the chart and the system.
        payloads: by trigger, what its event may be.
        more_steps: how many steps may be made for cells that are still missing, and for timers that run in other ways.
        written: an order of steps as a reader sees it.

    Raises:
        AssertionError: the system does otherwise than the chart.
    """
    events = {name: _drawn(payloads[name]) if name in payloads else [None] for name in setup.triggers}
    walk = _Walk(setup, events, more_steps, written)
    failed: list[Exception] = []

    # An example of Hypothesis, so that a driver may call assume, note and event here as in the random orders.
    @settings(phases=[Phase.explicit], database=None, deadline=None, verbosity=Verbosity.quiet)
    @example(None)
    @given(st.none())
    def in_an_example(_: None) -> None:
        try:
            walk.go()
        except Exception as error:
            failed.append(error)

    in_an_example()
    setup.coverage.has_failed = bool(failed)
    if failed:
        raise failed[0]
    return walk.ways


def _drawn(strategy: st.SearchStrategy[Any]) -> list[Any]:
    """Some values, the same ones each time, what is shortly written first."""
    values: list[Any] = []

    @settings(
        max_examples=EVENTS_DRAWN,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(value: Any) -> None:
        values.append(value)

    draw()
    return sorted(values, key=_written_length)


def _written_length(value: Any) -> tuple[int, str]:
    written = repr(value)
    return len(written), "" if ADDRESS in written else written


def fresh(event: Any) -> Any:
    """The event itself, or a copy of what a system may change: the same event is given to several systems."""
    try:
        hash(event)
    except TypeError:
        return deepcopy(event)
    return event


class _Walk:
    def __init__(
        self, setup: Setup, events: Mapping[str, list[Any]], more_steps: int, written: Callable[[Way], str]
    ) -> None:
        self._setup = setup
        self._events = events
        self._more_steps = more_steps
        self._written = written
        self._steps = 0
        self._order = count()
        self._waiting: list[tuple[int, int, int, Way, _End | None]] = []
        self._gone_on: Counter[Said] = Counter()
        self._ends: set[_End] = set()
        self.ways: list[Way] = []

    def go(self) -> None:
        """Go every way, the new ones first, and the shortest of them."""
        self._wait_for((), 0)
        first_repeat: int | None = None
        while self._waiting:
            rank, _, _, way, end = heappop(self._waiting)
            if rank:
                first_repeat = self._steps if first_repeat is None else first_repeat
                is_done = not self._setup.chart.chart.timers and not self._setup.coverage.missing()
                if is_done or self._steps - first_repeat >= self._more_steps:
                    return
            elif self._steps >= MAX_STEPS:
                return
            if end is None or not self._postpones(way, end, rank):
                self._try(way, rank)

    def _wait_for(self, way: Way, rank: int, end: _End | None = None) -> None:
        heappush(self._waiting, (rank, len(way), next(self._order), way, end))

    def _postpones(self, way: Way, end: _End, rank: int) -> bool:
        """Whether a way isn't gone on from now, since others that end so were; it waits for its turn, or is dropped."""
        times = self._gone_on[end.said]
        if times and end not in self._ends:
            times = 1 + times // NEW_BEFORE_OLD
        if rank < times < REPEATS:
            self._wait_for(way, times, end)
        return rank < times

    def _try(self, way: Way, rank: int) -> None:
        """Go a way on a new system, and on from its end if that is worth it."""
        done: list[ComparedStep] = []
        side = SideBySide(self._setup)
        try:
            for step in way:
                self._do(side, step, done)
            said = self._ask(side)
            cells = frozenset(CoveredCell(side.state, name, branch) for name, branch, _ in said)
            context = repr(side.context)
            end = _End((side.state, cells), tuple(side.remaining().items()), "" if ADDRESS in context else context)
            if self._postpones(way, end, rank):
                # The chart's timers run as they did before; the system's might not.
                for wait in Wait:
                    if self._setup.chart.chart.timers and side.can_wait(wait):
                        self._do(side, ComparedStep(wait), done)
                return
            for step in self._onward(side, said, self._gone_on[end.said]):
                self._wait_for((*way, step), 0)
            if not self._gone_on[end.said] and side.state not in self._setup.chart.chart.final:
                self.ways.append(way)
            self._gone_on[end.said] += 1
            self._ends.add(end)
            for step in self._refused(side, said):
                with suppress(UnsatisfiedAssumption):
                    self._do(side, step, done)
        except UnsatisfiedAssumption:
            return
        except AssertionError as error:
            shortest = self._shortest(tuple(done), error)
            raise shortest from shortest.__cause__
        except Exception as error:
            error.add_note(self._written(tuple(done)))
            raise
        finally:
            side.stop()

    def _do(self, side: SideBySide, step: ComparedStep, done: list[ComparedStep]) -> None:
        self._steps += 1
        done.append(step)
        side.do(ComparedStep(step.name, fresh(step.event)))

    def _ask(self, side: SideBySide) -> list[tuple[str, Branch, Any]]:
        """What the chart would say here to each event that was drawn."""
        said: list[tuple[str, Branch, Any]] = []
        for name, events in self._events.items():
            self._setup.coverage.looked[side.state, name] = len(events)
            for event in events:
                verdict = side.verdict(name, event)
                said.append((name, branch_of(verdict), event))
                self._note_refusing(side, name, event, verdict)
        return said

    def _note_refusing(self, side: SideBySide, name: str, event: Any, verdict: AnyRow | Rejected) -> None:
        """Which guard kept a row from being taken, as far as the chart itself asks them."""
        refused = verdict if isinstance(verdict, Rejected) else None
        for row in self._setup.chart.chart.rows(name, side.state):
            if row is verdict:
                return
            if self._setup.coverage.has(CoveredCell(side.state, name, row)):
                continue
            by = None
            if refused is None or refused.reason is not Reason.CHECK:
                by = next((guard.__name__ for guard in row.when if not guard(side.context, event)), None)
            if by is None and refused is not None:
                by = refused.guard
            if by is not None:
                self._setup.coverage.refusing[side.state, name, row].add(by)

    def _onward(self, side: SideBySide, said: list[tuple[str, Branch, Any]], number: int) -> Iterator[ComparedStep]:
        """A step for each row that can be taken, with another event each time; and what time does."""
        by_row: dict[CoveredCell, list[Any]] = {}
        for name, branch, event in said:
            if not isinstance(branch, str):
                by_row.setdefault(CoveredCell(side.state, name, branch), []).append(event)
        for cell, events in by_row.items():
            several = 1 if self._setup.coverage.has(cell) else min(EVENTS_A_CELL, len(events))
            yield from (ComparedStep(cell.trigger, events[(number + index) % len(events)]) for index in range(several))
        yield from (ComparedStep(wait) for wait in Wait if side.remaining() and side.can_wait(wait))

    def _refused(self, side: SideBySide, said: list[tuple[str, Branch, Any]]) -> list[ComparedStep]:
        """Steps for each refusal that wasn't tried, and once more for a guard's: what it reads may be new here.

        They move nothing, so one system does for all of them.
        """
        steps: list[ComparedStep] = []
        times: Counter[CoveredCell] = Counter()
        for name, branch, event in said:
            cell = CoveredCell(side.state, name, branch)
            if not isinstance(branch, str):
                continue
            most = EVENTS_A_CELL if not self._setup.coverage.has(cell) else int(branch != "")
            if times[cell] < most:
                times[cell] += 1
                steps.append(ComparedStep(name, event))
        timers = self._setup.chart.chart.timers
        if timers and not side.remaining() and side.can_wait(Wait.UNTIL):
            steps.append(ComparedStep(Wait.UNTIL))
        return steps

    def _shortest(self, way: Way, error: AssertionError) -> AssertionError:
        """The same difference, or another one, without the steps that it doesn't need."""
        for index in range(len(way) - 2, -1, -1):
            fewer = way[:index] + way[index + 1 :]
            if (found := self._fails(fewer)) is not None:
                way, error = found
        error.add_note(self._written(way))
        return error

    def _fails(self, way: Way) -> tuple[Way, AssertionError] | None:
        done: list[ComparedStep] = []
        side = SideBySide(self._setup)
        try:
            for step in way:
                if isinstance(step.name, Wait) and not side.can_wait(step.name):
                    return None
                self._do(side, step, done)
        except AssertionError as error:
            return tuple(done), error
        except UnsatisfiedAssumption:
            return None
        finally:
            side.stop()
        return None

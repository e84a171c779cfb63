"""Which cells of a chart's table were tried, and why the others weren't.

A cell is a state, a trigger, and what becomes of it there: one of its rows is taken, or it is refused, by a guard's
name. A trigger with a guard so has two cells in a state, one without has one. Where several rows have guards a refusal
counts only if it was seen, since the guards may leave no gap between them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from fsm_rtc.engine import Accepted, Chart, Row
from fsm_rtc.errors import Rejected

__all__ = ["AnyRow", "Branch", "CoveredCell", "ChartCoverage", "CoverageReport", "branch_of", "cells_of"]

AnyRow = Row[Any, Any, Any]
Branch = AnyRow | str
"""The row that is taken, or the name of the guard or check that refuses; empty where there is no row."""


class CoveredCell(NamedTuple):
    """One cell of a table."""

    state: StrEnum
    trigger: str
    branch: Branch


class CoverageReport(NamedTuple):
    """What was tried of a chart, in plain values that go from process to process.

    Attributes:
        name: the chart's and the driver's.
        tried: how many cells were tried.
        of: of how many.
        missing: those that weren't, and why, a line each.
    """

    name: str
    tried: int
    of: int
    missing: tuple[str, ...]

    @property
    def percent(self) -> float:
        """How many of a hundred cells were tried."""
        return 100 * self.tried / self.of

    def line(self) -> str:
        """One line."""
        return f"{self.name}: {self.tried} of {self.of} cells tried, {int(self.percent)} %"


def branch_of(outcome: Accepted | Rejected | AnyRow | None) -> Branch:
    """What became of an event, as a cell has it; nothing became of a timer that rightly didn't come."""
    if isinstance(outcome, Rejected):
        return outcome.guard or ""
    return outcome.row if isinstance(outcome, Accepted) else outcome or ""


def cells_of(chart: type[Chart[Any, Any]]) -> Iterator[CoveredCell]:
    """Every cell of a chart, by state, in the table's order."""
    table = chart.chart
    for state in table.states:
        timed = any(state in timer.sources for timer in table.timers.values())
        for name, trigger in table.triggers.items():
            rows = [row for row in table.rows(name, state) if table.is_possible(row, state)]
            if state not in table.final:
                yield from (CoveredCell(state, name, check.__name__) for check in trigger.checks)
            yield from (CoveredCell(state, name, row) for row in rows)
            if not rows and not (timed and trigger.timer is not None):
                yield CoveredCell(state, name, "")
            elif len(rows) == 1:
                yield from (CoveredCell(state, name, guard.__name__) for guard in rows[0].when)


class ChartCoverage:
    """Counts the cells that one `machine_test` tries.

    Args:
        chart: the protocol's table.
        driver: the name of what drives the system.

    Attributes:
        has_failed: whether a difference or an error ended the walk over the cells.
        looked: by state and trigger, how many events the chart was asked about.
        refusing: by row, the guards that refused where the row wasn't taken.
    """

    def __init__(self, chart: type[Chart[Any, Any]], driver: str) -> None:
        self._chart = chart
        self._name = f"{chart.__name__} with {driver}"
        self._tried: Counter[CoveredCell] = Counter()
        self._expected = tuple(dict.fromkeys(cells_of(chart)))
        self.has_failed = False
        self.looked: dict[tuple[StrEnum, str], int] = {}
        self.refusing: defaultdict[tuple[StrEnum, str, AnyRow], set[str]] = defaultdict(set)

    def saw(self, state: StrEnum, trigger: str, outcome: Accepted | Rejected | None) -> str:
        """Count a cell; it in words.

        Args:
            state: the state before.
            trigger: what was fired.
            outcome: what the chart said; None for a timer that rightly didn't come.
        """
        cell = CoveredCell(state, trigger, branch_of(outcome))
        self._tried[cell] += 1
        return self._words(cell)

    def has(self, cell: CoveredCell) -> bool:
        """Whether a cell was tried."""
        return cell in self._tried

    def missing(self) -> tuple[CoveredCell, ...]:
        """The cells that weren't tried, in the table's order."""
        return tuple(cell for cell in self._expected if cell not in self._tried)

    def report(self) -> CoverageReport:
        """What was tried, for a reader."""
        missing = self.missing()
        of = len({*self._expected, *self._tried})
        if self.has_failed:
            told: tuple[str, ...] = ("a difference or an error ended the walk over the cells",)
        else:
            unreached = Counter(cell.state for cell in missing if not self._was_in(cell.state))
            told = (
                *(f"{state.value!r}, {number} cells: no way there was found" for state, number in unreached.items()),
                *(f"{self._words(cell)}: {self._why(cell)}" for cell in missing if cell.state not in unreached),
            )
        return CoverageReport(self._name, of - len(missing), of, told)

    def _was_in(self, state: StrEnum) -> bool:
        return any(cell.state is state for cell in self._tried)

    def _words(self, cell: CoveredCell) -> str:
        rows = self._chart.chart.rows(cell.trigger, cell.state)
        if isinstance(cell.branch, str):
            became = f"refused by {cell.branch}" if cell.branch else "refused"
        else:
            guards = " and ".join(guard.__name__ for guard in cell.branch.when)
            number = f" by row {rows.index(cell.branch) + 1} of {len(rows)}" if len(rows) > 1 else ""
            became = f"accepted{number}{' as ' if guards else ''}{guards}"
        return f"{cell.trigger} in {cell.state.value!r}, {became}"

    def _why(self, cell: CoveredCell) -> str:
        events = self.looked.get((cell.state, cell.trigger), 0)
        each = f"all {events} events tried" if events > 1 else "each time"
        if cell.trigger in self._chart.chart.timers:
            return "it was never due there"
        if not events:
            return "neither the walk nor a random order came to it"
        if isinstance(cell.branch, str):
            agreed = f"to {each}" if events > 1 else each
            return f"it agreed {agreed}" if cell.branch else "the driver's assumptions left it out"
        guards = sorted(self.refusing[cell.state, cell.trigger, cell.branch])
        if guards:
            return f"{' or '.join(guards)} refused {each}"
        return (
            f"an earlier row took {each}"
            if len(self._chart.chart.rows(cell.trigger, cell.state)) > 1
            else ("the driver's assumptions left it out")
        )

"""Replay: a journal walked through the charts again, to see whether the tables allow what was recorded.

Nothing runs: no guard is called, since the events' payloads are not recorded. What the record says of the guards is
taken as their answer, and the table must then lead where the record says; what was rejected must be refusable for the
recorded reason. An implicit first transition is an event of its own, directly before the one that needed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fsm_rtc.engine.chart import Chart
from fsm_rtc.engine.compile import AnyRow, ChartTable
from fsm_rtc.engine.journal import Entry, Record, Started
from fsm_rtc.engine.observed import Observed
from fsm_rtc.errors import JournalError, Reason

__all__ = ["Mismatch", "Replayed", "Walk", "replay"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One record that the tables don't allow.

    Attributes:
        line: its place in the journal, counted from 1.
        label: which machine.
        message: what the record says and the table doesn't.
    """

    line: int
    label: str
    message: str


@dataclass(frozen=True, slots=True)
class Walk:
    """One label's way through its chart.

    Attributes:
        label: which machine.
        machine: its chart's name.
        accepted: how many of its events were accepted.
        rejected: how many were rejected.
        state: where the walk ended.
        mismatches: the records that don't agree, in order.
    """

    label: str
    machine: str
    accepted: int
    rejected: int
    state: str
    mismatches: tuple[Mismatch, ...]

    @property
    def agrees(self) -> bool:
        """Whether the table allows all that was recorded."""
        return not self.mismatches


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay found; `walks` in the order in which the labels were first seen."""

    walks: tuple[Walk, ...]

    @property
    def agrees(self) -> bool:
        """Whether every walk agrees."""
        return all(walk.agrees for walk in self.walks)

    @property
    def mismatches(self) -> tuple[Mismatch, ...]:
        """Every mismatch, in the order of the journal."""
        return tuple(sorted((one for walk in self.walks for one in walk.mismatches), key=lambda one: one.line))


def replay(
    records: Iterable[Record],
    charts: Mapping[str, type[Chart[Any, Any]]],
    *,
    despite_changes: bool = False,
) -> Replayed:
    """Walk a journal's records through the charts.

    Args:
        records: a `Journal`, or the records of a file.
        charts: by the name that the journal has for them, which is the class' name.
        despite_changes: go on if a chart is no longer the one that wrote the journal.

    Returns:
        Each label's walk, with the records that the tables don't allow.

    Raises:
        JournalError: a machine without chart, a chart that has changed, an event of a label that never started.
    """
    walks: dict[str, _Walker] = {}
    for line, record in enumerate(records, start=1):
        if isinstance(record, Started):
            chart = _chart_of(record, line, charts, despite_changes=despite_changes)
            walks[record.label] = _Walker.begun(walks.get(record.label), record, line, chart)
        elif record.label not in walks:
            raise JournalError(
                f"an event of {record.label!r}, which never started; the beginning of the journal is missing", line=line
            )
        elif isinstance(record, Entry):
            walks[record.label].take(record, line)
    return Replayed(tuple(walker.walk() for walker in walks.values()))


def _chart_of(
    started: Started, line: int, charts: Mapping[str, type[Chart[Any, Any]]], *, despite_changes: bool
) -> type[Chart[Any, Any]]:
    chart = charts.get(started.machine)
    if chart is None:
        raise JournalError(
            f"no chart is known for machine {started.machine!r}; give it with --chart package.module:{started.machine}",
            line=line,
        )
    if chart.chart.digest != started.digest and not despite_changes:
        raise JournalError(
            f"{started.machine} has changed since this was written (table {started.digest}, now {chart.chart.digest}); "
            "go on with --despite-changes to see what still agrees",
            line=line,
        )
    return chart


@dataclass(slots=True)
class _Walker:
    """A walk in progress. `earlier` is the event directly before, in case it was an implicit first one."""

    label: str
    chart: type[Chart[Any, Any]]
    state: StrEnum
    accepted: int = 0
    rejected: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    earlier: tuple[str, StrEnum] | None = None

    @classmethod
    def begun(cls, before: _Walker | None, started: Started, line: int, chart: type[Chart[Any, Any]]) -> _Walker:
        """A walk from the started state; one under a label that was used before goes on with its counts."""
        state = _state_of(chart.chart, started.state)
        walker = cls(started.label, chart, chart.chart.initial if state is None else state)
        if before is not None:
            walker.accepted, walker.rejected = before.accepted, before.rejected
            walker.mismatches = before.mismatches
        if state is None:
            walker._say(line, f"it started in {started.state!r}, which is no state of {chart.chart.name}")
        return walker

    def walk(self) -> Walk:
        """The walk as it ended."""
        name = self.chart.chart.name
        return Walk(self.label, name, self.accepted, self.rejected, self.state.value, tuple(self.mismatches))

    def take(self, entry: Entry, line: int) -> None:
        """Compare one event with the table, then move as the record says."""
        table = self.chart.chart
        if entry.accepted:
            self.accepted += 1
        else:
            self.rejected += 1
        if fault := self._fault(entry):
            self._say(line, f"{_told(entry)}: {fault}")
        target = _state_of(table, entry.target)
        self.earlier = (entry.trigger, self.state) if entry.accepted else None
        self.state = self.state if target is None else target

    def _say(self, line: int, message: str) -> None:
        self.mismatches.append(Mismatch(line, self.label, message))

    def _fault(self, entry: Entry) -> str | None:
        table = self.chart.chart
        if entry.machine != table.name:
            return f"the event is one of {entry.machine}, but {self.label} is a {table.name}"
        if entry.source != self.state.value:
            return f"the walk is in {self.state.value!r}"
        observed = issubclass(self.chart, Observed)
        if entry.reason == Reason.UNKNOWN_REPORT:
            return None if observed else f"{table.name} follows no reports"
        if observed and entry.reason == Reason.STALE:  # a report without trigger may be stale too
            return None
        if entry.trigger not in table.triggers:
            return f"{table.name} has no such trigger"
        if wrong := sorted(name for name in entry.armed if name not in table.timers):
            return f"{table.name} has no timer {', '.join(wrong)}"
        if entry.accepted:
            return self._accepted_fault(entry)
        if entry.reason == Reason.STALE:
            return None
        return _refusal_fault(table, self.state, entry.trigger, entry, entry.first)

    def _accepted_fault(self, entry: Entry) -> str | None:
        """Why the table would not take the event along the recorded edge, or None if it would."""
        if any(self._is_recorded(row, entry) for row in self._rows_after_first(entry.trigger)):
            return None
        for row in self.chart.chart.rows(entry.trigger, self.state):
            if row.first is not None:
                continue
            if self._is_recorded(row, entry):
                return None
            if set(entry.guards).issuperset(_names(row)):
                return f"an earlier row takes it: {row.describe()}"
        return "the table has no such row"

    def _is_recorded(self, row: AnyRow, entry: Entry) -> bool:
        return (_names(row), row.target_from(self.state).value) == (entry.guards, entry.target)

    def _rows_after_first(self, trigger: str) -> list[AnyRow]:
        """The rows whose implicit first transition was the event directly before."""
        if self.earlier is None:
            return []
        first, before = self.earlier
        return [row for row in self.chart.chart.rows(trigger, before) if row.first == first]


def _refusal_fault(table: ChartTable, state: StrEnum, trigger: str, entry: Entry, first: str | None) -> str | None:
    """Why the table could not refuse the trigger for the recorded reason, or None if it could."""
    declared = table.triggers[trigger]
    rows = table.rows(trigger, state)
    if first is not None:
        if not rows or rows[0].first != first:
            return f"the first row in {state.value!r} has no implicit {first}"
        return _certain_row(rows) or _refusal_fault(table, state, first, entry, None)
    if entry.reason == Reason.CHECK and state not in table.final:
        checks = {check.__name__ for check in declared.checks}
        return None if entry.guard in checks else f"{trigger} has no check {entry.guard}"
    if entry.reason == Reason.GUARD:
        if not rows or entry.guard not in _names(rows[0]):
            return f"the first row in {state.value!r} has no guard {entry.guard}"
        return _certain_row(rows)
    if rows:
        return f"the table has a row: {rows[0].describe()}"
    reason = table.why_no_row(trigger, state)
    return None if entry.reason == reason else f"the table refuses it because: {reason.value}"


def _certain_row(rows: tuple[AnyRow, ...]) -> str | None:
    """A row that nothing can refuse, told; or None if each could be."""
    for row in rows:
        if not row.when and row.first is None:
            return f"nothing can refuse the row {row.describe()}"
    return None


def _state_of(table: ChartTable, value: str) -> StrEnum | None:
    return next((state for state in table.states if state.value == value), None)


def _names(row: AnyRow) -> tuple[str, ...]:
    return tuple(guard.__name__ for guard in row.when)


def _told(entry: Entry) -> str:
    if entry.accepted:
        guards = f" [{' and '.join(entry.guards)}]" if entry.guards else ""
        return f"{entry.trigger} from {entry.source!r} to {entry.target!r}{guards}"
    via = f" by its implicit {entry.first}" if entry.first else ""
    guard = f" ({entry.guard})" if entry.guard else ""
    return f"{entry.trigger} rejected in {entry.source!r}{via}, {entry.reason}{guard}"

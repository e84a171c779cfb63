"""What an inspector knows of every machine, and the latest records, in the form in which pages are sent them.

Nothing here knows sockets or time. A record is a row of a machine's number and what happened:

    [machine, time, generation, trigger, source, target, guards]            accepted
    [machine, time, generation, trigger, source, null, guard, reason, first]  rejected
    [machine, time, generation, null, null, state]                          it began to be watched
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from fsm_rtc.engine import Dropped, Entry, Started
from fsm_rtc.inspector.charts import ChartBook, ChartWords
from fsm_rtc.inspector.labels import connection_of
from fsm_rtc.inspector.source import Record

__all__ = ["IndexChanges", "Index", "Row"]

Row = tuple[Any, ...]
"""A record, or a machine, as JSON has it."""

MAX_CONNECTIONS = 1000
"""So many connections are remembered; of more, those that are over go first, then the oldest."""


@dataclass(slots=True)
class _IndexedMachine:
    number: int
    label: str
    connection: str
    chart: str
    digest: str
    generation: int
    state: str
    ends: frozenset[str]
    accepted: int = 0
    rejected: int = 0
    last: Row | None = None

    def row(self) -> Row:
        return (
            *(self.number, self.label, self.connection, self.chart, self.digest),
            *(self.generation, self.state, self.accepted, self.rejected, self.last),
        )


@dataclass(slots=True)
class IndexChanges:
    """What some records have changed.

    Attributes:
        rows: the records.
        machines: the machines that began to be watched, and were not known or have another chart.
        charts: the charts that were not known, by digest.
        gone: the connections that are remembered no longer.
    """

    rows: list[Row] = field(default_factory=list)
    machines: list[Row] = field(default_factory=list)
    charts: dict[str, ChartWords] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


class Index:
    """Every machine and the latest records.

    Args:
        book: the charts that are known.
        history: how many records are kept; None for all.

    Attributes:
        total: how many records were taken.
    """

    def __init__(self, book: ChartBook, *, history: int | None) -> None:
        self.total = 0
        self._book = book
        self._machines: dict[str, _IndexedMachine] = {}
        self._connections: dict[str, list[_IndexedMachine]] = {}
        self._charts: dict[str, ChartWords] = {}
        self._rows: deque[Row] = deque(maxlen=history)
        self._numbers = 0

    def meet(self, started: Started, last: Entry | None) -> None:
        """Know a machine whose records may be dropped: how it began, and its last accepted event."""
        state = started.state if last is None else last.target
        machine = self._begin(started.label, started.machine, started.digest, state, IndexChanges())
        machine.generation = started.generation if last is None else last.generation
        machine.last = None if last is None else _row(machine, last)

    def take(self, record: Record, changes: IndexChanges) -> None:
        """Take one record, and note in `changes` what is new."""
        if isinstance(record, Dropped):
            return  # the machine is where it was
        machine = self._machines.get(record.label)
        row: Row
        if isinstance(record, Started):
            if machine is None or machine.digest != record.digest:
                machine = self._begin(record.label, record.machine, record.digest, record.state, changes)
            machine.state, machine.generation, machine.last = record.state, record.generation, None
            row = (machine.number, round(record.time, 6), record.generation, None, None, record.state)
        else:
            if machine is None:  # it was watched before the oldest record that is kept
                digest = self._book.digest_of(record.machine)
                machine = self._begin(record.label, record.machine, digest, record.source, changes)
            row = _row(machine, record)
            machine.generation = record.generation
            if record.accepted:
                machine.accepted += 1
                machine.state = record.target
                machine.last = row
            else:
                machine.rejected += 1
        self.total += 1
        self._rows.append(row)
        changes.rows.append(row)

    def _begin(self, label: str, chart: str, digest: str, state: str, changes: IndexChanges) -> _IndexedMachine:
        connection = connection_of(label)
        known = self._machines.get(label)
        if known is None:
            self._numbers += 1
        number = self._numbers if known is None else known.number
        ends = self._book.final_states(digest)
        machine = _IndexedMachine(number, label, connection, chart, digest, 0, state, ends)
        self._machines[label] = machine
        siblings = self._connections.setdefault(connection, [])
        siblings[:] = [*(one for one in siblings if one is not known), machine]
        changes.machines.append(machine.row())
        if digest not in self._charts and (words := self._book.words(digest)) is not None:
            self._charts[digest] = changes.charts[digest] = words
        if len(self._connections) > MAX_CONNECTIONS:
            self._forget_some(connection, changes)
        return machine

    def _forget_some(self, present: str, changes: IndexChanges) -> None:
        """Forget a tenth, so that this is done seldom; not the connection that is just coming."""
        others = [name for name in self._connections if name != present]
        others.sort(key=lambda name: not self._is_over(name))
        for name in others[: MAX_CONNECTIONS // 10]:
            for machine in self._connections.pop(name):
                del self._machines[machine.label]
            changes.gone.append(name)

    def _is_over(self, connection: str) -> bool:
        """Whether every machine of it that can come to an end has come to it."""
        ending = [machine for machine in self._connections[connection] if machine.ends]
        return bool(ending) and all(machine.state in machine.ends for machine in ending)

    def machines(self) -> list[Row]:
        """Every machine, as it is now."""
        return [machine.row() for machine in self._machines.values()]

    def charts(self) -> dict[str, ChartWords]:
        """The charts of all of them, by digest."""
        return dict(self._charts)

    def rows(self) -> list[Row]:
        """The latest records."""
        return list(self._rows)


def _row(machine: _IndexedMachine, entry: Entry) -> Row:
    front = (machine.number, round(entry.time, 6), entry.generation, entry.trigger, entry.source)
    return (
        (*front, entry.target, entry.guards)
        if entry.accepted
        else (*front, None, entry.guard, entry.reason, entry.first)
    )

"""The journal: what happened to every watched machine, in order, bounded, as data and as JSON Lines.

Recording is one tuple a event; entries are made when somebody reads. A line never holds an event's payload:
descriptions and candidates carry addresses and secrets.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from fsm_rtc.engine.chart import Chart
from fsm_rtc.engine.clock import Clock
from fsm_rtc.engine.outcome import Accepted, Rejected
from fsm_rtc.errors import Reason

__all__ = ["Dropped", "Entry", "Journal", "Record", "Started"]

logger = logging.getLogger("fsm_rtc.engine")

_Raw = tuple[Any, ...]
"""Time, label, generation and what happened; of a machine with timers, what it armed too.

What happened is a record, or of an event the class of its `Accepted`, which has the whole edge, or a `_Refusal`. The
outcome itself would keep the event's payload alive: a description, a message, a chunk of a file.
"""


@dataclass(frozen=True, slots=True)
class Started:
    """A machine began to be watched.

    Attributes:
        time: seconds on the journal's clock.
        label: which machine, e.g. ``offerer.ice``; unique in one journal.
        machine: its chart's name.
        digest: its chart's hash, so that a replay notices a changed table.
        generation: of which peer connection it is.
        state: where it was.
        armed: by trigger, in how many seconds its timers were due.
    """

    time: float
    label: str
    machine: str
    digest: str
    generation: int
    state: str
    armed: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event and what became of it.

    Attributes:
        time: seconds on the journal's clock.
        label: which machine.
        machine: its chart's name.
        generation: of which peer connection it was.
        trigger: the event's name.
        accepted: whether the table allowed it.
        source: the state before.
        target: the state after; of a rejected event, the same.
        guards: the guards of the row that was taken.
        reason: of a rejected event, a value of `Reason`; else None.
        guard: the guard or check that refused, or None.
        first: the implicit trigger whose refusal made the row fail, or None.
        armed: by trigger, the timers that it armed, and for how many seconds.
    """

    time: float
    label: str
    machine: str
    generation: int
    trigger: str
    accepted: bool
    source: str
    target: str
    guards: tuple[str, ...] = ()
    reason: str | None = None
    guard: str | None = None
    first: str | None = None
    armed: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a machine asked for and nobody carried out, because its owner closed or was cancelled.

    Attributes:
        time: seconds on the journal's clock.
        label: which machine.
        machine: its chart's name.
        generation: of which peer connection it is.
        state: where it was.
        request: the request's class.
    """

    time: float
    label: str
    machine: str
    generation: int
    state: str
    request: str


Record = Started | Entry | Dropped
"""What a journal holds, and a line of its file."""


class Journal:
    """Records the outcomes of the machines it watches.

    Args:
        clock: where the times come from; `time.monotonic` by default.
        capacity: how many records are kept; the oldest go first.

    Attributes:
        accepted: how many events were accepted since the journal began, dropped records included.
        rejected: how many were rejected.
    """

    def __init__(self, clock: Clock = time.monotonic, *, capacity: int = 100_000) -> None:
        self._clock = clock
        self._raw: deque[_Raw] = deque(maxlen=capacity)
        self._present: dict[str, _Present] = {}
        self._listeners: tuple[Callable[[Record], None], ...] = ()
        self.accepted = 0
        self.rejected = 0

    def watch(self, machine: Chart[Any, Any], label: str) -> Callable[[], None]:
        """Record every outcome of `machine` under `label` until the returned function is called."""
        now = self._clock()
        ticking = machine._ticking
        started = Started(
            now,
            label,
            type(machine).__name__,
            machine.chart.digest,
            machine.generation,
            machine.state.value,
            {} if ticking is None else ticking.remaining(),
        )
        self._raw.append((now, label, machine.generation, started))
        present = self._present[label] = _Present(started)
        if len(self._present) > (self._raw.maxlen or 0):  # nobody has said of the oldest that it is watched no longer
            del self._present[next(iter(self._present))]
        self._publish(started)
        clock = self._clock
        append = self._raw.append

        def record(watched: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
            raw: _Raw
            if isinstance(outcome, Accepted):
                self.accepted += 1
                present.last = raw = (clock(), label, watched.generation, type(outcome))
                if ticking is not None and not outcome._is_first:
                    raw = (*raw, ticking.armed_last)
            else:
                self.rejected += 1
                raw = (clock(), label, watched.generation, _Refusal(outcome))
            append(raw)
            if self._listeners:
                self._publish(_entry(raw))

        stop = machine.observe(record)

        def unwatch() -> None:
            stop()
            if self._present.get(label) is present:
                del self._present[label]

        return unwatch

    def drop(self, machine: Chart[Any, Any], label: str, request: str) -> None:
        """Record that something a machine asked for is dropped."""
        record = Dropped(self._clock(), label, machine.chart.name, machine.generation, machine.state.value, request)
        self._raw.append((record.time, label, record.generation, record))
        self._publish(record)

    def subscribe(self, listener: Callable[[Record], None]) -> Callable[[], None]:
        """Call `listener` with each record as it is made, until the returned function is called.

        One that raises is logged and ignored.
        """

        def call(record: Record) -> None:
            try:
                listener(record)
            except Exception:
                logger.exception("journal: listener %r raised on %r", listener, record)

        self._listeners = (*self._listeners, call)

        def unsubscribe() -> None:
            self._listeners = tuple(other for other in self._listeners if other is not call)

        return unsubscribe

    def __iter__(self) -> Iterator[Record]:
        return (_record(raw) for raw in tuple(self._raw))

    def __len__(self) -> int:
        return len(self._raw)

    def present(self) -> tuple[tuple[Started, Entry | None], ...]:
        """How each machine began that is watched now, and its last accepted event, whichever records are kept."""
        return tuple(
            (one.started, None if one.last is None else _entry(one.last)) for one in tuple(self._present.values())
        )

    def entries(self, label: str | None = None) -> tuple[Entry, ...]:
        """The events, oldest first; of one machine if `label` is given."""
        return tuple(one for one in self if isinstance(one, Entry) and label in (None, one.label))

    def states(self) -> dict[str, str]:
        """The last recorded state of each machine, by label."""
        return {one.label: one.target if isinstance(one, Entry) else one.state for one in self}

    def rejections(self, prefix: str = "") -> Counter[str]:
        """How often the machines rejected something, by machine, trigger, and the guard or the reason.

        What was already there and so changed nothing is left out.

        Args:
            prefix: how the labels of the machines begin.
        """
        return Counter(
            f"{refusal.machine} {refusal.trigger}: {refusal.guard or refusal.reason.value}"
            for _, label, _, refusal, *_ in tuple(self._raw)
            if isinstance(refusal, _Refusal) and refusal.reason is not Reason.ALREADY and label.startswith(prefix)
        )

    def lines(self) -> Iterator[str]:
        """The journal as JSON Lines, without line ends."""
        return (line_of(one) for one in self)

    def _publish(self, record: Record) -> None:
        for listener in self._listeners:
            listener(record)


class _Present:
    """A machine that is watched. Of its last accepted event the edge is kept, by the outcome's class; no payload."""

    __slots__ = ("last", "started")

    def __init__(self, started: Started) -> None:
        self.started = started
        self.last: tuple[float, str, int, type[Accepted]] | None = None


class _Refusal:
    """A `Rejected` without its payload."""

    __slots__ = ("first", "guard", "machine", "reason", "state", "trigger")

    def __init__(self, rejected: Rejected) -> None:
        self.machine = rejected.machine
        self.trigger = rejected.trigger
        self.state = rejected.state
        self.reason = rejected.reason
        self.guard = rejected.guard
        self.first = rejected.first


_KINDS: dict[type[Record], tuple[str, tuple[str, ...]]] = {
    one: (kind, tuple(field.name for field in fields(one)))
    for one, kind in ((Started, "started"), (Entry, "event"), (Dropped, "dropped"))
}
"""Of each kind of record its name and its fields' names."""

_to_json = json.JSONEncoder().encode


def line_of(record: Record) -> str:
    """One record as a line of JSON; fields that are None or empty are left out."""
    kind, names = _KINDS[type(record)]
    line: dict[str, Any] = {"record": kind}
    for name in names:
        value = getattr(record, name)
        if value is not None and value != () and value != {}:
            line[name] = value
    return _to_json(line)


def _record(raw: _Raw) -> Record:
    return raw[3] if isinstance(raw[3], Started | Dropped) else _entry(raw)


def _entry(raw: Any) -> Entry:
    now, label, generation, what, *armed = raw
    if not isinstance(what, _Refusal):
        return Entry(
            now,
            label,
            what.machine,
            generation,
            what.trigger,
            True,
            what.source.value,
            what.target.value,
            guards=tuple(guard.__name__ for guard in what.row.when),
            armed=armed[0] if armed else {},
        )
    state = what.state.value
    return Entry(
        now,
        label,
        what.machine,
        generation,
        what.trigger,
        False,
        state,
        state,
        reason=what.reason.value,
        guard=what.guard,
        first=what.first,
    )

"""Where an inspector's records come from: a live `Journal`, or a log of records that somebody else made."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from fsm_rtc.engine import Entry, Record, Started

__all__ = ["Listener", "Record", "RecordLog", "RecordSource"]

Listener = Callable[[Record], None]


class RecordSource(Protocol):
    """What an inspector reads; `fsm_rtc.engine.Journal` is one."""

    def __iter__(self) -> Iterator[Record]:
        """The records that are kept, as they are at this moment, oldest first."""
        ...

    def present(self) -> tuple[tuple[Started, Entry | None], ...]:
        """How each machine began that is still watched, and its last accepted event, whatever records are kept."""
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each further record until the returned function is called."""
        ...


class RecordLog:
    """Records that were made elsewhere: those of a file, or of another process.

    Args:
        records: what there is already.
        capacity: how many records are kept, the oldest go first; None for all.
    """

    def __init__(self, records: Iterable[Record] = (), *, capacity: int | None = None) -> None:
        self._records: deque[Record] = deque(records, maxlen=capacity)
        self._listeners: tuple[Listener, ...] = ()

    def __iter__(self) -> Iterator[Record]:
        return iter(tuple(self._records))

    def present(self) -> tuple[tuple[Started, Entry | None], ...]:
        """Nothing: what is known stands in the records."""
        return ()

    def add(self, record: Record) -> None:
        """Take one more record, and tell who listens."""
        self._records.append(record)
        for listener in self._listeners:
            listener(record)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each further record until the returned function is called."""

        def call(record: Record) -> None:
            listener(record)

        self._listeners = (*self._listeners, call)

        def unsubscribe() -> None:
            self._listeners = tuple(other for other in self._listeners if other is not call)

        return unsubscribe

"""A bounded stream: what happens, for ``async for``, to every reader that asks."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar
from weakref import WeakSet

from fsm_rtc.engine.doors import told
from fsm_rtc.machines.lifetime import Lifetime

__all__ = ["Stream", "StreamReader"]

logger = logging.getLogger("fsm_rtc.connection")

T = TypeVar("T")


class StreamReader(Generic[T]):
    """``async for item in reader``.

    Holds up to `capacity` items for a slow reader; then each new one pushes out the oldest. It ends, after the last
    item, when the stream is ended. Cancelling a reader loses nothing.

    Args:
        capacity: how many items it holds.
        what: what they are, for the log.
        on_dropped: called with each item that is pushed out.

    Attributes:
        dropped: how many items were pushed out.
    """

    def __init__(self, capacity: int, what: str = "items", on_dropped: Callable[[T], object] | None = None) -> None:
        if not isinstance(capacity, int):
            raise TypeError(f"a reader's capacity is {told(capacity)}; give an int, at least 1")
        if capacity < 1:
            raise ValueError(f"a reader's capacity is at least 1, not {capacity}")
        self._items: deque[T] = deque(maxlen=capacity)
        self._wake = asyncio.Event()
        self._life = Lifetime(None)
        self._what = what
        self._on_dropped = on_dropped
        self.dropped = 0

    @property
    def waiting(self) -> tuple[T, ...]:
        """The items that were not taken yet."""
        return tuple(self._items)

    def take(self, item: T) -> None:
        """Here is one more."""
        if len(self._items) == self._items.maxlen:
            self.dropped += 1
            if self.dropped == 1:
                logger.warning("a reader of %s is too slow: more than %d wait", self._what, len(self._items))
            if self._on_dropped is not None:
                self._on_dropped(self._items[0])
        self._items.append(item)
        self._wake.set()

    def end(self) -> None:
        """There will be no more."""
        self._life.close()
        self._wake.set()

    def __aiter__(self) -> StreamReader[T]:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            if not self._life.permits("use"):
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._items.popleft()


class Stream(Generic[T]):
    """Hands each item to every reader.

    Args:
        what: what the items are, for the log.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._readers: WeakSet[StreamReader[T]] = WeakSet()
        self._life = Lifetime(None)

    @property
    def has_readers(self) -> bool:
        """Whether anybody reads."""
        return bool(self._readers)

    def put(self, item: T) -> None:
        """Give an item to every reader."""
        for reader in tuple(self._readers):
            reader.take(item)

    def reader(
        self, capacity: int, first: Iterable[T] = (), on_dropped: Callable[[T], object] | None = None
    ) -> StreamReader[T]:
        """A reader of `first` and of what comes from now on; see `StreamReader`."""
        reader: StreamReader[T] = StreamReader(capacity, self._what, on_dropped)
        for item in first:
            reader.take(item)
        if self._life.permits("use"):
            self._readers.add(reader)
        else:
            reader.end()
        return reader

    def remove(self, reader: StreamReader[T]) -> None:
        """Give it no more."""
        self._readers.discard(reader)

    def end_readers(self) -> None:
        """Every present reader ends after its last item."""
        for reader in tuple(self._readers):
            reader.end()
        self._readers.clear()

    def end(self) -> None:
        """The stream is over: every reader ends, those to come too."""
        self._life.close()
        self.end_readers()

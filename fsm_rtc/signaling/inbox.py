"""The events of a link between who makes them and who reads them: in order, bounded, safe to cancel."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from fsm_rtc.connection.channel import SignalingEvent

__all__ = ["Inbox"]


class Inbox:
    """A bounded queue that is read with ``async for``; it ends when it was ended and is read empty.

    Waiting for an event may be cancelled at any time, nothing is lost by it and the reading may go on.

    Args:
        limit: how many events may wait; those that tell the link's own state come on top.
        limit_bytes: how many bytes the frames may have together that brought them.
        on_read: is told of each event that is read, with its frame's bytes; 0 of the link's own state.
    """

    def __init__(
        self, limit: int, limit_bytes: int = 2**62, on_read: Callable[[int], object] = lambda size: None
    ) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._on_read = on_read
        self._bytes = 0
        self._events: deque[tuple[SignalingEvent, int]] = deque()
        self._changed = asyncio.Event()
        self._ended = False

    def __len__(self) -> int:
        return len(self._events)

    @property
    def is_full(self) -> bool:
        return len(self._events) >= self._limit or self._bytes >= self._limit_bytes

    def offer(self, event: SignalingEvent, size: int = 0) -> bool:
        """Add an event if there is room; False if there is none.

        Args:
            event: it.
            size: how many bytes the frame had that brought it.
        """
        if self.is_full:
            return False
        self.put(event, size)
        return True

    def put(self, event: SignalingEvent, size: int = 0) -> None:
        """Add an event even if there is no room: the link's own state must not get lost."""
        self._events.append((event, size))
        self._bytes += size
        self._changed.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        self._changed.set()

    async def wait_for_room(self) -> None:
        """Return when an event has room."""
        while self.is_full:
            await self._change()

    def __aiter__(self) -> Inbox:
        return self

    async def __anext__(self) -> SignalingEvent:
        while not self._events:
            if self._ended:
                raise StopAsyncIteration
            await self._change()
        event, size = self._events.popleft()
        self._bytes -= size
        self._changed.set()
        self._on_read(size)
        return event

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

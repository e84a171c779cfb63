"""The events of a link between who makes them and who reads them: in order, bounded, safe to cancel."""

from __future__ import annotations

import asyncio
from collections import deque

from fsm_rtc.connection.channel import SignalingEvent

__all__ = ["Inbox"]


class Inbox:
    """A bounded queue that is read with ``async for``; it ends when it was ended and is read empty.

    Waiting for an event may be cancelled at any time, nothing is lost by it and the reading may go on.

    Args:
        limit: how many events may wait; those that tell the link's own state come on top.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._events: deque[SignalingEvent] = deque()
        self._changed = asyncio.Event()
        self._ended = False

    def __len__(self) -> int:
        return len(self._events)

    @property
    def is_full(self) -> bool:
        return len(self._events) >= self._limit

    def offer(self, event: SignalingEvent) -> bool:
        """Add an event if there is room; False if there is none."""
        if self.is_full:
            return False
        self.put(event)
        return True

    def put(self, event: SignalingEvent) -> None:
        """Add an event even if there is no room: the link's own state must not get lost."""
        self._events.append(event)
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
        event = self._events.popleft()
        self._changed.set()
        return event

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

"""A data channel of the stack in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fsm_rtc.errors import InvalidStateError

if TYPE_CHECKING:
    from tests.conformance.memory_stack import MemoryPeer

__all__ = ["MemoryChannel"]


class MemoryChannel:
    """One side of a channel."""

    def __init__(self, owner: MemoryPeer, label: str, state: str = "connecting") -> None:
        self.owner, self.label, self.state = owner, label, state
        self.twin: MemoryChannel | None = None

    def fire(self, event: str, data: str = "") -> None:
        if not self.owner.is_closed:
            self.owner.fire(event, label=self.label, data=data)

    def open(self) -> None:
        """The association stands; the other side is told of the channel."""
        other = self.owner.other
        if self.state != "connecting" or other is None or other.is_closed:
            return
        self.twin = MemoryChannel(other, self.label, "open")
        self.twin.twin = self
        other.channels[self.label] = self.twin
        other.fire("datachannel", label=self.label)
        self.twin.fire("open")
        self.state = "open"
        self.fire("open")

    def send(self, data: str) -> None:
        if self.state != "open":
            raise InvalidStateError(self.state)
        assert self.twin is not None
        asyncio.get_running_loop().call_soon(self.twin.fire, "message", data)
        if self.owner.has("message twice"):
            asyncio.get_running_loop().call_soon(self.twin.fire, "message", data)

    def close(self) -> None:
        if self.state in ("closing", "closed"):
            return
        self.state = "closing"
        self.owner.later(self.end())

    async def end(self) -> None:
        """The closing procedure."""
        await asyncio.sleep(0)
        twin = self.twin
        if twin is not None and twin.state == "open":
            if not self.owner.has("no closing"):
                twin.state = "closing"
                twin.fire("closing")
            await asyncio.sleep(0)
            twin.closed()
        self.closed()

    def closed(self) -> None:
        """The transport is gone."""
        if self.state != "closed" and not self.owner.is_closed:
            self.state = "closed"
            self.fire("close")

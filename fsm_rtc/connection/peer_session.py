"""PeerSession: one peer connection of a call or store, with all that must end when it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from fsm_rtc.errors import InvalidStateError, OperationError
from fsm_rtc.machines.lifetime import Lifetime
from fsm_rtc.peer.chain import OperationsChain
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.emitter import Callback
from fsm_rtc.peer.peer_connection import PeerConnection

__all__ = ["PeerSession"]

logger = logging.getLogger("fsm_rtc.connection")


class EventSource(Protocol):
    """Something with events."""

    def on(self, event: str, callback: Callback, /) -> Callable[[], None]: ...


class PeerSession:
    """One peer connection, its handlers and its lane.

    Args:
        connection: the peer connection.
        generation: its number in the store, from 1.

    Attributes:
        lane: where the store's operations on this connection run, one at a time.
        channels: the data channels that were set up.
        life: closed when the connection was given up, so that its events and results no longer count; finished when
            its readers and candidates have been released.
    """

    def __init__(self, connection: PeerConnection, generation: int) -> None:
        self.connection = connection
        self.generation = generation
        self.lane = OperationsChain()
        self.channels: list[DataChannel] = []
        self.life = Lifetime(None)
        self._removers: list[tuple[EventSource | None, Callable[[], None]]] = []
        self._reason = ""

    def listen(self, source: EventSource, event: str, handler: Callback) -> None:
        """Call `handler` at each event until the session is over."""

        def handle(*arguments: object) -> None:
            if self.life.permits("use"):
                handler(*arguments)

        self._removers.append((source, source.on(event, handle)))

    def own(self, remove: Callable[[], None]) -> None:
        """Call `remove` when the session is over."""
        self._removers.append((None, remove))

    def demand(self) -> None:
        """Raise if the session is over.

        Raises:
            InvalidStateError: it is.
        """
        if not self.life.permits("use"):
            raise InvalidStateError(self._reason)

    def applied_description(self) -> SessionDescription:
        """The description that this side has just applied, with its candidates.

        Raises:
            InvalidStateError: the session is over.
        """
        self.demand()
        description = self.connection.local_description
        if description is None:
            raise OperationError("the peer connection lost its local description; close it and begin again")
        return description

    def add_channel(self, channel: DataChannel) -> bool:
        """Whether the channel is new here."""
        is_new = not any(channel is known for known in self.channels)
        if is_new:
            ended = [known for known in self.channels if known.machine.is_final]
            self._removers = [pair for pair in self._removers if not any(pair[0] is known for known in ended)]
            self.channels = [known for known in self.channels if known not in ended] + [channel]
        return is_new

    def give_up(self, reason: str) -> None:
        """From now on nothing of this connection counts; what waits in its lane is told why."""
        self.life.close()
        self._reason = reason
        for _, remove in self._removers:
            remove()
        self._removers.clear()
        self.lane.abandon(InvalidStateError(reason))

    async def close(self) -> None:
        """Close the connection and wait until nothing of it is left."""
        try:
            await self.connection.close()
        except Exception:
            logger.exception("closing %s failed", self.connection.label)
        await self.lane.settle(self.connection.configuration.close_timeout_seconds)

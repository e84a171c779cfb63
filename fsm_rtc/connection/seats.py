"""Seats: the peers of a room, and the connection to each, from his coming to the end of it.

A peer is an id and a session. His connection is made when he comes; it counts when he is trusted; it is closed when he
leaves, says goodbye, isn't trusted or fails. With that session nothing begins again before it has left the room, or
this side has joined anew: either is known to both.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Protocol

from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.delivery import GIVE_UP_SECONDS
from fsm_rtc.connection.events import ConnectionEvent, Ended, Joined, Negotiated, Refused
from fsm_rtc.connection.streams import StreamReader
from fsm_rtc.errors import SignalingError
from fsm_rtc.messages import Introduction

__all__ = ["MAX_PEERS", "RoomObserver", "Seats"]

logger = logging.getLogger("fsm_rtc.connection")

MAX_PEERS = 64
"""So many connections a room has at once; who comes then is counted and left alone."""

MAX_REMEMBERED = 1024
"""So many sessions with whom it is over are remembered."""

NOT_TRUSTED = "the other side does not trust this key under that name"

NAMESAKE = "somebody else was the first under that name"

SessionKey = tuple[str, str]
"""An id and a session."""


class RoomObserver(Protocol):
    """Who decides, and who wants to know. None of these may raise."""

    def connection_to(self, peer: Introduction) -> Connection:
        """A new connection to him, not open yet."""

    def is_still_trusted(self, peer: Introduction) -> bool:
        """Whether he is to be talked to, now that both agree."""

    def peer_arrived(self, peer: Introduction, connection: Connection) -> None: ...
    def peer_told(self, peer: Introduction, connection: Connection, event: ConnectionEvent) -> None: ...
    def peer_gone(self, peer: Introduction, connection: Connection, end: Ended) -> None: ...
    def peer_refused(self, refused: Refused) -> None: ...


@dataclass(eq=False, slots=True)
class _Seat:
    peer: Introduction
    connection: Connection
    events: StreamReader[ConnectionEvent]
    is_accepted: bool = False
    absent: asyncio.TimerHandle | None = None

    @property
    def key(self) -> SessionKey:
        return self.peer.id, self.peer.session

    def is_here(self) -> None:
        """He is there, or it no longer matters."""
        if self.absent is not None:
            self.absent.cancel()
            self.absent = None


class Seats:
    """Every peer of a room.

    Args:
        observer: makes the connections, and is told.
        ignored: counts who finds no seat.

    Attributes:
        peers: the connections that count, by the peer's id.
    """

    def __init__(self, observer: RoomObserver, ignored: Counter[str]) -> None:
        self.peers: dict[str, Connection] = {}
        self._observer = observer
        self._ignored = ignored
        self._seats: dict[SessionKey, _Seat] = {}
        self._refused_before: Counter[str] = Counter()
        self._closing: set[Connection] = set()
        self._over: dict[SessionKey, None] = {}
        self._jobs: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def connections(self) -> tuple[Connection, ...]:
        """All that are open, also to those of whom it isn't known yet whether they are trusted."""
        return tuple(seat.connection for seat in self._seats.values())

    @property
    def refused(self) -> Counter[str]:
        """How many frames were refused, by every connection that ever was."""
        every = self._refused_before.copy()
        for connection in (*self.connections, *self._closing):
            every.update(connection.refused)
        return every

    async def aclose(self, reason: str) -> None:
        """Close every connection, all at once, and wait for that."""
        self._is_closed = True
        for seat in tuple(self._seats.values()):
            self._drop(seat, Ended(reason, by_peer=False), for_good=True)
        while self._jobs:
            await asyncio.wait(set(self._jobs))

    # What the signalling tells.

    def present(self, members: Iterable[Introduction], *, resumed: bool) -> None:
        """The link stands again; who is missing may have gone, or have yet to come back as this side has."""
        there = {(member.id, member.session): member for member in members}
        self._over = {key: None for key in self._over if resumed and key in there}
        loop = asyncio.get_running_loop()
        for key, seat in self._seats.items():
            if key not in there and seat.absent is None:
                seat.absent = loop.call_later(GIVE_UP_SECONDS, self._still_absent, seat)
        for member in there.values():
            self.joined(member, anew=not resumed)

    def joined(self, peer: Introduction, *, anew: bool = False) -> None:
        """Somebody is there.

        Args:
            peer: who.
            anew: whether for him this side has joined anew, so that he may have given up what there was.
        """
        key = (peer.id, peer.session)
        seat = self._seats.get(key)
        if seat is not None and (anew or seat.absent is not None) and not seat.connection.is_ready:
            self._drop(seat, Ended("the two met anew", by_peer=True))
            del self._over[key]
            seat = None
        if seat is not None:
            seat.is_here()
        elif key not in self._over and not self._is_closed:
            if len(self._seats) < MAX_PEERS:
                self._begin_with(peer)
            else:
                self._ignored["too many peers"] += 1

    def left(self, who: str, session: str) -> None:
        """Somebody has gone."""
        if (seat := self._seats.get((who, session))) is not None:
            self._drop(seat, Ended("the peer left", by_peer=True))
        self._over.pop((who, session), None)

    def _still_absent(self, seat: _Seat) -> None:
        if not seat.connection.is_ready:
            self._drop(seat, Ended("the peer is no longer in the room", by_peer=True))

    # One peer.

    def _begin_with(self, peer: Introduction) -> None:
        connection = self._observer.connection_to(peer)
        seat = _Seat(peer, connection, connection.events())
        self._seats[seat.key] = seat
        self._own(self._attend(seat))

    async def _attend(self, seat: _Seat) -> None:
        """See to a connection from its first event to its last."""
        end = Ended("the connection was closed", by_peer=False)
        try:
            await seat.connection.open()
            async for event in seat.events:
                if (ended := self._end_of(seat, event)) is not None:
                    end = ended
                    break
        except SignalingError as closed:
            end = Ended(str(closed), by_peer=False, error=closed)
        finally:
            self._drop(seat, end)

    def _end_of(self, seat: _Seat, event: ConnectionEvent) -> Ended | None:
        """Take note of an event; with what the connection is over then, or None."""
        if seat.is_accepted and self._seats.get(seat.key) is seat:
            self._observer.peer_told(seat.peer, seat.connection, event)
        match event:
            case Joined():
                self._accepted(seat)
            case Refused():
                self._observer.peer_refused(event)
                return None if seat.is_accepted else Ended(NOT_TRUSTED, by_peer=False)
            case Negotiated() if not self._observer.is_still_trusted(seat.peer):
                return Ended(NAMESAKE, by_peer=False)
            case Ended():
                return event
            case _:
                pass
        return None

    def _accepted(self, seat: _Seat) -> None:
        if seat.is_accepted or self._seats.get(seat.key) is not seat:
            return
        seat.is_accepted = True
        for other in [other for other in self._seats.values() if other.peer.id == seat.peer.id and other is not seat]:
            if other.is_accepted:
                self._drop(other, Ended("the peer came again with a new session", by_peer=True))
        self.peers[seat.peer.id] = seat.connection
        self._observer.peer_arrived(seat.peer, seat.connection)

    def _drop(self, seat: _Seat, end: Ended, *, for_good: bool = False) -> None:
        """Close a connection and forget it; the others don't notice. What waits is kept, unless it is `for_good`."""
        if self._seats.get(seat.key) is not seat:
            return
        seat.is_here()
        del self._seats[seat.key]
        self._over[seat.key] = None
        if len(self._over) > MAX_REMEMBERED:
            del self._over[next(iter(self._over))]
        if self.peers.get(seat.peer.id) is seat.connection:
            del self.peers[seat.peer.id]
        self._closing.add(seat.connection)
        self._own(self._close(seat.connection, end.reason, for_good))
        if seat.is_accepted:
            self._observer.peer_gone(seat.peer, seat.connection, end)

    async def _close(self, connection: Connection, reason: str, for_good: bool) -> None:
        try:
            await (connection.aclose(reason) if for_good else connection.leave(reason))
        finally:
            self._closing.discard(connection)
            self._refused_before.update(connection.refused)

    def _own(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name="fsm_rtc room")
        self._jobs.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._jobs.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a connection of the room failed", exc_info=error)

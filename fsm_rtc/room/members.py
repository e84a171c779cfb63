"""Members: the peers of a room, and the connection to each, from the peer's joining to the connection's end.

A peer is an id and a session. Its `RoomMember` decides what becomes of it; here that is carried out, and what happens
on its connection is told to the machine.

- A peer has one connection at a time, and each has a generation: an event of one that was replaced is stale.
- A peer that was told as arrived is told as gone, once, whatever happens between.
- At most `MAX_PEERS` connections are open; how a peer left is remembered for `MAX_REMEMBERED` peers.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Protocol, cast

from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.events import ConnectionEvent, Ended, Joined, Negotiated, Refused
from fsm_rtc.connection.exchange.retransmission import GIVE_UP_SECONDS
from fsm_rtc.driver import Driver
from fsm_rtc.engine import Outcome
from fsm_rtc.errors import Rejected, SignalingError
from fsm_rtc.machines import room_member_requests as asks
from fsm_rtc.machines.room_member import RoomMember, has_seat, room_is_open
from fsm_rtc.machines.room_member_requests import MemberEnd
from fsm_rtc.messages import SENTENCES, EndCode, Introduction
from fsm_rtc.peer.machine_set import MachineSet

__all__ = ["MAX_PEERS", "RoomObserver", "Members"]

logger = logging.getLogger("fsm_rtc.connection")

MAX_PEERS = 64
"""So many connections a room has at once; who comes then is counted and left alone."""

MAX_REMEMBERED = 1024
"""So many sessions with whom it is over are remembered."""

ENDS: Mapping[MemberEnd, Ended] = {
    MemberEnd.LEFT: Ended("the peer left", by_peer=True),
    MemberEnd.MISSING: Ended("the peer is no longer in the room", by_peer=True),
    MemberEnd.MET_ANEW: Ended("the two met anew", by_peer=True),
    MemberEnd.REPLACED: Ended("the peer came again with a new session", by_peer=True),
    MemberEnd.NOT_TRUSTED: Ended(SENTENCES[EndCode.NOT_TRUSTED], by_peer=False, code=EndCode.NOT_TRUSTED),
    MemberEnd.NAMESAKE: Ended(SENTENCES[EndCode.NAMESAKE], by_peer=False, code=EndCode.NAMESAKE),
}
"""What each end is called where people read it, and in the goodbye that the peer gets."""

IGNORED = {has_seat.__name__: "too many peers", room_is_open.__name__: "the room is closed"}
"""How a newcomer is counted whom a guard refuses."""

SessionKey = tuple[str, str]
"""An id and a session."""


class RoomObserver(Protocol):
    """Who decides, and who wants to know. None of these may raise."""

    @property
    def admits_peers(self) -> bool:
        """Whether the room is open."""

    def connection_to(self, peer: Introduction) -> Connection:
        """A new connection to it, not open yet."""

    def is_still_trusted(self, peer: Introduction) -> bool:
        """Whether it is one to talk to, now that both agree."""

    def peer_arrived(self, peer: Introduction, connection: Connection) -> None: ...
    def peer_told(self, peer: Introduction, connection: Connection, event: ConnectionEvent) -> None: ...
    def peer_gone(self, peer: Introduction, connection: Connection, end: Ended, code: MemberEnd | None) -> None: ...
    def peer_refused(self, refused: Refused) -> None: ...


class _Member:
    """What the machine of a peer reads, and its connection."""

    def __init__(self, seats: Members, peer: Introduction) -> None:
        self._seats = seats
        self.peer = peer
        self.connection: Connection | None = None
        self.end: tuple[Ended, MemberEnd | None] = (ENDS[MemberEnd.LEFT], None)
        self.machine = seats.machine_for(self)

    @property
    def key(self) -> SessionKey:
        return self.peer.id, self.peer.session

    @property
    def room_is_open(self) -> bool:
        return self._seats.observer.admits_peers

    @property
    def has_seat(self) -> bool:
        return len(self._seats.connections) < MAX_PEERS

    @property
    def stands(self) -> bool:
        return self.connection is not None and self.connection.is_ready

    @property
    def is_still_trusted(self) -> bool:
        return self._seats.observer.is_still_trusted(self.peer)

    @property
    def give_up_seconds(self) -> float:
        return GIVE_UP_SECONDS


class Members:
    """Every peer of a room.

    Args:
        observer: makes the connections, and is told.
        ignored: counts who finds no seat.
        machines: makes the peers' machines.

    Attributes:
        observer: as given.
        peers: the connections that count, by the peer's id.
    """

    def __init__(self, observer: RoomObserver, ignored: Counter[str], machines: MachineSet) -> None:
        self.observer = observer
        self.peers: dict[str, Connection] = {}
        self._ignored = ignored
        self._machines = machines
        self._numbers = itertools.count(1)
        self._driver = Driver()
        self._known: dict[SessionKey, _Member] = {}
        self._seated: dict[SessionKey, Connection] = {}
        self._refused_before: Counter[str] = Counter()
        self._closing: set[Connection] = set()
        self._jobs: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> tuple[Connection, ...]:
        """All that are open, also to those of whom it isn't known yet whether they are trusted."""
        return tuple(self._seated.values())

    @property
    def refused(self) -> Counter[str]:
        """How many frames were refused, by every connection that ever was."""
        every = self._refused_before.copy()
        for connection in (*self.connections, *self._closing):
            every.update(connection.refused)
        return every

    async def aclose(self, reason: str) -> None:
        """Close every connection, all at once, and wait for that."""
        for seat in tuple(self._known.values()):
            self._driver.fire(seat.machine.close, Ended(reason, by_peer=False))
        while self._jobs:
            await asyncio.wait(set(self._jobs))
        await self._driver.aclose()
        self._known.clear()  # the signalling may still tell who leaves

    # What the signalling tells.

    def present(self, members: Iterable[Introduction], *, resumed: bool) -> None:
        """The link stands again; who is missing may have gone, or have yet to come back as this side has."""
        there = {(member.id, member.session): member for member in members}
        for key, seat in tuple(self._known.items()):
            if key not in there:
                self._driver.fire(seat.machine.on_missing)
        for member in there.values():
            self.joined(member, anew=not resumed)

    def joined(self, peer: Introduction, *, anew: bool = False) -> None:
        """Somebody is there.

        Args:
            peer: who.
            anew: whether for the peer this side has joined anew, so that it may have given up what there was.
        """
        key = (peer.id, peer.session)
        if (seat := self._known.get(key)) is None:
            seat = self._known[key] = _Member(self, peer)
        machine = seat.machine
        outcome = self._driver.fire(machine.on_joined_anew if anew else machine.on_joined, peer)
        if isinstance(outcome, Rejected):
            self._ignored[IGNORED[outcome.guard or ""]] += 1
            self._driver.fire(machine.on_turned_away)

    def left(self, who: str, session: str) -> None:
        """Somebody has gone."""
        if (seat := self._known.get((who, session))) is not None:
            self._driver.fire(seat.machine.on_left)

    # One peer.

    def machine_for(self, seat: _Member) -> RoomMember:
        """The machine of a peer who comes."""
        name = f"member.{next(self._numbers)}"
        machine = self._machines.make(RoomMember, name, seat, clock=self._driver.clock)
        handlers: dict[type[object], Callable[[Any], object]] = {
            asks.BeginCall: lambda request: self._begin(seat, request),
            asks.Arrive: lambda _: self._arrive(seat),
            asks.EndCall: lambda request: self._end(seat, ENDS[request.why], request.why),
            asks.EndAs: lambda request: self._end(seat, cast("Ended", request.end)),
            asks.EndForGood: lambda request: self._end(seat, cast("Ended", request.end), for_good=True),
            asks.TellGone: lambda _: self._tell_gone(seat),
            asks.LimitMemory: lambda _: self._limit_memory(),
            asks.ForgetPeer: lambda _: self._forget(seat),
        }
        self._driver.add(machine, handlers)
        return machine

    def _begin(self, seat: _Member, request: asks.BeginCall) -> None:
        seat.peer = cast("Introduction", request.peer)
        connection = seat.connection = self._seated[seat.key] = self.observer.connection_to(seat.peer)
        seat.machine.generation += 1
        self._own(self._attend(seat, connection, seat.machine.generation))

    async def _attend(self, seat: _Member, connection: Connection, generation: int) -> None:
        """See to a connection from its first event to its last."""
        end = Ended("the connection was closed", by_peer=False)
        events = connection.events()
        try:
            await connection.open()
            async for event in events:
                self._take(seat, connection, event, generation)
        except SignalingError as closed:
            end = Ended(str(closed), by_peer=False, error=closed)
        finally:
            self._fire(seat, "on_ended", end, generation)

    def _take(self, seat: _Member, connection: Connection, event: ConnectionEvent, generation: int) -> None:
        if seat.machine.permits("tell", generation=generation):
            self.observer.peer_told(seat.peer, connection, event)
        match event:
            case Joined():
                self._proved(seat, generation)
            case Refused():
                self.observer.peer_refused(event)
                self._fire(seat, "on_refused", None, generation)
            case Negotiated():
                self._fire(seat, "on_agreed", None, generation)
            case Ended():
                self._fire(seat, "on_ended", event, generation)
            case _:
                pass

    def _proved(self, seat: _Member, generation: int) -> None:
        if not seat.machine.permits("on_proved", generation=generation):
            return
        for other in tuple(self._known.values()):
            if other.peer.id == seat.peer.id and other is not seat:
                self._driver.fire(other.machine.on_replaced)
        self._driver.fire(seat.machine.on_proved, generation=generation)

    def _fire(self, seat: _Member, trigger: str, event: object, generation: int) -> Outcome | None:
        """Tell the machine what happened on a connection; None if it is forgotten, and run no longer."""
        machine = seat.machine
        return None if machine.is_final else self._driver.fire(getattr(machine, trigger), event, generation=generation)

    def _arrive(self, seat: _Member) -> None:
        if seat.connection is not None:
            self.peers[seat.peer.id] = seat.connection
            self.observer.peer_arrived(seat.peer, seat.connection)

    def _end(self, seat: _Member, end: Ended, code: MemberEnd | None = None, *, for_good: bool = False) -> None:
        """Close a connection; the others don't notice. What waits is kept, unless it is `for_good`."""
        connection = self._seated.pop(seat.key)
        if self.peers.get(seat.peer.id) is connection:
            del self.peers[seat.peer.id]
        seat.end = end, code
        self._closing.add(connection)
        self._own(self._close(connection, end, for_good))

    def _tell_gone(self, seat: _Member) -> None:
        if seat.connection is not None:
            self.observer.peer_gone(seat.peer, seat.connection, *seat.end)

    def _limit_memory(self) -> None:
        over = [seat for key, seat in self._known.items() if key not in self._seated]
        if len(over) > MAX_REMEMBERED:
            self._driver.fire(over[0].machine.forget)

    def _forget(self, seat: _Member) -> None:
        del self._known[seat.key]
        self._driver.remove(seat.machine)
        self._machines.forget_one(seat.machine)

    async def _close(self, connection: Connection, end: Ended, for_good: bool) -> None:
        try:
            await (connection.aclose(end.reason) if for_good else connection.leave(end.reason, code=end.code))
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

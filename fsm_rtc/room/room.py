"""Room: a call with everybody in a room, each over a connection of its own.

async with fsm_rtc.join("ws://127.0.0.1:8765/kitchen", Identity.generate(), name="alice") as room:
    async for connection in room.connections():
        print(connection.peer.name, "is here")
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Self, Unpack

from fsm_rtc.connection.channel import LinkDown, LinkUp, PeerJoined, PeerLeft, SignalingChannel
from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.delivery.frames import FEATURES
from fsm_rtc.connection.delivery.message_store import MessageStore
from fsm_rtc.connection.diagnosis.evidence import Phase
from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.connection.events import ConnectionEvent, Ended, Refused, SignalingStatusChanged
from fsm_rtc.connection.given import check_channel, check_reason, recipients_of
from fsm_rtc.connection.options import CallKeywords, CallOptions, options_of
from fsm_rtc.connection.saving.call_saver import CallSaver
from fsm_rtc.connection.streams import Stream, StreamReader
from fsm_rtc.engine import Chart
from fsm_rtc.engine.doors import told
from fsm_rtc.engine.own_thread import OwnThread, on_own_thread
from fsm_rtc.errors import ChannelClosedError, FsmRtcError, SignalingError
from fsm_rtc.machines.call_status import CallFacts, CallPhase
from fsm_rtc.machines.room_life import RoomLife
from fsm_rtc.machines.room_member_requests import MemberEnd
from fsm_rtc.machines.signaling_link import SignalingLink, SignalingStatus
from fsm_rtc.messages import Identity, Introduction, Member
from fsm_rtc.messages.trust import TrustOnFirstUse
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.room.arrivals import ArrivalReader
from fsm_rtc.room.channel import RoomChannel, RoomNews
from fsm_rtc.room.events import PeerArrived, PeerEvent, PeerGone, RoomEvent
from fsm_rtc.room.members import MAX_PEERS, Members

__all__ = ["Room"]

logger = logging.getLogger("fsm_rtc.connection")


class Room:
    """A full mesh: one `Connection` to each of the others in the room; ``async with`` opens and closes it.

    Others join and leave at any time. What becomes of one of them concerns no other: who isn't trusted, fails, or comes
    again with a new session changes that connection alone. A link to the signalling that is lost and returns leaves
    every connection that stands as it is. With whom it is over nothing begins again before one of the two has joined
    anew.

    Args:
        channel: what carries the messages; `fsm_rtc.signaling.WebSocketSignaling`, or one of your own.
        identity: this side's key. None for a channel that is trusted: then nothing is signed or verified.
        options: how each connection is made.
        keywords: the same, given one by one; see `CallOptions`.

    Attributes:
        ignored: how many frames and newcomers were ignored, by why.

    Raises:
        SnapshotError: what was kept is of another room, key or version.
    """

    def __init__(
        self,
        channel: SignalingChannel,
        identity: Identity | None = None,
        options: CallOptions | None = None,
        **keywords: Unpack[CallKeywords],
    ) -> None:
        check_channel(channel)
        options = options_of(options, keywords, label="room")
        persistence = options.persistence
        self._own_thread = OwnThread()
        self._member = options.member or Member(channel.room, identity, options.name, features=FEATURES)
        self._keeper = CallSaver(persistence, channel.room, identity) if persistence is not None else None
        self._store = options.message_store or MessageStore(persistence)
        self._channel = RoomChannel(channel)
        self.ignored: Counter[str] = self._channel.ignored
        self._trust = options.trust or TrustOnFirstUse()
        self._options = replace(
            options, trust=self._trust, member=self._member, message_store=self._store, persistence=None
        )
        self._machines = MachineSet(options.label, generation=0, engine=options.engine, journal=options.journal)
        self.signaling_link = self._machines.make(SignalingLink, "signaling_link")
        self._life = self._machines.make(RoomLife, "room_life")
        self._seats = Members(self, self.ignored, self._machines)
        self._made = 0
        self._arrivals: Stream[Connection] = Stream("connections")
        self._events: Stream[RoomEvent] = Stream("room events")
        self._reading: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._link_error: Exception | None = None
        self._closed_by: asyncio.Task[None] | None = None

    # What it is.

    @property
    def room(self) -> str:
        """The room's name."""
        return self._channel.room

    @property
    def me(self) -> Introduction:
        """How this side introduces itself."""
        return self._member.introduction

    @property
    def peers(self) -> Mapping[str, Connection]:
        """The connections to those who are there, by the peer's id; not each of them need be ready."""
        return MappingProxyType(self._seats.peers)

    @property
    def signaling_status(self) -> SignalingStatus:
        """The link to the signalling."""
        return self.signaling_link.state

    @property
    def refused(self) -> Counter[str]:
        """How many frames of the peers were refused, by the guard's name or the reason; of all that ever were here."""
        return self._seats.refused

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        """Every machine, those of the channel and of the connections included, by label."""
        every = {**self._machines.by_label(), **self._channel.machines}
        for connection in self._seats.connections:
            every.update(connection.machines)
        return every

    def __repr__(self) -> str:
        ready = sum(connection.is_ready for connection in self._seats.peers.values())
        return f"<Room {self.room!r} {self.signaling_status.value}, {ready} of {len(self._seats.peers)} peers ready>"

    # What can be done with it.

    async def open(self) -> Self:
        """Begin; ``async with`` does this, if it hasn't been done.

        Raises:
            SignalingError: the channel can't be opened, or the room is closed.
        """
        self._own_thread.check("Room.open")
        if self._life.is_final:
            raise SignalingError("the room is closed; make a new one, with a new channel")
        if self._life.open():
            if self._keeper is not None:
                self._keeper.keep(self.me, self.room, (), None, {})
            self._reading = asyncio.create_task(self._read(), name="fsm_rtc read room")
            await self._channel.open(self._member)
        return self

    async def aclose(self, reason: str = "closed") -> None:
        """Say goodbye to everybody, close everything and wait until nothing is left of it.

        Idempotent; a caller who is cancelled leaves the closing to go on.

        Args:
            reason: told to the peers.
        """
        if self._life.permits("close"):
            self._own_thread.check("Room.aclose")
            check_reason(reason)
            self._life.close()
            self._closed_by = asyncio.create_task(self._close(reason), name="fsm_rtc close room")
        if self._closed_by is not None:
            await asyncio.shield(self._closed_by)

    async def _close(self, reason: str) -> None:
        await self._seats.aclose(reason)
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait((self._reading,))
        try:
            await self._channel.aclose()
        except Exception:
            logger.exception("the signalling channel failed to close")
        if self.signaling_link.permits("on_disconnected"):
            self.signaling_link.on_disconnected()
        if self._keeper is not None:
            self._store.clear()
            self._keeper.close()
        self._arrivals.end()
        self._events.end()

    async def __aenter__(self) -> Self:
        try:
            return await self.open()
        except BaseException:
            await self.aclose()
            raise

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @on_own_thread
    def connections(self, capacity: int = MAX_PEERS) -> ArrivalReader:
        """``async for connection in room.connections()``: who is there, and who comes, until the room is closed.

        Each is open and trusted; await its `wait_for_ready` before sending.

        Args:
            capacity: how many wait for a slow reader; then the oldest is dropped from it, and counted.

        Raises:
            ConnectionFailedError: out of the reader, when the signalling was given up.
        """
        return ArrivalReader(self._arrivals.reader(capacity, self._seats.peers.values()), lambda: self._failure)

    @on_own_thread
    def events(self, capacity: int = 1024) -> StreamReader[RoomEvent]:
        """``async for event in room.events()``: what happens from now on, until the room is closed.

        Args:
            capacity: how many events wait for a slow reader; then the oldest is dropped, and counted.
        """
        return self._events.reader(capacity)

    async def send(self, message: str | bytes, to: Collection[Connection | str] | None = None) -> int:
        """Send a message to all who are ready, or were and are being recovered; wait while too much waits for one.

        It arrives as a `Connection`'s does: once and in order, also if its peer comes again with another session.

        Args:
            message: text or bytes; at most 262,143 bytes.
            to: for whom it is: connections of the room, or ids of their peers; None for all.

        Returns:
            To how many it went, or will go.

        Raises:
            ValueError: the message is too long.
            TypeError: it is neither text nor bytes, or `to` isn't what it has to be.
            SnapshotError: it can't be kept.
            ChannelClosedError: the room is closed, or being closed.
        """
        if not self._life.permits("send"):
            raise ChannelClosedError("the room is closed, or being closed; join it anew")
        recipients = None if to is None else recipients_of(to)
        reached = []
        for peer, connection in self.peers.items():
            is_meant = recipients is None or connection in recipients or peer in recipients
            if is_meant and connection.can_send:
                with suppress(ChannelClosedError):
                    connection.send_now(message)
                    reached.append(connection)
        await asyncio.gather(*(connection.drained() for connection in reached))
        return len(reached)

    def examine(self, reason: str = "it is asked for") -> Failure:
        """How far the room has come at this moment, and what to do if that isn't enough.

        With somebody here it is the connection that has come furthest.

        Args:
            reason: why that is of interest.
        """
        order = list(Phase)
        found = [connection.examine(reason) for connection in self.peers.values()]
        if found:
            return max(found, key=lambda one: order.index(one.phase))
        turned_away = self.refused["trusted"] + self.refused["introduced_itself"] > 0
        return Failure(
            CallPhase.of(CallFacts(link=self.signaling_status, turned_away=turned_away)),
            reason,
            error=self._link_error,
            states={label: machine.state.value for label, machine in sorted(self.machines.items())},
            rejections=dict(sorted(self.refused.items())),
        )

    # What the signalling tells.

    async def _read(self) -> None:
        try:
            await self._channel.read(self._take)
        except Exception:
            logger.exception("the signalling channel failed")

    def _take(self, news: RoomNews) -> None:
        match news:
            case LinkUp(members, resumed):
                self._link_error = None
                self.signaling_link.fire("on_connected")
                self._events.put(SignalingStatusChanged(self.signaling_status))
                if self.admits_peers:
                    self._seats.present(members, resumed=resumed)
            case LinkDown():
                self._link_down(news)
            case PeerJoined(member) if self.admits_peers:
                self._seats.joined(member)
            case PeerJoined():
                self.ignored["the room is closed"] += 1
            case PeerLeft(who, session):
                self._seats.left(who, session)

    def _link_down(self, news: LinkDown) -> None:
        self._link_error = news.error
        self.signaling_link.fire("on_error" if news.error is not None else "on_disconnected")
        self._events.put(SignalingStatusChanged(self.signaling_status, news.error, news.retry_seconds))
        if news.error is not None and news.retry_seconds is None:
            self._failure = news.error
            self._arrivals.end()

    # What becomes of the peers.

    def connection_to(self, peer: Introduction) -> Connection:
        """A connection of this session to that peer alone; the room calls it for each who comes.

        Raises:
            TypeError: that is no introduction of a peer.
        """
        if not isinstance(peer, Introduction):
            raise TypeError(f"the peer is {told(peer)}; the room makes its connections itself, see room.connections")
        self._made += 1
        options = replace(self._options, label=f"{self._options.label}.{self._made}")
        return Connection(self._channel.channel_to(peer), options=options)

    @property
    def admits_peers(self) -> bool:
        """Whether the room is open."""
        return bool(self._life.permits("admit"))

    def is_still_trusted(self, peer: Introduction) -> bool:
        """Of two who came at once under one name only the first to agree is trusted."""
        if self._member.identity is None:
            return True
        try:
            return self._trust.accepts(peer.name, peer.id)
        except FsmRtcError:
            return True  # it was let in when that could be decided

    def peer_arrived(self, peer: Introduction, connection: Connection) -> None:
        """Somebody whom this side trusts is there."""
        self._arrivals.put(connection)
        self._events.put(PeerArrived(peer, connection))

    def peer_told(self, peer: Introduction, connection: Connection, event: ConnectionEvent) -> None:
        """Something happened on a connection that counts."""
        self._events.put(PeerEvent(peer, connection, event))

    def peer_gone(self, peer: Introduction, connection: Connection, end: Ended, code: MemberEnd | None) -> None:
        """The connection to somebody is over."""
        self._events.put(PeerGone(peer, connection, end.reason, end.by_peer, end.error, connection.failure, code))

    def peer_refused(self, refused: Refused) -> None:
        """Somebody isn't talked to."""
        self._events.put(refused)

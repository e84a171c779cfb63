"""ReplaceablePeer: the peer connections of one call, one at a time; the next one gets the next generation.

A peer connection is replaced where it can't go on: its library can't take an offer back (fact 2); the other side has
another certificate, and so another peer connection; it was started anew; or its library has closed it by itself, as
when ICE has failed, be it in the middle of an operation. New ICE credentials alone restart ICE.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from fsm_rtc.connection.relaying import Relaying
from fsm_rtc.connection.session import Session
from fsm_rtc.connection.tracks import Tracks
from fsm_rtc.engine import Journal
from fsm_rtc.errors import InvalidStateError
from fsm_rtc.machines.data_channel import DataChannelState
from fsm_rtc.peer.backend import Kind
from fsm_rtc.peer.configuration import Configuration, IceServer
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.peer.peer_connection import PeerConnection
from fsm_rtc.peer.sdp import fingerprints_of

__all__ = ["ROLLBACK", "SECURE_CHANNEL", "PeerConnectionFactory", "PeerEvents", "ReplaceablePeer", "expects_channel"]

logger = logging.getLogger("fsm_rtc.connection")

T = TypeVar("T")

SECURE_CHANNEL = "secure-channel"
"""The documented data channel's name; the side that makes the first offer makes it."""

ROLLBACK = SessionDescription("rollback", "")

CLOSED_ITSELF = "it was closed"


def expects_channel(connection: PeerConnection | None) -> bool:
    """Whether the other side's description holds data channels: one that it made comes, or is there."""
    remote = connection.remote_description if connection is not None else None
    return remote is not None and "\nm=application " in remote.sdp


class PeerConnectionFactory(Protocol):
    """What makes peer connections: `PeerConnection`, or `fsm_rtc.testing.FakePeerConnection`."""

    def __call__(
        self,
        configuration: Configuration | None = None,
        *,
        engine: str = ...,
        journal: Journal | None = ...,
        label: str = ...,
        generation: int = ...,
    ) -> PeerConnection: ...


class PeerEvents(Protocol):
    """Who is told what the present peer connection does. None of these may raise."""

    def candidate_found(self, candidate: IceCandidate | None) -> None: ...
    def candidate_failed(self, error: object) -> None:
        """A STUN or TURN server gave no candidate; what an ``icecandidateerror`` holds."""

    def negotiation_needed(self) -> None:
        """Something was added that the descriptions don't hold."""

    def state_changed(self) -> None:
        """One of its states, or its channel's, has changed; or it is another one now."""

    def channel_announced(self, channel: DataChannel) -> None: ...
    def track_added(self, track: Any) -> None: ...
    def message_received(self, message: str | bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class PeerOptions:
    """How the peer connections of a call are made.

    Attributes:
        configuration: servers and time limits.
        factory: makes them.
        receive: the kinds of media that this side wants to receive, whether it sends them or not.
        engine: ``compiled`` or ``transitions``.
        journal: watches their machines.
        label: how their machines are called.
    """

    configuration: Configuration
    factory: PeerConnectionFactory
    receive: tuple[Kind, ...]
    engine: str
    journal: Journal | None
    label: str


class ReplaceablePeer:
    """The present peer connection of a call, as an exchange uses it (`NegotiatingPeer`).

    Args:
        options: how peer connections are made.
        events: who is told.
        machines: makes its machine.

    Attributes:
        tracks: the media of both sides.
        channel: the data channel ``secure-channel``, or None while there is none.
        channel_protocol: the subprotocol of the data channels that this side makes.
        relaying: keeps its servers up to date.
        offered_servers: STUN and TURN servers for the peer connections made from now on, besides the configured ones.
    """

    def __init__(self, options: PeerOptions, events: PeerEvents, machines: MachineSet) -> None:
        self._options = options
        self._events = events
        self.tracks = Tracks()
        self.channel: DataChannel | None = None
        self.channel_protocol = ""
        self.offered_servers: tuple[IceServer, ...] = ()
        self.relaying = Relaying(machines)
        self._session: Session | None = None
        self._generation = 0
        self._wants_offer = False
        self._offer: SessionDescription | None = None
        self._closings: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def connection(self) -> PeerConnection | None:
        """The present peer connection."""
        return self._session.connection if self._session is not None else None

    def use_servers(self, servers: tuple[IceServer, ...], *, are_due: bool) -> None:
        """Use these of the signalling's from now on, besides the configured ones.

        Args:
            servers: they.
            are_due: whether what was told before ends soon, so that a relay is asked for anew.
        """
        self.offered_servers = servers
        configuration = self._options.configuration.with_servers(servers)
        self.relaying.offered(self.connection, configuration, are_due=are_due)

    def add_track(self, track: Any) -> None:
        """Send a track, on this peer connection and the next ones."""
        self.tracks.check(track)
        if self.connection is not None and not self.connection.negotiation.is_final:
            self.connection.add_track(track)
        self.tracks.local.append(track)

    # What an exchange does with it.

    async def begin(self) -> None:
        self.give_up("the other side began anew")

    async def make_offer(self) -> SessionDescription:
        self._wants_offer = False
        return await self._on_a_live_one(self._make_offer)

    async def _make_offer(self, session: Session) -> SessionDescription:
        connection = session.connection
        if self.channel.machine.is_final if self.channel is not None else not expects_channel(connection):
            self._adopt_channel(session, connection.create_data_channel(SECURE_CHANNEL, protocol=self.channel_protocol))
        connection.receive(*self._options.receive)
        await connection.set_local_description(await connection.create_offer())
        return session.applied_description()

    async def yield_offer(self) -> None:
        await self._on_a_live_one(self._yield_offer)

    async def _yield_offer(self, session: Session) -> None:
        connection, channel = session.connection, self.channel
        if connection.descriptions.pending_local is None:
            return  # it is another one than that which made the offer
        if not connection.can_roll_back:
            self._open("its offer yielded to the other side's")
            return
        if connection.descriptions.current_remote is None and channel is not None:
            # Who makes the first offer makes the channel, and that is the other side now.
            self.channel = None
            channel.close()
        await connection.set_local_description(ROLLBACK)

    async def apply_offer(self, offer: SessionDescription) -> None:
        self._offer = offer
        await self._on_a_live_one(partial(self._apply_offer, offer))

    async def _apply_offer(self, offer: SessionDescription, session: Session) -> None:
        before = session.connection.remote_description
        if before is not None and fingerprints_of(before).isdisjoint(fingerprints_of(offer)):
            session = self._open("the other side has another certificate")
        session.connection.receive(*self._options.receive)
        await session.connection.set_remote_description(offer)
        session.demand()

    async def make_answer(self) -> SessionDescription:
        self._demand_session()
        return await self._on_a_live_one(self._make_answer)

    async def _make_answer(self, session: Session) -> SessionDescription:
        if session.connection.descriptions.pending_remote is None and self._offer is not None:
            await self._apply_offer(self._offer, session)  # this one took the place of the one that had it
        await session.connection.set_local_description(await session.connection.create_answer())
        return session.applied_description()

    async def apply_answer(self, answer: SessionDescription) -> None:
        session = self._demand_session()
        before = session.connection.remote_description
        if before is not None and fingerprints_of(before).isdisjoint(fingerprints_of(answer)):
            # It was started anew, and has answered for the peer connection that it no longer has.
            self._offer_again("the other side has another certificate")
            return
        try:
            await session.connection.set_remote_description(answer)
            session.demand()
        except InvalidStateError:
            if not self._has_closed_itself:
                raise
            self._offer_again(CLOSED_ITSELF)

    async def add_candidate(self, candidate: IceCandidate | None) -> None:
        await self._demand_session().connection.add_ice_candidate(candidate)

    def needs_negotiation(self) -> bool:
        return self.connection is not None and (self._wants_offer or self.connection.negotiation_needed)

    async def finish_sending(self, timeout_seconds: float) -> None:
        """Close the channel in order, so that what was sent arrives: a goodbye over the signalling could outrun it."""
        channel = self.channel
        if channel is None or channel.ready_state is not DataChannelState.OPEN:
            return
        closed = asyncio.Event()
        forget = channel.on("close", closed.set)
        channel.close()
        try:
            async with asyncio.timeout(timeout_seconds):
                while not channel.machine.is_final:
                    await closed.wait()
        except TimeoutError:
            logger.warning("the other side may not have all that was sent: it took more than %g s", timeout_seconds)
        finally:
            forget()

    # Its life.

    def give_up(self, reason: str) -> None:
        """Close the present peer connection; what waits on it is told why."""
        session, self._session = self._session, None
        if session is None:
            return
        self.channel = None
        self.tracks.forget_remote()
        session.give_up(reason)
        closing = asyncio.create_task(session.close(), name=f"fsm_rtc close {session.connection.label}")
        self._closings.add(closing)
        closing.add_done_callback(self._closings.discard)
        self._events.state_changed()

    async def aclose(self) -> None:
        """Close, and wait until nothing is left of any of the peer connections."""
        self._is_closed = True
        self.give_up("the connection was closed")
        while self._closings:
            await asyncio.wait(set(self._closings))

    async def _on_a_live_one(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Do it with the present peer connection, and again with a new one if that closes itself meanwhile."""
        session = self._session
        if session is None or self._has_closed_itself:
            session = self._open(CLOSED_ITSELF)
        try:
            return await work(session)
        except InvalidStateError:
            if not self._has_closed_itself:
                raise
        return await work(self._open(CLOSED_ITSELF))

    @property
    def _has_closed_itself(self) -> bool:
        """Whether the present peer connection has been closed, by nobody here."""
        return self.connection is not None and self.connection.negotiation.is_final

    def _offer_again(self, reason: str) -> None:
        """Nobody answers for the present peer connection: another one makes an offer when this exchange is settled."""
        self._open(reason)
        self._wants_offer = True

    def _demand_session(self) -> Session:
        if self._session is None:
            raise InvalidStateError("there is no peer connection any more; the exchange has ended")
        return self._session

    def _open(self, reason: str) -> Session:
        if self._is_closed:
            raise InvalidStateError("the connection is closed; make a new one")
        options = self._options
        self.give_up(f"the peer connection was replaced: {reason}")
        self._generation += 1
        connection = options.factory(
            options.configuration.with_servers(self.offered_servers),
            engine=options.engine,
            journal=options.journal,
            label=options.label if self._generation == 1 else f"{options.label}.{self._generation}",
            generation=self._generation,
        )
        session = self._session = Session(connection, self._generation)
        self.relaying.replaced()
        for event in ("connectionstatechange", "iceconnectionstatechange", "signalingstatechange"):
            session.listen(connection, event, self._events.state_changed)
        session.listen(connection, "icecandidate", self._events.candidate_found)
        session.listen(connection, "icecandidateerror", self._events.candidate_failed)
        session.listen(connection, "negotiationneeded", self._events.negotiation_needed)
        session.listen(connection, "datachannel", lambda channel: self._channel_announced(session, channel))
        session.listen(connection, "track", self._track_added)
        for track in self.tracks.to_send():
            connection.add_track(track)
        return session

    def _track_added(self, event: Any) -> None:
        self.tracks.came(event.track)
        self._events.track_added(event.track)

    def _channel_announced(self, session: Session, channel: DataChannel) -> None:
        if channel.label == SECURE_CHANNEL and (self.channel is None or self.channel.machine.is_final):
            self._adopt_channel(session, channel)
        else:
            self._events.channel_announced(channel)

    def _adopt_channel(self, session: Session, channel: DataChannel) -> None:
        self.channel = channel
        session.add_channel(channel)
        session.listen(channel, "statechange", self._events.state_changed)
        self._events.state_changed()
        session.listen(channel, "message", self._events.message_received)

"""ReplaceablePeer: the peer connections of one call, one at a time; the next one gets the next generation.

A peer connection is replaced where it can't go on: its library can't take an offer back (fact 2); the other side has
another certificate, and so another peer connection; it was started anew; or its library has closed it by itself, as
when ICE has failed, be it in the middle of an operation. New ICE credentials alone restart ICE.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol, TypeVar

from fsm_rtc.connection.options import CallOptions
from fsm_rtc.connection.peer_session import PeerSession
from fsm_rtc.connection.relaying import Relaying
from fsm_rtc.connection.tracks import Tracks
from fsm_rtc.errors import InvalidStateError, OperationError
from fsm_rtc.peer.configuration import Configuration, IceServer
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.peer.peer_connection import PeerConnection
from fsm_rtc.peer.sdp import fingerprints_of

__all__ = ["ROLLBACK", "SECURE_CHANNEL", "PeerEvents", "PeerFollower", "ReplaceablePeer", "expects_channel"]

logger = logging.getLogger("fsm_rtc.connection")

T = TypeVar("T")

SECURE_CHANNEL = "secure-channel"
"""The documented data channel's name; the side that makes the first offer makes it."""

ROLLBACK = SessionDescription("rollback", "")

CLOSED_ITSELF = "it was closed"

MOST_CLOSED = 4
"""So many peer connections that close themselves within one operation make it fail."""


def expects_channel(connection: PeerConnection | None) -> bool:
    """Whether the other side's description holds data channels: one that it made comes, or is there."""
    remote = connection.descriptions.applied_remote if connection is not None else None
    return remote is not None and "\nm=application " in remote.sdp


class PeerEvents(Protocol):
    """Who is told what the present peer connection does; what isn't overridden does nothing. None may raise."""

    def candidate_found(self, candidate: IceCandidate | None) -> None:
        return

    def candidate_failed(self, error: object) -> None:
        """A STUN or TURN server gave no candidate; what an ``icecandidateerror`` holds."""
        return

    def negotiation_needed(self) -> None:
        """Something was added that the descriptions don't hold."""
        return

    def state_changed(self) -> None:
        """One of its states, or its channel's, has changed; or it is another one now."""
        return

    def channel_ends(self) -> None:
        """The present data channel is closing, or closed, by either side."""
        return

    def channel_announced(self, channel: DataChannel) -> None:
        return

    def track_added(self, track: Any) -> None:
        return

    def message_received(self, message: str | bytes) -> None:
        return


class PeerFollower(Protocol):
    """Who keeps a record of the peer connections, whatever call they are of. None of these may raise."""

    def leaving(self, session: PeerSession) -> None:
        """This one is given up now."""

    def present(self, session: PeerSession | None) -> None:
        """There is another one now, or none."""

    def described(self, description: SessionDescription) -> None:
        """This side has made and applied a description; it has its candidates."""

    def adopted(self, session: PeerSession, channel: DataChannel) -> None:
        """This is the data channel now."""


class ReplaceablePeer:
    """The present peer connection of a call, as an exchange uses it (`NegotiatingPeer`).

    Args:
        options: how the peer connections are made.
        events: who is told.
        machines: makes its machine.
        label: how the peer connections' machines are called.
        follower: keeps a record of them, or None.

    Attributes:
        events: as given; another call may take its place.
        tracks: the media of both sides.
        channel: the data channel ``secure-channel``, or None while there is none.
        channel_protocol: the subprotocol of the data channels that this side makes.
        wants_offer: whether the answer to the latest offer was none, so that another is due.
        relaying: keeps its servers up to date.
        offered_servers: STUN and TURN servers for the peer connections made from now on, besides the configured ones.
    """

    def __init__(
        self,
        options: CallOptions,
        events: PeerEvents,
        machines: MachineSet,
        label: str,
        follower: PeerFollower | None = None,
    ) -> None:
        self._options = options
        self._configuration = options.configuration or Configuration()
        self._label = label
        self._follower = follower
        self.events = events
        self.tracks = Tracks()
        self.channel: DataChannel | None = None
        self.channel_protocol = ""
        self.offered_servers: tuple[IceServer, ...] = ()
        self.relaying = Relaying(machines)
        self._session: PeerSession | None = None
        self._generation = 0
        self.wants_offer = False
        self._offer: SessionDescription | None = None
        self._closings: set[asyncio.Task[None]] = set()

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
        configuration = self._configuration.with_servers(servers)
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
        self.wants_offer = False
        return await self._on_a_live_one(self._make_offer)

    async def _make_offer(self, session: PeerSession) -> SessionDescription:
        connection = session.connection
        if self.channel.machine.is_final if self.channel is not None else not expects_channel(connection):
            self._adopt_channel(session, connection.create_data_channel(SECURE_CHANNEL, protocol=self.channel_protocol))
        connection.receive(*self._options.receive)
        await connection.set_local_description(await connection.create_offer())
        return self._described(session)

    async def yield_offer(self) -> None:
        await self._on_a_live_one(self._yield_offer)

    async def _yield_offer(self, session: PeerSession) -> None:
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

    async def _apply_offer(self, offer: SessionDescription, session: PeerSession) -> None:
        before = session.connection.descriptions.applied_remote
        if before is not None and fingerprints_of(before).isdisjoint(fingerprints_of(offer)):
            session = self._open("the other side has another certificate")
        session.connection.receive(*self._options.receive)
        await session.connection.set_remote_description(offer)
        session.demand()

    async def make_answer(self) -> SessionDescription:
        self._demand_session()
        return await self._on_a_live_one(self._make_answer)

    async def _make_answer(self, session: PeerSession) -> SessionDescription:
        if session.connection.descriptions.pending_remote is None and self._offer is not None:
            await self._apply_offer(self._offer, session)  # this one took the place of the one that had it
        await session.connection.set_local_description(await session.connection.create_answer())
        return self._described(session)

    def _described(self, session: PeerSession) -> SessionDescription:
        description = session.applied_description()
        if self._follower is not None:
            self._follower.described(description)
        return description

    async def apply_answer(self, answer: SessionDescription) -> None:
        session = self._demand_session()
        before = session.connection.descriptions.applied_remote
        if before is not None and fingerprints_of(before).isdisjoint(fingerprints_of(answer)):
            # It was started anew, and has answered for the peer connection that it no longer has.
            self._offer_again("the other side has another certificate")
            return
        try:
            await session.connection.set_remote_description(answer)
            session.demand()
        except InvalidStateError:
            if not self._has_closed_itself(session):
                raise
            self._offer_again(CLOSED_ITSELF)

    async def add_candidate(self, candidate: IceCandidate | None) -> None:
        await self._demand_session().connection.add_ice_candidate(candidate)

    def needs_negotiation(self) -> bool:
        return self.connection is not None and (self.wants_offer or self.connection.negotiation_needed)

    async def finish_sending(self, patience_seconds: float) -> None:
        """Close the channel in order, so that what was sent arrives: a goodbye over the signalling could outrun it.

        Raises:
            TimeoutError: for so long nothing of it went out.
        """
        channel = self.channel
        if channel is None or not channel.machine.permits("send"):
            return
        closed = asyncio.Event()
        forget = channel.on("close", closed.set)
        channel.close()
        try:
            while not channel.machine.is_final:
                left = channel.buffered_amount
                try:
                    async with asyncio.timeout(patience_seconds):
                        await closed.wait()
                except TimeoutError:
                    if channel.buffered_amount >= left:
                        raise
        finally:
            forget()

    # Its life.

    @property
    def session(self) -> PeerSession | None:
        """The present peer connection, with all that must end when it ends."""
        return self._session

    def to_go_on_with(self) -> PeerSession:
        """The present peer connection; another if there is none, or if its library has closed it by itself."""
        session = self._session
        return self._open(CLOSED_ITSELF) if session is None or self._has_closed_itself(session) else session

    def open_another(self, reason: str) -> PeerSession:
        """Another peer connection in the place of the present one; what waits for that one is told why."""
        return self._open(reason, goes_on=False)

    def give_up(self, reason: str) -> None:
        """Close the present peer connection; what waits on it is told why."""
        if self._session is not None:
            self._become(None, reason)

    async def aclose(self) -> None:
        """Close, and wait until nothing is left of any of the peer connections."""
        self.give_up("the connection was closed")
        while self._closings:
            await asyncio.wait(set(self._closings))

    async def _on_a_live_one(
        self, work: Callable[[PeerSession], Awaitable[T]], session: PeerSession | None = None, tries: int = MOST_CLOSED
    ) -> T:
        """Do it with the present peer connection, and again with a new one if that closes itself meanwhile.

        Raises:
            OperationError: so did several, one after the other; a later attempt of the recovery may succeed.
        """
        session = session or self.to_go_on_with()
        try:
            return await work(session)
        except InvalidStateError as error:
            if not self._has_closed_itself(session):
                raise
            if tries == 1:
                raise OperationError(f"{MOST_CLOSED} peer connections were closed by the library meanwhile") from error
        return await self._on_a_live_one(work, self._open(CLOSED_ITSELF), tries - 1)

    def _has_closed_itself(self, session: PeerSession) -> bool:
        """Whether this is the present peer connection, and has been closed by nobody here."""
        return session is self._session and session.connection.negotiation.is_final

    def _offer_again(self, reason: str) -> None:
        """Nobody answers for the present peer connection: another one makes an offer when this exchange is settled."""
        self._open(reason)
        self.wants_offer = True

    def _demand_session(self) -> PeerSession:
        if self._session is None:
            raise InvalidStateError("there is no peer connection any more; the exchange has ended")
        return self._session

    def _open(self, reason: str, *, goes_on: bool = True) -> PeerSession:
        """Make another one; only when that has worked is the present one given up.

        Args:
            reason: why.
            goes_on: whether the operations that wait are done with the new one.
        """
        generation, options, before = self._generation + 1, self._options, self._session
        connection = options.peer_connection_factory(
            self._configuration.with_servers(self.offered_servers),
            engine=options.engine,
            journal=options.journal,
            label=self._label if generation == 1 else f"{self._label}.{generation}",
            generation=generation,
        )
        session = PeerSession(connection, generation)
        try:
            for track in self.tracks.to_send():
                connection.add_track(track)
        except BaseException:
            self._close_later(session)
            raise
        self._generation = generation
        if before is not None and goes_on:
            session.lane, before.lane = before.lane, session.lane
        self._listen(session)
        self.relaying.replaced()
        self._become(session, f"the connection was replaced during this operation: {reason}")
        return session

    def _listen(self, session: PeerSession) -> None:
        connection, events = session.connection, self.events
        for event in ("connectionstatechange", "iceconnectionstatechange", "signalingstatechange"):
            session.listen(connection, event, events.state_changed)
        session.listen(connection, "icecandidate", events.candidate_found)
        session.listen(connection, "icecandidateerror", events.candidate_failed)
        session.listen(connection, "negotiationneeded", events.negotiation_needed)
        session.listen(connection, "datachannel", lambda channel: self._channel_announced(session, channel))
        session.listen(connection, "track", self._track_added)

    def _become(self, session: PeerSession | None, reason: str) -> None:
        """This one is the present peer connection, and the one before is closed."""
        asyncio.get_running_loop()  # raises before anything has changed
        before, self._session = self._session, session
        self.channel = None
        self.tracks.forget_remote()
        if before is not None:
            if self._follower is not None:
                self._follower.leaving(before)
            before.give_up(reason)
            self._close_later(before)
        if self._follower is not None:
            self._follower.present(session)
        if before is not None:
            self.events.state_changed()

    def _close_later(self, session: PeerSession) -> None:
        closing = asyncio.create_task(session.close(), name=f"fsm_rtc close {session.connection.label}")
        self._closings.add(closing)
        closing.add_done_callback(self._closings.discard)

    def _track_added(self, event: Any) -> None:
        self.tracks.came(event.track)
        self.events.track_added(event.track)

    def _channel_announced(self, session: PeerSession, channel: DataChannel) -> None:
        if channel.label == SECURE_CHANNEL and (self.channel is None or self.channel.machine.is_final):
            self._adopt_channel(session, channel)
        else:
            self.events.channel_announced(channel)

    def _adopt_channel(self, session: PeerSession, channel: DataChannel) -> None:
        self.channel = channel
        session.add_channel(channel)
        if self._follower is not None:
            self._follower.adopted(session, channel)
        session.listen(channel, "statechange", self.events.state_changed)
        for event in ("closing", "close"):
            session.listen(channel, event, self.events.channel_ends)
        self.events.state_changed()
        session.listen(channel, "message", self.events.message_received)

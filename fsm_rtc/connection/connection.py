"""Connection: a call with whoever is on the other side of a signalling channel.

async with Connection(WebSocketSignaling("ws://127.0.0.1:8765/kitchen"), Identity.generate(), name="alice") as call:
    await call.wait_for_ready(30)
    await call.send("Hello peer!")
    async for message in call.messages():
        print(message)
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Self

from fsm_rtc.connection.channel import LinkDown, LinkUp, SignalingChannel
from fsm_rtc.connection.driver import SignalingDriver
from fsm_rtc.connection.events import (
    ChannelAnnounced,
    ConnectionEvent,
    ConnectionStateChanged,
    Ended,
    GaveUp,
    Joined,
    Left,
    LossReason,
    Negotiated,
    PeerLost,
    Ready,
    Recovered,
    Recovering,
    Refused,
    SignalingStatusChanged,
    TrackAdded,
)
from fsm_rtc.connection.examination import Examination
from fsm_rtc.connection.failure import Failure
from fsm_rtc.connection.frames import CHANNEL_PROTOCOL, FEATURE
from fsm_rtc.connection.keeper import Keeper
from fsm_rtc.connection.lost_call import ENDING, LostCall
from fsm_rtc.connection.messages import DeliveryReader, MessageReader, Messages
from fsm_rtc.connection.peers import PeerConnectionFactory, PeerOptions, ReplaceablePeer
from fsm_rtc.connection.persistence import Persistence
from fsm_rtc.connection.progress import LOST, how_far, state_in_words
from fsm_rtc.connection.recoverer import Recoverer
from fsm_rtc.connection.recovery_policy import RecoveryPolicy
from fsm_rtc.connection.secure_link import SecureLink
from fsm_rtc.connection.streams import Stream, StreamReader
from fsm_rtc.engine import Chart, Journal
from fsm_rtc.engine.clock import Clock
from fsm_rtc.errors import (
    ConnectionFailedError,
    ConnectTimeoutError,
    NoUsableAddressError,
    OperationError,
    Rejected,
    SignalingError,
)
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.dtls import DtlsTransportState
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.recovery import RecoveryState
from fsm_rtc.machines.signaling_link import SignalingLink, SignalingStatus
from fsm_rtc.messages import Identity, Introduction, Member
from fsm_rtc.messages.trust import Trust
from fsm_rtc.peer.backend import Kind
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.peer.peer_connection import PeerConnection

__all__ = ["Connection"]

logger = logging.getLogger("fsm_rtc.connection")

DTLS_FAILED = (
    "the other side doesn't have the certificate that its description names; that is not tried again, for somebody may "
    "be in between"
)

MAX_REASON_CHARACTERS = 200

LAST_WORDS_SECONDS = 2.0
"""How long closing waits until the other side has what was sent to it."""


class Connection:
    """A call with one peer, found and negotiated over signalling; ``async with`` opens and closes it.

    The impolite side, the one with the greater id, makes the first offer when both are there; afterwards either side
    offers when it needs to. When the peer comes again with a new session, the call begins anew with it.

    Args:
        channel: what carries the messages; `fsm_rtc.signaling.WebSocketSignaling`, or one of your own.
        identity: this side's key. None for a channel that is trusted: then nothing is signed or verified.
        name: how this side calls itself, at most 128 characters.
        trust: whom it talks to. None for whoever comes first under a name, while this object lives.
        configuration: servers and time limits; none and the defaults if None. Servers that the signalling offers come
            on top.
        receive: the kinds of media to be ready to receive: ``("audio", "video")``.
        peer_connection_factory: makes the peer connections.
        engine: ``compiled``, or ``transitions`` to let every machine be stepped by that library.
        journal: watches every machine.
        label: how its machines are called in the journal.
        clock: seconds.
        member: this side, instead of `identity` and `name`; for several connections of one session, as in a `Room`.
        recovery: how soon a loss is noticed, and what is done about it; the defaults if None.
        persistence: where the call is kept, so that another run of this program goes on with it after this one was
            killed; `fsm_rtc.connection.SqliteFile`. Closed with the connection. Needs an identity.

    Raises:
        SnapshotError: what was kept is of another room, key or version.
    """

    def __init__(
        self,
        channel: SignalingChannel,
        identity: Identity | None = None,
        *,
        name: str = "",
        trust: Trust | None = None,
        configuration: Configuration | None = None,
        receive: tuple[Kind, ...] = (),
        peer_connection_factory: PeerConnectionFactory = PeerConnection,
        engine: str = "compiled",
        journal: Journal | None = None,
        label: str = "connection",
        clock: Clock = time.monotonic,
        member: Member | None = None,
        recovery: RecoveryPolicy | None = None,
        persistence: Persistence | None = None,
    ) -> None:
        self._keeper = Keeper(persistence, channel.room, identity) if persistence is not None else None
        policy = recovery or RecoveryPolicy()
        self._machines = MachineSet(label, generation=0, engine=engine, journal=journal)
        self.signaling_link = self._machines.make(SignalingLink, "signaling_link")
        self._events: Stream[ConnectionEvent] = Stream("events")
        self._messages = Messages()
        self._link = SecureLink(self._machines, self._messages, persistence)
        self._connect_timer: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._seen_state: PeerConnectionState | None = None
        self._was_ready = False
        self._given_up: Exception | None = None
        self._end: Ended | None = None
        self._failure: Failure | None = None
        self._examination = Examination(self, label, journal)
        self._closing: asyncio.Task[None] | None = None
        self._peers = ReplaceablePeer(
            PeerOptions(
                configuration or Configuration(), peer_connection_factory, receive, engine, journal, f"{label}.peer"
            ),
            self,
        )
        self._driver = SignalingDriver(
            channel,
            self._peers,
            self,
            machines=self._machines,
            identity=identity,
            name=name,
            trust=trust,
            clock=clock,
            member=member or Member(channel.room, identity, name, self._kept_session(), (FEATURE,)),
            answer_seconds=policy.answer_timeout_seconds,
            keep=self._keep if self._keeper is not None else None,
        )
        lost = LostCall(
            self.signaling_link, self._driver, self._peers, self._link, self._recovery_told, self._keep_alive
        )
        self._recoverer = Recoverer(lost, policy, self._machines)
        if self._keeper is not None:
            self._keeper.restore(self._link, self._driver)

    # What it is.

    @property
    def me(self) -> Introduction:
        """How this side introduces itself."""
        return self._driver.me.introduction

    @property
    def peer(self) -> Introduction | None:
        """Who is on the other side, or None."""
        return self._driver.peer

    @property
    def signaling_status(self) -> SignalingStatus:
        """The link to the signalling."""
        return self.signaling_link.state

    @property
    def exchange_state(self) -> ExchangeState:
        """Where the present exchange stands."""
        return self._driver.exchanger.state

    @property
    def connection_state(self) -> PeerConnectionState | None:
        """RTCPeerConnectionState, or None while there is no peer connection."""
        connection = self._peers.connection
        return connection.connection_state if connection is not None else None

    @property
    def peer_connection(self) -> PeerConnection | None:
        """The present peer connection; it may be replaced by another."""
        return self._peers.connection

    @property
    def data_channel(self) -> DataChannel | None:
        """The present data channel ``secure-channel``."""
        return self._peers.channel

    @property
    def remote_tracks(self) -> tuple[Any, ...]:
        """The other side's tracks, as the library's own objects."""
        return self._peers.tracks.remote

    @property
    def recovery_state(self) -> RecoveryState:
        """What is being done about the call, if it is lost."""
        return self._recoverer.machine.state

    @property
    def is_ready(self) -> bool:
        """Whether the peers are connected and messages go through: their data channel is open, both have greeted."""
        return self.connection_state is PeerConnectionState.CONNECTED and self._link.is_ready

    @property
    def failure(self) -> Failure | None:
        """Why the latest call ended or was waited for in vain, as it was then; None once a call is ready."""
        return self._failure

    @property
    def refused(self) -> Counter[str]:
        """How many signalling frames were refused, by the guard's name or the reason."""
        return self._driver.refused + self._link.refused

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        """Every machine, those of the present peer connection included, by label."""
        connection = self._peers.connection
        return {**self._machines.by_label(), **(connection.machines if connection is not None else {})}

    def __repr__(self) -> str:
        return f"<Connection {self.signaling_status.value}, {self.exchange_state.value}, {state_in_words(self)}>"

    # What can be done with it.

    async def open(self) -> Self:
        """Begin; ``async with`` does this, if it hasn't been done.

        Raises:
            SignalingError: the channel can't be opened, or the connection is closed.
        """
        if self._closing is not None:
            raise SignalingError("the connection is closed; make a new one, with a new channel")
        await self._driver.start()
        return self

    async def aclose(self, reason: str = "closed") -> None:
        """Say goodbye, close everything and wait until nothing is left of it.

        Idempotent; a caller who is cancelled leaves the closing to go on.

        Args:
            reason: told to the peer.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(reason), name="fsm_rtc close connection")
        await asyncio.shield(self._closing)

    async def _close(self, reason: str) -> None:
        self._changed.set()
        self._recoverer.stop()
        self._cancel_connect_timer()
        try:
            await self._say_last_words(reason)
            await self._driver.aclose(reason)
        finally:
            self._link.end()
            await self._peers.aclose()
            if self.signaling_link.permits("on_disconnected"):
                self.signaling_link.on_disconnected()
            if self._keeper is not None:
                self._keeper.close()
            self._messages.end_for_good()
            self._events.end()
            self._changed.set()

    async def _say_last_words(self, reason: str) -> None:
        """Let arrive what was sent: a goodbye over the signalling could outrun it."""
        deadline = asyncio.get_running_loop().time() + LAST_WORDS_SECONDS
        try:
            async with asyncio.timeout_at(deadline):
                await self._link.finish(reason[:MAX_REASON_CHARACTERS])
        except TimeoutError:
            logger.warning("the other side may not have all that was sent: it took more than %g s", LAST_WORDS_SECONDS)
        else:
            await self._peers.finish_sending(LAST_WORDS_SECONDS)

    def _kept_session(self) -> str | None:
        return self._keeper.session if self._keeper is not None else None

    def _keep(self) -> None:
        if self._keeper is not None and self._closing is None:
            self._keeper.keep(self._driver, self._link, self.machines)

    def _keep_alive(self) -> None:
        if self._keeper is not None:
            self._keeper.alive()

    async def __aenter__(self) -> Self:
        try:
            return await self.open()
        except BaseException:
            await self.aclose()
            raise

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def negotiate(self) -> None:
        """Make an offer: now, or when a peer is there and the present exchange is settled."""
        self._driver.negotiate()

    def add_track(self, track: Any) -> None:
        """Send a track of the library's own kind, on this peer connection and the next ones; renegotiates if need be.

        Raises:
            OperationError: the library refuses it.
        """
        self._peers.add_track(track)

    def on_track(self, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call `callback` with each track of the other side, those that are there included; the result ends that."""
        return self._peers.tracks.on_track(callback)

    async def send(self, message: str | bytes) -> None:
        """Send a message; waits while too much is waiting to be sent, or to be acknowledged.

        Once the call has been ready this may be done while it recovers: the message goes out behind that. It arrives
        once, and in order, while both programs run; to a peer without acknowledgements as its channel delivers it.

        Args:
            message: text or bytes; at most 262,143 bytes.

        Raises:
            ChannelClosedError: there is no call, or it ends meanwhile; await `wait_for_ready` first.
            ValueError: the message is too long.
            TypeError: it is neither text nor bytes.
        """
        self.send_now(message)
        await self.drained()

    def send_now(self, message: str | bytes) -> None:
        """Send a message as `send` does, without waiting; await `drained` before the next one."""
        self._link.send(message)

    async def drained(self) -> None:
        """Wait until no longer too much is waiting to be sent."""
        await self._link.drained()

    def messages(self, capacity: int = 1024) -> MessageReader:
        """``async for message in connection.messages()``, until the connection is closed.

        Each is acknowledged, and so never delivered again, when the next one is asked for.

        Args:
            capacity: how many messages wait for a slow reader; then the oldest is dropped, and counted.
        """
        return self._messages.reader(capacity)

    def deliveries(self, capacity: int = 4096) -> DeliveryReader:
        """``async for delivery in connection.deliveries()``: messages that you acknowledge yourself.

        What is not acknowledged with `Delivery.ack` when this program ends is delivered again to its next run, under
        the same `Delivery.id`. While 1024 of them, or 8 MiB, are not acknowledged, the sender waits.

        Args:
            capacity: how many wait for a slow reader of a peer that doesn't wait; then the oldest is dropped.
        """
        return self._messages.deliveries(capacity)

    def events(self, capacity: int = 1024) -> StreamReader[ConnectionEvent]:
        """``async for event in connection.events()``: what happens from now on, until the connection is closed.

        Args:
            capacity: how many events wait for a slow reader; then the oldest is dropped, and counted.
        """
        return self._events.reader(capacity)

    async def wait_for_ready(self, timeout_seconds: float | None = None) -> None:
        """Wait until the peers are connected and their data channel is open.

        Raises:
            ConnectTimeoutError: that took longer than `timeout_seconds`; it says how far they came.
            ConnectionFailedError: the call ended, or the signalling was given up; it says why.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                while not self.is_ready:
                    self._raise_if_failed()
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            self._failure = failure = self.examine(f"not connected within {timeout_seconds:g} s")
            raise ConnectTimeoutError(
                f"{failure.reason}; {how_far(self)}. {failure.advice}", failure=failure
            ) from failure.error

    def examine(self, reason: str = "it is asked for") -> Failure:
        """How far the call has come at this moment, and what to do if that isn't enough.

        Args:
            reason: why that is of interest.
        """
        return self._examination.failure(reason)

    def _raise_if_failed(self) -> None:
        if self._closing is not None:
            raise ConnectionFailedError("the connection was closed; make a new one")
        if self._given_up is not None:
            raise ConnectionFailedError(
                f"the signalling was given up: {self._given_up}", failure=self._failure
            ) from self._given_up
        if self._end is not None:
            who = "the other side" if self._end.by_peer else "this side"
            failure = self._failure
            advice = f"; {failure.advice}" if failure is not None and not failure.is_goodbye else ""
            raise ConnectionFailedError(
                f"{who} ended the call: {self._end.reason}{advice}", failure=failure
            ) from self._end.error

    # What the signalling tells.

    def link_changed(self, event: LinkUp | LinkDown) -> None:
        """The channel's link is up or down."""
        error = retry = None
        if isinstance(event, LinkUp):
            self._given_up = None
            self._peers.offered_servers = event.ice_servers
            self.signaling_link.fire("on_connected")
        else:
            error, retry = event.error, event.retry_seconds
            self.signaling_link.fire("on_error" if error is not None else "on_disconnected")
        self._examination.link_changed(error)
        if retry is None and error is not None:
            self._given_up = error
            if not self.is_ready:
                self._failure = self._examination.failure("the signalling was given up", error=error)
        self._recoverer.changed()
        self._tell(SignalingStatusChanged(self.signaling_status, error, retry))

    def peer_joined(self, peer: Introduction) -> None:
        """Somebody to talk to is there."""
        self._end = None
        self._examination.new_call()
        self._recoverer.stop()
        self._peers.give_up("the other side began anew")  # at once: its end is no end of this call
        self._link.begin(peer.id)
        self._peers.channel_protocol = CHANNEL_PROTOCOL if FEATURE in peer.features else ""
        self._recoverer.new_call()
        self._set_connect_timer()
        self._tell(Joined(peer))

    def peer_refused(self, peer: Introduction, rejected: Rejected) -> None:
        """Somebody joined who isn't talked to."""
        self._tell(Refused(peer, rejected))

    def peer_left(self, peer: Introduction) -> None:
        """The peer left the signalling."""
        self._recoverer.changed()
        self._tell(Left(peer))

    def settled(self, offer_id: str) -> None:
        """Both sides agree."""
        self._tell(Negotiated(offer_id))

    def failed(self, error: Exception) -> None:
        """An operation on the peer connection failed; the exchange ends with that."""
        self._end = Ended(str(error), by_peer=False, error=error)

    def will_retry(self, error: Exception) -> bool:
        """Whether recovery makes another attempt: while the host has no network, say."""
        return self._recoverer.is_recovering and isinstance(error, NoUsableAddressError | OperationError)

    def attempt_failed(self, error: Exception) -> None:
        """An attempt's offer could not be made."""
        logger.info("an attempt to have the call back failed: %s", error)
        self._recoverer.attempt_failed()

    def ended(self, reason: str, by_peer: bool) -> None:
        """The exchange is over, and with it the peer connection."""
        self._end = Ended(reason, by_peer, self._end.error if self._end is not None else None)
        if self._closing is None:
            self._failure = self._examination.failure(reason, by_peer=by_peer, error=self._end.error)
        self._cancel_connect_timer()
        self._recoverer.call_over()
        self._link.end()
        if self._closing is None:  # a connection that is being closed closes its peer connection behind the goodbye
            self._peers.give_up(f"the call ended: {reason}")
        self._tell(self._end)

    # What the peer connection tells.

    def candidate_found(self, candidate: IceCandidate | None) -> None:
        """This side has found a candidate."""
        self._driver.candidate_found(candidate)

    def candidate_failed(self, error: object) -> None:
        """A STUN or TURN server gave no candidate."""
        self._examination.server_answered(error)

    def negotiation_needed(self) -> None:
        """Something was added; a new offer tells the other side."""
        self._driver.negotiate_if_needed()

    def state_changed(self) -> None:
        """A state of the peer connection or of the channel has changed."""
        self._link.follow(self._peers.channel)
        self._examination.look()
        state = self.connection_state
        if state is not self._seen_state:
            self._seen_state = state
            if state is not None:
                self._events.put(ConnectionStateChanged(state))
                self._judge(state)
        channel = self._peers.channel
        if channel is not None and channel.ready_state in ENDING and self._link.goodbye is None:
            self._recoverer.closed(LossReason.CHANNEL_CLOSED)
        self._check_ready()
        self._changed.set()

    def _judge(self, state: PeerConnectionState) -> None:
        """What the new state means for the call."""
        recoverer = self._recoverer
        if state is PeerConnectionState.FAILED and self._dtls_failed():
            recoverer.dtls_failed(DTLS_FAILED)
        elif state in LOST and not recoverer.is_watching:
            self._driver.leave(LOST[state])
        elif state is PeerConnectionState.FAILED:
            recoverer.lost(LossReason.ICE_FAILED, for_good=True)
        elif state is PeerConnectionState.CLOSED:
            recoverer.closed(LossReason.CONNECTION_CLOSED)
        elif state is PeerConnectionState.DISCONNECTED:
            recoverer.lost(LossReason.ICE_DISCONNECTED)
        elif state is PeerConnectionState.CONNECTED and self.is_ready and not self._link.is_numbered:
            recoverer.heard()

    def _dtls_failed(self) -> bool:
        connection = self._peers.connection
        machines = connection.machines.values() if connection is not None else ()
        return any(machine.state is DtlsTransportState.FAILED for machine in machines)

    def _check_ready(self) -> None:
        if self.is_ready and not self._was_ready:
            self._failure = None
            self._examination.look()
            self._cancel_connect_timer()
            self._recoverer.heard()
            self._events.put(Ready())
        self._was_ready = self.is_ready

    def _set_connect_timer(self) -> None:
        self._cancel_connect_timer()
        seconds = self._recoverer.policy.connect_timeout_seconds
        self._connect_timer = asyncio.get_running_loop().call_later(seconds, self._connected_too_late)

    def _cancel_connect_timer(self) -> None:
        if self._connect_timer is not None:
            self._connect_timer.cancel()
            self._connect_timer = None

    def _connected_too_late(self) -> None:
        self._connect_timer = None
        seconds = self._recoverer.policy.connect_timeout_seconds
        self._driver.leave(f"not connected within {seconds:g} s; {how_far(self)}")

    def channel_announced(self, channel: DataChannel) -> None:
        """The other side made a data channel of its own."""
        self._tell(ChannelAnnounced(channel))

    def track_added(self, track: Any) -> None:
        """The other side sends a track."""
        self._tell(TrackAdded(track))

    def message_received(self, message: str | bytes) -> None:
        """A frame came on the data channel."""
        self._link.received(message)
        self._recoverer.heard()
        if not self._was_ready:
            self._check_ready()
            self._changed.set()

    def _recovery_told(self, event: PeerLost | Recovering | Recovered | GaveUp) -> None:
        match event:
            case PeerLost(reason):
                self._examination.lost(reason.value)
            case Recovered():
                self._examination.had_back()
            case GaveUp(reason):
                event = GaveUp(reason, self._examination.failure(reason))
            case _:
                pass
        self._tell(event)

    def _tell(self, event: ConnectionEvent) -> None:
        self._events.put(event)
        self._changed.set()

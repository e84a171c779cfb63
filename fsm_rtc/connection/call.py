"""The call of a `Connection`: its parts, and what becomes of what they tell."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from fsm_rtc.connection.call_life import CallLife
from fsm_rtc.connection.channel import IceServersChanged, LinkDown, LinkUp, SignalingChannel
from fsm_rtc.connection.delivery.frames import CHANNEL_PROTOCOL, FEATURE, FEATURES
from fsm_rtc.connection.delivery.message_channel import MessageChannel
from fsm_rtc.connection.delivery.message_store import MessageStore
from fsm_rtc.connection.diagnosis.diagnosis import Diagnosis
from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.connection.diagnosis.progress import facts_of_connection, how_far
from fsm_rtc.connection.endpoint import Endpoint
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
    PeerBusy,
    PeerLost,
    Ready,
    Recovered,
    Recovering,
    Refused,
    SignalingStatusChanged,
    TrackAdded,
)
from fsm_rtc.connection.exchange.driver import ExchangeDriver
from fsm_rtc.connection.exchange.requests import ExchangeEnded
from fsm_rtc.connection.options import CallOptions
from fsm_rtc.connection.recovery.driver import RecoveryDriver
from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from fsm_rtc.connection.saving.call_saver import CallSaver
from fsm_rtc.connection.saving.saved import SavedPeer
from fsm_rtc.connection.streams import Stream
from fsm_rtc.engine import Chart
from fsm_rtc.errors import NoUsableAddressError, OperationError, Rejected
from fsm_rtc.machines.call_requests import (
    BeReady,
    CallEnd,
    EndAlone,
    LeaveFailed,
    LeaveLate,
    LoseForGood,
    LoseForNow,
    NoteClosed,
    NoteEnd,
    NoteGivenUp,
    NoteProgress,
    NoteWrongCertificate,
    Stop,
    TellBusy,
)
from fsm_rtc.machines.call_status import CallFacts
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.messages import SENTENCES, EndCode, Identity, Introduction, Member
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate
from fsm_rtc.peer.peer_connection import PeerConnection

__all__ = ["LiveCall"]

logger = logging.getLogger("fsm_rtc.connection")

MAX_REASON_CHARACTERS = 200

LAST_WORDS_SECONDS = 2.0
"""How long closing waits while nothing of what was sent goes out."""

LONGEST_LAST_WORDS_SECONDS = 10.0
"""How long it waits at most, on a slow way."""

FAILED = EndCode.CONNECTION_FAILED

DTLS_FAILED = (
    "the other side doesn't have the certificate that its description names; that is not tried again, for somebody may "
    "be in between"
)


class LiveCall:
    """What a `Connection` consists of, and what becomes of the calls that it has, one after the other.

    The signalling driver and the replaceable peer tell it what happens; it tells the recoverer and who follows the
    events, and remembers how the latest call ended.

    Args:
        channel: what carries the messages.
        identity: this side's key, or None.
        options: how it is made.
        endpoint: whose call it is; one of its own if None.
        features: what this side says that it can do.
        told: called with each event.
        together: around what belongs together, for who shows it.

    Attributes:
        life: the `Call` machine at work.
        last_end: how the latest call ended, or None.
        failure: why the latest call ended or was waited for in vain.
        changed: set whenever something has happened.
    """

    def __init__(
        self,
        channel: SignalingChannel,
        identity: Identity | None,
        options: CallOptions,
        endpoint: Endpoint | None = None,
        *,
        features: tuple[str, ...] = FEATURES,
        told: Callable[[ConnectionEvent], object] = lambda event: None,
        together: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        store, persistence, policy = options.message_store, options.persistence, options.recovery or RecoveryPolicy()
        self.last_end: Ended | None = None
        self.failure: Failure | None = None
        self.changed = asyncio.Event()
        self.keeper = CallSaver(persistence, channel.room, identity) if persistence is not None else None
        self.store = store or MessageStore(persistence)
        kept = self.keeper.session if self.keeper is not None else None
        self._endpoint = endpoint = endpoint or Endpoint(options, self, f"{options.label}.peer")
        self.signaling_link, self.messages, self.peers = endpoint.signaling_link, endpoint.messages, endpoint.peers
        self.peers.events = self
        self._told = told
        self._together = together
        self.events: Stream[ConnectionEvent] = Stream("events")
        self.link = MessageChannel(endpoint.machines, self.messages, self.store, is_shared=store is not None)
        self.examination = Diagnosis(self, options.label, options.journal)
        self.driver = ExchangeDriver(
            channel,
            self.peers,
            self,
            options.member or Member(channel.room, identity, options.name, kept, features),
            machines=endpoint.machines,
            trust=options.trust,
            clock=options.clock,
            answer_seconds=policy.answer_timeout_seconds,
            keep=self._keep if self.keeper is not None else None,
            moved=lambda: self.recoverer.changed(),
        )
        self.recoverer = RecoveryDriver(self, policy, endpoint.machines)
        self._seen_state: PeerConnectionState | None = None
        self.life = CallLife(self._handlers, self.peers, self.link, policy.connect_timeout_seconds, endpoint.machines)
        self.machine = self.life.machine
        self._restore()

    # What it is.

    @property
    def facts(self) -> CallFacts:
        """What tells how far it has come."""
        return CallFacts(
            self.machine.state,
            self.recoverer.machine.state,
            self.signaling_link.state,
            has_peer=self.driver.peer is not None,
            turned_away=bool(self.refused["trusted"] or self.refused["introduced_itself"]),
            exchange=self.driver.exchanger.state,
            **facts_of_connection(self.peers.connection),
        )

    @property
    def is_open(self) -> bool:
        """Whether the connection isn't closed, or being closed."""
        return bool(self.machine.permits("use"))

    @property
    def peer_connection(self) -> PeerConnection | None:
        """The present peer connection."""
        return self.peers.connection

    @property
    def refused(self) -> Counter[str]:
        """How many signalling frames were refused, by the guard's name or the reason."""
        return self.driver.refused + self.link.refused

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        """Every machine, those of the present peer connection included, by label."""
        return self._endpoint.every_machine

    @property
    def _handlers(self) -> dict[type[Any], Callable[[Any], None]]:
        """What carries out what its table asks for."""
        return {
            BeReady: self.be_ready,
            TellBusy: self.tell_busy,
            LeaveLate: self.leave_late,
            LeaveFailed: lambda _: self.driver.leave(SENTENCES[FAILED], FAILED),
            LoseForNow: lambda request: self.recoverer.lost(request.reason),
            LoseForGood: lambda request: self.recoverer.lost_for_good(request.reason),
            NoteClosed: lambda request: self.recoverer.closed(request.reason),
            NoteProgress: lambda _: self.recoverer.progressed(),
            NoteWrongCertificate: self.note_wrong_certificate,
            NoteGivenUp: self.note_given_up,
            EndAlone: self.end_alone,
            NoteEnd: self.note_end,
            Stop: self.stop_all,
        }

    # What ends it.

    def stop_all(self, request: object) -> None:
        """Nothing is begun any more."""
        self.link.leave_unread()
        self.recoverer.close()
        self.changed.set()

    async def aclose(self, reason: str, *, for_good: bool, code: EndCode | None = None) -> None:
        """Say goodbye, leave the signalling and close everything.

        Args:
            reason: told to the peer.
            for_good: whether that is a goodbye, so that nothing is kept; else what isn't delivered waits.
            code: why, for programs; None for no code.
        """
        try:
            await self._say_last_words(reason, for_good=for_good)
        finally:
            await self._leave(reason, for_good=for_good, code=code)

    async def _say_last_words(self, reason: str, *, for_good: bool) -> None:
        """Let arrive what was sent: a goodbye over the signalling could outrun it."""
        told = reason[:MAX_REASON_CHARACTERS]
        try:
            async with asyncio.timeout(LONGEST_LAST_WORDS_SECONDS):
                if for_good:
                    await self.link.finish(told, LAST_WORDS_SECONDS)
                else:
                    self.link.say_goodbye(told, failed=True)
                await self.peers.finish_sending(LAST_WORDS_SECONDS)
        except TimeoutError:
            logger.warning(
                "the other side may not have all that was sent: the way to it is too slow, or cut; await "
                "Connection.wait_for_delivery() before closing"
            )

    async def _leave(self, reason: str, *, for_good: bool, code: EndCode | None) -> None:
        try:
            await self.driver.aclose(reason, for_good=for_good, code=code)
        finally:
            if for_good:
                self.link.end()
            else:
                self.link.fail()
            await self.peers.aclose()
            if self.signaling_link.permits("on_disconnected"):
                self.signaling_link.on_disconnected()
            if self.keeper is not None:
                if for_good:
                    self.store.clear()
                self.keeper.close()
            self.messages.end()
            self.events.end()
            self.life.fire(self.machine.ended)
            self.changed.set()

    # What is kept of it.

    def _restore(self) -> None:
        """Begin where the run before has stopped, if there was one."""
        saved = self.keeper.saved if self.keeper is not None else None
        if self.keeper is None or saved is None or not saved.peers:
            return
        peer = saved.peers[0]
        self.link.go_on(peer.introduction.id)
        if self.keeper.session is not None:
            self.driver.restore(peer.introduction, peer.exchange, saved.link)

    def _keep(self) -> None:
        if self.keeper is not None:
            peer, me = self.driver.peer, self.driver.me
            if peer is not None:
                peers = (SavedPeer(peer, self.driver.exchanger.export()),)
                is_over = self.driver.exchanger.machine.is_final
                link = self.driver.export_link()
                self.keeper.keep(me.introduction, me.room, peers, link, self.machines, is_over=is_over)

    def keep_alive(self) -> None:
        """The call is alive; keep that, where it is kept."""
        if self.keeper is not None:
            self.keeper.alive()

    # What the signalling tells.

    def link_changed(self, event: LinkUp | LinkDown) -> None:
        """The channel's link is up or down."""
        with self._together():
            self._link_changed(event)

    def _link_changed(self, event: LinkUp | LinkDown) -> None:
        error = retry = None
        if isinstance(event, LinkUp):
            self.life.signaling_error = None
            self.peers.use_servers(event.ice_servers, are_due=not event.resumed)
            self.signaling_link.fire("on_connected")
        else:
            error, retry = event.error, event.retry_seconds
            self.signaling_link.fire("on_error" if error is not None else "on_disconnected")
        self.examination.link_changed(error)
        if retry is None and error is not None:
            self.life.signaling_error = error
            self.life.fire(self.machine.on_given_up)
        self.recoverer.changed()
        self._tell(SignalingStatusChanged(self.signaling_link.state, error, retry))

    def ice_servers_changed(self, event: IceServersChanged) -> None:
        """The credentials that the signalling told end soon: these instead."""
        self.peers.use_servers(event.ice_servers, are_due=True)

    def peer_joined(self, peer: Introduction) -> None:
        """Somebody to talk to is there."""
        self.last_end = None
        self.examination.new_call()
        self.recoverer.new_call()
        self.peers.give_up("the other side began anew")  # at once: its end is no end of this call
        self.life.fire(self.machine.on_peer)
        self.link.begin(peer.id)
        is_numbered = FEATURE in peer.features and FEATURE in self.driver.me.introduction.features
        self.peers.channel_protocol = CHANNEL_PROTOCOL if is_numbered else ""
        self._tell(Joined(peer))

    def peer_back(self, peer: Introduction) -> bool:
        """The peer of before is there again; whether a call that was kept goes on with it."""
        goes_on = bool(self.machine.permits("on_back"))
        if goes_on:
            self.peer_joined(peer)
        return goes_on

    def peer_refused(self, peer: Introduction, rejected: Rejected) -> None:
        """Somebody joined who isn't talked to."""
        self._tell(Refused(peer, rejected))

    def peer_busy(self, peer: Introduction) -> None:
        """The peer is in a call with somebody else; it says so again and again."""
        self.life.fire(self.machine.on_busy)

    def tell_busy(self, request: object) -> None:
        """It is, as one didn't know yet."""
        if (peer := self.driver.peer) is not None:
            self._tell(PeerBusy(peer))

    def peer_left(self, peer: Introduction) -> None:
        """The peer left the signalling."""
        self.recoverer.changed()
        self._tell(Left(peer))

    def settled(self, offer_id: str) -> None:
        """Both sides agree."""
        self.peers.relaying.agreed()
        self.recoverer.agreed()
        self._tell(Negotiated(offer_id))

    def failed(self, error: Exception) -> None:
        """An operation on the peer connection failed; the exchange ends with that."""
        self.last_end = Ended(str(error), by_peer=False, error=error)

    def will_retry(self, error: Exception) -> bool:
        """Whether recovery makes another attempt: while the host has no network, say."""
        return self.recoverer.is_at_work and isinstance(error, NoUsableAddressError | OperationError)

    def attempt_failed(self, error: Exception) -> None:
        """An attempt's offer could not be made."""
        logger.info("an attempt to have the call back failed: %s", error)
        self.recoverer.attempt_failed()

    def ended(self, end: ExchangeEnded) -> None:
        """The exchange is over, and with it the peer connection."""
        with self._together():
            self._ended(end)

    def _ended(self, end: ExchangeEnded) -> None:
        self.life.fire(self.machine.on_over, CallEnd(end.reason, end.by_peer, end.code or ""))
        self.recoverer.call_over()
        if not end.for_good:
            self.link.fail()
        elif end.by_peer:
            self.link.end()
            if self.keeper is not None and self.store.is_empty:
                self.keeper.over()
        error = self.last_end.error if self.last_end is not None else None
        self._tell(Ended(end.reason, end.by_peer, error, end.code))

    def note_end(self, request: NoteEnd) -> None:
        """How a call ended before it is closed stays what is told of it; one that is closed, behind its goodbye."""
        end, error = request.end, self.last_end.error if self.last_end is not None else None
        code = EndCode(end.code) if end.code else None
        self.last_end = Ended(end.reason, end.by_peer, error, code)
        self.failure = self.examination.failure(end.reason, by_peer=end.by_peer, error=error, code=code)
        self.peers.give_up(f"the call ended: {end.reason}")

    def note_given_up(self, request: object) -> None:
        """How far the call was when the signalling was given up."""
        self.failure = self.examination.failure("the signalling was given up", error=self.life.signaling_error)

    def end_alone(self, request: object) -> None:
        """Another program joined with this key: the peer turns to that one, and nothing is to be recovered here."""
        if self.life.signaling_error is not None:
            self.failed(self.life.signaling_error)
        self.driver.end_alone(f"another program with this key has taken its place: {self.life.signaling_error}")

    def peer_wants_nothing(self, peer: Introduction) -> None:
        """The peer has said goodbye, when the exchange had failed already."""
        self.link.begin(peer.id)
        self.link.end()

    # What the peer connection tells.

    def candidate_found(self, candidate: IceCandidate | None) -> None:
        """This side has found a candidate."""
        self.driver.candidate_found(candidate)

    def candidate_failed(self, error: object) -> None:
        """A STUN or TURN server gave no candidate."""
        self.examination.server_answered(error)

    def negotiation_needed(self) -> None:
        """Something was added; a new offer tells the other side."""
        self.driver.negotiate_if_needed()

    def state_changed(self) -> None:
        """A state of the peer connection or of the channel has changed."""
        self.link.follow(self.peers.channel)
        self.examination.look()
        state = self.life.connection_state
        if state is not self._seen_state:
            self._seen_state = state
            if state is not None:
                self._tell(ConnectionStateChanged(state))
                self.life.reported(state)
        self.life.look()
        self.changed.set()

    def channel_ends(self) -> None:
        """The data channel is closing, or closed, by either side."""
        self.life.fire(self.machine.on_closed, LossReason.CHANNEL_CLOSED.value)

    def channel_announced(self, channel: DataChannel) -> None:
        """The other side made a data channel of its own."""
        self._tell(ChannelAnnounced(channel))

    def track_added(self, track: Any) -> None:
        """The other side sends a track."""
        self._tell(TrackAdded(track))

    def message_received(self, message: str | bytes) -> None:
        """A frame came on the data channel."""
        self.link.received(message)
        if (goodbye := self.link.goodbye) is not None:
            self.recoverer.said_goodbye(goodbye.reason)
        else:
            self.recoverer.heard()
        self.life.look_at_messages()
        self.changed.set()

    # What its table asks for.

    def be_ready(self, request: object) -> None:
        """It works, for the first time or again."""
        self.failure = None
        self.examination.look()
        self.recoverer.heard()
        self._tell(Ready())

    def leave_late(self, request: object) -> None:
        """Nobody was connected in time."""
        self.driver.leave(f"not connected within {self.life.connect_seconds:g} s; {how_far(self)}")

    def note_wrong_certificate(self, request: object) -> None:
        """The other side hasn't the certificate that it was to have."""
        self.examination.recovered_call()  # whatever was lost before: this is why it isn't recovered
        self.recoverer.dtls_failed(DTLS_FAILED)

    # What recovery tells.

    def recovery_told(self, event: PeerLost | Recovering | Recovered | GaveUp) -> None:
        """It is at work, or has come to an end."""
        match event:
            case PeerLost(reason):
                self.examination.lost(reason.value)
                asyncio.get_running_loop().call_soon(self.life.fire, self.machine.on_peer_lost)
            case Recovered():
                self.examination.recovered_call()
            case GaveUp(reason):
                event = GaveUp(reason, self.examination.failure(reason))
            case _:
                pass
        self._tell(event)

    def _tell(self, event: ConnectionEvent) -> None:
        self.events.put(event)
        self._told(event)
        self.changed.set()

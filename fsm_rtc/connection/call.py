"""The call of a `Connection`: its parts, and what becomes of what they tell."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

from fsm_rtc.connection.channel import IceServersChanged, LinkDown, LinkUp, SignalingChannel
from fsm_rtc.connection.deadline import Deadline
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
    PeerBusy,
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
from fsm_rtc.connection.message_store import MessageStore
from fsm_rtc.connection.messages import Messages
from fsm_rtc.connection.peers import PeerOptions, ReplaceablePeer
from fsm_rtc.connection.persistence import Persistence
from fsm_rtc.connection.progress import LOST, how_far
from fsm_rtc.connection.recoverer import Recoverer
from fsm_rtc.connection.recovery_policy import RecoveryPolicy
from fsm_rtc.connection.saved import SavedPeer
from fsm_rtc.connection.secure_link import SecureLink
from fsm_rtc.connection.streams import Stream
from fsm_rtc.engine import Chart
from fsm_rtc.engine.clock import Clock
from fsm_rtc.errors import NoUsableAddressError, OperationError, Rejected, SignalingError
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.dtls import DtlsTransportState
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.signaling_link import SignalingLink, SignalingStatus
from fsm_rtc.messages import ErrorCode, Identity, Introduction, Member
from fsm_rtc.messages.trust import Trust
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.peer.peer_connection import PeerConnection

__all__ = ["Call"]

logger = logging.getLogger("fsm_rtc.connection")

DTLS_FAILED = (
    "the other side doesn't have the certificate that its description names; that is not tried again, for somebody may "
    "be in between"
)


class Call:
    """What a `Connection` consists of, and what becomes of the calls that it has, one after the other.

    The signalling driver and the replaceable peer tell it what happens; it tells the recoverer and who follows the
    events, and remembers how the latest call ended.

    Args:
        channel: what carries the messages.
        identity: this side's key, or None.
        name: how this side calls itself.
        options: how the peer connections are made.
        label: how the machines are called in the journal.
        clock: seconds.
        trust: whom it talks to.
        member: this side, instead of `identity` and `name`.
        policy: how soon a loss is noticed, and what is done about it.
        persistence: where the call is kept, or None.
        store: the messages with each peer, where other calls share them.

    Attributes:
        end: how the latest call ended, or None.
        failure: why the latest call ended or was waited for in vain.
        given_up: what the signalling was given up for, or None.
        changed: set whenever something has happened.
        is_closing: whether the connection is being closed, or is closed.
    """

    def __init__(
        self,
        channel: SignalingChannel,
        identity: Identity | None,
        name: str,
        options: PeerOptions,
        *,
        label: str,
        clock: Clock,
        trust: Trust | None,
        member: Member | None,
        policy: RecoveryPolicy,
        persistence: Persistence | None,
        store: MessageStore | None = None,
    ) -> None:
        self.end: Ended | None = None
        self.failure: Failure | None = None
        self.given_up: Exception | None = None
        self.changed = asyncio.Event()
        self.is_closing = False
        self.keeper = Keeper(persistence, channel.room, identity) if persistence is not None else None
        self.store = store or MessageStore(persistence)
        self._machines = MachineSet(label, generation=0, engine=options.engine, journal=options.journal)
        self.signaling_link = self._machines.make(SignalingLink, "signaling_link")
        self.events: Stream[ConnectionEvent] = Stream("events")
        self.messages = Messages()
        self.link = SecureLink(self._machines, self.messages, self.store, is_shared=store is not None)
        self.examination = Examination(self, label, options.journal)
        self.peers = ReplaceablePeer(options, self, self._machines)
        self.driver = SignalingDriver(
            channel,
            self.peers,
            self,
            machines=self._machines,
            identity=identity,
            name=name,
            trust=trust,
            clock=clock,
            member=member or Member(channel.room, identity, name, self._kept_session(), (FEATURE,)),
            answer_seconds=policy.answer_timeout_seconds,
            keep=self._keep if self.keeper is not None else None,
        )
        lost = LostCall(self.signaling_link, self.driver, self.peers, self.link, self.recovery_told, self._keep_alive)
        self.recoverer = Recoverer(lost, policy, self._machines)
        self._connecting = Deadline(policy.connect_timeout_seconds, self._connected_too_late)
        self._seen_state: PeerConnectionState | None = None
        self._was_ready = False
        self._restore()

    # What it is.

    @property
    def peer(self) -> Introduction | None:
        """Who is on the other side, or None."""
        return self.driver.peer

    @property
    def signaling_status(self) -> SignalingStatus:
        """The link to the signalling."""
        return self.signaling_link.state

    @property
    def exchange_state(self) -> ExchangeState:
        """Where the present exchange stands."""
        return self.driver.exchanger.state

    @property
    def peer_connection(self) -> PeerConnection | None:
        """The present peer connection."""
        return self.peers.connection

    @property
    def connection_state(self) -> PeerConnectionState | None:
        """RTCPeerConnectionState, or None while there is no peer connection."""
        connection = self.peers.connection
        return connection.connection_state if connection is not None else None

    @property
    def is_ready(self) -> bool:
        """Whether the peers are connected and messages go through."""
        return self.connection_state is PeerConnectionState.CONNECTED and self.link.is_ready

    @property
    def refused(self) -> Counter[str]:
        """How many signalling frames were refused, by the guard's name or the reason."""
        return self.driver.refused + self.link.refused

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        """Every machine, those of the present peer connection included, by label."""
        connection = self.peers.connection
        return {**self._machines.by_label(), **(connection.machines if connection is not None else {})}

    # What ends it.

    def stop(self) -> None:
        """The connection is being closed: nothing is begun any more."""
        self.is_closing = True
        self.link.leave_unread()
        self.recoverer.stop()
        self._connecting.cancel()
        self.changed.set()

    async def aclose(self, reason: str, *, for_good: bool) -> None:
        """Leave the signalling and close everything.

        Args:
            reason: told to the peer.
            for_good: whether that is a goodbye, so that nothing is kept; else what isn't delivered waits.
        """
        try:
            await self.driver.aclose(reason, for_good=for_good)
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
            self.messages.end_for_good()
            self.events.end()
            self.changed.set()

    # What is kept of it.

    def _kept_session(self) -> str | None:
        return self.keeper.session if self.keeper is not None else None

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

    def _keep_alive(self) -> None:
        if self.keeper is not None:
            self.keeper.alive()

    # What the signalling tells.

    def link_changed(self, event: LinkUp | LinkDown) -> None:
        """The channel's link is up or down."""
        error = retry = None
        if isinstance(event, LinkUp):
            self.given_up = None
            self.peers.use_servers(event.ice_servers, are_due=not event.resumed)
            self.signaling_link.fire("on_connected")
        else:
            error, retry = event.error, event.retry_seconds
            self.signaling_link.fire("on_error" if error is not None else "on_disconnected")
        self.examination.link_changed(error)
        if retry is None and error is not None:
            self.given_up = error
            if not self.is_ready:
                self.failure = self.examination.failure("the signalling was given up", error=error)
            if not self.is_ready:
                self._end_if_replaced()
        self.recoverer.changed()
        self._tell(SignalingStatusChanged(self.signaling_status, error, retry))

    def ice_servers_changed(self, event: IceServersChanged) -> None:
        """The credentials that the signalling told end soon: these instead."""
        self.peers.use_servers(event.ice_servers, are_due=True)

    def peer_joined(self, peer: Introduction) -> None:
        """Somebody to talk to is there."""
        self.end = None
        self.examination.new_call()
        self.recoverer.stop()
        self.peers.give_up("the other side began anew")  # at once: its end is no end of this call
        self.link.begin(peer.id)
        self.peers.channel_protocol = CHANNEL_PROTOCOL if FEATURE in peer.features else ""
        self.recoverer.new_call()
        self._connecting.start()
        self._tell(Joined(peer))

    def peer_refused(self, peer: Introduction, rejected: Rejected) -> None:
        """Somebody joined who isn't talked to."""
        self._tell(Refused(peer, rejected))

    def peer_busy(self, peer: Introduction) -> None:
        """The peer is in a call with somebody else; it says so again and again."""
        self._connecting.start()
        if self.examination.peer_busy():
            self._tell(PeerBusy(peer))

    def peer_left(self, peer: Introduction) -> None:
        """The peer left the signalling."""
        self.recoverer.changed()
        self._tell(Left(peer))

    def settled(self, offer_id: str) -> None:
        """Both sides agree."""
        self.peers.relaying.agreed()
        self._tell(Negotiated(offer_id))

    def failed(self, error: Exception) -> None:
        """An operation on the peer connection failed; the exchange ends with that."""
        self.end = Ended(str(error), by_peer=False, error=error)

    def will_retry(self, error: Exception) -> bool:
        """Whether recovery makes another attempt: while the host has no network, say."""
        return self.recoverer.is_recovering and isinstance(error, NoUsableAddressError | OperationError)

    def attempt_failed(self, error: Exception) -> None:
        """An attempt's offer could not be made."""
        logger.info("an attempt to have the call back failed: %s", error)
        self.recoverer.attempt_failed()

    def ended(self, reason: str, by_peer: bool, for_good: bool) -> None:
        """The exchange is over, and with it the peer connection."""
        end = Ended(reason, by_peer, self.end.error if self.end is not None else None)
        if not self.is_closing:  # how a call ended before it is closed stays what is told of it
            self.end = end
            self.failure = self.examination.failure(reason, by_peer=by_peer, error=end.error)
        self._connecting.cancel()
        self.recoverer.call_over()
        if not for_good:
            self.link.fail()
        elif by_peer:
            self.link.end()
            if self.keeper is not None and self.store.is_empty:
                self.keeper.over()
        if not self.is_closing:  # a connection that is being closed closes its peer connection behind the goodbye
            self.peers.give_up(f"the call ended: {reason}")
        self._tell(end)

    def _end_if_replaced(self) -> None:
        """Another program joined with this key: the peer turns to that one, and nothing is to be had back here."""
        error = self.given_up
        if isinstance(error, SignalingError) and error.code == ErrorCode.REPLACED and not self.is_closing:
            self.failed(error)
            self.driver.end_alone(f"another program with this key has taken its place: {error}")

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
        state = self.connection_state
        if state is not self._seen_state:
            self._seen_state = state
            if state is not None:
                self.events.put(ConnectionStateChanged(state))
                self._judge(state)
        channel = self.peers.channel
        if channel is not None and channel.ready_state in ENDING and self.link.goodbye is None:
            self.recoverer.closed(LossReason.CHANNEL_CLOSED)
            self._end_if_replaced()
        self._check_ready()
        self.changed.set()

    def _judge(self, state: PeerConnectionState) -> None:
        """What the new state means for the call."""
        recoverer = self.recoverer
        if state is PeerConnectionState.FAILED and self._dtls_failed():
            recoverer.dtls_failed(DTLS_FAILED)
        elif state in LOST and not recoverer.is_watching:
            self.driver.leave(LOST[state])
        elif state is PeerConnectionState.FAILED:
            recoverer.lost(LossReason.ICE_FAILED, for_good=True)
        elif state is PeerConnectionState.CLOSED:
            recoverer.closed(LossReason.CONNECTION_CLOSED)
            self._end_if_replaced()
        elif state is PeerConnectionState.DISCONNECTED:
            recoverer.lost(LossReason.ICE_DISCONNECTED)
        elif state is PeerConnectionState.CONNECTED and self.is_ready and not self.link.is_numbered:
            recoverer.heard()

    def _dtls_failed(self) -> bool:
        connection = self.peers.connection
        machines = connection.machines.values() if connection is not None else ()
        return any(machine.state is DtlsTransportState.FAILED for machine in machines)

    def _check_ready(self) -> None:
        if self.is_ready and not self._was_ready:
            self.failure = None
            self.examination.look()
            self._connecting.cancel()
            self.recoverer.heard()
            self.events.put(Ready())
        self._was_ready = self.is_ready

    def _connected_too_late(self) -> None:
        seconds = self.recoverer.policy.connect_timeout_seconds
        self.driver.leave(f"not connected within {seconds:g} s; {how_far(self)}")

    def channel_announced(self, channel: DataChannel) -> None:
        """The other side made a data channel of its own."""
        self._tell(ChannelAnnounced(channel))

    def track_added(self, track: Any) -> None:
        """The other side sends a track."""
        self._tell(TrackAdded(track))

    def message_received(self, message: str | bytes) -> None:
        """A frame came on the data channel."""
        self.link.received(message)
        self.recoverer.heard()
        if not self._was_ready:
            self._check_ready()
            self.changed.set()

    # What recovery tells.

    def recovery_told(self, event: PeerLost | Recovering | Recovered | GaveUp) -> None:
        """It is at work, or has come to an end."""
        match event:
            case PeerLost(reason):
                self.examination.lost(reason.value)
                asyncio.get_running_loop().call_soon(self._end_if_replaced)
            case Recovered():
                self.examination.had_back()
            case GaveUp(reason):
                event = GaveUp(reason, self.examination.failure(reason))
            case _:
                pass
        self._tell(event)

    def _tell(self, event: ConnectionEvent) -> None:
        self.events.put(event)
        self.changed.set()

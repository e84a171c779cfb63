"""ConnectionStore: the documented store of one WebRTC connection.

Every status in it comes from a table: `SignalingLink`, `PeerStatus`, `Candidates`, those of the peer connection, and,
while it is connected by signalling, those of its `Call`. It consists of

- `Subscriptions`: the snapshot, and who is told of the next;
- `PeerRecord`: what the snapshot holds of the peer connection, which is a `Connection`'s `ReplaceablePeer`;
- `NegotiationByHand`: the documented offers and answers, one at a time;
- `SignaledCall`: a `Call` as a `Connection` has it, from `connect` to `close_connection` or `reset`;
- `ErrorField`: what failed last.

An operation or a call that is given up (closed, reset, replaced) tells the snapshot nothing any more.

Source: the Connection Store's documentation; docs/store.md maps its names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self, TypeVar, Unpack, overload

from fsm_rtc.connection.channel import SignalingChannel
from fsm_rtc.connection.delivery.messages import MessageReader, chat_message
from fsm_rtc.connection.given import check_channel
from fsm_rtc.connection.options import CallOptions, StoreKeywords, options_of
from fsm_rtc.connection.peers import SECURE_CHANNEL
from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from fsm_rtc.engine import Chart
from fsm_rtc.engine.own_thread import OwnThread, on_own_thread
from fsm_rtc.errors import ChannelClosedError, InvalidStateError
from fsm_rtc.machines.peer_status import PeerConnectionStatus
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.messages import Identity
from fsm_rtc.messages.trust import Trust
from fsm_rtc.peer.configuration import Configuration, IceServer
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.peer_connection import PeerConnection
from fsm_rtc.store.by_hand import NegotiationByHand
from fsm_rtc.store.error_field import ErrorField
from fsm_rtc.store.given import ANSWERS, OFFERS, as_candidate, as_description, as_key, demand_status, raise_if_refused
from fsm_rtc.store.peer_record import PeerRecord
from fsm_rtc.store.signaled_call import SignaledCall
from fsm_rtc.store.snapshot import ConnectionSnapshot
from fsm_rtc.store.subscriptions import SnapshotChanges, Subscriptions
from fsm_rtc.store.waiting import wait_for_connected, wait_until

__all__ = ["DEFAULT_CONFIGURATION", "SECURE_CHANNEL", "ConnectionStore"]

T = TypeVar("T")

DEFAULT_CONFIGURATION = Configuration(
    ice_servers=(IceServer("stun:stun.l.google.com:19302"),), gather_timeout_seconds=2.0
)
"""The documented STUN server; gathering is bounded, so that a dead server costs two seconds and not ten."""

SIGNALING_TRIGGERS = {
    SignalingStatus.CONNECTED: "on_connected",
    SignalingStatus.DISCONNECTED: "on_disconnected",
    SignalingStatus.ERROR: "on_error",
}


class ConnectionStore:
    """The state of one peer-to-peer connection, and what can be done with it.

    Use it on one event loop's thread. ``async with ConnectionStore() as store`` closes it at the end.

    Args:
        configuration: servers and time limits; `DEFAULT_CONFIGURATION` if None.
        options: how its connections are made; it receives audio and video if None.
        keywords: the same, given one by one; see `CallOptions`.

    Attributes:
        configuration: as given.
        signaling_link: the machine behind `ConnectionSnapshot.signaling_status`.
        peer_status: the machine behind `ConnectionSnapshot.peer_connection_status`.
        candidates: the machine that keeps early remote candidates, where negotiation is by hand.

    Raises:
        UnknownEngineError: there is no such engine.
    """

    def __init__(
        self,
        configuration: Configuration | None = None,
        options: CallOptions | None = None,
        **keywords: Unpack[StoreKeywords],
    ) -> None:
        options = options_of(options or CallOptions(receive=("audio", "video")), keywords, label="store")
        self.configuration = configuration or options.configuration or DEFAULT_CONFIGURATION
        self._options = replace(options, configuration=self.configuration)
        self._own_thread = OwnThread()
        self._subscriptions = Subscriptions()
        self._errors = ErrorField(self._subscriptions)
        self._record = PeerRecord(self._options, self._subscriptions)
        self._endpoint, self._peers = self._record.endpoint, self._record.endpoint.peers
        self._by_hand = NegotiationByHand(self._record, self._errors)
        self.signaling_link = self._endpoint.signaling_link
        self.signaling_link.observe(lambda machine, _: self._subscriptions.update(signaling_status=machine.state))
        self.peer_status = self._record.peer_status
        self.candidates = self._record.early.machine
        self._signaled = SignaledCall(self._record, self._subscriptions, self._errors)

    # What it knows.

    @property
    def snapshot(self) -> ConnectionSnapshot:
        """The present state."""
        return self._subscriptions.snapshot

    state = snapshot

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        """Every machine of the store and of its present peer connection, by label."""
        return self._endpoint.every_machine

    @property
    def remote_tracks(self) -> tuple[Any, ...]:
        """The other side's tracks on the present connection, as the library's own objects."""
        return self._peers.tracks.remote

    @overload
    def subscribe(self, callback: Callable[[ConnectionSnapshot], object]) -> Callable[[], None]: ...
    @overload
    def subscribe(
        self, callback: Callable[[T], object], select: Callable[[ConnectionSnapshot], T]
    ) -> Callable[[], None]: ...
    def subscribe(
        self, callback: Callable[[Any], object], select: Callable[[ConnectionSnapshot], Any] | None = None
    ) -> Callable[[], None]:
        """Call `callback` with the snapshot at once, and then at every change; the returned function ends that.

        Without `select` a move of the peer connection's or the data channel's own state is a change too.

        Args:
            callback: called in the order of the changes; what it raises is logged. It may change the store: the new
                snapshot comes after everybody has had the present one.
            select: picks the part that the callback is called with, and only when it changes.

        Raises:
            TypeError: the callback is a coroutine function.
        """
        self._own_thread.check("ConnectionStore.subscribe")
        return self._subscriptions.subscribe(callback, select)

    @on_own_thread
    def changes(self) -> SnapshotChanges:
        """``async for snapshot in store.changes()``: the present snapshot, then the latest after every change."""
        return self._subscriptions.changes()

    async def wait_until(
        self, predicate: Callable[[ConnectionSnapshot], bool], timeout_seconds: float | None = None
    ) -> ConnectionSnapshot:
        """The first snapshot, from the present one on, of which `predicate` says yes; or ConnectTimeoutError."""
        return await wait_until(self._subscriptions, predicate, timeout_seconds)

    async def wait_for_connected(self, timeout_seconds: float | None = None) -> ConnectionSnapshot:
        """The first snapshot in which the peers are connected and the data channel, if they agreed on one, is open.

        Raises:
            ConnectTimeoutError: that took longer than `timeout_seconds`; it says how far they came.
            InvalidStateError: the connection was closed meanwhile, and is not being recovered.
        """
        return await wait_for_connected(self._subscriptions, timeout_seconds, lambda: self._signaled.comes_back)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.close_connection()
        finally:
            self._subscriptions.end_iterators()

    # The peer connection.

    @on_own_thread
    def create_peer_connection(self) -> PeerConnection:
        """A new peer connection. An earlier one is closed; what the snapshot holds of it is cleared.

        Must be called while the event loop runs.
        """
        with self._errors.operation("create_peer_connection"), self._subscriptions.together():
            return self._peers.open_another("create_peer_connection() was called").connection

    async def close_connection(self) -> None:
        """Close the peer connection and wait until nothing of it is left; without one there is nothing to do.

        The status is ``Disconnected`` at once. Offer, answer and candidates stay until the next connection. A store
        that is connected by signalling says goodbye first, and leaves it.
        """
        await self._signaled.hang_up("closed")
        with self._errors.operation("close_connection"):
            self._peers.give_up("the connection was closed during this operation; create or process an offer")
        await self._peers.aclose()

    async def reset(self) -> None:
        """Close the peer connection, leave the signalling, and put every field back to its beginning.

        The state is reset at once; the call returns when nothing of the connection is left.
        """
        with self._subscriptions.together():
            if self._peers.session is not None:
                self.peer_status.reset()
            self._peers.give_up("the store was reset during this operation")
            self._record.early.reset()
            self._endpoint.messages.forget()
            self._peers.tracks.forget()
            self._peers.offered_servers = ()
            if self.signaling_link.permits("reset"):
                self.signaling_link.reset()
            self._errors.put(None)
            self._record.clear()
        await self._signaled.hang_up("reset")
        await self._peers.aclose()

    @on_own_thread
    def setup_data_channel(self, channel: DataChannel) -> None:
        """Make `channel` the store's: its messages and states are heard. InvalidStateError without a connection."""
        with self._errors.operation("setup_data_channel"):
            if not isinstance(channel, DataChannel):
                raise TypeError(f"a DataChannel is set up here, not {channel!r}; make one with create_data_channel")
            self._by_hand.demand("setup_data_channel")
            self._record.set_up(channel)

    # The documented handlers, which the store attaches itself. They never raise.

    def handle_ice_candidate(self, candidate: IceCandidate | None) -> None:
        """This side has found a candidate; None when there are no more."""
        self._record.found(candidate)

    def handle_connection_state_change(self) -> None:
        """The peer connection's state has changed; without one, the report ``unknown`` is rejected."""
        self._record.read_status(self._peers.session)

    def handle_ice_connection_state_change(self) -> None:
        """A state of the peer connection that is no field of its own has changed; subscribers are told."""
        if (connection := self._peers.connection) is not None:
            self._subscriptions.touch(connection)

    def handle_data_channel(self, channel: DataChannel) -> None:
        """The other side made a data channel."""
        if self._peers.session is not None:
            self._record.set_up(channel)

    # Negotiation by hand.

    async def create_offer(self) -> SessionDescription:
        """The offer to send, with this side's candidates; it has been applied and stored.

        Makes the peer connection if there is none, and the data channel ``secure-channel``; receives audio and video.

        Raises:
            InvalidStateError: the table doesn't permit an offer now, the connection was closed meanwhile, or the store
                negotiates by signalling (`connect`).
            NoUsableAddressError: the host has no address to be reached at.
            OperationError: the library failed.
        """
        self._demand_by_hand("create_offer")
        return await self._by_hand.make_offer()

    async def process_offer(self, offer: SessionDescription | Mapping[str, object]) -> SessionDescription:
        """The answer to send, with this side's candidates; offer and answer have been applied, the answer stored.

        Makes the peer connection if there is none, and another if the offer is of another certificate: the other side
        has begun anew.

        Raises:
            InvalidDescriptionError: it is no usable offer.
            InvalidStateError: the table doesn't permit it now, or the connection was closed meanwhile.
            OperationError: the library failed.
        """
        self._demand_by_hand("process_offer")
        with self._errors.storing("process_offer"):
            remote = as_description(offer, OFFERS)
        return await self._by_hand.answer(remote)

    async def process_answer(self, answer: SessionDescription | Mapping[str, object]) -> None:
        """Apply the other side's answer.

        Raises:
            InvalidDescriptionError: it is no usable answer.
            InvalidStateError: no offer waits for an answer, or the connection was closed meanwhile.
            OperationError: the library failed.
        """
        self._demand_by_hand("process_answer")
        with self._errors.storing("process_answer"):
            remote = as_description(answer, ANSWERS)
        await self._by_hand.apply_answer(remote)

    async def add_ice_candidate(self, candidate: IceCandidate | Mapping[str, object] | None) -> None:
        """Use a candidate of the other side; None says that there are no more.

        One that comes before the other side's description is kept (up to 1024) and applied right after it; if that
        fails, the error is in the snapshot.

        Raises:
            InvalidCandidateError: it is no candidate.
            TypeError: it names neither a media section's mid nor its index.
            OperationError: the remote description has no such section, too many are kept, or the library failed.
            Rejected: the other side had said that there are no more.
            InvalidStateError: the connection was closed meanwhile.
        """
        self._demand_by_hand("add_ice_candidate")
        with self._errors.storing("add_ice_candidate"):
            parsed = as_candidate(candidate)
        await self._by_hand.add_candidate(parsed)

    def _demand_by_hand(self, operation: str) -> None:
        """Refuse what the signalling does."""
        with self._errors.storing(operation):
            if self._signaled.call is not None:
                raise InvalidStateError(
                    f"{operation}: this store negotiates by its signalling; negotiate(), or close_connection() first"
                )

    # Negotiation by signalling.

    async def connect(
        self,
        channel: SignalingChannel,
        identity: Identity | None = None,
        *,
        name: str | None = None,
        trust: Trust | None = None,
        recovery: RecoveryPolicy | None = None,
    ) -> None:
        """Let a signalling channel find the other side, and negotiate with it until `close_connection` or `reset`.

        ``signaling_status`` follows the channel's link; ``local_public_key``, ``remote_public_key`` and
        ``connection_id`` (this side's session) are filled. Returns when the channel has been opened; await
        `wait_for_connected` for the call.

        Args:
            channel: what carries the messages.
            identity: this side's key; None for a channel that is trusted: then nothing is signed or verified.
            name: how this side calls itself; as in the store's options if None.
            trust: whom it talks to; likewise.
            recovery: what is done about a loss; likewise.

        Raises:
            TypeError: the channel is none, or an argument is of another kind.
            InvalidStateError: the store is connected already, or has a connection that was made by hand.
        """
        check_channel(channel)
        await self._signaled.is_gone()
        with self._errors.operation("connect"):
            if self._signaled.call is not None or self._peers.session is not None:
                raise InvalidStateError("connect: this store has a connection already; close_connection() first")
            given: dict[str, Any] = {"name": name, "trust": trust, "recovery": recovery}
            options = replace(self._options, **{key: value for key, value in given.items() if value is not None})
            await self._signaled.begin(channel, identity, options)

    @on_own_thread
    def negotiate(self) -> None:
        """Make a new offer over the signalling: now, or when the present exchange is settled."""
        with self._errors.operation("negotiate"):
            if (call := self._signaled.call) is None:
                raise InvalidStateError("negotiate: connect(channel) first, or make offers by hand")
            call.driver.negotiate()

    # Media.

    @on_own_thread
    def add_track(self, track: Any) -> None:
        """Send a track of the library's own kind, on this connection and the next ones; before the offer or answer.

        The track stays yours: no end of a connection stops it, and one that has ended is not sent on the next one.

        Raises:
            TypeError: it is no track.
            InvalidAccessError: it was added before.
            OperationError: the library refuses it.
        """
        with self._errors.operation("add_track"):
            self._peers.add_track(track)

    @on_own_thread
    def on_track(self, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call `callback` with each track of the other side, those that are there included; the result ends that."""
        return self._peers.tracks.on_track(callback)

    # Messages.

    @on_own_thread
    def on_message(self, callback: Callable[[str | bytes], object]) -> Callable[[], None]:
        """Call `callback` with each message; the returned function ends that. What it raises is logged."""
        return self._endpoint.messages.on_message(callback)

    @on_own_thread
    def messages(self, capacity: int = 1024) -> MessageReader:
        """``async for message in store.messages()``: each message, until the connection is closed or the call is over.

        Args:
            capacity: how many messages wait for a slow reader; then the oldest is dropped, and counted.
        """
        return self._endpoint.messages.reader(capacity)

    @on_own_thread
    def send(self, message: str | bytes) -> None:
        """Send a message, text or bytes of at most 262,143 bytes, on the data channel.

        Raises:
            ChannelClosedError: there is no open channel; await `wait_for_connected` first.
            ValueError: the message is too long.
            TypeError: it is neither text nor bytes.
        """
        with self._errors.operation("send"):
            if (channel := self.snapshot.data_channel) is None:
                raise ChannelClosedError("there is no data channel yet; await wait_for_connected() before sending")
            channel.send(message)

    @on_own_thread
    def send_chat(self, text: str) -> None:
        """Send ``{"type": "chat", "message": text}``; raises as `send`."""
        with self._errors.storing("send"):
            message = chat_message(text)
        self.send(message)

    # Setters. A status is never just set: its setter fires the trigger that leads there.

    @on_own_thread
    def set_signaling_status(self, status: SignalingStatus | str) -> None:
        """Say how the signalling socket is: ``Connected``, ``Disconnected`` or ``Error``; the present one is nothing.

        Raises:
            Rejected: the table has no way there, or there is no such status (`Reason.UNKNOWN_REPORT`).
        """
        with self._errors.operation("set_signaling_status"):
            demand_status(self.signaling_link, SignalingStatus, status)
            raise_if_refused(self.signaling_link.fire(SIGNALING_TRIGGERS[SignalingStatus(status)]))

    @on_own_thread
    def set_peer_connection_status(self, status: PeerConnectionStatus | str) -> None:
        """Report the peer connection's status, in place of the library.

        ``Disconnected`` (no peer connection) gives the present one up, like `close_connection` without waiting for it.

        Raises:
            Rejected: the table has no way there, or there is no such status (`Reason.UNKNOWN_REPORT`).
        """
        with self._errors.operation("set_peer_connection_status"):
            demand_status(self.peer_status, PeerConnectionStatus, status)
            if status == PeerConnectionStatus.NO_CONNECTION:
                self._peers.give_up("the status was set to Disconnected during this operation")
            else:
                raise_if_refused(self.peer_status.report(status))

    @on_own_thread
    def set_offer_received(self, is_received: bool) -> None:
        """Say whether the other side's offer has come; InvalidStateError for False while one waits for its answer."""
        with self._errors.operation("set_offer_received"):
            if not isinstance(is_received, bool):
                raise TypeError(f"is_received is True or False, not {is_received!r}")
            connection = self._peers.connection
            if not is_received and connection is not None and connection.negotiation.permits("create_answer"):
                raise InvalidStateError("an offer has been received and waits for its answer; close_connection first")
            self._record.set(is_offer_received=is_received)

    @on_own_thread
    def set_connection_id(self, connection_id: str | None) -> None:
        """Name the session; TypeError if it is neither text nor None."""
        with self._errors.operation("set_connection_id"):
            if not (connection_id is None or isinstance(connection_id, str)):
                raise TypeError(f"a connection id is text or None, not {connection_id!r}")
            self._record.set(connection_id=connection_id)

    @on_own_thread
    def set_error(self, error: Exception | None) -> None:
        """Store an error of the program's own; None clears it. TypeError if it is neither."""
        if not (error is None or isinstance(error, Exception)):
            raise TypeError(f"an error is an exception or None, not {error!r}; wrap a message: RuntimeError(message)")
        self._errors.put(error)

    @on_own_thread
    def set_offer(self, offer: SessionDescription | Mapping[str, object] | None) -> None:
        """Store an offer without applying it; see `process_offer`. InvalidDescriptionError if it is none."""
        with self._errors.operation("set_offer"):
            self._record.set(offer=None if offer is None else as_description(offer, OFFERS))

    @on_own_thread
    def set_answer(self, answer: SessionDescription | Mapping[str, object] | None) -> None:
        """Store an answer without applying it; see `process_answer`. InvalidDescriptionError if it is none."""
        with self._errors.operation("set_answer"):
            self._record.set(answer=None if answer is None else as_description(answer, ANSWERS))

    @on_own_thread
    def set_remote_public_key(self, remote_public_key: bytes | bytearray | memoryview | None) -> None:
        """Store the other side's public key; TypeError if it is neither bytes nor None."""
        with self._errors.operation("set_remote_public_key"):
            self._record.set(remote_public_key=as_key(remote_public_key))

    @on_own_thread
    def set_local_public_key(self, local_public_key: bytes | bytearray | memoryview | None) -> None:
        """Store this side's public key; TypeError if it is neither bytes nor None."""
        with self._errors.operation("set_local_public_key"):
            self._record.set(local_public_key=as_key(local_public_key))

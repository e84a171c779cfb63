"""ConnectionStore: the documented store of one WebRTC connection.

Every status in it comes from a table: `SignalingLink`, `PeerStatus`, `Candidates`, and those of the peer connection. An
operation on a peer connection runs in that connection's lane, one at a time; a caller who is cancelled leaves an
operation that has begun to be carried to its end, so nothing is ever half done. When a connection is given up (closed,
reset, replaced) its operations end with InvalidStateError and its late events count no more.

Source: the Connection Store's documentation; docs/store.md maps its names.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar, cast, overload

from fsm_rtc.engine import Chart
from fsm_rtc.errors import ChannelClosedError
from fsm_rtc.machines.candidates import ApplyCandidate
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.store.lifecycle import DEFAULT_CONFIGURATION, Lifecycle
from fsm_rtc.store.messages import MessageReader, chat_message
from fsm_rtc.store.session import Session
from fsm_rtc.store.setters import ANSWERS, OFFERS, as_description
from fsm_rtc.store.snapshot import ConnectionSnapshot
from fsm_rtc.store.subscriptions import Changes
from fsm_rtc.store.waiting import wait_for_connected, wait_until

__all__ = ["DEFAULT_CONFIGURATION", "SECURE_CHANNEL", "ConnectionStore"]

logger = logging.getLogger("fsm_rtc.store")

T = TypeVar("T")

SECURE_CHANNEL = "secure-channel"
"""The documented data channel's name."""


class ConnectionStore(Lifecycle):
    """The state of one peer-to-peer connection, and what can be done with it.

    Use it on one event loop's thread. ``async with ConnectionStore() as store`` closes it at the end.

    Args:
        configuration: servers and time limits; `DEFAULT_CONFIGURATION` if None.
        peer_connection_factory: makes the peer connections.
        engine: ``compiled``, or ``transitions`` to let every machine be stepped by that library.
        journal: watches every machine, those of the peer connections included.
        label: how its machines are called in the journal, e.g. ``offerer`` gives ``offerer.peer_status``.

    Attributes:
        configuration: as given.
        signaling_link: the machine behind `ConnectionSnapshot.signaling_status`.
        peer_status: the machine behind `ConnectionSnapshot.peer_connection_status`.
        candidates: the machine that keeps early remote candidates.

    Raises:
        UnknownEngineError: there is no such engine.
    """

    # What it knows.

    @property
    def snapshot(self) -> ConnectionSnapshot:
        """The present state."""
        return self._subscriptions.snapshot

    @property
    def state(self) -> ConnectionSnapshot:
        """The present state; another name of `snapshot`."""
        return self._subscriptions.snapshot

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        """Every machine of the store and of its present peer connection, by label."""
        connection = self.snapshot.peer_connection
        return {**self._machines.by_label(), **(connection.machines if connection is not None else {})}

    @property
    def remote_tracks(self) -> tuple[Any, ...]:
        """The other side's tracks on the present connection, as the library's own objects."""
        return self._tracks.remote

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
        return self._subscriptions.subscribe(callback, select)

    def changes(self) -> Changes:
        """``async for snapshot in store.changes()``: the present snapshot, then the latest after every change."""
        return self._subscriptions.changes()

    async def wait_until(
        self, predicate: Callable[[ConnectionSnapshot], bool], timeout_seconds: float | None = None
    ) -> ConnectionSnapshot:
        """The first snapshot, from the present one on, of which `predicate` says yes.

        Raises:
            ConnectTimeoutError: there was none within `timeout_seconds`.
        """
        return await wait_until(self._subscriptions, predicate, timeout_seconds)

    async def wait_for_connected(self, timeout_seconds: float | None = None) -> ConnectionSnapshot:
        """The first snapshot in which the peers are connected and the data channel, if they agreed on one, is open.

        Raises:
            ConnectTimeoutError: that took longer than `timeout_seconds`; it says how far they came.
            InvalidStateError: the connection was closed meanwhile.
        """
        return await wait_for_connected(self._subscriptions, timeout_seconds)

    # The connection.

    async def create_offer(self) -> SessionDescription:
        """The offer to send, with this side's candidates; it has been applied and stored.

        Makes the peer connection if there is none, and the data channel ``secure-channel``; receives audio and video.

        Raises:
            InvalidStateError: the table doesn't permit an offer now, or the connection was closed meanwhile.
            NoUsableAddressError: the host has no address to be reached at.
            OperationError: the library failed.
        """
        return await self._in_lane("create_offer", self._make_offer)

    async def process_offer(self, offer: SessionDescription | Mapping[str, object]) -> SessionDescription:
        """The answer to send, with this side's candidates; offer and answer have been applied, the answer stored.

        Makes the peer connection if there is none.

        Raises:
            InvalidDescriptionError: it is no usable offer.
            InvalidStateError: the table doesn't permit it now, or the connection was closed meanwhile.
            OperationError: the library failed.
        """
        with self._errors.storing("process_offer"):
            remote = as_description(offer, OFFERS)
        return await self._in_lane("process_offer", lambda session: self._make_answer(session, remote))

    async def process_answer(self, answer: SessionDescription | Mapping[str, object]) -> None:
        """Apply the other side's answer.

        Raises:
            InvalidDescriptionError: it is no usable answer.
            InvalidStateError: no offer waits for an answer, or the connection was closed meanwhile.
            OperationError: the library failed.
        """
        with self._errors.storing("process_answer"):
            remote = as_description(answer, ANSWERS)
            session = self._demand_session("process_answer")
        await self._in_lane("process_answer", lambda session: self._set_remote(session, remote), session)

    async def add_ice_candidate(self, candidate: IceCandidate | Mapping[str, object] | None) -> None:
        """Use a candidate of the other side; None says that there are no more.

        One that comes before the other side's description is kept (up to 256) and applied right after it; if that
        fails, the error is in the snapshot.

        Raises:
            InvalidCandidateError: it is no candidate.
            TypeError: it names neither a media section's mid nor its index.
            OperationError: the remote description has no such section, too many are kept, or the library failed.
            Rejected: the other side had said that there are no more.
            InvalidStateError: the connection was closed meanwhile.
        """
        with self._errors.storing("add_ice_candidate"):
            requests = self._early.take(_as_candidate(candidate))
            session = self._demand_session("add_ice_candidate") if requests else None

        async def apply(session: Session) -> None:
            for request in requests:
                await self._apply(session, request)

        if session is not None:
            await self._in_lane("add_ice_candidate", apply, session)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.close_connection()
        finally:
            self._subscriptions.end_iterators()

    # Media.

    def add_track(self, track: Any) -> None:
        """Send a track of the library's own kind, on this connection and the next ones; before the offer or answer.

        Raises:
            OperationError: the library refuses it.
        """
        with self._errors.operation("add_track"):
            if self._session is not None and not self._session.is_finished:
                self._session.connection.add_track(track)
            self._tracks.local.append(track)

    def on_track(self, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call `callback` with each track of the other side, those that are there included; the result ends that."""
        return self._tracks.on_track(callback)

    # Messages.

    def on_message(self, callback: Callable[[str | bytes], object]) -> Callable[[], None]:
        """Call `callback` with each message; the returned function ends that. What it raises is logged."""
        return self._messages.on_message(callback)

    def messages(self, capacity: int = 1024) -> MessageReader:
        """``async for message in store.messages()``: each message, until the connection is closed.

        Args:
            capacity: how many messages wait for a slow reader; then the oldest is dropped, and counted.
        """
        return self._messages.reader(capacity)

    def send(self, message: str | bytes) -> None:
        """Send a message on the data channel.

        Args:
            message: text or bytes; at most 262,144 bytes.

        Raises:
            ChannelClosedError: there is no open channel; await `wait_for_connected` first.
            ValueError: the message is too long.
            TypeError: it is neither text nor bytes.
        """
        with self._errors.operation("send"):
            channel = self.snapshot.data_channel
            if channel is None:
                raise ChannelClosedError("there is no data channel yet; await wait_for_connected() before sending")
            channel.send(message)

    def send_chat(self, text: str) -> None:
        """Send ``{"type": "chat", "message": text}``; raises as `send`."""
        with self._errors.storing("send"):
            message = chat_message(text)
        self.send(message)

    # The operations, as they run in the lane.

    async def _make_offer(self, session: Session) -> SessionDescription:
        connection = session.connection
        channel = self.snapshot.data_channel
        if channel is None or channel.machine.is_final:
            self.setup_data_channel(connection.create_data_channel(SECURE_CHANNEL))
        connection.receive("audio", "video")
        await connection.set_local_description(await connection.create_offer())
        offer = session.applied_description()
        self._set_of_connection(offer=offer)
        return offer

    async def _make_answer(self, session: Session, offer: SessionDescription) -> SessionDescription:
        connection = session.connection
        await self._set_remote(session, offer)
        await connection.set_local_description(await connection.create_answer())
        answer = session.applied_description()
        self._set_of_connection(answer=answer)
        return answer

    async def _set_remote(self, session: Session, description: SessionDescription) -> None:
        """Apply the other side's description, and then the candidates that came before it."""
        await session.connection.set_remote_description(description)
        session.demand()
        for request in self._early.remote_description_set(description):
            try:
                with self._errors.storing("add_ice_candidate", session):
                    await self._apply(session, request)
            except Exception as error:
                logger.warning("an early candidate failed: %s", error)
        session.demand()

    async def _apply(self, session: Session, request: ApplyCandidate) -> None:
        await session.connection.add_ice_candidate(cast("IceCandidate | None", request.candidate))


def _as_candidate(candidate: IceCandidate | Mapping[str, object] | None) -> IceCandidate | None:
    if candidate is None:
        return None
    parsed = candidate if isinstance(candidate, IceCandidate) else IceCandidate.from_dict(candidate)
    if parsed.candidate and parsed.sdp_mid is None and parsed.sdp_m_line_index is None:
        raise TypeError("a candidate needs sdpMid or sdpMLineIndex; pass the other side's candidate whole")
    return parsed

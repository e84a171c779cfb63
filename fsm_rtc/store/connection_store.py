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
from typing import Any, Self, TypeVar, overload

from fsm_rtc.connection.messages import MessageReader, chat_message
from fsm_rtc.engine import Chart
from fsm_rtc.engine.own_thread import on_own_thread
from fsm_rtc.errors import ChannelClosedError
from fsm_rtc.store.lifecycle import DEFAULT_CONFIGURATION
from fsm_rtc.store.operations import SECURE_CHANNEL
from fsm_rtc.store.signaled import Signaled
from fsm_rtc.store.snapshot import ConnectionSnapshot
from fsm_rtc.store.subscriptions import Changes
from fsm_rtc.store.waiting import wait_for_connected, wait_until

__all__ = ["DEFAULT_CONFIGURATION", "SECURE_CHANNEL", "ConnectionStore"]

logger = logging.getLogger("fsm_rtc.store")

T = TypeVar("T")


class ConnectionStore(Signaled):
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
        self._own_thread.check("ConnectionStore.subscribe")
        return self._subscriptions.subscribe(callback, select)

    @on_own_thread
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

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.close_connection()
        finally:
            self._subscriptions.end_iterators()

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
            self._tracks.check(track)
            if self._session is not None and not self._session.is_finished:
                self._session.connection.add_track(track)
            self._tracks.local.append(track)

    @on_own_thread
    def on_track(self, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call `callback` with each track of the other side, those that are there included; the result ends that."""
        return self._tracks.on_track(callback)

    # Messages.

    @on_own_thread
    def on_message(self, callback: Callable[[str | bytes], object]) -> Callable[[], None]:
        """Call `callback` with each message; the returned function ends that. What it raises is logged."""
        return self._messages.on_message(callback)

    @on_own_thread
    def messages(self, capacity: int = 1024) -> MessageReader:
        """``async for message in store.messages()``: each message, until the connection is closed.

        Args:
            capacity: how many messages wait for a slow reader; then the oldest is dropped, and counted.
        """
        return self._messages.reader(capacity)

    @on_own_thread
    def send(self, message: str | bytes) -> None:
        """Send a message on the data channel.

        Args:
            message: text or bytes; at most 262,143 bytes.

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

    @on_own_thread
    def send_chat(self, text: str) -> None:
        """Send ``{"type": "chat", "message": text}``; raises as `send`."""
        with self._errors.storing("send"):
            message = chat_message(text)
        self.send(message)

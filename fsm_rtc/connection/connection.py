"""Connection: a call with the peer on the other side of a signalling channel.

async with Connection(WebSocketSignaling("ws://127.0.0.1:8765/kitchen"), Identity.generate(), name="alice") as call:
    await call.wait_for_ready(30)
    await call.send("Hello peer!")
    async for message in call.messages():
        print(message)
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Self, Unpack

from fsm_rtc.connection.call import LiveCall
from fsm_rtc.connection.channel import SignalingChannel
from fsm_rtc.connection.delivery.messages import DeliveryReader, MessageReader
from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.connection.diagnosis.progress import how_far, state_in_words
from fsm_rtc.connection.events import ConnectionEvent
from fsm_rtc.connection.given import check_channel, check_code, check_reason, check_timeout
from fsm_rtc.connection.options import CallKeywords, CallOptions, options_of
from fsm_rtc.connection.streams import StreamReader
from fsm_rtc.engine import Chart
from fsm_rtc.engine.own_thread import OwnThread, on_own_thread
from fsm_rtc.errors import (
    ChannelClosedError,
    ConnectionFailedError,
    ConnectTimeoutError,
    InvalidStateError,
    SignalingError,
)
from fsm_rtc.machines.call import CallState
from fsm_rtc.machines.call_status import CallProgress, CallStatus
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.recovery import RecoveryState
from fsm_rtc.machines.signaling_link import SignalingLink, SignalingStatus
from fsm_rtc.messages import EndCode, Identity, Introduction
from fsm_rtc.peer.closing import Closing
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.peer_connection import PeerConnection

__all__ = ["Connection"]

logger = logging.getLogger("fsm_rtc.connection")


class Connection:
    """A call with one peer, found and negotiated over signalling; ``async with`` opens and closes it.

    The impolite side, the one with the greater id, makes the first offer when both are there; afterwards either side
    offers when it needs to. When the peer comes again with a new session, the call begins anew with it.

    Args:
        channel: what carries the messages; `fsm_rtc.signaling.WebSocketSignaling`, or one of your own.
        identity: this side's key. None for a channel that is trusted: then nothing is signed or verified.
        options: how the call is made.
        keywords: the same, given one by one; see `CallOptions`.

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
        self._call = LiveCall(channel, identity, options_of(options, keywords, label="connection"))
        self._own_thread = OwnThread()
        self._farewell: tuple[str, bool, EndCode | None] = "closed", True, None
        self._closing = Closing(self._close, "fsm_rtc close connection")

    # What it is.

    @property
    def me(self) -> Introduction:
        """How this side introduces itself."""
        return self._call.driver.me.introduction

    @property
    def peer(self) -> Introduction | None:
        """Who is on the other side, or None."""
        return self._call.driver.peer

    @property
    def signaling_link(self) -> SignalingLink:
        """The machine of the link to the signalling."""
        return self._call.signaling_link

    @property
    def signaling_status(self) -> SignalingStatus:
        """The link to the signalling."""
        return self._call.signaling_link.state

    @property
    def exchange_state(self) -> ExchangeState:
        """Where the present exchange stands."""
        return self._call.driver.exchanger.state

    @property
    def connection_state(self) -> PeerConnectionState | None:
        """RTCPeerConnectionState, or None while there is no peer connection."""
        return self._call.life.connection_state

    @property
    def peer_connection(self) -> PeerConnection | None:
        """The present peer connection; it may be replaced by another."""
        return self._call.peers.connection

    @property
    def data_channel(self) -> DataChannel | None:
        """The present data channel ``secure-channel``."""
        return self._call.peers.channel

    @property
    def remote_tracks(self) -> tuple[Any, ...]:
        """The other side's tracks, as the library's own objects."""
        return self._call.peers.tracks.remote

    @property
    def recovery_state(self) -> RecoveryState:
        """What is being done about the call, if it is lost."""
        return self._call.recoverer.machine.state

    @property
    def call_state(self) -> CallState:
        """Where the latest call stands."""
        return self._call.machine.state

    @property
    def status(self) -> CallStatus:
        """How far the call is: waiting, exchanging, connecting, ready, lost or ended."""
        return CallProgress.of(self._call.facts)

    @property
    def is_ready(self) -> bool:
        """Whether the peers are connected and messages go through: their data channel is open, both have greeted."""
        return bool(self._call.machine.permits("wait_for_ready"))

    @property
    def is_recovering(self) -> bool:
        """Whether the call was ready, is lost, and is being recovered; what is sent meanwhile arrives behind that."""
        return self._call.machine.state is CallState.LOST

    @property
    def can_send(self) -> bool:
        """Whether what is sent goes out: now, or behind the recovery of a call that was ready."""
        return bool(self._call.machine.permits("send"))

    @property
    def failure(self) -> Failure | None:
        """Why the latest call ended or was waited for in vain, as it was then; None once a call is ready."""
        return self._call.failure

    @property
    def refused(self) -> Counter[str]:
        """How many signalling frames were refused, by the guard's name or the reason."""
        return self._call.refused

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        """Every machine, those of the present peer connection included, by label."""
        return self._call.machines

    def __repr__(self) -> str:
        return f"<Connection {self.signaling_status.value}, {self.exchange_state.value}, {state_in_words(self._call)}>"

    # What can be done with it.

    async def open(self) -> Self:
        """Begin; ``async with`` does this, if it hasn't been done.

        Raises:
            SignalingError: the channel can't be opened, or the connection is closed.
        """
        self._own_thread.check("Connection.open")
        if not self._call.machine.permits("use"):
            raise SignalingError("the connection is closed; make a new one, with a new channel")
        await self._call.driver.start()
        return self

    async def aclose(self, reason: str = "closed") -> None:
        """Say goodbye, close everything and wait until nothing is left of it.

        Idempotent; a caller who is cancelled leaves the closing to go on.

        Args:
            reason: told to the peer.
        """
        await self._end(reason, for_good=True)

    async def leave(self, reason: str = "left", *, code: EndCode | None = None) -> None:
        """Close everything as `aclose` does, but without a goodbye, as if the call had failed.

        What isn't delivered, either way, stays for the next call with this peer: in this program, if it goes on in a
        `Room`, or in its next run, where it is kept. For a program that is to be started anew.

        Args:
            reason: told to the peer.
            code: why, for the other side's program; None for no code.
        """
        check_code(code)
        await self._end(reason, for_good=False, code=code)

    async def _end(self, reason: str, *, for_good: bool, code: EndCode | None = None) -> None:
        if self._call.machine.permits("end"):
            self._own_thread.check("Connection.aclose" if for_good else "Connection.leave")
            check_reason(reason)
            self._farewell = reason, for_good, code
            self._call.life.fire(self._call.machine.end)
        await self._closing

    async def _close(self) -> None:
        reason, for_good, code = self._farewell
        try:
            await self._call.aclose(reason, for_good=for_good, code=code)
        finally:
            self._call.messages.end_for_good()

    async def __aenter__(self) -> Self:
        try:
            return await self.open()
        except BaseException:
            await self.aclose()
            raise

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @on_own_thread
    def negotiate(self) -> None:
        """Make an offer: now, or when a peer is there and the present exchange is settled.

        Raises:
            InvalidStateError: the connection is closed, or being closed.
        """
        self._check_open("negotiate")
        self._call.driver.negotiate()

    @on_own_thread
    def add_track(self, track: Any) -> None:
        """Send a track of the library's own kind, on this peer connection and the next ones; renegotiates if need be.

        The track stays yours: no end of a call stops it. One that has ended isn't sent on the next peer connection.

        Raises:
            TypeError: it is no track.
            InvalidAccessError: it was added before.
            OperationError: the library refuses it.
            InvalidStateError: the connection is closed, or being closed.
        """
        self._check_open("add_track")
        self._call.peers.add_track(track)

    @on_own_thread
    def on_track(self, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call `callback` with each track of the other side, those that are there included; the result ends that."""
        return self._call.peers.tracks.on_track(callback)

    async def send(self, message: str | bytes) -> None:
        """Send a message; waits while too much is waiting to be sent, or to be acknowledged.

        Once the call has been ready this may be done while it recovers: the message goes out behind that. It arrives
        once, and in order, while both programs run; to a peer without acknowledgements as its channel delivers it.

        Args:
            message: text or bytes; at most 262,143 bytes.

        Raises:
            ChannelClosedError: there is no call, or it ends meanwhile; await `wait_for_ready` first. Or the connection
                is closed, or being closed.
            ValueError: the message is too long.
            TypeError: it is neither text nor bytes.
        """
        self.send_now(message)
        await self.drained()

    @on_own_thread
    def send_now(self, message: str | bytes) -> None:
        """Send a message as `send` does, without waiting; await `drained` before the next one."""
        if not self._call.machine.permits("use"):  # what is kept for the peer's next call isn't this one's any more
            raise ChannelClosedError("the connection is closed, or being closed; send by the one that comes after it")
        self._call.link.send(message)

    async def drained(self) -> None:
        """Wait until no longer too much is waiting to be sent."""
        await self._call.link.drained()

    @on_own_thread
    def messages(self, capacity: int = 1024) -> MessageReader:
        """``async for message in connection.messages()``, until the connection is closed.

        Each is acknowledged, and so never delivered again, when the next one is asked for.

        Args:
            capacity: how many messages wait for a slow reader; then the oldest is dropped, and counted.
        """
        return self._call.messages.reader(capacity)

    @on_own_thread
    def deliveries(self, capacity: int = 4096) -> DeliveryReader:
        """``async for delivery in connection.deliveries()``: messages that you acknowledge yourself.

        What is not acknowledged with `Delivery.ack` when this program ends is delivered again to its next run, under
        the same `Delivery.id`. While 1024 of them, or 8 MiB, are not acknowledged, the sender waits.

        Args:
            capacity: how many wait for a slow reader of a peer that doesn't wait; then the oldest is dropped.
        """
        return self._call.messages.deliveries(capacity)

    @on_own_thread
    def events(self, capacity: int = 1024) -> StreamReader[ConnectionEvent]:
        """``async for event in connection.events()``: what happens from now on, until the connection is closed.

        Args:
            capacity: how many events wait for a slow reader; then the oldest is dropped, and counted.
        """
        return self._call.events.reader(capacity)

    async def wait_for_ready(self, timeout_seconds: float | None = None) -> None:
        """Wait until the peers are connected and their data channel is open.

        Raises:
            ConnectTimeoutError: that took longer than `timeout_seconds`; it says how far they came.
            ConnectionFailedError: the call ended, or the signalling was given up; it says why.
        """
        check_timeout(timeout_seconds)
        try:
            async with asyncio.timeout(timeout_seconds):
                while self._call.machine.permits("keep_waiting"):
                    self._call.changed.clear()
                    await self._call.changed.wait()
            self._raise_unless_ready()
        except TimeoutError:
            if not self._call.machine.permits("keep_waiting"):
                self._raise_unless_ready()  # what the engine found, be it now, says more than the time
                return
            self._call.failure = failure = self.examine(f"not connected within {timeout_seconds:g} s")
            raise ConnectTimeoutError(
                f"{failure.reason}; {how_far(self._call)}. {failure.advice}", failure=failure
            ) from failure.error

    async def wait_for_delivery(self, timeout_seconds: float | None = None) -> None:
        """Wait until the other side's program is done with every message that was sent; before `aclose`, say.

        To a peer without acknowledgements (a `ConnectionStore`, say) there is nothing to wait for.

        Raises:
            TimeoutError: that took longer than `timeout_seconds`; what is not delivered still waits.
            ChannelClosedError: the call ended before.
        """
        check_timeout(timeout_seconds)
        async with asyncio.timeout(timeout_seconds):
            await self._call.link.delivered()

    def _check_open(self, operation: str) -> None:
        if not self._call.machine.permits("use"):
            raise InvalidStateError(f"{operation}: the connection is closed, or being closed; make a new one")

    def examine(self, reason: str = "it is asked for") -> Failure:
        """How far the call has come at this moment, and what to do if that isn't enough.

        Args:
            reason: why that is of interest.
        """
        return self._call.examination.failure(reason)

    def _raise_unless_ready(self) -> None:
        call = self._call
        if call.machine.permits("wait_for_ready"):
            return
        failure, error, end = call.failure, call.life.signaling_error, call.last_end
        if error is not None:
            raise ConnectionFailedError(f"the signalling was given up: {error}", failure=failure) from error
        if end is None:
            raise ConnectionFailedError("the connection was closed; make a new one")
        who = "the other side" if end.by_peer else "this side"
        advice = f"; {failure.advice}" if failure is not None and not failure.is_goodbye else ""
        raise ConnectionFailedError(f"{who} ended the call: {end.reason}{advice}", failure=failure) from end.error

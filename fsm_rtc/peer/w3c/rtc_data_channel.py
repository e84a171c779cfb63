"""RTCDataChannel: a `DataChannel` under the specification's names; and events as aiortc's users know them.

``@pc.on("track")``, ``pc.once``, ``pc.remove_listener``: a handler may be a coroutine function.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from pyee.asyncio import AsyncIOEventEmitter

from fsm_rtc.engine import doors
from fsm_rtc.engine.doors import text
from fsm_rtc.errors import SpecificationError
from fsm_rtc.peer.arguments import is_integer
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.peer.w3c.rtc_errors import BadArgumentError, argued, specified

logger = logging.getLogger("fsm_rtc.peer")


class EventTarget(AsyncIOEventEmitter):
    """An emitter whose handlers can't hurt: one that raises is logged, the others are called all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.on("error", _log)

    def _add_event_handler(self, event: str, k: Callable[..., Any], v: Callable[..., Any]) -> None:
        # Where pyee's on, once, add_listener and their decorators meet; it takes anything, and fails when it is called.
        doors.text(event, "the event", BadArgumentError)
        doors.callback(k, f"the handler of {event!r}", may_wait=True)
        super()._add_event_handler(event, k, v)


def _log(error: object = None) -> None:
    if isinstance(error, BaseException) and not isinstance(error, SpecificationError):
        logger.error("a handler of an event raised", exc_info=error)


class RTCDataChannel(EventTarget):
    """A data channel. Events: ``open``, ``closing``, ``close``, ``error``, ``bufferedamountlow`` and ``message``, with
    its text or bytes.

    Attributes:
        channel: the `DataChannel`, with its machines.
        messagesSent, bytesSent, messagesReceived, bytesReceived: what went through, for statistics.
    """

    def __init__(self, channel: DataChannel, transport: Any) -> None:
        super().__init__()
        self.channel = channel
        self.messagesSent = self.bytesSent = self.messagesReceived = self.bytesReceived = 0
        self._transport = transport
        channel.low_threshold = 0
        for event in ("open", "closing", "close", "bufferedamountlow"):
            channel.on(event, lambda event=event: self.emit(event))
        channel.on("error", lambda error: self.emit("error", error))
        self._listens = False

    def _add_event_handler(self, event: str, key: Any, wrapper: Any) -> None:
        super()._add_event_handler(event, key, wrapper)
        if event == "message" and not self._listens:
            self._listens = True
            self.channel.on("message", self._received)

    label = Forwarded[str]("channel.label")
    """Its name, the same on both sides."""

    id = Forwarded[int | None]("channel.id")
    """The stream's number, or None until it has one."""

    protocol = Forwarded[str]("channel.protocol")
    """The subprotocol's name."""

    ordered = Forwarded[bool]("channel.options.ordered")
    """Whether messages keep their order."""

    maxPacketLifeTime = Forwarded[int | None]("channel.options.max_packet_life_time")
    """How long a message is tried, in milliseconds, or None."""

    maxRetransmits = Forwarded[int | None]("channel.options.max_retransmits")
    """How often a message is sent again, or None."""

    negotiated = Forwarded[bool]("channel.options.negotiated")
    """Whether both sides made it themselves."""

    readyState = Forwarded[str]("channel.ready_state.value")
    """RTCDataChannelState."""

    bufferedAmount = Forwarded[int]("channel.buffered_amount")
    """Bytes that wait to be sent."""

    @property
    def bufferedAmountLowThreshold(self) -> int:
        """``bufferedamountlow`` tells when no more bytes than this wait."""
        return self.channel.low_threshold

    @bufferedAmountLowThreshold.setter
    def bufferedAmountLowThreshold(self, value: int) -> None:
        if not is_integer(value, 0, 4294967295):
            raise BadArgumentError("bufferedAmountLowThreshold must be in range 0 - 4294967295")
        self.channel.low_threshold = value

    transport = Forwarded[Any]("_transport")
    """The RTCSctpTransport that it uses."""

    def send(self, data: str | bytes) -> None:
        """Send a message.

        Raises:
            InvalidStateError: the channel is not open.
            TypeError: the message is too long, or neither text nor bytes.
        """
        if not isinstance(data, str | bytes):
            raise BadArgumentError(f"Cannot send unsupported data type: {type(data)}")  # aiortc's sentence
        if isinstance(data, str):
            with argued():
                text(data, "a message", TypeError, is_secret=True)
        size = len(data.encode() if isinstance(data, str) else data)
        limit = self._transport.maxMessageSize if self._transport is not None else None
        if limit is not None and size > limit and self.channel.machine.permits("send"):
            raise BadArgumentError(f"a message of {size} bytes is too long; the other side takes {limit} bytes")
        with specified():
            self.channel.send(data)
        self.messagesSent += 1
        self.bytesSent += size

    def close(self) -> None:
        """Close the channel; what waits is sent first."""
        self.channel.close()

    def _received(self, data: str | bytes) -> None:
        self.messagesReceived += 1
        self.bytesReceived += len(data.encode() if isinstance(data, str) else data)
        self.emit("message", data)

"""RTCDataChannel: a `DataChannel` under the specification's names."""

from __future__ import annotations

from typing import Any

from fsm_rtc.engine.doors import text
from fsm_rtc.peer.arguments import is_integer
from fsm_rtc.peer.backend import ChannelOptions
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.event_target import EventTarget
from fsm_rtc.peer.rtc_errors import BadArgumentError, argued, specified

__all__ = ["RTCDataChannel"]


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

    @property
    def label(self) -> str:
        """Its name, the same on both sides."""
        return self.channel.label

    @property
    def id(self) -> int | None:
        """The stream's number, or None until it has one."""
        return self.channel.id

    @property
    def _options(self) -> ChannelOptions:
        return self.channel.options

    @property
    def protocol(self) -> str:
        """The subprotocol's name."""
        return self.channel.protocol

    @property
    def ordered(self) -> bool:
        """Whether messages keep their order."""
        return self._options.ordered

    @property
    def maxPacketLifeTime(self) -> int | None:
        """How long a message is tried, in milliseconds, or None."""
        return self._options.max_packet_life_time

    @property
    def maxRetransmits(self) -> int | None:
        """How often a message is sent again, or None."""
        return self._options.max_retransmits

    @property
    def negotiated(self) -> bool:
        """Whether both sides made it themselves."""
        return self._options.negotiated

    @property
    def readyState(self) -> str:
        """RTCDataChannelState."""
        return self.channel.ready_state.value

    @property
    def bufferedAmount(self) -> int:
        """Bytes that wait to be sent."""
        return self.channel.buffered_amount

    @property
    def bufferedAmountLowThreshold(self) -> int:
        """``bufferedamountlow`` tells when no more bytes than this wait."""
        return self.channel.low_threshold

    @bufferedAmountLowThreshold.setter
    def bufferedAmountLowThreshold(self, value: int) -> None:
        if not is_integer(value, 0, 4294967295):
            raise BadArgumentError("bufferedAmountLowThreshold must be in range 0 - 4294967295")
        self.channel.low_threshold = value

    @property
    def transport(self) -> Any:
        """The RTCSctpTransport that it uses."""
        return self._transport

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
        if limit is not None and size > limit and self.readyState == "open":
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

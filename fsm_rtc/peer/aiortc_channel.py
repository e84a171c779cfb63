"""A data channel of aiortc, as a `ChannelBackend`. The numbers are those of the facts measured on aiortc 1.16.0."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiortc.exceptions import InvalidStateError as AiortcInvalidStateError

from fsm_rtc.errors import ChannelClosedError, RTCError
from fsm_rtc.peer.backend import ChannelEvents, ChannelOptions

__all__ = ["AiortcChannel", "log_error"]

logger = logging.getLogger("fsm_rtc.peer.aiortc")


class AiortcChannel:
    """An `aiortc.RTCDataChannel` as a `ChannelBackend`.

    Args:
        channel: aiortc's.
    """

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._events: ChannelEvents | None = None

    @property
    def label(self) -> str:
        return str(self._channel.label)

    @property
    def id(self) -> int | None:
        return self._channel.id  # type: ignore[no-any-return]

    @property
    def protocol(self) -> str:
        return str(self._channel.protocol)

    @property
    def options(self) -> ChannelOptions:
        channel = self._channel
        return ChannelOptions(
            channel.ordered,
            channel.maxRetransmits,
            channel.maxPacketLifeTime,
            channel.protocol,
            channel.negotiated,
            channel.id,
        )

    @property
    def low_threshold(self) -> int:
        return int(self._channel.bufferedAmountLowThreshold)

    @low_threshold.setter
    def low_threshold(self, low_bytes: int) -> None:
        self._channel.bufferedAmountLowThreshold = low_bytes

    @property
    def buffered_amount(self) -> int:
        return int(self._channel.bufferedAmount)

    @property
    def is_closed(self) -> bool:
        return bool(self._channel.readyState == "closed")

    def attach(self, events: ChannelEvents) -> None:
        self._events = events
        self._channel.on("error", log_error)
        self._channel.on("open", self._opened)
        self._channel.on("close", self._closed)
        self._channel.on("message", self._received)
        self._channel.on("bufferedamountlow", self._drained)
        if self._channel.negotiated and self._channel.readyState == "open":
            # Made on a live association: it opens behind whoever made it.
            asyncio.get_running_loop().call_soon(self._opened)

    def detach(self) -> None:
        self._events = None
        self._channel.remove_all_listeners()

    def _opened(self) -> None:
        if self._events is not None:
            self._events.opened()

    def _closed(self) -> None:
        if self._events is None:
            return
        if self._channel.transport.state == "closed":
            self._events.closed(
                RTCError("the other side is gone, and the channel with it", error_detail="sctp-failure")
            )
        else:
            self._events.closing()
            self._events.closed()

    def _received(self, data: str | bytes) -> None:
        if self._events is not None:
            self._events.received(data)

    def _drained(self) -> None:
        if self._events is not None:
            self._events.drained()

    def send(self, data: str | bytes) -> None:
        try:
            self._channel.send(data)
        except AiortcInvalidStateError as error:
            raise ChannelClosedError(
                f"aiortc's channel {self.label!r} is {self._channel.readyState}, not open"
            ) from error

    def close(self) -> None:
        self._channel.close()


def log_error(error: object) -> None:
    """Listens for `error` on aiortc's emitters; with nobody there, a handler that raises would break aiortc (10)."""
    logger.error("aiortc: a handler failed: %r", error)

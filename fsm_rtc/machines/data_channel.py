"""RTCDataChannelState, and how much waits to be sent.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #dom-rtcdatachannelstate, #announce-datachannel-open,
#data-transport-closing-procedure, #announcing-a-data-channel-as-closed and #dom-rtcpeerconnection-close (which closes
channels abruptly, without `closing`). A channel that the other side made is `open` when it is shown (`on_made_there`),
and announced as open behind that (`announce`), unless it was closed meanwhile; one of this side's is announced as it
opens. Calling close() once more is
nothing to do, by that text, so the owner lets the refusal pass. aiortc says neither `closing` nor, of the other side's
channels, `open`; so `on_closed` may come in every state.

`Flow` is this project's own: it has two marks, so that a channel near one of them doesn't flap. Left out: messages, and
channels that are moved to another thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = [
    "Channel",
    "CloseChannel",
    "DataChannelState",
    "FireClose",
    "FireClosing",
    "FireOpen",
    "Flow",
    "FlowLimits",
    "FlowState",
]


class DataChannelState(StrEnum):
    """RTCDataChannelState."""

    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


CONNECTING, OPEN, CLOSING, CLOSED = DataChannelState


class FireOpen:
    """Fire open."""


class FireClosing:
    """Fire closing."""


@dataclass(frozen=True, slots=True)
class FireClose:
    """Fire error if the transport was lost, and close."""

    error: object


class CloseChannel:
    """Let the library close the channel."""


class Channel(Chart[DataChannelState, None]):
    """RTCDataChannelState of one data channel."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #dom-rtcdatachannelstate"
    initial = CONNECTING
    final = frozenset({CLOSED})
    entry: ClassVar = {CLOSED: (FireClose,)}

    on_open = On(Row(CONNECTING, OPEN, then=(FireOpen,)), idempotent=True, cite="#announce-datachannel-open")
    on_made_there = On(Row(CONNECTING, OPEN), cite="#announce-datachannel-open, an instance of the other side's")
    announce = On(stay(OPEN, then=(FireOpen,)), cite="#announce-datachannel-open")
    send = On(stay(OPEN), cite="#datachannel-send")
    close = On(
        Row((CONNECTING, OPEN), CLOSING, then=(CloseChannel,)), idempotent=True, cite="#dom-rtcdatachannel-close"
    )
    on_closing = On(
        Row((CONNECTING, OPEN), CLOSING, then=(FireClosing,)),
        stay(CLOSING),  # the other side's part of what this side has begun
        cite="#data-transport-closing-procedure",
    )
    on_closed = On(
        Row((CONNECTING, OPEN, CLOSING), CLOSED), idempotent=True, cite="#announcing-a-data-channel-as-closed"
    )
    connection_closed = On(
        Row((CONNECTING, OPEN, CLOSING), CLOSED), idempotent=True, cite="#dom-rtcpeerconnection-close, abruptly"
    )


class FlowState(StrEnum):
    """Whether more should be sent just now."""

    CLEAR = "clear"
    CONGESTED = "congested"


CLEAR, CONGESTED = FlowState


@dataclass(frozen=True, slots=True)
class FlowLimits:
    """The context of `Flow`.

    Attributes:
        high_bytes: as much waiting makes it congested.
        low_bytes: as little waiting makes it clear again.
    """

    high_bytes: int = 1024 * 1024
    low_bytes: int = 256 * 1024


def too_much_waits(limits: FlowLimits, amount: int) -> bool:
    """As many bytes as the high mark, or more, must wait."""
    return amount >= limits.high_bytes


def little_waits(limits: FlowLimits, amount: int) -> bool:
    """No more bytes than the low mark may wait."""
    return amount <= limits.low_bytes


class Flow(Chart[FlowState, FlowLimits]):
    """The flow of one data channel, by its bufferedAmount in bytes."""

    source = "fsm_rtc; the amount is W3C webrtc-pc's #dom-datachannel-bufferedamount"
    initial = CLEAR

    send = On(stay(CLEAR), cite="who can wait does, while too much waits already")
    on_buffered_amount = On(
        Row(CLEAR, CONGESTED, when=(too_much_waits,)),
        Row(CONGESTED, CLEAR, when=(little_waits,)),
        cite="#dom-datachannel-bufferedamount",
    )

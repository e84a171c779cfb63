"""What happens on a connection, for people and programs that follow it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.errors import Rejected
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.messages import EndCode, Introduction
from fsm_rtc.peer.data_channel import DataChannel

__all__ = [
    "ChannelAnnounced",
    "ConnectionEvent",
    "ConnectionStateChanged",
    "Ended",
    "GaveUp",
    "Joined",
    "Left",
    "LossReason",
    "Negotiated",
    "PeerBusy",
    "PeerLost",
    "Ready",
    "Recovered",
    "Recovering",
    "Refused",
    "SignalingStatusChanged",
    "TrackAdded",
]


@dataclass(frozen=True, slots=True)
class SignalingStatusChanged:
    """The link to the signalling is up, down or failed.

    Attributes:
        status: as the signalling link's machine has it.
        error: what went wrong, or None.
        retry_seconds: the next attempt comes in so many seconds; None if there is none to come.
    """

    status: SignalingStatus
    error: Exception | None = None
    retry_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody whom this side trusts is there; the exchange begins."""

    peer: Introduction


@dataclass(frozen=True, slots=True)
class Refused:
    """A peer joined that this side doesn't talk to; it is told so.

    Attributes:
        peer: how it introduced itself.
        rejected: the exchange's refusal; its `guard` is ``introduced_itself`` (forged) or ``trusted``.
    """

    peer: Introduction
    rejected: Rejected


@dataclass(frozen=True, slots=True)
class PeerBusy:
    """The peer says that it is in a call with somebody else: a call is of two. It calls when that is over."""

    peer: Introduction


@dataclass(frozen=True, slots=True)
class Left:
    """The peer has left the signalling; a call that stands goes on."""

    peer: Introduction


@dataclass(frozen=True, slots=True)
class Negotiated:
    """Both sides agree.

    Attributes:
        offer_id: of the offer on which they agree, the same on both sides.
    """

    offer_id: str


@dataclass(frozen=True, slots=True)
class ConnectionStateChanged:
    """RTCPeerConnectionState has changed."""

    state: PeerConnectionState


@dataclass(frozen=True, slots=True)
class Ready:
    """The peers are connected and their data channel is open."""


@dataclass(frozen=True, slots=True)
class ChannelAnnounced:
    """The other side made a data channel of its own."""

    channel: DataChannel


@dataclass(frozen=True, slots=True)
class TrackAdded:
    """The other side sends a track; the library's own object."""

    track: Any


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over; a new session of the peer may begin another.

    Attributes:
        reason: why, for people.
        by_peer: whether the peer ended it.
        error: what failed on this side, or None.
        code: why, for programs; None for no code.
    """

    reason: str
    by_peer: bool
    error: Exception | None = None
    code: EndCode | None = None


class LossReason(StrEnum):
    """How it was noticed that the peer is lost."""

    SILENT = "nothing was heard of it"
    ICE_DISCONNECTED = "ICE is disconnected: its consent was not renewed"
    ICE_FAILED = "ICE has failed"
    CONNECTION_CLOSED = "its side of the connection was closed without a goodbye"
    CHANNEL_CLOSED = "the data channel was closed without a goodbye"


@dataclass(frozen=True, slots=True)
class PeerLost:
    """The peer is lost, or seems to be; unless it comes back by itself, recovery begins soon."""

    reason: LossReason


@dataclass(frozen=True, slots=True)
class Recovering:
    """An attempt to recover the call begins.

    Attributes:
        how: ``ICE restart`` or ``new peer connection``.
        attempt: its number, from 1.
    """

    how: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """The call works again.

    Attributes:
        seconds: since `PeerLost`.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The call can't be recovered; it ends.

    Attributes:
        reason: why.
        failure: how it was when it was lost, or None if that isn't known.
    """

    reason: str
    failure: Failure | None = None


ConnectionEvent = (
    SignalingStatusChanged
    | Joined
    | Left
    | PeerBusy
    | Refused
    | Negotiated
    | ConnectionStateChanged
    | Ready
    | ChannelAnnounced
    | TrackAdded
    | Ended
    | PeerLost
    | Recovering
    | Recovered
    | GaveUp
)

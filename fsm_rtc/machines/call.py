"""The call of a connection: from its first peer to the goodbye, through as many calls as come one after the other.

A peer joins, is met over signalling, and the call works (`ready`). It may be lost, which is recovery's to mend, and
come back; it ends, and with another session of a peer the next one begins. That the connection is being closed ends it
for good. The methods ask it too: what a closed connection refuses has no row here.

Left out: the offers and answers (`Exchange`), what is done about a loss (`Recovery`), and how far a call has come that
isn't ready (`CallProgress`, `CallPhase`, which are derived).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay
from fsm_rtc.machines.call_requests import (
    BeReady,
    CallEnd,
    EndAlone,
    LeaveFailed,
    LeaveLate,
    LoseForGood,
    LoseForNow,
    NoteClosed,
    NoteEnd,
    NoteGivenUp,
    NoteProgress,
    NoteWrongCertificate,
    Stop,
    TellBusy,
)
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.dtls import DtlsTransportState

__all__ = ["REPORTS", "Call", "CallMemory", "CallState"]


class CallState(StrEnum):
    """Where the latest call stands."""

    OPEN = "open"
    MET = "met"
    BUSY = "busy"
    READY = "ready"
    LOST = "lost"
    FAILED = "failed"
    OVER = "over"
    ENDING = "ending"
    ENDED = "ended"


OPEN, MET, BUSY, READY, LOST, FAILED, OVER, ENDING, ENDED = CallState
UNREADY = (OPEN, MET, BUSY, LOST)
PRESENT = (MET, BUSY, READY, LOST)
BEHIND = (FAILED, OVER)

USABLE = (OPEN, *PRESENT, *BEHIND)
ADVANCING = (PeerConnectionState.CONNECTING, PeerConnectionState.CONNECTED)


class CallMemory(Protocol):
    """The context: what the call consists of."""

    @property
    def connection_state(self) -> PeerConnectionState | None:
        """RTCPeerConnectionState, or None while there is no peer connection."""

    @property
    def messages_flow(self) -> bool:
        """Whether messages go through: the data channel is open, and both sides have greeted on it."""

    @property
    def dtls(self) -> frozenset[DtlsTransportState]:
        """The states of the present peer connection's DTLS transports."""

    @property
    def connect_seconds(self) -> float:
        """How long a peer that is there may take to be connected."""

    @property
    def is_given_up(self) -> bool:
        """Whether the signalling was given up for good."""

    @property
    def is_replaced(self) -> bool:
        """Whether that was because another program has joined with this one's key."""


def works(memory: CallMemory, event: object) -> bool:
    """The peers must be connected, and messages go through."""
    return memory.connection_state is PeerConnectionState.CONNECTED and memory.messages_flow


def works_no_longer(memory: CallMemory, event: object) -> bool:
    """The peers must not be connected, or no message go through."""
    return not works(memory, event)


def advances(memory: CallMemory, event: object) -> bool:
    """The connection must be on its way, or stand."""
    return memory.connection_state in ADVANCING


def wrong_certificate(memory: CallMemory, event: object) -> bool:
    """The other side must have shown another certificate than its description names."""
    return DtlsTransportState.FAILED in memory.dtls


def signaling_lasts(memory: CallMemory, event: object) -> bool:
    """The signalling must not have been given up."""
    return not memory.is_given_up


def replaced(memory: CallMemory, event: object) -> bool:
    """Another program must have joined with this one's key."""
    return memory.is_replaced


def connect_seconds(memory: CallMemory) -> float:
    """How long there is time to be connected."""
    return memory.connect_seconds


REPORTS = {
    PeerConnectionState.NEW: "on_connecting",
    PeerConnectionState.CONNECTING: "on_connecting",
    PeerConnectionState.CONNECTED: "on_connecting",
    PeerConnectionState.DISCONNECTED: "on_disconnected",
    PeerConnectionState.FAILED: "on_failed",
    PeerConnectionState.CLOSED: "on_closed",
}
"""By which trigger a state of the connection is reported. That it is connected is seen by `look`, with its channel."""


class Call(Chart[CallState, CallMemory]):
    """The call of one connection."""

    source = "docs/connection.md, the call"
    initial = OPEN
    final = frozenset({ENDED})

    on_peer = On(
        Row(USABLE, MET, reenters=True),
        stay(ENDING),
        cite="a session of the peer is there: a call begins",
    )
    on_back = On(stay(OPEN), cite="docs/recovery.md: with the peer of an earlier run the call goes on")
    on_busy = On(
        Row(MET, BUSY, then=TellBusy),
        stay(BUSY, restarts=("on_too_late",)),
        stay(OPEN, READY, LOST, *BEHIND, ENDING),
        cite="docs/protocol.md, ack: the peer is in a call with somebody else, and calls when that is over",
    )
    look = On(
        Row((MET, BUSY, LOST), READY, when=(works,), then=BeReady),
        Row(READY, LOST, when=(works_no_longer,)),
        cite="something of the connection or its channel has changed",
    )
    on_too_late = On(
        stay(MET, BUSY, then=LeaveLate), after=connect_seconds, cite="docs/connection.md, connect_timeout_seconds"
    )

    on_connecting = On[CallMemory, str](stay(*USABLE, ENDING), cite="#rtcpeerconnectionstate-enum")
    on_progress = On(
        stay(READY, LOST, when=(advances,), then=NoteProgress),
        cite="docs/recovery.md, attempts: one that comes nearer isn't broken off",
    )
    on_disconnected = On[CallMemory, str](
        stay(READY, LOST, then=LoseForNow),
        stay(OPEN, MET, BUSY, *BEHIND, ENDING),
        cite="#rtcpeerconnectionstate-enum: it may come back by itself",
    )
    on_failed = On[CallMemory, str](
        stay(*PRESENT, when=(wrong_certificate,), then=NoteWrongCertificate),
        stay(MET, BUSY, then=LeaveFailed),
        stay(READY, LOST, then=LoseForGood),
        stay(OPEN, *BEHIND, ENDING),
        cite="#rtcpeerconnectionstate-enum: it won't come back by itself",
    )
    on_closed = On[CallMemory, str](
        stay(*PRESENT, when=(replaced,), then=EndAlone),
        stay(*PRESENT, then=NoteClosed),
        stay(OPEN, *BEHIND, ENDING),
        cite="docs/recovery.md, noticing: the other side has closed the connection, or its channel",
    )
    on_peer_lost = On(
        stay(*PRESENT, when=(replaced,), then=EndAlone),
        stay(*USABLE, ENDING),
        cite="docs/recovery.md, noticing: recovery begins, if there is a peer to reconnect to",
    )
    on_given_up = On(
        stay(*UNREADY, when=(replaced,), then=(NoteGivenUp, EndAlone)),
        stay(*UNREADY, *BEHIND, then=NoteGivenUp),
        stay(READY, ENDING),
        cite="the signalling has ended for good; a call that works goes on without it",
    )

    use = On(stay(*USABLE), cite="the methods of a connection that isn't closed")
    send = On(stay(READY, LOST), cite="docs/delivery.md: what is sent while the call is lost goes out behind that")
    keep_waiting = On(stay(*UNREADY, when=(signaling_lasts,)), cite="wait_for_ready: it may become ready yet")
    wait_for_ready = On(stay(READY), cite="wait_for_ready returns")

    on_over = On[CallMemory, CallEnd](
        Row((OPEN, MET, BUSY), FAILED, then=NoteEnd),
        Row((READY, LOST), OVER, then=NoteEnd),
        stay(*BEHIND, then=NoteEnd),
        stay(ENDING),
        cite="docs/protocol.md, goodbye; or the exchange has failed",
    )
    end = On(Row(USABLE, ENDING, then=Stop), cite="the connection is being closed")
    ended = On(Row(ENDING, ENDED), cite="nothing is left of it")

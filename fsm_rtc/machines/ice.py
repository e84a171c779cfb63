"""RTCIceTransportState: whether one transport has found a way to the other side.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcicetransportstate and its list of example transitions;
`completed` to `failed` is in the state's own description. Left out: why checks fail, candidate pairs, consent (RFC
7675), which are the library's. A failed transport closes neither DTLS, nor SCTP, nor channels; it comes back by an
ICE restart alone.
"""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.engine import Observed, On, Row, adopt
from fsm_rtc.machines.requests import tell_recovery

__all__ = ["Ice", "IceTransportState"]


class IceTransportState(StrEnum):
    """RTCIceTransportState."""

    NEW = "new"
    CHECKING = "checking"
    CONNECTED = "connected"
    COMPLETED = "completed"
    DISCONNECTED = "disconnected"
    FAILED = "failed"
    CLOSED = "closed"


NEW, CHECKING, CONNECTED, COMPLETED, DISCONNECTED, FAILED, CLOSED = IceTransportState
LIVE = (NEW, CHECKING, CONNECTED, COMPLETED, DISCONNECTED, FAILED)
STARTED = (CHECKING, CONNECTED, COMPLETED, DISCONNECTED, FAILED)


class Ice(Observed[IceTransportState, None]):
    """RTCIceTransportState of one transport."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcicetransportstate"
    initial = NEW
    final = frozenset({CLOSED})

    on_checking = On(
        Row(NEW, CHECKING, cite="remote candidates received"),
        Row(CONNECTED, CHECKING, cite="consent lost, pairs remain to be checked"),
        Row(COMPLETED, CHECKING, cite="ICE restart, with no pair left"),
        Row(DISCONNECTED, CHECKING, cite="new candidates, or ICE restart"),
        Row(FAILED, CHECKING, cite="ICE restart"),
        cite="#rtcicetransportstate",
    )
    on_connected = On(
        Row(CHECKING, CONNECTED, cite="found a usable connection"),
        Row(COMPLETED, CONNECTED, cite="ICE restart"),
        Row(DISCONNECTED, CONNECTED, cite="connectivity is back"),
        cite="#rtcicetransportstate",
    )
    on_completed = On(
        Row(CONNECTED, COMPLETED, cite="finished all checks"),
        Row(CHECKING, COMPLETED, cite="only the last checked pair succeeded"),
        Row(DISCONNECTED, COMPLETED, cite="connectivity is back, all checks were finished"),
        cite="#rtcicetransportstate",
    )
    on_disconnected = On(
        Row(CHECKING, DISCONNECTED, cite="checks fail, gathering still in progress"),
        Row(CONNECTED, DISCONNECTED, cite="consent lost, no pair to check"),
        Row(COMPLETED, DISCONNECTED, cite="lost connectivity"),
        cite="#rtcicetransportstate",
    )
    on_failed = On(
        Row(CHECKING, FAILED, cite="gave up"),
        Row((CONNECTED, DISCONNECTED), FAILED, cite="all pairs failed or lost consent"),
        Row(COMPLETED, FAILED, cite="consent failed on all pairs"),
        cite="#rtcicetransportstate",
    )
    on_closed = On(Row(LIVE, CLOSED), cite="#dom-rtcpeerconnection-close; the transport has shut down")
    on_desync = adopt(LIVE, (*STARTED, CLOSED), then=(tell_recovery,))

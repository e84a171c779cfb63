"""RTCSctpTransportState: whether the association that carries the data channels stands.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcsctptransportstate. aiortc begins in `new`, which is no
word of that text and is not reported. Left out: the association's own handshake states (RFC 9260), which no interface
shows.
"""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.engine import Observed, On, Row, adopt
from fsm_rtc.machines.requests import tell_recovery

__all__ = ["Sctp", "SctpTransportState"]


class SctpTransportState(StrEnum):
    """RTCSctpTransportState."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    CLOSED = "closed"


CONNECTING, CONNECTED, CLOSED = SctpTransportState


class Sctp(Observed[SctpTransportState, None]):
    """RTCSctpTransportState of one peer connection."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcsctptransportstate"
    initial = CONNECTING
    final = frozenset({CLOSED})

    on_connected = On(Row(CONNECTING, CONNECTED), cite="#rtcsctptransportstate, the association is negotiated")
    on_closed = On(
        Row((CONNECTING, CONNECTED), CLOSED),
        cite="#rtcsctptransportstate, SHUTDOWN, ABORT, close(), data rejected, or DTLS closed",
    )
    on_desync = adopt((CONNECTING, CONNECTED), (CONNECTING, CONNECTED, CLOSED), then=(tell_recovery,))

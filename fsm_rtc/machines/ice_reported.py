"""RTCIceTransportState of a transport as its library reports it.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcicetransportstate: the descriptions of the states, the list of
example transitions below them, and the non-normative figure, which alone has `new` "reachable from any state except
closed", `new` to `failed`, and `disconnected` back to `completed`. Two edges that one might expect are in none of the
three, so they are not here:

- `connected` to `failed`. When consent is lost, `connected` leads to `checking` if pairs remain, to `disconnected` if
  candidates may still come; if neither, it was `completed`.
- `completed` to `checking`. An ICE restart leads from `completed` to `connected`.

A failed transport closes neither DTLS, nor SCTP, nor channels; it comes back by an ICE restart alone. aiortc goes
`new`, `checking`, then `completed` or `failed`, and `closed`; it says `failed` also when consent is lost, and
never `connected` or `disconnected`. Left out: why checks fail, candidate pairs, consent (RFC 7675), which are the
library's.
"""

from __future__ import annotations

from fsm_rtc.engine import Observed, On, Row, adopt
from fsm_rtc.machines.ice import IceTransportState
from fsm_rtc.machines.requests import tell_recovery

__all__ = ["IceReported"]

NEW, CHECKING, CONNECTED, COMPLETED, DISCONNECTED, FAILED, CLOSED = IceTransportState
LIVE = (NEW, CHECKING, CONNECTED, COMPLETED, DISCONNECTED, FAILED)
STARTED = (CHECKING, CONNECTED, COMPLETED, DISCONNECTED, FAILED)


class IceReported(Observed[IceTransportState, None]):
    """RTCIceTransportState of one transport, as reported."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcicetransportstate"
    initial = NEW
    final = frozenset({CLOSED})

    on_new = On(Row(STARTED, NEW), cite="#rtcicetransportstate, the figure: from any state but closed")
    on_checking = On(
        Row(NEW, CHECKING, cite="remote candidates received"),
        Row(CONNECTED, CHECKING, cite="consent lost, pairs remain to be checked"),
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
        Row(NEW, FAILED, cite="no candidate on either side, as in the figure"),
        Row(CHECKING, FAILED, cite="gave up"),
        Row(COMPLETED, FAILED, cite="consent failed on all pairs"),
        Row(DISCONNECTED, FAILED, cite="all pairs failed, and no candidates will come"),
        cite="#rtcicetransportstate",
    )
    on_closed = On(Row(LIVE, CLOSED), cite="#dom-rtcpeerconnection-close; the transport has shut down")
    on_desync = adopt(LIVE, tuple(IceTransportState), then=(tell_recovery,))

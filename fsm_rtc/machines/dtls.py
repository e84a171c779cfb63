"""RTCDtlsTransportState: whether one transport's encryption stands.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcdtlstransportstate-enum. `closed` is an intended end
(close_notify or close()), `failed` an error such as a wrong fingerprint; it may come before the negotiation has begun,
and close() ends a failed transport too. The text describes the states and names no edges; these are the ones that its
descriptions leave. aiortc's transport stays as it is when it is closed before it was connected; after close() the
owner sets `closed` itself. Left out: certificates and fingerprints, which are the library's.
"""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.engine import Observed, On, Row, adopt
from fsm_rtc.machines.requests import tell_recovery

__all__ = ["Dtls", "DtlsTransportState"]


class DtlsTransportState(StrEnum):
    """RTCDtlsTransportState."""

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    CLOSED = "closed"
    FAILED = "failed"


NEW, CONNECTING, CONNECTED, CLOSED, FAILED = DtlsTransportState
LIVE = (NEW, CONNECTING, CONNECTED, FAILED)


class Dtls(Observed[DtlsTransportState, None]):
    """RTCDtlsTransportState of one transport."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcdtlstransportstate-enum"
    initial = NEW
    final = frozenset({CLOSED})

    on_connecting = On(Row(NEW, CONNECTING), cite="#rtcdtlstransportstate-enum, negotiation began")
    on_connected = On(Row(CONNECTING, CONNECTED), cite="#rtcdtlstransportstate-enum, fingerprint verified")
    on_failed = On(
        Row((NEW, CONNECTING, CONNECTED), FAILED), cite="#rtcdtlstransportstate-enum, error alert or wrong fingerprint"
    )
    on_closed = On(Row(LIVE, CLOSED), cite="#rtcdtlstransportstate-enum, close_notify or close()")
    on_desync = adopt(LIVE, (CONNECTING, CONNECTED, FAILED, CLOSED), then=(tell_recovery,))

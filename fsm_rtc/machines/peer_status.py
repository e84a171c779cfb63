"""peerConnectionStatus: what the connection store shows of its peer connection.

Source: the documented connection store, which shows `Disconnected` while there is no peer connection and else
RTCPeerConnectionState (W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcpeerconnectionstate-enum). `Disconnected` (no peer
connection) and `disconnected` (connectivity is lost for now) are two states.

The specification has no edges for a derived state. Those here are the ones that a single step of one ICE or DTLS
transport can cause in the derived state's definition, found by enumeration; a test holds the rows to it. So `new`
leads to `connected` or `disconnected` by way of `connecting` alone. That a transport is made or bundled away, where the
text lets the state "advance directly from one state to another", causes no edge besides. A library that skips steps is
adopted by `on_desync`.

`closed` is seen when the library closes by itself; a close of one's own goes to `Disconnected`. The document stores
`unknown` when there is nothing to read; here such a report is rejected. Left out: how recovery goes about it.
"""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.engine import Observed, On, Row, adopt
from fsm_rtc.machines.requests import tell_recovery

__all__ = ["PeerConnectionStatus", "PeerStatus"]


class PeerConnectionStatus(StrEnum):
    """The documented peerConnectionStatus."""

    NO_CONNECTION = "Disconnected"
    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    FAILED = "failed"
    CLOSED = "closed"


NO_CONNECTION, NEW, CONNECTING, CONNECTED, DISCONNECTED, FAILED, CLOSED = PeerConnectionStatus
LIVE = (NEW, CONNECTING, CONNECTED, DISCONNECTED, FAILED)


class PeerStatus(Observed[PeerConnectionStatus, None]):
    """The status of the store's peer connection."""

    source = "the documented connection store, peerConnectionStatus"
    initial = NO_CONNECTION

    create = On(Row((NO_CONNECTION, CLOSED), NEW), cite="createPeerConnection()")

    on_new = On(
        Row((CONNECTING, CONNECTED, DISCONNECTED, FAILED), NEW, cite="the last transport that had begun is closed"),
        cite="#rtcpeerconnectionstate-enum",
    )
    on_connecting = On(
        Row(NEW, CONNECTING, cite="a transport begins"),
        Row(CONNECTED, CONNECTING, cite="a transport checks again, or a new one begins"),
        Row((DISCONNECTED, FAILED), CONNECTING, cite="ICE restart, or connectivity is back before DTLS"),
        cite="#rtcpeerconnectionstate-enum",
    )
    on_connected = On(
        Row(CONNECTING, CONNECTED, cite="the last transport stands"),
        Row((DISCONNECTED, FAILED), CONNECTED, cite="connectivity is back, or the failed transport is closed"),
        cite="#rtcpeerconnectionstate-enum",
    )
    on_disconnected = On(
        Row((CONNECTING, CONNECTED), DISCONNECTED, cite="connectivity is lost"),
        Row(FAILED, DISCONNECTED, cite="the failed transport restarts or is closed, another one is disconnected"),
        cite="#rtcpeerconnectionstate-enum",
    )
    on_failed = On(
        Row((NEW, CONNECTING, CONNECTED, DISCONNECTED), FAILED, cite="ICE gave up, or DTLS failed"),
        cite="#rtcpeerconnectionstate-enum",
    )
    on_closed = On(Row(LIVE, CLOSED), cite="the library closed by itself")

    close_connection = On(Row((*LIVE, CLOSED), NO_CONNECTION), idempotent=True, cite="closeConnection()")
    reset = On(Row((*LIVE, CLOSED), NO_CONNECTION), idempotent=True, cite="reset()")

    on_desync = adopt(LIVE, (*LIVE, CLOSED), then=(tell_recovery,))

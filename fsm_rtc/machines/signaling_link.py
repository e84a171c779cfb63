"""signalingStatus: whether the link to the signalling server stands.

Source: the documented connection store, whose statuses are Disconnected, Connected and Error. It says what they are
called and that they follow the WebSocket's events; that an Error may be followed by a retry, or be given up, is spelt
out here. Left out: retries and their delays.
"""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.engine import Chart, On, Row

__all__ = ["SignalingLink", "SignalingStatus"]


class SignalingStatus(StrEnum):
    """The documented signalingStatus."""

    DISCONNECTED = "Disconnected"
    CONNECTED = "Connected"
    ERROR = "Error"


DISCONNECTED, CONNECTED, ERROR = SignalingStatus


class SignalingLink(Chart[SignalingStatus, None]):
    """The link to the signalling server."""

    source = "the documented connection store, signalingStatus"
    initial = DISCONNECTED

    on_connected = On(
        Row(DISCONNECTED, CONNECTED, cite="the socket opened"),
        Row(ERROR, CONNECTED, cite="a retry worked"),
        idempotent=True,
    )
    on_disconnected = On(
        Row(CONNECTED, DISCONNECTED, cite="closed or lost"),
        Row(ERROR, DISCONNECTED, cite="given up"),
        idempotent=True,
    )
    on_error = On(
        Row(DISCONNECTED, ERROR, cite="could not connect"),
        Row(CONNECTED, ERROR, cite="protocol or access error"),
        idempotent=True,
    )
    reset = On(Row((CONNECTED, ERROR), DISCONNECTED, cite="reset()"), idempotent=True)

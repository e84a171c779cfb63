"""How far a call has come, in words: for errors, and for who asks."""

from __future__ import annotations

from fsm_rtc.connection.examined_call import ExaminedCall
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.signaling_link import SignalingStatus

__all__ = ["LOST", "how_far", "state_in_words"]

LOST = {
    PeerConnectionState.FAILED: "the connection has failed",
    PeerConnectionState.CLOSED: "the connection was lost: the other side is gone",
}
"""Why a call ends whose peer connection ended by itself."""


def how_far(call: ExaminedCall) -> str:
    """How far a call has come that isn't ready."""
    if call.signaling_status is not SignalingStatus.CONNECTED:
        return f"the signalling link is {call.signaling_status.value!r}"
    if call.peer is None:
        refused = ", ".join(f"{name} {count}" for name, count in call.refused.items())
        return f"nobody to talk to has joined{f'; refused: {refused}' if refused else ''}"
    return f"the exchange is {call.exchange_state.value!r}, the peer connection {state_in_words(call)!r}"


def state_in_words(call: ExaminedCall) -> str:
    """RTCPeerConnectionState, or that there is none."""
    state = call.connection_state
    return state.value if state is not None else "not there"

"""The known mistakes of the stack in memory, and where the kit must find each."""

from __future__ import annotations

from dataclasses import dataclass

from fsm_rtc.conformance.findings import Kind

__all__ = ["FAULTS", "Fault"]


@dataclass(frozen=True)
class Fault:
    """Where a mistake shows."""

    machine: str
    state: str
    operation: str
    kind: Kind


FAULTS = {
    "wrong target": Fault("negotiation", "have-local-offer", "setRemoteDescription(pranswer)", Kind.STATE),
    "missing error": Fault("negotiation", "stable", "createAnswer", Kind.VERDICT),
    "wrong error": Fault("negotiation", "stable", "createAnswer", Kind.ERROR),
    "lost event": Fault("negotiation", "have-local-offer", "setRemoteDescription(answer)", Kind.EVENT),
    "event twice": Fault("negotiation", "stable", "setLocalDescription(offer)", Kind.EVENT),
    "event order": Fault("negotiation", "stable", "setRemoteDescription(offer)", Kind.EVENT),
    "state kept after close": Fault("api", "no remote description", "close", Kind.STATE),
    "channel kept after close": Fault("api", "no remote description", "close", Kind.STATE),
    "event at close": Fault("api", "closed", "close", Kind.EVENT),
    "accepts after close": Fault("api", "closed", "createDataChannel", Kind.VERDICT),
    "thrown late": Fault("api", "closed", "createDataChannel", Kind.ERROR),
    "hang": Fault("negotiation", "have-local-pranswer", "createAnswer", Kind.HANG),
    "rollback ignored": Fault("negotiation", "have-local-offer", "setLocalDescription(rollback)", Kind.STATE),
    "slot kept": Fault("negotiation", "have-local-offer", "setLocalDescription(rollback)", Kind.STATE),
    "munged accepted": Fault("negotiation", "stable", "setLocalDescription(munged offer)", Kind.VERDICT),
    "one event at an implicit rollback": Fault(
        "negotiation", "have-local-offer", "setRemoteDescription(offer)", Kind.EVENT
    ),
    "no offer in have-local-offer": Fault("negotiation", "have-local-offer", "createOffer", Kind.VERDICT),
    "no chain": Fault("negotiation", "stable", "createOffer + setRemoteDescription(offer)", Kind.VERDICT),
    "early candidate": Fault("api", "no remote description", "addIceCandidate(good)", Kind.VERDICT),
    "need lost": Fault("negotiation_needed", "clear", "addTransceiver", Kind.EVENT),
    "need twice": Fault("negotiation_needed", "set", "addTransceiver", Kind.EVENT),
    "message twice": Fault("data_channel", "open", "send", Kind.EVENT),
    "no closing": Fault("data_channel", "open", "close by the other side", Kind.EVENT),
    "closes with the other side": Fault("negotiation", "stable", "close by the other side", Kind.STATE),
    "wrong derivation": Fault("ice_connection_state", "completed", "iceConnectionState", Kind.STATE),
}
"""By name."""

"""What the methods of RTCPeerConnection ask beside its signalling state: whether it was closed, and whether there is a
remote description.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04: #dom-peerconnection-addicecandidate,
#dom-peerconnection-createdatachannel, #dom-rtcpeerconnection-addtransceiver, #dom-rtcpeerconnection-restartice,
#dom-rtcpeerconnection-close. What a guard refuses (a candidate for a section that isn't there, say) is an
OperationError, what has no row an InvalidStateError. restartIce alone asks nothing.

Left out: what Web IDL and the methods ask of their arguments before anything else (TypeError); the operations chain;
`Candidates`, which keeps what this table would refuse as too early.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["CandidateInDescription", "Methods", "MethodsState"]


class MethodsState(StrEnum):
    """What the methods find."""

    NO_REMOTE_DESCRIPTION = "no remote description"
    REMOTE_DESCRIPTION = "remote description"
    CLOSED = "closed"


UNDESCRIBED, DESCRIBED, CLOSED = MethodsState
OPEN = (UNDESCRIBED, DESCRIBED)


class CandidateInDescription(Protocol):
    """The payload: a candidate beside the remote description."""

    @property
    def has_known_section(self) -> bool: ...
    @property
    def has_known_fragment(self) -> bool: ...
    @property
    def can_be_parsed(self) -> bool: ...


def known_section(context: object, candidate: CandidateInDescription) -> bool:
    """The candidate's sdpMid or sdpMLineIndex must name a media section of the remote description."""
    return candidate.has_known_section


def known_fragment(context: object, candidate: CandidateInDescription) -> bool:
    """The candidate's usernameFragment, if it has one, must stand in its section of the remote description."""
    return candidate.has_known_fragment


def well_formed(context: object, candidate: CandidateInDescription) -> bool:
    """The candidate must be a candidate-attribute, or empty for the end of candidates."""
    return candidate.can_be_parsed


class Methods(Chart[MethodsState, None]):
    """Whether RTCPeerConnection's methods but those of negotiation are possible."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #operation"
    initial = UNDESCRIBED

    on_remote_description = On(Row(UNDESCRIBED, DESCRIBED), stay(DESCRIBED), cite="#set-description")
    on_no_remote_description = On(Row(DESCRIBED, UNDESCRIBED), stay(UNDESCRIBED), cite="#set-description, a rollback")
    add_ice_candidate = On(
        stay(DESCRIBED, when=(known_section, known_fragment, well_formed)),
        cite="#dom-peerconnection-addicecandidate",
    )
    create_data_channel = On(stay(*OPEN), cite="#dom-peerconnection-createdatachannel")
    add_transceiver = On(stay(*OPEN), cite="#dom-rtcpeerconnection-addtransceiver")
    restart_ice = On(stay(*OPEN, CLOSED), cite="#dom-rtcpeerconnection-restartice")
    close = On(Row(OPEN, CLOSED), stay(CLOSED), cite="#dom-rtcpeerconnection-close")

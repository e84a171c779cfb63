"""What the methods of RTCPeerConnection may do, beside its signalling state: whether it was closed, and whether there
is a remote description. A peer connection asks this table at each of its methods, and at what its library tells it.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04: #dfn-chain, #dom-peerconnection-addicecandidate,
#dom-peerconnection-createdatachannel, #dom-rtcpeerconnection-addtrack, #dom-rtcpeerconnection-removetrack,
#dom-rtcpeerconnection-addtransceiver, #dom-rtcpeerconnection-setconfiguration, #dom-rtcpeerconnection-restartice,
#dom-rtcpeerconnection-close. What a guard refuses (a candidate for a section that isn't there, say) is an
OperationError, what has no row an InvalidStateError. restartIce alone asks nothing; on a closed connection it has
nothing to do. A closed connection fires nothing, so what a library tells then is passed over.

A library may close the connection by itself, as aiortc does when the other side is gone (`on_closed_by_library`).

Left out: what Web IDL and the methods ask of their arguments before anything else (TypeError); the operations chain;
`Candidates`, which keeps what this table would refuse as too early.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["Api", "ApiState", "CandidateInDescription", "HasRemoteDescription", "RestartIce", "Shut", "TellShut"]


class ApiState(StrEnum):
    """What the methods find."""

    NO_REMOTE_DESCRIPTION = "no remote description"
    REMOTE_DESCRIPTION = "remote description"
    CLOSED = "closed"


UNDESCRIBED, DESCRIBED, CLOSED = ApiState
OPEN = (UNDESCRIBED, DESCRIBED)


class HasRemoteDescription(Protocol):
    """The context: the connection's descriptions."""

    @property
    def has_remote(self) -> bool:
        """Whether there is a pending or a current remote description."""


class CandidateInDescription(Protocol):
    """The payload: a candidate beside the remote description."""

    @property
    def has_known_section(self) -> bool: ...
    @property
    def has_known_fragment(self) -> bool: ...
    @property
    def can_be_parsed(self) -> bool: ...


class RestartIce:
    """Let the next offer have new ICE credentials."""


class Shut:
    """Close every machine of the connection."""


class TellShut:
    """Close every machine of the connection, and tell it."""


def remote_description(context: HasRemoteDescription, event: object) -> bool:
    """There must be a remote description."""
    return context.has_remote


def no_remote_description(context: HasRemoteDescription, event: object) -> bool:
    """There must be no remote description."""
    return not context.has_remote


def known_section(context: object, candidate: CandidateInDescription) -> bool:
    """The candidate's sdpMid or sdpMLineIndex must name a media section of the remote description."""
    return candidate.has_known_section


def known_fragment(context: object, candidate: CandidateInDescription) -> bool:
    """The candidate's usernameFragment, if it has one, must stand in its section of the remote description."""
    return candidate.has_known_fragment


def well_formed(context: object, candidate: CandidateInDescription) -> bool:
    """The candidate must be a candidate-attribute, or empty for the end of candidates."""
    return candidate.can_be_parsed


class Api(Chart[ApiState, HasRemoteDescription]):
    """What RTCPeerConnection's methods but those of negotiation may do."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #operation"
    initial = UNDESCRIBED

    on_descriptions = On(
        Row(UNDESCRIBED, DESCRIBED, when=(remote_description,), cite="#set-description"),
        Row(DESCRIBED, UNDESCRIBED, when=(no_remote_description,), cite="#set-description, a rollback"),
        stay(*OPEN),
        cite="#set-description",
    )
    chain = On(stay(*OPEN), cite="#dfn-chain")
    add_ice_candidate = On(
        stay(DESCRIBED, when=(known_section, known_fragment, well_formed)),
        cite="#dom-peerconnection-addicecandidate",
    )
    create_data_channel = On(stay(*OPEN), cite="#dom-peerconnection-createdatachannel")
    add_track = On(stay(*OPEN), cite="#dom-rtcpeerconnection-addtrack")
    remove_track = On(stay(*OPEN), cite="#dom-rtcpeerconnection-removetrack")
    add_transceiver = On(stay(*OPEN), cite="#dom-rtcpeerconnection-addtransceiver")
    set_configuration = On(stay(*OPEN), cite="#dom-rtcpeerconnection-setconfiguration")
    restart_ice = On(stay(*OPEN, then=(RestartIce,)), stay(CLOSED), cite="#dom-rtcpeerconnection-restartice")
    on_library_event = On(stay(*OPEN), cite="#dom-rtcpeerconnection-close: a closed connection fires nothing")
    on_closed_by_library = On(
        Row(OPEN, CLOSED, then=(TellShut,)), stay(CLOSED), cite="aiortc, RTCPeerConnection: the other side is gone"
    )
    close = On(Row(OPEN, CLOSED, then=(Shut,)), stay(CLOSED), cite="#dom-rtcpeerconnection-close")

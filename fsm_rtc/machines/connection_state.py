"""The states of a peer connection that are derived from its transports: ordered rules, of which the first that
matches wins.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcpeerconnectionstate-enum, #rtciceconnectionstate-enum and
#rtcicegatheringstate-enum. The text's `connected` names ICE `connected` alone; a connection whose transports are all
`completed` would then never be connected, so `completed` is read with it, as every stack does. Only the transports that
the connection uses at present count: one that was bundled away must be left out by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fsm_rtc.engine import Derived, Rule
from fsm_rtc.machines.dtls import DtlsTransportState
from fsm_rtc.machines.gathering import IceGatheringState
from fsm_rtc.machines.ice import IceTransportState

__all__ = [
    "ConnectionState",
    "IceConnection",
    "IceConnectionState",
    "IceGathering",
    "PeerConnectionState",
    "TransportStates",
]


@dataclass(frozen=True, slots=True)
class TransportStates:
    """What the states are derived from.

    Attributes:
        closed: whether the connection was closed.
        ice: the state of each ICE transport.
        dtls: the state of each DTLS transport.
    """

    closed: bool
    ice: tuple[IceTransportState, ...]
    dtls: tuple[DtlsTransportState, ...]


class IceConnectionState(StrEnum):
    """RTCIceConnectionState."""

    CLOSED = "closed"
    FAILED = "failed"
    DISCONNECTED = "disconnected"
    NEW = "new"
    CHECKING = "checking"
    COMPLETED = "completed"
    CONNECTED = "connected"


def connection_closed(transports: TransportStates) -> bool:
    """the connection is closed"""
    return transports.closed


def any_ice_failed(transports: TransportStates) -> bool:
    """any ICE transport is failed"""
    return IceTransportState.FAILED in transports.ice


def any_ice_disconnected(transports: TransportStates) -> bool:
    """any ICE transport is disconnected"""
    return IceTransportState.DISCONNECTED in transports.ice


def all_ice_new_or_closed(transports: TransportStates) -> bool:
    """all ICE transports are new or closed, or there are none"""
    return {*transports.ice} <= {IceTransportState.NEW, IceTransportState.CLOSED}


def any_ice_new_or_checking(transports: TransportStates) -> bool:
    """any ICE transport is new or checking"""
    return bool({*transports.ice} & {IceTransportState.NEW, IceTransportState.CHECKING})


def all_ice_completed_or_closed(transports: TransportStates) -> bool:
    """all ICE transports are completed or closed"""
    return {*transports.ice} <= {IceTransportState.COMPLETED, IceTransportState.CLOSED}


class IceConnection(Derived[IceConnectionState, TransportStates]):
    """RTCIceConnectionState of one peer connection."""

    cite = "W3C webrtc-pc, Editor's Draft 2026-05-04, #rtciceconnectionstate-enum"
    rules = (
        Rule(IceConnectionState.CLOSED, connection_closed),
        Rule(IceConnectionState.FAILED, any_ice_failed),
        Rule(IceConnectionState.DISCONNECTED, any_ice_disconnected),
        Rule(IceConnectionState.NEW, all_ice_new_or_closed),
        Rule(IceConnectionState.CHECKING, any_ice_new_or_checking),
        Rule(IceConnectionState.COMPLETED, all_ice_completed_or_closed),
        Rule(IceConnectionState.CONNECTED),
    )


class PeerConnectionState(StrEnum):
    """RTCPeerConnectionState."""

    CLOSED = "closed"
    FAILED = "failed"
    DISCONNECTED = "disconnected"
    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"


def ice_or_dtls_failed(transports: TransportStates) -> bool:
    """ICE is failed, or any DTLS transport is"""
    return any_ice_failed(transports) or DtlsTransportState.FAILED in transports.dtls


def ice_new_and_dtls_not_begun(transports: TransportStates) -> bool:
    """ICE is new and all DTLS transports are new or closed, or there are no transports"""
    return all_ice_new_or_closed(transports) and {*transports.dtls} <= {
        DtlsTransportState.NEW,
        DtlsTransportState.CLOSED,
    }


def ice_and_dtls_stand(transports: TransportStates) -> bool:
    """ICE is connected or completed, and all DTLS transports are connected or closed"""
    found = not all_ice_new_or_closed(transports) and not any_ice_new_or_checking(transports)
    return found and {*transports.dtls} <= {DtlsTransportState.CONNECTED, DtlsTransportState.CLOSED}


class ConnectionState(Derived[PeerConnectionState, TransportStates]):
    """RTCPeerConnectionState of one peer connection."""

    cite = "W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcpeerconnectionstate-enum"
    rules = (
        Rule(PeerConnectionState.CLOSED, connection_closed),
        Rule(PeerConnectionState.FAILED, ice_or_dtls_failed),
        Rule(PeerConnectionState.DISCONNECTED, any_ice_disconnected),
        Rule(PeerConnectionState.NEW, ice_new_and_dtls_not_begun),
        Rule(PeerConnectionState.CONNECTED, ice_and_dtls_stand),
        Rule(PeerConnectionState.CONNECTING),
    )


Gatherers = tuple[IceGatheringState, ...]


def any_gathering(gatherers: Gatherers) -> bool:
    """any transport is gathering"""
    return IceGatheringState.GATHERING in gatherers


def all_complete(gatherers: Gatherers) -> bool:
    """there is a transport, and all are complete"""
    return {*gatherers} == {IceGatheringState.COMPLETE}


class IceGathering(Derived[IceGatheringState, Gatherers]):
    """RTCIceGatheringState of one peer connection, from its transports' gatherers."""

    cite = "W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcicegatheringstate-enum"
    rules = (
        Rule(IceGatheringState.GATHERING, any_gathering),
        Rule(IceGatheringState.COMPLETE, all_complete),
        Rule(IceGatheringState.NEW),
    )

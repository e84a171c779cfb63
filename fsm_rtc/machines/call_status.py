"""How far a call has come: for who shows it (`CallProgress`), and for who looks for what is in the way (`CallPhase`).

Both are derived from the call, the signalling link, the exchange and the peer connection: ordered rules, of which the
first that matches wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fsm_rtc.engine import Derived, Rule
from fsm_rtc.machines.call import CallState
from fsm_rtc.machines.connection_state import IceConnectionState
from fsm_rtc.machines.dtls import DtlsTransportState
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.gathering import IceGatheringState
from fsm_rtc.machines.recovery import RECOVERING, RecoveryState
from fsm_rtc.machines.signaling_link import SignalingStatus

__all__ = ["CallFacts", "CallPhase", "CallProgress", "CallStatus", "Phase", "met_one_who_is_busy"]

MAKING = (ExchangeState.MAKING_OFFER, ExchangeState.APPLYING_OFFER, ExchangeState.MAKING_ANSWER)
"""In these a description is made, for which addresses are gathered."""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What both are derived from.

    Attributes:
        call: where the call stands.
        recovery: what is done about it.
        link: the signalling link.
        has_peer: whether somebody to talk to has joined.
        turned_away: whether somebody has come who isn't trusted, or didn't introduce itself.
        exchange: where the exchange stands.
        has_connection: whether there is a peer connection.
        is_described: whether it has both descriptions.
        gathering: its RTCIceGatheringState.
        ice: its RTCIceConnectionState.
        dtls: the states of its DTLS transports that aren't closed.
        dtls_failed: whether one of them, closed ones too, has met a wrong certificate.
        is_not_trusted: whether the other side has ended it since it doesn't trust this one.
        has_no_address: whether it has ended since the host has no address to use.
        found_nothing: whether this side has found no candidate.
    """

    call: CallState = CallState.OPEN
    recovery: RecoveryState = RecoveryState.IDLE
    link: SignalingStatus = SignalingStatus.DISCONNECTED
    has_peer: bool = False
    turned_away: bool = False
    exchange: ExchangeState = ExchangeState.IDLE
    has_connection: bool = False
    is_described: bool = False
    gathering: IceGatheringState = IceGatheringState.NEW
    ice: IceConnectionState = IceConnectionState.NEW
    dtls: frozenset[DtlsTransportState] = frozenset()
    dtls_failed: bool = False
    is_not_trusted: bool = False
    has_no_address: bool = False
    found_nothing: bool = False


class CallStatus(StrEnum):
    """What a call is to who waits for it."""

    ENDED = "ended"
    LOST = "lost"
    READY = "ready"
    WAITING = "waiting"
    EXCHANGING = "exchanging"
    CONNECTING = "connecting"


class Phase(StrEnum):
    """How far a call came."""

    SIGNALING = "signaling"
    WAITING = "waiting for a peer"
    TRUST = "trust"
    EXCHANGE = "exchange"
    GATHERING = "gathering"
    ICE = "ICE checks"
    DTLS = "DTLS"
    CHANNEL = "data channel"
    CONNECTED = "connected"


def is_over(call: CallFacts) -> bool:
    """the call has ended, or the connection is closed"""
    return call.call in (CallState.FAILED, CallState.OVER, CallState.ENDING, CallState.ENDED)


def is_lost(call: CallFacts) -> bool:
    """the call worked, and is being recovered"""
    return call.call is CallState.LOST or (call.call is CallState.READY and call.recovery in RECOVERING)


def is_ready(call: CallFacts) -> bool:
    """the call works"""
    return call.call is CallState.READY


def nobody_is_there(call: CallFacts) -> bool:
    """nobody to talk to has joined"""
    return not call.has_peer


def is_exchanging(call: CallFacts) -> bool:
    """the two have not agreed on descriptions"""
    return not call.is_described


class CallProgress(Derived[CallStatus, CallFacts]):
    """How far the call of a connection is."""

    cite = "docs/connection.md, the call"
    rules = (
        Rule(CallStatus.ENDED, is_over),
        Rule(CallStatus.LOST, is_lost),
        Rule(CallStatus.READY, is_ready),
        Rule(CallStatus.WAITING, nobody_is_there),
        Rule(CallStatus.EXCHANGING, is_exchanging),
        Rule(CallStatus.CONNECTING),
    )


def is_not_trusted(call: CallFacts) -> bool:
    """the other side has ended it, since it doesn't trust this one"""
    return call.is_not_trusted


def has_no_address(call: CallFacts) -> bool:
    """the host has no address to use"""
    return call.has_no_address


def met_a_wrong_certificate(call: CallFacts) -> bool:
    """a DTLS transport has failed"""
    return call.dtls_failed


def has_stood(call: CallFacts) -> bool:
    """the call works, or has worked"""
    return call.call in (CallState.READY, CallState.LOST, CallState.OVER)


def has_no_link(call: CallFacts) -> bool:
    """nobody to talk to has joined, and the signalling link doesn't stand"""
    return not call.has_peer and call.link is not SignalingStatus.CONNECTED


def turned_somebody_away(call: CallFacts) -> bool:
    """nobody to talk to has joined, but somebody who isn't trusted or didn't introduce itself"""
    return not call.has_peer and call.turned_away


def gathers(call: CallFacts) -> bool:
    """a description is being made, and addresses are gathered for it"""
    is_gathering = call.gathering is IceGatheringState.GATHERING and call.exchange in MAKING
    return call.has_connection and not call.is_described and is_gathering


def has_no_descriptions(call: CallFacts) -> bool:
    """the two have not agreed on descriptions"""
    return not call.has_connection or not call.is_described


def has_no_pair(call: CallFacts) -> bool:
    """ICE is neither connected nor completed"""
    return call.ice not in (IceConnectionState.CONNECTED, IceConnectionState.COMPLETED)


def met_one_who_is_busy(call: CallFacts) -> bool:
    """the peer is in a call with somebody else"""
    return call.call is CallState.BUSY and has_no_descriptions(call)


def has_no_candidate(call: CallFacts) -> bool:
    """ICE is neither connected nor completed, and this side has found no candidate"""
    return has_no_pair(call) and call.found_nothing


def is_secured(call: CallFacts) -> bool:
    """every DTLS transport is connected"""
    return call.dtls == {DtlsTransportState.CONNECTED}


class CallPhase(Derived[Phase, CallFacts]):
    """How far a call came, as its failure tells it."""

    cite = "docs/connection.md, why it failed"
    rules = (
        Rule(Phase.TRUST, is_not_trusted),
        Rule(Phase.GATHERING, has_no_address),
        Rule(Phase.DTLS, met_a_wrong_certificate),
        Rule(Phase.CONNECTED, has_stood),
        Rule(Phase.SIGNALING, has_no_link),
        Rule(Phase.TRUST, turned_somebody_away),
        Rule(Phase.WAITING, nobody_is_there),
        Rule(Phase.GATHERING, gathers),
        Rule(Phase.EXCHANGE, has_no_descriptions),
        Rule(Phase.GATHERING, has_no_candidate),
        Rule(Phase.ICE, has_no_pair),
        Rule(Phase.CHANNEL, is_secured),
        Rule(Phase.DTLS),
    )

"""The model: every status of a connection as a table. A reader learns the protocol from this folder alone."""

from typing import Any

from fsm_rtc.engine import Chart, Derived
from fsm_rtc.machines.api import Api
from fsm_rtc.machines.busy_signal import BusySignal
from fsm_rtc.machines.call import Call
from fsm_rtc.machines.call_status import CallPhase, CallProgress
from fsm_rtc.machines.candidate_pair import CandidatePair
from fsm_rtc.machines.candidates import Candidates
from fsm_rtc.machines.connection_state import ConnectionState, IceConnection, IceGathering
from fsm_rtc.machines.consent import Consent
from fsm_rtc.machines.data_channel import Channel, Flow
from fsm_rtc.machines.delivery import Deliveries
from fsm_rtc.machines.dtls import Dtls
from fsm_rtc.machines.exchange import Exchange, ExchangeUnsigned
from fsm_rtc.machines.file_transfer import FileReceiving, FileSending
from fsm_rtc.machines.gatherer import Gatherer
from fsm_rtc.machines.gathering import Gathering
from fsm_rtc.machines.ice import Ice, IceAiortc
from fsm_rtc.machines.ice_reported import IceReported
from fsm_rtc.machines.lifetime import Lifetime
from fsm_rtc.machines.negotiation import Negotiation, NegotiationJsep
from fsm_rtc.machines.negotiation_needed import NegotiationNeeded
from fsm_rtc.machines.peer_status import PeerStatus
from fsm_rtc.machines.recovery import Recovery
from fsm_rtc.machines.relay_credentials import RelayCredentials
from fsm_rtc.machines.remote_track import RemoteTrackStatus
from fsm_rtc.machines.room_life import RoomLife
from fsm_rtc.machines.room_member import RoomMember
from fsm_rtc.machines.sctp import Sctp
from fsm_rtc.machines.session import Session
from fsm_rtc.machines.signaling_client import SignalingClient
from fsm_rtc.machines.signaling_hub import SignalingHub
from fsm_rtc.machines.signaling_link import SignalingLink
from fsm_rtc.machines.track_source import TrackSource
from fsm_rtc.machines.transceiver import Transceiver

__all__ = ["CHARTS", "DERIVED"]

CHARTS: dict[str, type[Chart[Any, Any]]] = {
    "signaling_link": SignalingLink,
    "signaling_client": SignalingClient,
    "peer_status": PeerStatus,
    "negotiation": Negotiation,
    "negotiation_jsep": NegotiationJsep,
    "negotiation_needed": NegotiationNeeded,
    "api": Api,
    "exchange": Exchange,
    "exchange_unsigned": ExchangeUnsigned,
    "candidates": Candidates,
    "gatherer": Gatherer,
    "gathering": Gathering,
    "ice": Ice,
    "ice_aiortc": IceAiortc,
    "ice_reported": IceReported,
    "candidate_pair": CandidatePair,
    "consent": Consent,
    "dtls": Dtls,
    "sctp": Sctp,
    "transceiver": Transceiver,
    "data_channel": Channel,
    "flow": Flow,
    "track_source": TrackSource,
    "remote_track": RemoteTrackStatus,
    "deliveries": Deliveries,
    "call": Call,
    "lifetime": Lifetime,
    "recovery": Recovery,
    "relay_credentials": RelayCredentials,
    "busy_signal": BusySignal,
    "room_life": RoomLife,
    "room_member": RoomMember,
    "session": Session,
    "signaling_hub": SignalingHub,
    "file_sending": FileSending,
    "file_receiving": FileReceiving,
}
"""Every machine and profile, by the name under which the command line and the diagrams know it."""

DERIVED: dict[str, type[Derived[Any, Any]]] = {
    "connection_state": ConnectionState,
    "ice_connection_state": IceConnection,
    "ice_gathering_state": IceGathering,
    "call_progress": CallProgress,
    "call_phase": CallPhase,
}
"""Every derived status, by name."""

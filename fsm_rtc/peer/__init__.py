"""RTCPeerConnection: the machines in front of a library."""

from fsm_rtc.peer.backend import Backend, Capabilities, ChannelOptions
from fsm_rtc.peer.configuration import Configuration, IceServer
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.peer_connection import PeerConnection

__all__ = [
    "Backend",
    "Capabilities",
    "ChannelOptions",
    "Configuration",
    "DataChannel",
    "IceCandidate",
    "IceServer",
    "PeerConnection",
    "SessionDescription",
]

"""A call over signalling: the exchange of offers, candidates, and the peer connections that carry it."""

from fsm_rtc.connection.channel import (
    LinkDown,
    LinkUp,
    MessageReceived,
    PeerJoined,
    PeerLeft,
    SignalingChannel,
    SignalingEvent,
)
from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.events import (
    ChannelAnnounced,
    ConnectionEvent,
    ConnectionStateChanged,
    Ended,
    Joined,
    Left,
    Negotiated,
    Ready,
    Refused,
    SignalingStatusChanged,
    TrackAdded,
)
from fsm_rtc.connection.pipe import PipeChannel, memory_pipe
from fsm_rtc.connection.room import Room
from fsm_rtc.connection.room_events import PeerArrived, PeerEvent, PeerGone, RoomEvent

__all__ = [
    "ChannelAnnounced",
    "Connection",
    "ConnectionEvent",
    "ConnectionStateChanged",
    "Ended",
    "Joined",
    "Left",
    "LinkDown",
    "LinkUp",
    "MessageReceived",
    "Negotiated",
    "PeerArrived",
    "PeerEvent",
    "PeerGone",
    "PeerJoined",
    "PeerLeft",
    "PipeChannel",
    "Ready",
    "Refused",
    "Room",
    "RoomEvent",
    "SignalingChannel",
    "SignalingEvent",
    "SignalingStatusChanged",
    "TrackAdded",
    "memory_pipe",
]

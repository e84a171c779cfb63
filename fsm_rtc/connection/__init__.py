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
    GaveUp,
    Joined,
    Left,
    LossReason,
    Negotiated,
    PeerBusy,
    PeerLost,
    Ready,
    Recovered,
    Recovering,
    Refused,
    SignalingStatusChanged,
    TrackAdded,
)
from fsm_rtc.connection.failure import Failure
from fsm_rtc.connection.messages import Delivery
from fsm_rtc.connection.persistence import KeptMessages, MemoryPersistence, Persistence
from fsm_rtc.connection.pipe import PipeChannel, memory_pipe
from fsm_rtc.connection.recovery_policy import NO_RECOVERY, RecoveryPolicy
from fsm_rtc.connection.room import Room
from fsm_rtc.connection.room_events import PeerArrived, PeerEvent, PeerGone, RoomEvent
from fsm_rtc.connection.sqlite_file import SqliteFile

__all__ = [
    "NO_RECOVERY",
    "ChannelAnnounced",
    "Connection",
    "ConnectionEvent",
    "ConnectionStateChanged",
    "Delivery",
    "Ended",
    "Failure",
    "GaveUp",
    "Joined",
    "KeptMessages",
    "Left",
    "LinkDown",
    "LinkUp",
    "LossReason",
    "MemoryPersistence",
    "MessageReceived",
    "Negotiated",
    "PeerArrived",
    "PeerEvent",
    "PeerGone",
    "PeerJoined",
    "PeerLeft",
    "PeerBusy",
    "PeerLost",
    "Persistence",
    "PipeChannel",
    "Ready",
    "Recovered",
    "Recovering",
    "RecoveryPolicy",
    "Refused",
    "Room",
    "RoomEvent",
    "SignalingChannel",
    "SignalingEvent",
    "SignalingStatusChanged",
    "SqliteFile",
    "TrackAdded",
    "memory_pipe",
]

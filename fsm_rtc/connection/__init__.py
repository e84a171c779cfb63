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
from fsm_rtc.connection.delivery.messages import Delivery
from fsm_rtc.connection.diagnosis.failure import Failure
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
from fsm_rtc.connection.options import CallOptions
from fsm_rtc.connection.pipe import PipeChannel, memory_pipe
from fsm_rtc.connection.recovery.policy import NO_RECOVERY, RecoveryPolicy
from fsm_rtc.connection.saving.persistence import KeptMessages, MemoryPersistence, Persistence
from fsm_rtc.connection.saving.sqlite_file import SqliteFile

__all__ = [
    "NO_RECOVERY",
    "CallOptions",
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
    "SignalingChannel",
    "SignalingEvent",
    "SignalingStatusChanged",
    "SqliteFile",
    "TrackAdded",
    "memory_pipe",
]

"""What happens in a room, for people and programs that follow it, in one order for all of its connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.connection.events import ConnectionEvent, Refused, SignalingStatusChanged
from fsm_rtc.machines.room_member_requests import MemberEnd
from fsm_rtc.messages import Introduction

if TYPE_CHECKING:
    from fsm_rtc.connection.connection import Connection

__all__ = ["PeerArrived", "PeerEvent", "PeerGone", "RoomEvent"]


@dataclass(frozen=True, slots=True)
class PeerArrived:
    """Somebody whom this side trusts is there.

    Attributes:
        peer: who it is.
        connection: to it alone; open, and soon ready.
    """

    peer: Introduction
    connection: Connection


@dataclass(frozen=True, slots=True)
class PeerEvent:
    """Something happened on a connection, between its `PeerArrived` and its `PeerGone`.

    Attributes:
        peer: who is on the other side.
        connection: which it is.
        event: what happened.
    """

    peer: Introduction
    connection: Connection
    event: ConnectionEvent


@dataclass(frozen=True, slots=True)
class PeerGone:
    """A peer left, or the connection to it is over.

    Attributes:
        peer: who it was.
        connection: which it was; it is being closed.
        reason: why, for people.
        by_peer: whether the peer ended it, or left.
        error: what failed on this side, or None.
        failure: how far the call came and what to do, or None if it was the room that let go of the connection.
        code: why the room let go of it; None if the connection ended by itself.
    """

    peer: Introduction
    connection: Connection
    reason: str
    by_peer: bool = False
    error: Exception | None = None
    failure: Failure | None = None
    code: MemberEnd | None = None


RoomEvent = SignalingStatusChanged | PeerArrived | PeerEvent | PeerGone | Refused

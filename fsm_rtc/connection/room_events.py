"""What happens in a room, for people and programs that follow it; each connection tells its own events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsm_rtc.connection.events import Refused, SignalingStatusChanged
from fsm_rtc.messages import Introduction

if TYPE_CHECKING:
    from fsm_rtc.connection.connection import Connection

__all__ = ["PeerArrived", "PeerGone", "RoomEvent"]


@dataclass(frozen=True, slots=True)
class PeerArrived:
    """Somebody whom this side trusts is there.

    Attributes:
        peer: who it is.
        connection: to him alone; open, and soon ready.
    """

    peer: Introduction
    connection: Connection


@dataclass(frozen=True, slots=True)
class PeerGone:
    """Somebody left, or the connection to him is over.

    Attributes:
        peer: who it was.
        connection: which it was; it is being closed.
        reason: why, for people.
    """

    peer: Introduction
    connection: Connection
    reason: str


RoomEvent = SignalingStatusChanged | PeerArrived | PeerGone | Refused

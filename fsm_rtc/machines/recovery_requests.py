"""What `Recovery` asks of its owner."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "EndByPeer",
    "EndEarly",
    "GiveUp",
    "NoteCut",
    "Recreate",
    "ResetAttempts",
    "OfferIceRestart",
    "StartHeartbeat",
    "StopHeartbeat",
    "TellLost",
    "TellRecovered",
]


@dataclass(frozen=True, slots=True)
class TellLost:
    """The peer is lost, or seems to be; the reason is the event's."""

    reason: str


class OfferIceRestart:
    """Look for a new way between the same two peer connections."""


class Recreate:
    """Make a new peer connection, and offer it."""


class TellRecovered:
    """The call works again."""


class ResetAttempts:
    """The connection has stood long enough, or another call begins: all attempts are left."""


class StartHeartbeat:
    """A call works: ask the peer from now on whether it is there."""


class StopHeartbeat:
    """There is no call any more: ask no longer."""


class EndEarly:
    """The connection was closed by the other side before it worked, and no other is offered."""


class EndByPeer:
    """The peer has ended the call by a goodbye on the channel, and the one over signalling hasn't come."""


@dataclass(frozen=True, slots=True)
class NoteCut:
    """The other side has closed the connection; the reason is the event's."""

    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """End the call, for this reason."""

    reason: str

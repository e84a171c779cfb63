"""What a `SignalingClient` asks of its channel."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Abort",
    "AwaitReader",
    "BackOff",
    "BackOffLate",
    "BeginSession",
    "Connect",
    "EndEvents",
    "GoOnWithSession",
    "HangUp",
    "Leave",
    "CheckLink",
    "Read",
    "ResetBackoff",
    "ShakeHands",
    "TellClosed",
    "TellRefused",
]


class Connect:
    """Make a WebSocket to the server."""


class ShakeHands:
    """Answer the server's challenge, and wait for its welcome."""


@dataclass(frozen=True, slots=True)
class BeginSession:
    """A session begins: count from 0, and tell who is there."""

    welcome: object


@dataclass(frozen=True, slots=True)
class GoOnWithSession:
    """The session goes on: send again what the server has not taken, and tell that the link is up."""

    welcome: object


class Read:
    """Pass on what arrives."""


class HangUp:
    """Close the socket, and mean to come back."""


@dataclass(frozen=True, slots=True)
class BackOff:
    """Tell why the link is down and when the next attempt comes, and wait until then."""

    loss: Exception


class BackOffLate:
    """The same; it was too late."""


class AwaitReader:
    """Wait until what has come is read."""


class ResetBackoff:
    """The next loss begins with the first wait again."""


class CheckLink:
    """Ask the server for a sign of life."""


class Abort:
    """Cut the socket off."""


@dataclass(frozen=True, slots=True)
class TellRefused:
    """Tell that the link is down for good, and why."""

    loss: Exception


class TellClosed:
    """Tell that the link is down, in order."""


class Leave:
    """Close the socket, and say that this side doesn't come back."""


class EndEvents:
    """Nothing more is told."""

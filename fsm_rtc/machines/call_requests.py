"""What `Call` asks of its owner."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BeReady",
    "CallEnd",
    "EndAlone",
    "LeaveFailed",
    "LeaveLate",
    "LoseForGood",
    "LoseForNow",
    "NoteClosed",
    "NoteEnd",
    "NoteGivenUp",
    "NoteProgress",
    "NoteWrongCertificate",
    "Stop",
    "TellBusy",
]


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ended; the payload of `on_over`.

    Attributes:
        reason: why, for people.
        by_peer: whether the other side ended it.
        code: why, for programs (docs/protocol.md, bye); empty for no code.
    """

    reason: str
    by_peer: bool
    code: str = ""


class BeReady:
    """The call works, for the first time or again: tell it."""


class TellBusy:
    """The peer is in a call with somebody else: tell it."""


class LeaveLate:
    """Nobody was connected in time: end the exchange, and say so."""


class LeaveFailed:
    """The connection has failed before the call worked: end the exchange, and say so."""


@dataclass(frozen=True, slots=True)
class LoseForNow:
    """The connection is lost, and may come back by itself: let recovery know; the reason is the event's."""

    reason: str


@dataclass(frozen=True, slots=True)
class LoseForGood:
    """The connection is lost, and won't come back by itself: let recovery know; the reason is the event's."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoteClosed:
    """The other side has closed the connection or its channel: let recovery know; the reason is the event's."""

    reason: str


class NoteProgress:
    """The connection comes nearer: let recovery know."""


class NoteWrongCertificate:
    """The other side hasn't the certificate that its description names: that is the end, and never tried again."""


class NoteGivenUp:
    """The signalling was given up for good while the call didn't work: note how far it came."""


class EndAlone:
    """Another program has this one's place, so that nothing is to be recovered here: end the call."""


@dataclass(frozen=True, slots=True)
class NoteEnd:
    """The call is over: note how, and let its connection go."""

    end: CallEnd


class Stop:
    """The connection is being closed: begin nothing any more."""

"""What a `Session` asks of the hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = [
    "BeginAnew",
    "BeginGrace",
    "SessionClaim",
    "DropMail",
    "ForgetMember",
    "ForgetWelcome",
    "ResumeSession",
    "LetIn",
    "OfferServers",
    "TakePlace",
    "TakeSocket",
    "TellJoined",
    "TellLeft",
    "TellOverflow",
    "TellEvicted",
    "TellReplaced",
    "Unwatch",
    "SendWelcome",
    "Why",
]


class SessionClaim(Protocol):
    """The payload of `Session.claim`: somebody who has proved its key joins on a socket."""

    @property
    def session(self) -> str:
        """Its session."""

    @property
    def seen(self) -> int | None:
        """How many deliveries it has seen; None if it begins."""

    @property
    def is_kept(self) -> bool:
        """Whether what follows these is kept still."""


class Why(Protocol):
    """The payload of `Session.evict`: what it is told."""

    @property
    def message(self) -> str:
        """For people, with what to do."""


@dataclass(frozen=True, slots=True)
class TakePlace:
    """Give it its place in the room."""

    claim: SessionClaim


@dataclass(frozen=True, slots=True)
class TakeSocket:
    """From now on the socket that the claim came on is its own."""

    claim: SessionClaim


@dataclass(frozen=True, slots=True)
class LetIn:
    """The place is free: let in who claimed it."""

    claim: SessionClaim


class SendWelcome:
    """Tell it who was there when it came, and send it everything from the first delivery on."""


@dataclass(frozen=True, slots=True)
class ResumeSession:
    """Tell it that its session goes on, and send it what is behind so many deliveries."""

    seen: int


class OfferServers:
    """Tell it TURN servers with new credentials."""


class TellJoined:
    """Tell the others that it is there."""


class TellLeft:
    """Tell the others that it is gone."""


class TellReplaced:
    """Tell the socket that it had that another one has taken its place, and close that."""


class TellOverflow:
    """Tell it that too much waits for it, and close its socket."""


@dataclass(frozen=True, slots=True)
class TellEvicted:
    """Tell it why it is evicted, and close its socket."""

    why: Why


class BeginAnew:
    """Count from 0 again, drop what waits for it, and note who is there now."""


class BeginGrace:
    """Let go of its socket; it may come back until its grace time ends."""


class ForgetWelcome:
    """Keep no longer who was there when it came: it has heard that."""


class DropMail:
    """Throw away what waits for it."""


class ForgetMember:
    """Take its place, its socket and its mail from it."""


class Unwatch:
    """It was never let in: nobody follows it any more."""

"""What a `RoomMember` asks of its room, and why a member's connection ends there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

__all__ = [
    "Arrive",
    "BeginCall",
    "EndCall",
    "EndAs",
    "EndForGood",
    "CallEnding",
    "ForgetPeer",
    "LimitMemory",
    "MemberEnd",
    "Peer",
    "TellGone",
]


class MemberEnd(StrEnum):
    """Why a room lets go of a connection, by code."""

    LEFT = "left"
    MISSING = "missing"
    MET_ANEW = "met anew"
    REPLACED = "replaced"
    NOT_TRUSTED = "not trusted"
    NAMESAKE = "namesake"


class Peer(Protocol):
    """The payload of `on_joined`: how a peer introduces itself."""

    @property
    def id(self) -> str: ...
    @property
    def session(self) -> str: ...


class CallEnding(Protocol):
    """The payload of `on_ended`: why a connection is over."""

    @property
    def reason(self) -> str: ...


@dataclass(frozen=True, slots=True)
class BeginCall:
    """Make a connection to it, as it introduces itself now."""

    peer: Peer


class Arrive:
    """It is trusted: its connection is the one of its key, and is told."""


@dataclass(frozen=True, slots=True)
class EndCall:
    """Close its connection, which other sessions don't notice; what waits for it is kept."""

    why: MemberEnd


@dataclass(frozen=True, slots=True)
class EndAs:
    """The same; the connection itself, or the peer, has said why."""

    end: CallEnding


@dataclass(frozen=True, slots=True)
class EndForGood:
    """The same, and nothing that waits is kept."""

    end: CallEnding


class TellGone:
    """Tell that it is gone, and why."""


class LimitMemory:
    """If too many are remembered with whom it is over, forget the first."""


class ForgetPeer:
    """Know nothing of it any more."""

"""What the kit and an adapter say to each other: docs/conformance-protocol.md, version 1."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec

__all__ = [
    "DEFAULT_LIMIT_SECONDS",
    "PROTOCOL",
    "StackCandidate",
    "StackDescription",
    "Event",
    "StackHello",
    "Operation",
    "Reply",
    "Request",
    "Result",
    "StackError",
    "States",
    "Verdict",
]

PROTOCOL = 1
DEFAULT_LIMIT_SECONDS = 5.0


class Verdict(StrEnum):
    """What became of one operation."""

    FULFILLED = "fulfilled"
    REJECTED = "rejected"
    THROWN = "thrown"
    PENDING = "pending"
    INEXPRESSIBLE = "inexpressible"


class StackDescription(msgspec.Struct, frozen=True):
    """RTCSessionDescriptionInit."""

    type: str
    sdp: str = ""


class StackCandidate(msgspec.Struct, frozen=True, omit_defaults=True):
    """RTCIceCandidateInit; a member that is None is not given to the stack."""

    candidate: str
    sdpMid: str | None = None  # noqa: N815 - the specification's own names
    sdpMLineIndex: int | None = None  # noqa: N815
    usernameFragment: str | None = None  # noqa: N815


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing to do; which of the arguments it takes stands in docs/conformance-protocol.md."""

    operation: str
    on: str = ""
    description: StackDescription | None = None
    candidate: StackCandidate | None = None
    label: str = ""
    kind: Literal["", "audio", "video"] = ""
    data: str = ""
    wait_seconds: float = 0.0


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """Operations that are begun in one turn of the stack's event loop."""

    id: int
    do: tuple[Operation, ...]
    limit_seconds: float = DEFAULT_LIMIT_SECONDS


class States(msgspec.Struct, frozen=True, omit_defaults=True):
    """All states of one peer connection; UNSET is what the stack's API doesn't have."""

    signalingState: str | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    iceGatheringState: str | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    iceConnectionState: str | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    connectionState: str | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    currentLocalDescription: str | msgspec.UnsetType | None = msgspec.UNSET  # noqa: N815
    pendingLocalDescription: str | msgspec.UnsetType | None = msgspec.UNSET  # noqa: N815
    currentRemoteDescription: str | msgspec.UnsetType | None = msgspec.UNSET  # noqa: N815
    pendingRemoteDescription: str | msgspec.UnsetType | None = msgspec.UNSET  # noqa: N815
    ice: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    dtls: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    sctp: str | msgspec.UnsetType | None = msgspec.UNSET
    channels: dict[str, str] = {}


class StackError(msgspec.Struct, frozen=True):
    """What the stack raised."""

    name: str
    message: str = ""


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one operation, and what was to be seen in that moment."""

    verdict: Verdict
    after: int = 0
    error: StackError | None = None
    value: Any = None
    states: States | None = None


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of a peer connection or of one of its channels."""

    on: str
    event: str
    states: States
    candidate: StackCandidate | None = None
    label: str = ""
    kind: str = ""
    data: str = ""


class Reply(msgspec.Struct, frozen=True):
    """The answer to one request."""

    id: int
    results: tuple[Result, ...]
    events: tuple[Event, ...] = ()
    states: dict[str, States] = {}


class StackHello(msgspec.Struct, frozen=True):
    """The value of `hello`: which stack it is, and what its API can't say."""

    protocol: int
    name: str
    version: str
    lacks: tuple[str, ...] = ()

"""What a failed call leaves to judge by: how far it came, and what ICE found and tried; without any address."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from fsm_rtc.machines.call_status import Phase
from fsm_rtc.messages import EndCode
from fsm_rtc.peer.ice_snapshot import IceSnapshot, SeenCandidate

__all__ = [
    "CandidateCount",
    "FailedCall",
    "PairCounts",
    "Phase",
    "Reach",
    "ServerAnswer",
    "count",
    "count_pairs",
    "share_a_network",
]

IPV4_NETWORK_BITS = 24
IPV6_NETWORK_BITS = 64


class Reach(StrEnum):
    """From where an address can be reached."""

    LOOPBACK = "loopback"
    LINK = "link-local"
    PRIVATE = "private"
    PUBLIC = "public"
    NAME = "name"


@dataclass(frozen=True, slots=True, order=True)
class CandidateCount:
    """So many candidates of one kind.

    Attributes:
        type: ``host``, ``srflx``, ``prflx`` or ``relay``.
        protocol: ``udp`` or ``tcp``.
        family: ``IPv4``, ``IPv6``, or empty of a name.
        reach: from where the address can be reached.
        count: how many.
    """

    type: str
    protocol: str
    family: str
    reach: Reach
    count: int

    def __str__(self) -> str:
        return f"{self.count} {self.type} ({' '.join(filter(None, (self.reach, self.family, self.protocol)))})"


@dataclass(frozen=True, slots=True)
class PairCounts:
    """How many candidate pairs there are, by their last state."""

    frozen: int = 0
    waiting: int = 0
    in_progress: int = 0
    succeeded: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """How many there are."""
        return self.frozen + self.waiting + self.in_progress + self.succeeded + self.failed

    def __str__(self) -> str:
        counts = ((field.name.replace("_", " "), getattr(self, field.name)) for field in fields(self))
        return ", ".join(f"{number} {name}" for name, number in counts if number) or "none"


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """A STUN or TURN server that gave no candidate.

    Attributes:
        url: the server's.
        code: its STUN error code; 701 if it could not be reached.
        text: what it said, or why it could not be reached.
    """

    url: str
    code: int
    text: str

    @property
    def scheme(self) -> str:
        """``stun``, ``turn`` or ``turns``."""
        return self.url.partition(":")[0]

    @property
    def is_relay(self) -> bool:
        """Whether it was asked for a relayed candidate."""
        return self.scheme in ("turn", "turns")


LOSSES = (EndCode.CONNECTION_FAILED, EndCode.CONNECTION_LOST)
"""The codes of an end that nobody meant."""


@dataclass(frozen=True, slots=True)
class FailedCall:
    """What became of a call, as it was at the moment of its end: before anything was closed or replaced.

    Attributes:
        phase: how far it came.
        reason: why it ended, for people; of the other side's own words if `by_peer`.
        by_peer: whether the other side ended it.
        error: the exception behind it, or None.
        local_candidates: this side's candidates, by kind.
        remote_candidates: the other side's, with those that showed in checks.
        pairs_tried: how many candidate pairs there were, by their last state.
        shares_a_network: whether the two sides have host addresses in one network; None if that can't be seen.
        relay_only: whether this side may use TURN servers alone.
        candidate_errors: what STUN and TURN servers answered that gave no candidate.
        was_lost: whether a call that stood was lost, and didn't come back; all else is as it was when that was noticed.
        peer_was_busy: whether the other side was in a call with somebody else.
        end_code: why it ended, for programs; None for no code.
        states: the last state of each machine, by its label.
        rejections: how often something was refused, by the guard's name or the reason: frames of the other side, and
            with a journal also events of this side's machines.
    """

    phase: Phase
    reason: str
    by_peer: bool = False
    error: Exception | None = None
    local_candidates: tuple[CandidateCount, ...] = ()
    remote_candidates: tuple[CandidateCount, ...] = ()
    pairs_tried: PairCounts = field(default_factory=PairCounts)
    shares_a_network: bool | None = None
    relay_only: bool = False
    candidate_errors: tuple[ServerAnswer, ...] = ()
    was_lost: bool = False
    peer_was_busy: bool = False
    end_code: EndCode | None = None
    states: Mapping[str, str] = field(default_factory=dict)
    rejections: Mapping[str, int] = field(default_factory=dict)

    @property
    def code(self) -> str | None:
        """The signalling server's code for its refusal (``room_full`` …), or None."""
        return getattr(self.error, "code", None)

    @property
    def is_goodbye(self) -> bool:
        """Whether a call that stood was ended by the other side, and neither side had lost the other."""
        is_loss = self.was_lost or self.end_code in LOSSES
        return self.by_peer and self.phase is Phase.CONNECTED and not is_loss


def count(candidates: Iterable[SeenCandidate]) -> tuple[CandidateCount, ...]:
    """How many there are of each kind."""
    kinds = Counter((one.type, one.protocol, *_place(one.address)) for one in candidates)
    return tuple(sorted(CandidateCount(*kind, number) for kind, number in kinds.items()))


def count_pairs(pictures: Iterable[IceSnapshot]) -> PairCounts:
    """How many pairs there are in each state."""
    states = Counter(state.replace("-", "_") for picture in pictures for state in picture.pairs)
    known = {field.name for field in fields(PairCounts)}
    return PairCounts(**{state: number for state, number in states.items() if state in known})


def share_a_network(pictures: Iterable[IceSnapshot]) -> bool | None:
    """Whether a host address of this side is in one network with one of the other's; None if that can't be seen.

    The networks' masks aren't known: a /24 is taken for one network of IPv4, and a /64 for one of IPv6.
    """
    pictures = tuple(pictures)
    here = {network for picture in pictures for network in _networks(picture.local)}
    there = {network for picture in pictures for network in _networks(picture.remote)}
    return bool(here & there) if here and there else None


def _networks(candidates: Iterable[SeenCandidate]) -> Iterable[object]:
    for candidate in candidates:
        address = _address(candidate.address)
        if candidate.type == "host" and address is not None:
            bits = IPV4_NETWORK_BITS if address.version == 4 else IPV6_NETWORK_BITS
            yield ipaddress.ip_network((int(address), bits), strict=False)


def _place(text: str) -> tuple[str, Reach]:
    address = _address(text)
    if address is None:
        return "", Reach.NAME
    return f"IPv{address.version}", _reach(address)


def _reach(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Reach:
    if address.is_loopback:
        return Reach.LOOPBACK
    if address.is_link_local:
        return Reach.LINK
    return Reach.PUBLIC if address.is_global else Reach.PRIVATE


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None

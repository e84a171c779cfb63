"""What an ICE agent has found and tried, as one sees it from outside at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fsm_rtc.peer.description import IceCandidate


@dataclass(frozen=True, slots=True)
class SeenCandidate:
    """A candidate of either side.

    Attributes:
        type: ``host``, ``srflx``, ``prflx`` or ``relay``.
        protocol: ``udp`` or ``tcp``.
        address: an IP address, or a name.
    """

    type: str
    protocol: str
    address: str


@dataclass(frozen=True, slots=True)
class IceSnapshot:
    """One ICE agent.

    Attributes:
        local: this side's candidates.
        remote: the other side's, with those that showed in checks.
        pairs: the last state of each candidate pair, in the words of RTCStatsIceCandidatePairState.
    """

    local: tuple[SeenCandidate, ...] = ()
    remote: tuple[SeenCandidate, ...] = ()
    pairs: tuple[str, ...] = ()


def seen(candidates: Sequence[IceCandidate]) -> tuple[SeenCandidate, ...]:
    """What the texts of these candidates tell; one that can't be read is left out."""
    words = (candidate.candidate.removeprefix("candidate:").split() for candidate in candidates)
    return tuple(SeenCandidate(word[7], word[2].lower(), word[4]) for word in words if len(word) >= 8)

"""The other side's candidates: kept until there is a description that they belong to, then given to the library.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #dom-peerconnection-addicecandidate, which refuses a candidate
before the remote description; signalling doesn't keep that order, so early ones are kept here. The end of candidates
is kept and given like a candidate; behind it a library takes no more, until a description with new ICE credentials
begins a new generation.

Left out: whether a candidate can be parsed; that the text counts generations and the end of candidates by media
section, where this machine sees a connection as one, which it is when bundled; and a restart's candidate that is faster
than its description, which the text refuses for its unknown fragment (OperationError), and so does the library.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = [
    "ApplyCandidate",
    "BufferCandidate",
    "Candidates",
    "CandidatesState",
    "KnownFragment",
    "ReleaseCandidates",
    "RemoteDescription",
]


class CandidatesState(StrEnum):
    """Where the other side's candidates go."""

    BUFFERING = "buffering"
    LIVE = "live"
    ENDED = "ended"


BUFFERING, LIVE, ENDED = CandidatesState


@dataclass(frozen=True, slots=True)
class BufferCandidate:
    """Keep a candidate for later; None is the end of candidates."""

    candidate: object


@dataclass(frozen=True, slots=True)
class ApplyCandidate:
    """Give a candidate to the library now; None is the end of candidates."""

    candidate: object


@dataclass(frozen=True, slots=True)
class ReleaseCandidates:
    """Fire again for each that was kept, in the order in which they came: an early end then ends it, and what came
    behind that is refused.
    """


class KnownFragment(Protocol):
    """The context: the user fragment of the description whose candidates ended."""

    @property
    def remote_ice_ufrag(self) -> str: ...


@dataclass(frozen=True, slots=True)
class RemoteDescription:
    """The payload: the user fragment of the description that was applied."""

    ice_ufrag: str


def new_ice_credentials(context: KnownFragment, description: RemoteDescription) -> bool:
    """The description must have other ICE credentials than the last one, as an ICE restart has."""
    return description.ice_ufrag != context.remote_ice_ufrag


def buffer_candidate(context: object, candidate: object) -> BufferCandidate:
    """The candidate is kept."""
    return BufferCandidate(candidate)


def apply_candidate(context: object, candidate: object) -> ApplyCandidate:
    """The candidate is given to the library."""
    return ApplyCandidate(candidate)


def buffer_end(context: object, event: None) -> BufferCandidate:
    """The end of candidates is kept, behind the candidates."""
    return BufferCandidate(None)


def apply_end(context: object, event: None) -> ApplyCandidate:
    """The library is told that there are no more candidates."""
    return ApplyCandidate(None)


def release_candidates(context: object, description: RemoteDescription) -> ReleaseCandidates:
    """What was kept is given to the library."""
    return ReleaseCandidates()


class Candidates(Chart[CandidatesState, KnownFragment]):
    """The other side's candidates, of one peer connection."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #dom-peerconnection-addicecandidate"
    initial = BUFFERING

    remote_description_set = On[KnownFragment, RemoteDescription](
        Row(BUFFERING, LIVE, then=(release_candidates,)),
        stay(LIVE),
        Row(ENDED, LIVE, when=(new_ice_credentials,)),
        stay(ENDED),
        cite="#dom-peerconnection-setremotedescription",
    )
    add_candidate = On[KnownFragment, object](
        stay(BUFFERING, then=(buffer_candidate,)),
        stay(LIVE, then=(apply_candidate,)),
        cite="#dom-peerconnection-addicecandidate",
    )
    end_of_candidates = On(
        stay(BUFFERING, then=(buffer_end,)),
        Row(LIVE, ENDED, then=(apply_end,)),
        idempotent=True,
        cite="#dom-peerconnection-addicecandidate, an empty candidate",
    )
    reset = On(Row((LIVE, ENDED), BUFFERING), stay(BUFFERING), cite="a new peer connection")

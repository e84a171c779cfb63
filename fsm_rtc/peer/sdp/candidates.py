"""Candidates that come, or are found, apart from their description."""

from __future__ import annotations

from collections.abc import Iterable

from fsm_rtc.errors import InvalidCandidateError, OperationError
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.sdp.grammar import Unreadable, candidate_of
from fsm_rtc.peer.sdp.model import Candidate
from fsm_rtc.peer.sdp.reader import read

__all__ = ["check_candidate", "read_candidate", "with_candidates"]


def read_candidate(text: str) -> Candidate:
    """What a candidate's attribute says.

    Args:
        text: ``candidate:…``.

    Raises:
        InvalidCandidateError: it is none; the message tells the rule.
    """
    if not text.startswith("candidate:"):
        raise InvalidCandidateError(f"{text[:80]!r} is no ICE candidate: it begins with candidate: (RFC 8839)")
    try:
        return candidate_of(text.removeprefix("candidate:"))
    except Unreadable as error:
        raise InvalidCandidateError(
            f"{text[:80]!r} is no ICE candidate: {error}; pass the other side's candidate unchanged"
        ) from None


def check_candidate(candidate: IceCandidate, remote: SessionDescription) -> IceCandidate:
    """Refuse a candidate that can't be parsed, or that names no section of the remote description.

    Returns:
        The candidate with its index filled in, and its mid if the section has one.

    Raises:
        InvalidCandidateError: it can't be parsed.
        OperationError: there is no such section, or none with its user fragment.
        Source: webrtc-pc, #dom-peerconnection-addicecandidate.
    """
    text = candidate.candidate.removeprefix("a=")
    if text:
        read_candidate(text)
    found = read(remote)
    section = found.by_mid.get(candidate.sdp_mid) if candidate.sdp_mid is not None else None
    index = candidate.sdp_m_line_index
    if section is None and index is not None and index < len(found.sections):
        # By its place, if it names no mid, or the description none: then it is one that somebody made up.
        named = found.sections[index]
        section = named if candidate.sdp_mid is None or named.mid is None else None
    if section is not None:
        return IceCandidate(text, section.mid, section.index, candidate.username_fragment)
    known = ", ".join(repr(section.mid) for section in found.sections[:20])
    named_so = candidate.sdp_m_line_index if candidate.sdp_mid is None else candidate.sdp_mid
    raise OperationError(f"the remote description has no media section {named_so!r} for this candidate; it has {known}")


def with_candidates(description: SessionDescription, candidates: Iterable[IceCandidate | None]) -> SessionDescription:
    """A description with candidates in their sections, but for those that are there or belong to other credentials.

    Args:
        description: without them; it is only looked through, for it may be this side's and of any length.
        candidates: each with its section's index; an empty one ends its section's candidates, None those of all.
    """
    wanted: dict[int | None, dict[tuple[str, str | None], None]] = {}
    for candidate in candidates:
        if candidate is None or not candidate.candidate:
            line = "a=end-of-candidates"
        else:
            line = f"a={candidate.candidate}"
        index, ufrag = (candidate.sdp_m_line_index, candidate.username_fragment) if candidate else (None, None)
        wanted.setdefault(index, {})[line, ufrag] = None
    if not wanted:
        return description
    head, *sections = _divided(description.sdp)
    for index, lines in enumerate(sections):
        _insert(lines, [*wanted.get(index, ()), *wanted.get(None, ())], _ufrag_of(head))
    text = "".join(f"{line}\r\n" for lines in (head, *sections) for line in lines)
    return SessionDescription(description.type, text)


def _divided(sdp: str) -> list[list[str]]:
    """The session's lines, then each section's."""
    parts: list[list[str]] = [[]]
    for line in sdp.removesuffix("\n").split("\n"):
        if line.startswith("m="):
            parts.append([])
        parts[-1].append(line.removesuffix("\r"))
    return parts


def _insert(lines: list[str], wanted: list[tuple[str, str | None]], inherited: str | None) -> None:
    """Put lines before the section's user fragment, where candidates stand, or else at its end."""
    present = set(lines)
    is_rejected = lines[0].split(" ")[1:2] == ["0"] and "a=bundle-only" not in present
    if is_rejected or not wanted:
        return
    ufrag = _ufrag_of(lines) or inherited
    new = [line for line, of in wanted if of in (None, ufrag) and line not in present]
    place = next((place for place, line in enumerate(lines) if line.startswith(UFRAG)), len(lines))
    lines[place:place] = dict.fromkeys(new)


UFRAG = "a=ice-ufrag:"


def _ufrag_of(lines: list[str]) -> str | None:
    return next((line.removeprefix(UFRAG) for line in lines if line.startswith(UFRAG)), None)

"""What can't be an offer or answer, whatever library stands behind: nobody could connect with it.

Also what is asked of descriptions and candidates besides: to which section a candidate belongs, and a description with
the candidates that came after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from fsm_rtc.errors import InvalidAccessError, InvalidCandidateError, InvalidDescriptionError, OperationError
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.sdp.grammar import Unreadable, candidate_of
from fsm_rtc.peer.sdp.model import ReadDescription, SdpCandidate, Section
from fsm_rtc.peer.sdp.reader import BOUNDS, read


def sections_of(description: SessionDescription) -> tuple[Section, ...]:
    """The media sections of a description, in order."""
    return read(description).sections


def fingerprints_of(description: SessionDescription) -> frozenset[str]:
    """The fingerprints of the certificates that a description's sections may use; they are its connection's own."""
    return frozenset(
        f"{algorithm.upper()} {value}"
        for section in sections_of(description)
        for algorithm, value in section.fingerprints
    )


def candidates_of(description: SessionDescription) -> tuple[IceCandidate, ...]:
    """The candidates in a description, each once, with the section in which it stands first."""
    found: dict[str, IceCandidate] = {}
    for section in sections_of(description):
        for candidate in section.candidates:
            found.setdefault(candidate.text, IceCandidate(candidate.text, section.mid, section.index))
    return tuple(found.values())


def check_description(description: SessionDescription) -> tuple[Section, ...]:
    """Refuse what can't be an offer or answer, before a library sees it.

    Returns:
        The media sections.

    Raises:
        InvalidDescriptionError: it is no SDP, has no media section, or lacks ICE credentials or a DTLS fingerprint.
        InvalidAccessError: its sections or groups contradict each other.
    """
    found = read(description)
    if not found.sections:
        raise InvalidDescriptionError(
            f"this {description.type} has no media section; the side that made it must add a track, transceiver or "
            "data channel first",
            detail="no media section",
        )
    check_transports(found, f"this {description.type}")
    return found.sections


def check_transports(found: ReadDescription, what: str) -> None:
    """Refuse a section that says nothing of where it is to be reached, and has nobody to take it from.

    A section takes what it doesn't say from the first of its group. Source: RFC 9143, section 7.3.

    Raises:
        InvalidDescriptionError: it lacks its ICE credentials or its fingerprint.
        InvalidAccessError: the sections of a group contradict each other.
    """
    first = found.first_of_each()
    transports: set[int] = set()
    for section in found.sections:
        if not section.is_in_use:
            continue
        transports.add(first.get(section.mid or "", section).index)
        if len(transports) > BOUNDS.transports:
            raise InvalidDescriptionError(
                f"{what} has more than {BOUNDS.transports} sections that share no transport, the last in "
                f"{section.where()}; let the other side bundle them (RFC 9143)"
            )
        given = (section, first.get(section.mid or "", section))
        for attribute in ("ice-ufrag", "ice-pwd"):
            if not any(one.attributes.get(attribute) for one in given):
                raise _lacking(what, section, attribute)
        if not any(one.fingerprints for one in given):
            raise _lacking(what, section, "fingerprint")
    _check_extensions(found, what)


def _lacking(what: str, section: Section, attribute: str) -> InvalidDescriptionError:
    return InvalidDescriptionError(
        f"{what} has no {attribute} in media section {section.index}, {section.where()}; "
        "without it nothing can connect",
        detail=f"no {attribute}",
    )


def _check_extensions(found: ReadDescription, what: str) -> None:
    """A header extension's number means one thing for all who share a transport. Source: RFC 9143."""
    known: dict[tuple[int, int], tuple[str, Section]] = {}
    first = found.first_of_each()
    for section in found.sections:
        transport = first.get(section.mid or "", section).index
        for extension in section.extensions if section.is_in_use else ():
            uri, before = known.setdefault((transport, extension.id), (extension.uri, section))
            if uri != extension.uri:
                raise InvalidAccessError(
                    f"{what} has the header extension number {extension.id} for {uri} in {before.where()} and for "
                    f"{extension.uri} in {section.where()}: within a BUNDLE group a number means one "
                    "(RFC 9143); number them alike"
                )


def mids_like(found: ReadDescription, local: list[str]) -> list[str]:
    """The mids of an answer's sections; one that has none takes the offer's. Source: RFC 9429, section 5.11."""
    return [
        section.mid if section.mid is not None else (local[section.index] if section.index < len(local) else "")
        for section in found.sections
    ]


def made_up_mids(found: ReadDescription, before: list[str], next_number: int) -> list[str]:
    """The mids of an offer's sections; one that has none keeps what its place was called, or gets a new one.

    Args:
        found: the offer.
        before: the mids of the session's sections, by place.
        next_number: the lowest number that no section was ever called.

    Source: RFC 9429, section 5.10.
    """
    used = set(found.by_mid)
    numbers = (str(number) for number in count(next_number) if str(number) not in used)
    result = []
    for section in found.sections:
        mid = section.mid
        if mid is None and section.index < len(before) and before[section.index] not in used:
            mid = before[section.index]
            used.add(mid)
        result.append(next(numbers) if mid is None else mid)
    return result


def read_candidate(candidate: IceCandidate) -> SdpCandidate:
    """What a candidate's attribute, ``candidate:…``, says; it is read once, however often it is asked.

    Raises:
        InvalidCandidateError: it is none; the message tells the rule.
    """
    if candidate.known is None:
        object.__setattr__(candidate, "known", _read_candidate(candidate.candidate))
    assert isinstance(candidate.known, SdpCandidate)  # noqa: S101
    return candidate.known


def _read_candidate(text: str) -> SdpCandidate:
    if not text.startswith("candidate:"):
        raise InvalidCandidateError(f"{text[:80]!r} is no ICE candidate: it begins with candidate: (RFC 8839)")
    try:
        return candidate_of(text.removeprefix("candidate:"))
    except Unreadable as error:
        raise InvalidCandidateError(
            f"{text[:80]!r} is no ICE candidate: {error}; pass the other side's candidate unchanged"
        ) from None


def placed_in(candidate: IceCandidate, remote: SessionDescription) -> IceCandidate:
    """The candidate with its section's index, and its mid if the section has one.

    Raises:
        OperationError: the remote description has no such section.

    Source: webrtc-pc, #dom-peerconnection-addicecandidate.
    """
    text = candidate.candidate.removeprefix("a=")
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

"""The little that fsm_rtc itself reads in SDP: enough to refuse what no library could connect with.

Some libraries take any text for an offer and fail later, in a task that nobody awaits. So a description is read here
before it is given to one: it must have a media section, ICE credentials and a DTLS fingerprint. A full SDP parser is
the library's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fsm_rtc.errors import InvalidCandidateError, InvalidDescriptionError, OperationError, SdpSyntaxError
from fsm_rtc.peer.description import IceCandidate, SessionDescription

__all__ = [
    "Section",
    "candidates_of",
    "check_candidate",
    "check_description",
    "check_syntax",
    "fingerprints_of",
    "sections_of",
    "with_candidate",
]

MAX_SDP_CHARACTERS = 256 * 1024
"""A description longer than this is refused unread; browsers' offers with many sections stay far below."""


@dataclass(slots=True)
class Section:
    """One media section: its kind, and the attributes that matter here, each falling back to the session's."""

    kind: str
    index: int
    port: int
    attributes: dict[str, str] = field(default_factory=dict)
    candidates: list[str] = field(default_factory=list)
    msids: list[str] = field(default_factory=list)

    @property
    def mid(self) -> str | None:
        return self.attributes.get("mid")

    @property
    def is_rejected(self) -> bool:
        return self.port == 0 and "bundle-only" not in self.attributes


def sections_of(sdp: str) -> tuple[Section, ...]:
    """The media sections of a description, in order."""
    session: dict[str, str] = {}
    sections: list[Section] = []
    for number, line in enumerate(sdp.splitlines(), 1):
        if line.startswith("m="):
            words = line[2:].split()
            port = words[1].partition("/")[0] if len(words) > 1 else ""
            if len(words) < 4 or not (port.isascii() and port.isdigit()):
                raise SdpSyntaxError(
                    f"the media line {line[:80]!r} is not SDP; pass the description unchanged", line=number
                )
            sections.append(Section(words[0], len(sections), int(port[:6]), dict(session)))
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            if name == "candidate" and sections:
                sections[-1].candidates.append(line[2:])
            elif name == "msid" and sections:
                sections[-1].msids.append(value)
            else:
                (sections[-1].attributes if sections else session)[name] = value
    return tuple(sections)


def fingerprints_of(description: SessionDescription) -> frozenset[str]:
    """The fingerprints of the certificates that a description's sections may use; they are its connection's own."""
    return frozenset(
        section.attributes["fingerprint"].upper()
        for section in sections_of(description.sdp)
        if "fingerprint" in section.attributes
    )


def check_syntax(description: SessionDescription) -> tuple[Section, ...]:
    """Refuse what is no SDP.

    Returns:
        The media sections; there may be none.

    Raises:
        SdpSyntaxError: it is no SDP, or longer than is read.
    """
    sdp = description.sdp
    what = f"this {description.type}"
    if len(sdp) > MAX_SDP_CHARACTERS:
        raise SdpSyntaxError(f"{what} has {len(sdp)} characters, more than the {MAX_SDP_CHARACTERS} that are read")
    if not sdp.startswith("v=0"):
        raise SdpSyntaxError(f"{what} is not SDP: it must begin with v=0; pass the other side's sdp unchanged", line=1)
    return sections_of(sdp)


def check_description(description: SessionDescription) -> tuple[Section, ...]:
    """Refuse what can't be an offer or answer, before a library sees it.

    Returns:
        The media sections.

    Raises:
        InvalidDescriptionError: it is no SDP, has no media section, or lacks ICE credentials or a DTLS fingerprint.
    """
    what = f"this {description.type}"
    sections = check_syntax(description)
    if not sections:
        raise InvalidDescriptionError(
            f"{what} has no media section; the side that made it must add a track, transceiver or data channel first",
            detail="no media section",
        )
    for section in sections:
        if section.is_rejected:
            continue
        for attribute in ("ice-ufrag", "ice-pwd", "fingerprint"):
            if not section.attributes.get(attribute):
                raise InvalidDescriptionError(
                    f"{what} has no {attribute} in media section {section.index}; without it nothing can connect",
                    detail=f"no {attribute}",
                )
    return sections


def candidates_of(description: SessionDescription) -> tuple[IceCandidate, ...]:
    """The candidates in a description, each once, with the section in which it stands first."""
    found: dict[str, IceCandidate] = {}
    for section in sections_of(description.sdp):
        for line in section.candidates:
            found.setdefault(line, IceCandidate(line, section.mid, section.index))
    return tuple(found.values())


def check_candidate(candidate: IceCandidate, remote: SessionDescription) -> IceCandidate:
    """Refuse a candidate that can't be parsed, or that names no section of the remote description.

    Returns:
        The candidate with both its mid and its index filled in.

    Raises:
        InvalidCandidateError: it can't be parsed.
        OperationError: there is no such section, or none with its user fragment.
        Source: webrtc-pc, #dom-peerconnection-addicecandidate.
    """
    text = candidate.candidate.removeprefix("a=")
    words = text.removeprefix("candidate:").split()
    if text and not _is_candidate(text, words):
        raise InvalidCandidateError(f"{text[:80]!r} is no ICE candidate; pass the other side's candidate unchanged")
    sections = sections_of(remote.sdp)
    for section in sections:
        if candidate.sdp_mid is not None:
            matches = section.mid == candidate.sdp_mid
        else:
            matches = section.index == candidate.sdp_m_line_index
        if matches:
            return IceCandidate(text, section.mid, section.index, candidate.username_fragment)
    known = ", ".join(repr(section.mid) for section in sections)
    named = candidate.sdp_m_line_index if candidate.sdp_mid is None else candidate.sdp_mid
    raise OperationError(f"the remote description has no media section {named!r} for this candidate; it has {known}")


def _is_candidate(text: str, words: list[str]) -> bool:
    numbers = [words[place] for place in (1, 3, 5)] if len(words) >= 8 else []
    return (
        text.startswith("candidate:")
        and len(numbers) == 3
        and all(number.isascii() and number.isdigit() and len(number) <= 10 for number in numbers)
        and int(numbers[2]) <= 0xFFFF
        and words[6] == "typ"
        and words[7] in ("host", "srflx", "prflx", "relay")
    )


def with_candidate(sdp: str, candidate: IceCandidate | None) -> str:
    """A description with a candidate written into its section, unless it is there, or belongs to other credentials.

    Args:
        sdp: the description's text.
        candidate: one with its section's index; an empty one ends its section's candidates, None those of all.
    """
    lines = sdp.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("m=")]
    ufrag = candidate.username_fragment if candidate is not None else None
    line = f"a={candidate.candidate}" if candidate is not None and candidate.candidate else "a=end-of-candidates"
    for section in reversed(sections_of(sdp)):
        named = candidate is None or candidate.sdp_m_line_index in (None, section.index)
        if not named or section.is_rejected or ufrag not in (None, section.attributes.get("ice-ufrag")):
            continue
        start = starts[section.index]
        end = next((number for number in range(start + 1, len(lines)) if lines[number].startswith("m=")), len(lines))
        if line not in lines[start:end]:
            place = (number for number in range(start, end) if lines[number].startswith("a=ice-ufrag:"))
            lines.insert(next(place, end), line)
    return "".join(f"{line}\r\n" for line in lines)

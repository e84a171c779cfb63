"""What can't be an offer or answer, whatever library stands behind: nobody could connect with it."""

from __future__ import annotations

from itertools import count

from fsm_rtc.errors import InvalidAccessError, InvalidDescriptionError
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.sdp.model import ReadDescription, Section
from fsm_rtc.peer.sdp.reader import BOUNDS, read

__all__ = [
    "candidates_of",
    "check_description",
    "check_transports",
    "fingerprints_of",
    "first_of_each",
    "made_up_mids",
    "mids_like",
    "sections_of",
    "trickles",
]


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


def trickles(description: SessionDescription) -> bool:
    """Whether who made this description takes candidates later."""
    return read(description).trickles


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
    first = first_of_each(found)
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


def first_of_each(found: ReadDescription) -> dict[str, Section]:
    """The section that gives the transport of each grouped mid: the first of its group that is in use."""
    result: dict[str, Section] = {}
    for mids in found.groups:
        grouped = [found.by_mid[mid] for mid in mids if found.by_mid[mid].is_in_use]
        result.update({section.mid or "": grouped[0] for section in grouped})
    return result


def _check_extensions(found: ReadDescription, what: str) -> None:
    """A header extension's number means one thing for all who share a transport. Source: RFC 9143."""
    known: dict[tuple[int, int], tuple[str, Section]] = {}
    first = first_of_each(found)
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

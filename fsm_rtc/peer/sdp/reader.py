"""The one parser: a description's text into a `ReadDescription`, once, line by line.

Why an own one: aiortc's, the only one in Python that is kept well, reads a description whole or not at all. Its first
surprise is a bare AssertionError or KeyError without a line, also in a section that nobody uses; it takes U+2028 for
the end of a line, and looks through all sources for each source. Its MediaDescription and the like are used as before;
see `jsep.sections.parsed`.

Invariants: the time is linear in the text, whatever stands in it; nothing but `SdpSyntaxError` and `InvalidAccessError`
is raised, and each names the line; a section that is rejected or of a kind that nobody here could use is skipped, but
for its m= line and its mid. Bounds hold for what comes from outside alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fsm_rtc.errors import InvalidAccessError, SdpSyntaxError
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.sdp import grammar
from fsm_rtc.peer.sdp.model import ReadDescription, Section

LINES_A_SLICE = 2_000
"""So many lines are read in one turn of the loop; they take some 5 ms."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a description that comes from outside is read; what has more is refused.

    Attributes:
        characters: of its text.
        lines: of its text.
        sections: media sections.
        candidates: ICE candidates, those that come later too.
        sources: ssrcs.
        transports: groups, and sections that are in none; each costs a socket for each address.
    """

    characters: int = 1024 * 1024
    lines: int = 32_768
    sections: int = 256
    candidates: int = 1024
    sources: int = 4096
    transports: int = 64


BOUNDS = Bounds()
"""What browsers and conference servers write stays far below."""

Line = tuple[int, str, str, str]
"""A line's number, its text, the attribute's name and its value."""


def read(description: SessionDescription) -> ReadDescription:
    """What a description says; it is read once, however often it is asked.

    Raises:
        SdpSyntaxError: it is no SDP, breaks a rule, or has more than `BOUNDS`; with the line's number.
        InvalidAccessError: its sections or groups contradict each other.
    """
    if description.known is None:
        object.__setattr__(description, "known", read_text(description.sdp, f"this {description.type}"))
    assert isinstance(description.known, ReadDescription)  # noqa: S101
    return description.known


async def read_in_turns(description: SessionDescription) -> ReadDescription:
    """The same, some lines in each turn of the loop."""
    for found in _reading(description.sdp, f"this {description.type}") if description.known is None else ():
        object.__setattr__(description, "known", found)
        await asyncio.sleep(0)
    return read(description)


def read_text(sdp: str, what: str = "this description") -> ReadDescription:
    """What a text says."""
    *_, found = _reading(sdp, what)
    assert found is not None  # noqa: S101
    return found


def _reading(sdp: str, what: str) -> Iterator[ReadDescription | None]:
    """Reads; yields None now and then, so that others have a turn, and at last what it has read."""
    lines = _lines(sdp, what)
    _check_head(lines, what)
    session = Section("", -1, 1, lines[0], 0, "", ())
    waiting: list[Line] = []
    sections: list[Section] = []
    groups: list[tuple[int, str, tuple[str, ...]]] = []
    is_lite = False
    names = grammar.readers(None)
    for number, line in enumerate(lines, 1):
        if number % LINES_A_SLICE == 0:
            yield None
        if line[1:2] != "=" or not "a" <= line[0] <= "z" or (len(line) == 2 and line[0] != "s"):
            raise _refused(what, number, line, "a line is a small letter, = and a value (RFC 8866, section 5)")
        if line[0] == "a":
            name, _, value = line[2:].partition(":")
            if name in names:
                waiting.append((number, line, name, value))
            elif name == "mid" and sections:
                with _line(what, number, line):
                    sections[-1].mid = grammar.mid_of(value)
            elif name == "group" and not sections:
                if len(value) > grammar.MAX_VALUE:
                    raise _refused(what, number, line, f"at most {grammar.MAX_VALUE} characters of a line are read")
                mids = grammar.group_of(value)
                if mids:
                    groups.append((number, line, mids))
            elif name == "ice-lite" and not sections:
                is_lite = True
        elif line[0] == "m":
            yield from _finish(sections[-1] if sections else session, session, waiting, what)
            waiting = []
            if len(sections) == BOUNDS.sections:
                raise _refused(what, number, line, f"at most {BOUNDS.sections} media sections are read")
            with _line(what, number, line):
                sections.append(grammar.section_of(line[2:], len(sections), number))
            names = grammar.readers(sections[-1])
    yield from _finish(sections[-1] if sections else session, session, waiting, what)
    yield None
    by_mid = _by_mid(sections, what)
    _check_counts(sections, what)
    _check_groups(groups, by_mid, what)
    named = tuple(f"line {number} ({line[:80]!r})" for number, line, _ in groups)
    yield ReadDescription(tuple(sections), tuple(mids for _, _, mids in groups), is_lite, by_mid, named)


def _lines(sdp: str, what: str) -> list[str]:
    """The lines, ended by LF or CRLF; a last one that isn't ended, and empty ones behind it, do no damage."""
    for name, count, most in (("characters", len(sdp), BOUNDS.characters), ("lines", sdp.count("\n"), BOUNDS.lines)):
        if count > most:
            raise SdpSyntaxError(f"{what} has {count} {name}, more than the {most} that are read")
    lines = [line.rstrip("\r \t") for line in sdp.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if not lines or lines[0] != "v=0":
        raise SdpSyntaxError(
            f"{what} is not SDP: it must begin with v=0 (RFC 8866, section 5.1), and "
            f"line 1 ({(lines or [''])[0][:40]!r}) doesn't; pass the other side's sdp unchanged",
            line=1,
        )
    return lines


def _check_head(lines: list[str], what: str) -> None:
    """The lines that every description has, in their order."""
    first = next((place for place, line in enumerate(lines) if line.startswith("m=")), len(lines))
    for place, start in ((1, "o="), (2, "s=")):
        if place >= first or not lines[place].startswith(start) or len(lines[place]) < 2:
            number, line = min(place, len(lines) - 1) + 1, lines[min(place, len(lines) - 1)]
            raise _refused(what, number, line, f"line {place + 1} is the {start} line (RFC 8866, section 5)")
    if len(lines[1][2:].split(" ")) != 6:
        raise _refused(what, 2, lines[1], "an o= line has six words (RFC 8866, section 5.2)")
    if not any(line.startswith("t=") for line in lines[3:first]):
        place = min(3, len(lines) - 1)
        raise _refused(what, place + 1, lines[place], "there is a t= line behind it (RFC 8866, section 5.9)")


@contextmanager
def _line(what: str, number: int, line: str) -> Iterator[None]:
    """Makes an error that names the line of what is not readable in it."""
    try:
        yield None
    except grammar.Unreadable as error:
        raise _refused(what, number, line, str(error)) from None


def _refused(what: str, number: int, line: str, rule: str) -> SdpSyntaxError:
    return SdpSyntaxError(
        f"{what} can't be read, line {number} ({line[:80]!r}): {rule}; pass the other side's description unchanged",
        line=number,
    )


def _finish(section: Section, session: Section, waiting: list[Line], what: str) -> Iterator[None]:
    """Read a section's attributes, now that it is known whether somebody uses it."""
    if section is not session:
        is_bundle_only = any(name == "bundle-only" for _, _, name, _ in waiting)
        section.is_rejected = section.port == 0 and not is_bundle_only
        if not section.is_in_use:
            return
        section.attributes.update(session.attributes)
        section.direction, section.setup = session.direction, session.setup
        section.extensions += session.extensions if section.kind != "application" else ()
    table = grammar.readers(None if section is session else section)
    place = 0
    try:
        for place, (_, _, name, value) in enumerate(waiting):
            if len(value) > grammar.MAX_VALUE:
                raise grammar.Unreadable(f"at most {grammar.MAX_VALUE} characters of a line are read")
            table[name](section, value)
            if place % LINES_A_SLICE == LINES_A_SLICE - 1:
                _check_counts([section], what)
                yield
    except grammar.Unreadable as error:
        number, line, _, _ = waiting[place]
        raise _refused(what, number, line, str(error)) from None
    if section is not session:
        section.fingerprints = section.fingerprints or session.fingerprints
        if section.kind != "application":
            _read_formats(section, what)
        elif section.sctp_port is None:
            with _line(what, section.line, section.text):
                section.sctp_port = grammar.sctp_port_of(section)


def _read_formats(section: Section, what: str) -> None:
    """The codecs in the order of the formats; a number of RFC 3551 needs no line of its own."""
    codecs = {}
    for one in section.formats:
        if not (one.isascii() and one.isdigit() and len(one) <= 3 and int(one) <= 127):
            rule = f"{one[:20]!r} is no payload type, 0 to 127 (RFC 3551; RFC 8866, section 5.14)"
            raise _refused(what, section.line, section.text, rule)
        if 64 <= int(one) <= 95 and int(one) in section.codecs:
            rule = f"payload type {one} can't be told from RTCP on the same port (RFC 5761, section 4)"
            raise _refused(what, section.line, section.text, rule)
        codec = section.codecs.get(int(one)) or grammar.STATIC_CODECS.get(int(one))
        if codec is not None:
            codecs[int(one)] = codec
    section.codecs = codecs


def _by_mid(sections: list[Section], what: str) -> dict[str, Section]:
    by_mid: dict[str, Section] = {}
    for section in sections:
        if section.mid is None:
            continue
        if section.mid in by_mid:
            raise InvalidAccessError(
                f"{what} has the mid {section.mid!r} in {by_mid[section.mid].where()} and in {section.where()}: a mid "
                "names one section (RFC 5888, section 4); give each its own"
            )
        by_mid[section.mid] = section
    return by_mid


def _check_counts(sections: list[Section], what: str) -> None:
    candidates = sources = 0
    for section in sections:
        candidates += len(section.candidates)
        sources += len(section.ssrcs)
        for name, most, count in (("candidates", BOUNDS.candidates, candidates), ("sources", BOUNDS.sources, sources)):
            if count > most:
                raise _refused(what, section.line, section.text, f"with it there are more than the {most} {name} read")


def _check_groups(groups: list[tuple[int, str, tuple[str, ...]]], by_mid: dict[str, Section], what: str) -> None:
    grouped: set[str] = set()
    for number, line, mids in groups:
        for mid in mids:
            if mid in by_mid and mid not in grouped:
                continue
            fault = "is in two BUNDLE groups" if mid in grouped else "has no media section"
            raise InvalidAccessError(
                f"{what} groups mids wrongly in line {number} ({line[:80]!r}): {mid[:20]!r} {fault} "
                "(RFC 9143, section 7); pass the other side's description unchanged"
            )
        grouped.update(mids)

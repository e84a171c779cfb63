"""What a description says, section by section, once it is read. Nothing here knows a library."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})


class SdpCandidate(NamedTuple):
    """An ICE candidate. Source: RFC 8839, section 5.1.

    Attributes:
        text: the attribute as it came, ``candidate:…``.
        foundation, component, protocol, priority, address, port, kind: its first eight words, but for ``typ``.
        extensions: the pairs behind them, by name.
    """

    text: str
    foundation: str
    component: int
    protocol: str
    priority: int
    address: str
    port: int
    kind: str
    extensions: dict[str, str]


class Codec(NamedTuple):
    """What an rtpmap line says of a format, or what RFC 3551 says of a number that has none."""

    name: str
    clock_rate: int
    channels: int | None


class Extension(NamedTuple):
    """An RTP header extension. Source: RFC 8285, section 8.

    Attributes:
        id: its number, 1 to 255.
        uri: which one it is.
        encrypted: the one that this one encrypts (RFC 6904), or empty.
    """

    id: int
    uri: str
    encrypted: str = ""


class Fingerprint(NamedTuple):
    """A certificate's digest. Source: RFC 8122, section 5.

    Attributes:
        algorithm: the hash function, in lower case.
        value: the digest, in upper case.
    """

    algorithm: str
    value: str


class Msid(NamedTuple):
    """A stream that a section's track belongs to. Source: RFC 8830.

    Attributes:
        stream: its identification, ``-`` for none.
        track: the track's, or None.
    """

    stream: str
    track: str | None


@dataclass(slots=True)
class Section:
    """One media section. What the session says for all of its sections counts where the section says nothing.

    Attributes:
        kind: ``audio``, ``video``, ``application`` or whatever stands there.
        index: its place, from 0.
        line: the number of its m= line in the text, from 1.
        text: its m= line.
        port: 0 to 65535.
        proto: its transport protocol, as it was written.
        formats: its payload types, or whatever it has instead.
        mid: its identification, or None.
        is_rejected: whether it is out of use: port 0 without bundle-only.
        is_usable: whether anybody here could use its kind and protocol; of another one nothing more is read.
        attributes: the last values of those attributes that have one value and no field of their own.
        direction: as the describing side sees it.
        setup: ``actpass``, ``active`` or ``passive``; None if nothing is said.
        codecs: by payload type, in the order of the formats; those that nobody has named are left out.
        parameters: what the fmtp lines say, by payload type.
        feedback: payload type (None for all), kind and parameter of each rtcp-fb line.
        ssrcs: each source's attributes.
        ssrc_groups: semantics and sources.
        is_complete: whether there are no more candidates to come.
        sctp_port, max_message_size: of data channels, or None.
    """

    kind: str
    index: int
    line: int
    text: str
    port: int
    proto: str
    formats: tuple[str, ...]
    mid: str | None = None
    is_rejected: bool = False
    is_usable: bool = True
    attributes: dict[str, str] = field(default_factory=dict)
    direction: str = "sendrecv"
    setup: str | None = None
    fingerprints: list[Fingerprint] = field(default_factory=list)
    candidates: list[SdpCandidate] = field(default_factory=list)
    msids: list[Msid] = field(default_factory=list)
    codecs: dict[int, Codec] = field(default_factory=dict)
    parameters: dict[int, str] = field(default_factory=dict)
    feedback: list[tuple[int | None, str, str | None]] = field(default_factory=list)
    extensions: list[Extension] = field(default_factory=list)
    ssrcs: dict[int, dict[str, str]] = field(default_factory=dict)
    ssrc_groups: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    is_complete: bool = False
    sctp_port: int | None = None
    max_message_size: int | None = None

    @property
    def is_in_use(self) -> bool:
        """Whether it is neither rejected nor of a kind that nobody here could use."""
        return self.is_usable and not self.is_rejected

    @property
    def ufrag(self) -> str | None:
        """The ICE user fragment."""
        return self.attributes.get("ice-ufrag")

    @property
    def password(self) -> str | None:
        """The ICE password."""
        return self.attributes.get("ice-pwd")

    def where(self) -> str:
        """How an error names it."""
        return f"line {self.line} ({self.text[:80]!r})"


@dataclass(slots=True)
class ReadDescription:
    """A description that was read.

    Attributes:
        sections: in order.
        groups: the mids of each BUNDLE group, in order.
        group_lines: how an error names each group.
        is_lite: whether its side is an ICE lite agent.
        by_mid: the sections that have a mid.
    """

    sections: tuple[Section, ...]
    groups: tuple[tuple[str, ...], ...] = ()
    is_lite: bool = False
    by_mid: dict[str, Section] = field(default_factory=dict)
    group_lines: tuple[str, ...] = ()

    @property
    def trickles(self) -> bool:
        """Whether its side takes candidates later."""
        return any("trickle" in section.attributes.get("ice-options", "").split() for section in self.sections)

    def first_of_each(self) -> dict[str, Section]:
        """The section that gives the transport of each grouped mid: the first of its group that is in use."""
        result: dict[str, Section] = {}
        for mids in self.groups:
            grouped = [self.by_mid[mid] for mid in mids if self.by_mid[mid].is_in_use]
            result.update({section.mid or "": grouped[0] for section in grouped})
        return result

"""The lines of a description that count here, each with its rule.

A rule is told in words, with its source: `Unreadable` goes into the error that names the line. What has no function
here is not looked at, so a line that nobody uses never makes a description unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from fsm_rtc.peer.sdp.model import DIRECTIONS, Codec, Extension, Fingerprint, Msid, SdpCandidate, Section

RTP_PROTOCOLS = frozenset(
    {"RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"}
    | {f"{lower}/RTP/{upper}" for lower in ("UDP/TLS", "TCP/TLS", "TCP/DTLS") for upper in ("SAVP", "SAVPF")}
)
"""What may stand for RTP over DTLS. Source: RFC 9429, section 5.1.2."""

SCTP_PROTOCOLS = frozenset({"UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP"})

STATIC_CODECS = {
    0: Codec("PCMU", 8000, 1),
    3: Codec("GSM", 8000, 1),
    4: Codec("G723", 8000, 1),
    8: Codec("PCMA", 8000, 1),
    9: Codec("G722", 8000, 1),
    13: Codec("CN", 8000, 1),
    18: Codec("G729", 8000, 1),
    26: Codec("JPEG", 90000, None),
    31: Codec("H261", 90000, None),
    32: Codec("MPV", 90000, None),
    33: Codec("MP2T", 90000, None),
    34: Codec("H263", 90000, None),
}
"""The payload types that need no rtpmap line. Source: RFC 3551, section 6."""

T = TypeVar("T")

TOKEN = re.compile(r"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+")
ICE_CHARACTERS = re.compile(r"[A-Za-z0-9+/]*")
PRINTABLE = re.compile(r"[!-~]+")
DIGEST = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*")
ADDRESS = re.compile(r"[!-~]+")

MAX_MID = 16
"""Characters: a mid has to fit into a header extension of one byte's length, and libwebrtc refuses a longer one."""


class Unreadable(Exception):  # noqa: N818 - never seen outside: the reader makes an error of it
    """A line breaks the rule that its message tells."""


def words_of(value: str) -> list[str]:
    """What blanks separate; not by str.split(), to which U+2028 and others are blanks too."""
    return [word for word in value.split(" ") if word]


def _refuse_if(is_wrong: object, rule: str) -> None:
    if is_wrong:
        raise Unreadable(rule)


def _number(text: str, most: int, rule: str, least: int = 0) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and least <= int(text) <= most):
        raise Unreadable(f"{text[:40]!r} is no number from {least} to {most}: {rule}")
    return int(text)


def _add(found: list[T], one: T, most: int, what: str) -> None:
    if len(found) == most:
        raise Unreadable(f"at most {most} {what} of a section are read")
    found.append(one)


# The line of a section, and what all sections have.


def section_of(value: str, index: int, line: int) -> Section:
    """The section of an m= line."""
    words = words_of(value)
    _refuse_if(len(words) < 4, "an m= line has a kind, a port, a protocol and formats (RFC 8866, section 5.14)")
    kind, port, proto, *formats = words
    _refuse_if(len(formats) > MOST["formats"], f"at most {MOST['formats']} formats of a section are read")
    if not all(PRINTABLE.fullmatch(word) for word in words):
        raise Unreadable("an m= line is of printable ASCII characters (RFC 8866, section 9)")
    number = _number(port, 0xFFFF, "a section has one port (RFC 8866, section 5.14; a count makes no sense with ICE)")
    is_usable = (kind in ("audio", "video") and proto in RTP_PROTOCOLS) or (
        kind == "application" and proto in SCTP_PROTOCOLS
    )
    return Section(kind, index, line, f"m={value}", number, proto, tuple(formats), is_usable=is_usable)


def mid_of(value: str) -> str | None:
    """The identification of a section; None if it is empty."""
    if value and not TOKEN.fullmatch(value):
        raise Unreadable("a mid is a token: no blanks, nothing but ASCII (RFC 5888, section 4)")
    if len(value) > MAX_MID:
        raise Unreadable(f"a mid has at most {MAX_MID} characters, to fit into its header extension (RFC 9143)")
    return value or None


def group_of(value: str) -> tuple[str, ...] | None:
    """The mids of a BUNDLE group, each once; None if it is a group of another kind."""
    semantics, *mids = words_of(value) or [""]
    return tuple(dict.fromkeys(mids)) if semantics == "BUNDLE" else None


# ICE.


def candidate_of(value: str) -> SdpCandidate:
    """The candidate of an attribute's value, without ``candidate:``. Source: RFC 8839, section 5.1."""
    words = words_of(value)
    _refuse_if(len(words) < 8, "a candidate has at least 8 words (RFC 8839, section 5.1)")
    foundation, component, protocol, priority, address, port, typ, kind = words[:8]
    _refuse_if(typ != "typ", f"a candidate's seventh word is 'typ', not {typ[:20]!r} (RFC 8839, section 5.1)")
    if protocol.lower() not in ("udp", "tcp", "ssltcp"):
        raise Unreadable(f"a candidate's transport is udp or tcp, not {protocol[:20]!r} (RFC 8839, RFC 6544)")
    if kind not in ("host", "srflx", "prflx", "relay"):
        raise Unreadable(
            f"a candidate's type is host, srflx, prflx or relay, not {kind[:20]!r} (RFC 8839, section 5.1)"
        )
    if not ADDRESS.fullmatch(address):
        raise Unreadable("a candidate's address is an IP address or a name in ASCII (RFC 8839, section 5.1)")
    rest = words[8:]
    return SdpCandidate(
        f"candidate:{value}",
        foundation,
        _number(component, 999, "a candidate's component has at most three digits (RFC 8839, section 5.1)"),
        protocol,
        _number(priority, 0xFFFFFFFF, "a candidate's priority has 32 bits (RFC 8839, section 5.1)"),
        address,
        _number(port, 0xFFFF, "a candidate's port has 16 bits (RFC 8839, section 5.1)"),
        kind,
        dict(zip(rest[::2], rest[1::2], strict=False)),
    )


def _candidate(section: Section, value: str) -> None:
    section.candidates.append(candidate_of(value))


def _end_of_candidates(section: Section, value: str) -> None:
    section.is_complete = True


def _credential(name: str, least: int, section: Section, value: str) -> None:
    if value and not least <= len(value) <= 256:
        raise Unreadable(f"an {name} has {least} to 256 characters, not {len(value)} (RFC 8839, section 5.4)")
    if not ICE_CHARACTERS.fullmatch(value):
        raise Unreadable(f"an {name} is of letters, digits, + and / (RFC 8839, section 5.4)")
    section.attributes[name] = value


def _keep(name: str, section: Section, value: str) -> None:
    section.attributes[name] = value


# DTLS.


def _fingerprint(section: Section, value: str) -> None:
    words = words_of(value)
    _refuse_if(len(words) != 2, "a fingerprint is a hash function and a digest (RFC 8122, section 5)")
    if not DIGEST.fullmatch(words[1]):
        raise Unreadable("a fingerprint's digest is of bytes in hexadecimal, with colons (RFC 8122, section 5)")
    _add(section.fingerprints, Fingerprint(words[0].lower(), words[1].upper()), MOST["fingerprint"], "fingerprints")


def _setup(section: Section, value: str) -> None:
    if value not in ("actpass", "active", "passive"):
        raise Unreadable("a setup is actpass, active or passive (RFC 8842, section 5.2; RFC 4145)")
    section.setup = value


# RTP.


def _direct(direction: str, section: Section, value: str) -> None:
    section.direction = direction


def _payload_type(text: str, line: str) -> int:
    return _number(text, 127, f"{line} begins with a payload type (RFC 3550)")


def _rtpmap(section: Section, value: str) -> None:
    number, _, rest = value.partition(" ")
    name, _, more = rest.strip(" ").partition("/")
    rate, _, channels = more.partition("/")
    payload_type = _payload_type(number, "an rtpmap")
    if not (rate.isascii() and rate.isdigit() and len(rate) <= 10 and TOKEN.fullmatch(name)):
        return  # nobody could use it, and nobody has to
    count = int(channels) if channels.isascii() and channels.isdigit() and len(channels) <= 3 else 1
    section.codecs[payload_type] = Codec(name, int(rate), count if section.kind == "audio" else None)


def _fmtp(section: Section, value: str) -> None:
    number, space, parameters = value.partition(" ")
    _refuse_if(not space, "an fmtp has a format and its parameters (RFC 8866, section 6.15)")
    if number.isascii() and number.isdigit() and parameters.strip(" "):
        section.parameters[_payload_type(number, "an fmtp")] = parameters


def _feedback(section: Section, value: str) -> None:
    words = words_of(value)
    _refuse_if(len(words) < 2, "an rtcp-fb has a payload type or *, and what is fed back (RFC 4585, section 4.2)")
    number = None if words[0] == "*" else _payload_type(words[0], "an rtcp-fb")
    section.feedback.append((number, words[1], " ".join(words[2:]) or None))


def _extmap(section: Section, value: str) -> None:
    words = words_of(value)
    _refuse_if(len(words) < 2, "an extmap has a number and a URI (RFC 8285, section 8)")
    number = _number(words[0].partition("/")[0], 255, "an extmap begins with its number (RFC 8285, section 8)", 1)
    is_encrypted = words[1] == "urn:ietf:params:rtp-hdrext:encrypt" and len(words) > 2
    _add(
        section.extensions,
        Extension(number, words[1], words[2] if is_encrypted else ""),
        MOST["extmap"],
        "header extensions",
    )


def _msid(section: Section, value: str) -> None:
    words = words_of(value)
    _refuse_if(not 1 <= len(words) <= 2, "an msid names a stream, or - for none, and a track (RFC 8830, section 2)")
    _add(section.msids, Msid(words[0], words[1] if len(words) > 1 else None), MOST["msid"], "streams")


def _ssrc(section: Section, value: str) -> None:
    number, _, attribute = value.partition(" ")
    ssrc = _number(number, 0xFFFFFFFF, "an ssrc begins with a source's 32 bits (RFC 5576, section 4.1)")
    name, colon, said = attribute.partition(":")
    if not name or (name in SSRC_ATTRIBUTES and not colon):
        raise Unreadable("an ssrc has a source and an attribute of it, name:value (RFC 5576, section 4.1)")
    source = section.ssrcs.setdefault(ssrc, {})
    if name in SSRC_ATTRIBUTES:
        source[name] = said


SSRC_ATTRIBUTES = ("cname", "msid")


def _ssrc_group(section: Section, value: str) -> None:
    semantics, *sources = words_of(value) or [""]
    rule = "an ssrc-group is of sources, 32 bits each (RFC 5576, section 4.2)"
    section.ssrc_groups.append((semantics, tuple(_number(source, 0xFFFFFFFF, rule) for source in sources)))


# SCTP.


def _sctp_port(section: Section, value: str) -> None:
    section.sctp_port = _number(value, 0xFFFF, "an sctp-port has 16 bits (RFC 8841, section 5)")


def sctp_port_of(section: Section) -> int | None:
    """The port that stands as the format in the m= line, as written before 2019; None if that is a word."""
    text = section.formats[0]
    if not (text.isascii() and text.isdigit()):
        return None
    return _number(text, 0xFFFF, "an SCTP port has 16 bits (RFC 8841, section 5)")


def _max_message_size(section: Section, value: str) -> None:
    rule = "a max-message-size is a number of bytes, 0 for any (RFC 8841, section 6)"
    section.max_message_size = _number(value, 2**64 - 1, rule)


Reader = Callable[[Section, str], None]

MAX_VALUE = 8192
"""Characters of a line that counts; a BUNDLE group of 256 long mids has half as many."""

MOST = {"formats": 128, "extmap": 64, "msid": 8, "fingerprint": 32}
"""Of one section. No browser writes a tenth."""

TRANSPORT: dict[str, Reader] = {
    "ice-ufrag": partial(_credential, "ice-ufrag", 4),
    "ice-pwd": partial(_credential, "ice-pwd", 22),
    "ice-options": partial(_keep, "ice-options"),
    "candidate": _candidate,
    "end-of-candidates": _end_of_candidates,
    "fingerprint": _fingerprint,
    "setup": _setup,
    "bundle-only": partial(_keep, "bundle-only"),
}

RTP: dict[str, Reader] = {
    **TRANSPORT,
    **{direction: partial(_direct, direction) for direction in DIRECTIONS},
    "rtcp-mux": partial(_keep, "rtcp-mux"),
    "rtpmap": _rtpmap,
    "fmtp": _fmtp,
    "rtcp-fb": _feedback,
    "extmap": _extmap,
    "msid": _msid,
    "ssrc": _ssrc,
    "ssrc-group": _ssrc_group,
}

SCTP: dict[str, Reader] = {
    **TRANSPORT,
    **{direction: partial(_direct, direction) for direction in DIRECTIONS},
    "sctp-port": _sctp_port,
    "max-message-size": _max_message_size,
}

SESSION: dict[str, Reader] = {
    name: read
    for name, read in RTP.items()
    if name in ("ice-ufrag", "ice-pwd", "ice-options", "fingerprint", "setup", "extmap", *DIRECTIONS)
}
"""What a session may say for all its sections. Source: RFC 8866, section 6.7; RFC 8839; RFC 8122; RFC 8285."""


def readers(section: Section | None) -> dict[str, Reader]:
    """The attributes that count in a section, or of the whole session if None."""
    if section is None:
        return SESSION
    return SCTP if section.kind == "application" else RTP

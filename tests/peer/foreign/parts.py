"""What foreign descriptions are made of, written as their makers write them.

A description is the session's lines and its media sections; each of these functions gives lines, ended by CRLF.
"""

from __future__ import annotations

__all__ = [
    "APPLICATION",
    "AUDIO",
    "FINGERPRINT",
    "ICE",
    "SECURE",
    "SESSION",
    "VIDEO",
    "audio",
    "bundle",
    "candidate",
    "data",
    "lines",
    "media",
    "replaced",
    "video",
    "without",
]

FINGERPRINT = "sha-256 " + ":".join(["4A", "AD", "B9", "B1", "3F", "82", "18", "3B"] * 4)


def lines(*texts: str) -> str:
    """Each on a line of its own."""
    return "".join(f"{text}\r\n" for text in texts if text)


SESSION = lines("v=0", "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "s=-", "t=0 0")
ICE = lines("a=ice-ufrag:Fo1o", "a=ice-pwd:asd88fgpdd777uzjYhagZg")
SECURE = ICE + lines(f"a=fingerprint:{FINGERPRINT}", "a=setup:actpass")


def candidate(
    address: str = "127.0.0.1", port: int | str = 9, *, foundation: str = "1", kind: str = "host", rest: str = ""
) -> str:
    """A candidate's attribute, without its ``a=``."""
    return f"candidate:{foundation} 1 udp 2130706431 {address} {port} typ {kind}{rest}"


def bundle(*mids: object) -> str:
    """A group's line."""
    return lines("a=group:BUNDLE " + " ".join(map(str, mids)))


def media(
    kind: str, formats: str, *attributes: str, mid: object = 0, port: object = 9, proto: str = "UDP/TLS/RTP/SAVPF"
) -> str:
    """A section's m= and c= lines, its mid (none if None), and attributes."""
    return lines(
        f"m={kind} {port} {proto} {formats}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{mid}" if mid is not None else "",
        *(f"a={attribute}" for attribute in attributes),
    )


AUDIO = ("rtcp-mux", "sendrecv", "rtpmap:111 opus/48000/2", "fmtp:111 minptime=10;useinbandfec=1")
VIDEO = ("rtcp-mux", "sendrecv", "rtpmap:96 VP8/90000", "rtcp-fb:96 nack", "rtcp-fb:96 nack pli", "rtcp-fb:96 ccm fir")
APPLICATION = ("sctp-port:5000", "max-message-size:262144")


def audio(*more: str, mid: object = 0, formats: str = "111", secure: str = SECURE, **how: object) -> str:
    """An Opus section, with further attributes."""
    return media("audio", formats, *AUDIO, *more, mid=mid, **how) + secure  # type: ignore[arg-type]


def video(*more: str, mid: object = 1, formats: str = "96", secure: str = SECURE, **how: object) -> str:
    """A VP8 section, with further attributes."""
    return media("video", formats, *VIDEO, *more, mid=mid, **how) + secure  # type: ignore[arg-type]


def data(*more: str, mid: object = 2, secure: str = SECURE, **how: object) -> str:
    """A section for data channels, with further attributes."""
    how = {"proto": "UDP/DTLS/SCTP", **how}
    return media("application", "webrtc-datachannel", *APPLICATION, *more, mid=mid, **how) + secure  # type: ignore[arg-type]


def replaced(text: str, old: str, new: str) -> str:
    """The text with something else in it, which must be there."""
    assert old in text, f"{old!r} is not there"
    return text.replace(old, new)


def without(text: str, *starts: str) -> str:
    """The text without the lines that begin so."""
    kept = [line for line in text.splitlines(keepends=True) if not line.startswith(starts)]
    assert len(kept) < len(text.splitlines()), f"no line begins with {starts}"
    return "".join(kept)

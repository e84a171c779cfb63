"""Counterpart: the other side of a connection under test, as text.

It writes the offers and answers that such a side would send, in the tested stack's own words, with an identity of its
own; it never connects.
"""

from __future__ import annotations

import re

from fsm_rtc.conformance.protocol import StackDescription

__all__ = [
    "Counterpart",
    "first_mid",
    "ice_credentials",
    "media_count",
    "with_other_fingerprint",
    "without_fingerprint",
]

UFRAG = "counterpart"
PASSWORD = "aPasswordOfACounterpart0123"  # noqa: S105 - it protects nothing
FINGERPRINT = "sha-256 " + ":".join(["C0", "DE"] * 16)

_OF_THE_SENDER = re.compile(
    r"a=(candidate|end-of-candidates|fingerprint|ssrc|ssrc-group|msid|ice-options|remote-candidates)\b"
)
_ROLES = {"offer": "actpass", "answer": "active", "pranswer": "active"}


def _lines(sdp: str) -> list[str]:
    return [line for line in sdp.replace("\r\n", "\n").split("\n") if line]


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\r\n" for line in lines)


def media_count(sdp: str) -> int:
    """How many media sections a description has, without the data section."""
    return sum(line.startswith(("m=audio", "m=video")) for line in _lines(sdp))


def ice_credentials(sdp: str) -> frozenset[tuple[str, str]]:
    """A description's ICE user fragments, each with its password."""
    lines = _lines(sdp)
    fragments = (line for line in lines if line.startswith("a=ice-ufrag:"))
    passwords = (line for line in lines if line.startswith("a=ice-pwd:"))
    return frozenset(zip(fragments, passwords, strict=False))


def first_mid(sdp: str) -> str:
    """The name of a description's first section, or ``0``."""
    return next((line[6:] for line in _lines(sdp) if line.startswith("a=mid:")), "0")


def without_fingerprint(sdp: str) -> str:
    """The description with its DTLS fingerprints left out."""
    return _text([line for line in _lines(sdp) if not line.startswith("a=fingerprint")])


def with_other_fingerprint(sdp: str) -> str:
    """The description with the fingerprint of somebody else's certificate."""
    lines = [line for line in _lines(sdp) if not line.startswith("a=fingerprint")]
    return _text([part for line in lines for part in _with_fingerprint(line)])


def _with_fingerprint(line: str) -> tuple[str, ...]:
    return (f"a=fingerprint:{FINGERPRINT}", line) if line.startswith("a=setup:") else (line,)


class Counterpart:
    """The other side of one connection.

    Args:
        pattern: an offer of the stack with a data section: how it writes one.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._version = 1

    def offer(self, agreed: str = "") -> StackDescription:
        """An offer with the sections of `agreed`, a description of the last exchange, or with a data section."""
        return StackDescription("offer", self._written(agreed or self._pattern, "offer"))

    def answer(self, offer: str = "", kind: str = "answer") -> StackDescription:
        """An answer to the stack's `offer`, or one to an offer that nobody has made."""
        return StackDescription(kind, self._written(offer or self._pattern, kind))

    def _written(self, pattern: str, kind: str) -> str:
        """The description in the pattern's words, as this side would have written it."""
        self._version += 1
        written: list[str] = []
        for line in _lines(pattern):
            if line.startswith("o="):
                line = f"o=- 20261123 {self._version} IN IP4 127.0.0.1"
            elif line.startswith("a=ice-ufrag:"):
                line = f"a=ice-ufrag:{UFRAG}"
            elif line.startswith("a=ice-pwd:"):
                line = f"a=ice-pwd:{PASSWORD}"
            elif line.startswith("a=setup:"):
                written.append(f"a=fingerprint:{FINGERPRINT}")
                line = f"a=setup:{_ROLES[kind]}"
            elif _OF_THE_SENDER.match(line):
                continue
            written.append(line)
        return _text(written)

"""Why a call ends, as a program reads it, and as it stands in a goodbye.

A goodbye's payload is for people. Where a program acts on it, it begins with a code and a colon; one without, from a
side of an earlier version, is known by its sentence. Source: docs/protocol.md, bye.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["CODES_FEATURE", "SENTENCES", "EndCode", "read_end", "written_end"]


class EndCode(StrEnum):
    """What a side that gets a goodbye, or shows one, does something about."""

    CLOSED = "closed"
    NOT_TRUSTED = "not_trusted"
    NAMESAKE = "namesake"
    CONNECTION_FAILED = "connection_failed"
    CONNECTION_LOST = "connection_lost"


CODES_FEATURE = "codes"
"""What a side that reads codes says of itself in its introduction; another one gets the sentences, as ever."""

SENTENCES: Mapping[EndCode, str] = {
    EndCode.CLOSED: "closed",
    EndCode.NOT_TRUSTED: "the other side does not trust this key under that name",
    EndCode.NAMESAKE: "somebody else was the first under that name",
    EndCode.CONNECTION_FAILED: "the connection has failed",
    EndCode.CONNECTION_LOST: "the connection was lost: the other side is gone",
}
"""What each is called where people read it."""

_BY_SENTENCE = {sentence: code for code, sentence in SENTENCES.items()}


def written_end(reason: str, code: EndCode | None) -> str:
    """The payload of a goodbye; a sentence that says no more than its code is left out."""
    if code is None:
        return reason
    return f"{code}: {reason}" if reason != code.value else code.value


def read_end(payload: str) -> tuple[str, EndCode | None]:
    """The sentence for people in a goodbye, and its code; None if it has none that is known here."""
    if payload in _BY_SENTENCE:
        return payload, _BY_SENTENCE[payload]
    code, found, reason = payload.partition(": ")
    known = EndCode(code) if code in set(EndCode) else None
    if known is None or not found:
        return payload, known
    return reason, known

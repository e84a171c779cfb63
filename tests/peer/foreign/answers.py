"""Foreign answers to this side's own offer of an audio, a video and a data section: its peer's answer, changed.

Each changes an answer's text; what Chromium makes of it, as the offerer, stands in ``chromium.json``; see `ask`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["ANSWERS", "Change"]

Change = Callable[[str], str]


def changed(pattern: str, replacement: str, count: int = 0) -> Change:
    """A change of what matches, which must be there."""

    def change(answer: str) -> str:
        result, number = re.subn(pattern, replacement, answer, count=count, flags=re.MULTILINE)
        assert number, f"nothing matches {pattern}"
        return result

    return change


def both(*changes: Change) -> Change:
    """One change after the other."""

    def change(answer: str) -> str:
        for one in changes:
            answer = one(answer)
        return answer

    return change


def sections(order: Callable[[list[str]], list[str]]) -> Change:
    """The same sections in another order, or number."""

    def change(answer: str) -> str:
        head, *parts = re.split(r"^(?=m=)", answer, flags=re.MULTILINE)
        return "".join([head, *order(parts)])

    return change


GROUP = r"^a=group:.*\r\n"
MIDS = r"^a=mid:.*\r\n"
NO_GROUP = changed(GROUP, "")

ANSWERS: dict[str, Change] = {
    "answer: as it is": lambda answer: answer,
    "answer: no mids": both(NO_GROUP, changed(MIDS, "")),
    "answer: no mid in the last": both(NO_GROUP, changed(r"a=mid:2\r\n", "")),
    "answer: other mids": both(NO_GROUP, changed(r"a=mid:(\d)", r"a=mid:x\1")),
    "answer: a mid twice": both(NO_GROUP, changed("a=mid:1", "a=mid:0")),
    "answer: no group": NO_GROUP,
    "answer: audio and video bundled": changed(GROUP, "a=group:BUNDLE 0 1\r\n"),
    "answer: groups in another order": changed(GROUP, "a=group:BUNDLE 2 1 0\r\n"),
    "answer: two groups of one offered": changed(GROUP, "a=group:BUNDLE 0\r\na=group:BUNDLE 1 2\r\n"),
    "answer: a group of a mid that isn't there": changed(GROUP, "a=group:BUNDLE 0 1 2 3\r\n"),
    "answer: sections in another order": both(NO_GROUP, sections(lambda parts: parts[::-1])),
    "answer: a section too few": both(NO_GROUP, sections(lambda parts: parts[:-1])),
    "answer: a section too many": both(NO_GROUP, sections(lambda parts: [*parts, parts[0].replace("mid:0", "mid:9")])),
    "answer: another kind": both(NO_GROUP, changed("^m=audio", "m=video")),
    "answer: setup actpass": changed("a=setup:active", "a=setup:actpass"),
    "answer: setup passive": changed("a=setup:active", "a=setup:passive"),
    "answer: setup holdconn": changed("a=setup:active", "a=setup:holdconn"),
    "answer: no setup": changed(r"a=setup:active\r\n", ""),
    "answer: RTP/SAVPF": changed("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"),
    "answer: RTP/AVP": changed("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
    "answer: DTLS/SCTP": changed("UDP/DTLS/SCTP", "DTLS/SCTP"),
    "answer: all rejected": both(NO_GROUP, changed(r"^(m=\S+) \d+", r"\1 0")),
    "answer: video rejected": both(changed(GROUP, "a=group:BUNDLE 0 2\r\n"), changed(r"^m=video \d+", "m=video 0")),
    "answer: audio rejected": both(changed(GROUP, "a=group:BUNDLE 1 2\r\n"), changed(r"^m=audio \d+", "m=audio 0")),
    "answer: audio rejected and in the group": changed(r"^m=audio \d+", "m=audio 0"),
    "answer: no rtcp-mux": changed(r"a=rtcp-mux\r\n", ""),
    "answer: no ice-pwd": changed(r"a=ice-pwd:.*\r\n", ""),
    "answer: short ice-pwd": changed("a=ice-pwd:.*\r\n", "a=ice-pwd:abcdefgh\r\n"),
    "answer: no fingerprint": changed(r"a=fingerprint:.*\r\n", ""),
    "answer: candidate port 99999": changed(
        r"a=mid:0\r\n", "a=mid:0\r\na=candidate:1 1 udp 1 127.0.0.1 99999 typ host\r\n"
    ),
    "answer: ice-lite": changed(r"^t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n"),
    "answer: audio sendrecv to what isn't received": changed("a=recvonly", "a=sendrecv"),
    "answer: LF alone": changed("\r\n", "\n"),
    "answer: codecs of nobody": changed(r"^(m=video \d+ \S+) .*\r\n", "\\1 35\r\n"),
    "answer: an extension that wasn't offered": changed(
        r"a=mid:0\r\n", "a=mid:0\r\na=extmap:14 urn:example:unknown\r\n"
    ),
}

"""Where this side's verdict on a foreign description is another one than Chromium's: each is in docs/deviations.md."""

from __future__ import annotations

__all__ = ["DEVIATIONS", "REASONS"]

REASONS: dict[str, tuple[str, ...]] = {
    "mids made up": (
        "SIP gateway, WebRTC, no mid",
        "old Firefox",
        "mid: none",
        "mid: none in the second",
        "mid: none and data",
        "mid: empty",
        "mid: as a made up one might be",
        "beside: T.38 without a mid",
        "beside: MSRP",
        "beside: BFCP",
        "only: T.38 over udptl",
    ),
    "the order of a group": ("bundle: in another order", "bundle: names no section"),
    "setup in each section": ("bundle: the others have no transport",),
    "protocols": (
        "proto: TCP/DTLS/RTP/SAVPF",
        "proto: unknown",
        "proto: unknown, beside",
        "proto: unknown, beside, port 0",
        "proto: lower case",
    ),
    "sections out of use": (
        "candidate: malformed in a rejected section",
        "candidate: malformed in a section of no kind",
        "answer: audio rejected and in the group",
    ),
    "lines out of use": (
        "codec: fmtp of a number not offered",
        "codec: rtx without its apt",
        "codec: rtx of a codec that isn't there",
        "rtcp-fb: of a number not offered",
        "dtls: hash unknown beside sha-256",
        "simulcast: recv",
        "simulcast: malformed",
        "text: b= that isn't a number",
        "text: c= with a TTL",
        "text: c= that is none",
        "answer: codecs of nobody",
        "answer: an extension that wasn't offered",
    ),
    "static codecs under other numbers": ("codec: PCMU under a number of its own",),
    "characters of ICE credentials": ("ice: pwd of wrong characters",),
    "sha-1": ("dtls: sha-1 alone",),
    "directions of the session": ("direction: inactive at the session's level",),
    "blanks and line ends": (
        "candidate: two blanks between the words",
        "text: no final line end",
        "text: empty lines at the end",
        "text: s= empty",
    ),
    "version": ("text: v=1",),
}
"""By what stands in the documentation."""

DEVIATIONS = {name: reason for reason, names in REASONS.items() for name in names}

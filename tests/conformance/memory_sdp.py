"""The session descriptions of the stack in memory."""

from __future__ import annotations

import re

__all__ = ["is_sdp", "mids_of", "password_of", "sections_of", "ufrag_of", "written"]

FIRST_PASSWORD = "0123456789012345678901"


def written(sections: list[str], ufrag: str, version: int, setup: str, password: str = FIRST_PASSWORD) -> str:
    """A description with these sections."""
    mids = " ".join(map(str, range(len(sections))))
    lines = ["v=0", f"o=- 1 {version} IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {mids}"]
    for mid, kind in enumerate(sections):
        protocol = "UDP/DTLS/SCTP webrtc-datachannel" if kind == "application" else "UDP/TLS/RTP/SAVPF 0"
        lines += [
            f"m={kind} 9 {protocol}",
            "c=IN IP4 0.0.0.0",
            f"a=mid:{mid}",
            f"a=ice-ufrag:{ufrag}",
            f"a=ice-pwd:{password}",
            f"a=fingerprint:sha-256 {ufrag}",
            f"a=setup:{setup}",
        ]
    return "".join(f"{line}\r\n" for line in lines)


def is_sdp(sdp: str) -> bool:
    return sdp.startswith("v=0")


def sections_of(sdp: str) -> list[str]:
    return re.findall(r"^m=(\w+)", sdp, re.MULTILINE)


def mids_of(sdp: str) -> list[str]:
    return re.findall(r"^a=mid:(\S+)", sdp, re.MULTILINE)


def password_of(sdp: str) -> str:
    found = re.search(r"^a=ice-pwd:(\S+)", sdp, re.MULTILINE)
    return found[1] if found else ""


def ufrag_of(sdp: str) -> str:
    found = re.search(r"^a=ice-ufrag:(\S+)", sdp, re.MULTILINE)
    return found[1] if found else ""

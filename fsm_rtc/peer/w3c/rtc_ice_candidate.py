"""RTCIceCandidate as webrtc-pc has it; aiortc's own is taken as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import aiortc
from aiortc.sdp import candidate_from_sdp, candidate_to_sdp

from fsm_rtc.engine.doors import text
from fsm_rtc.peer.description import IceCandidate, SdpType
from fsm_rtc.peer.w3c.rtc_errors import BadArgumentError, argued


@dataclass(eq=False)
class RTCSessionDescription(aiortc.RTCSessionDescription):
    """One side's offer or answer, or a rollback.

    Attributes:
        sdp: the description itself; empty for a rollback, or for the description that was created last.
        type: ``offer``, ``pranswer``, ``answer`` or ``rollback``; or None, for the one that is due.
    """

    sdp: str = ""
    type: str | None = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.type not in (None, *get_args(SdpType)):
            raise BadArgumentError(
                f"'type' must be in {list(get_args(SdpType))} (got {self.type!r})"  # aiortc's sentence
            )

    def __eq__(self, other: object) -> bool:
        is_one = isinstance(other, aiortc.RTCSessionDescription)
        return is_one and (self.type, self.sdp) == (other.type, other.sdp)  # type: ignore[attr-defined]

    __hash__ = None  # type: ignore[assignment]

    def toJSON(self) -> dict[str, str | None]:
        """``{"type", "sdp"}``, to be sent to the other side."""
        return {"type": self.type, "sdp": self.sdp}


class RTCIceCandidate:
    """One address at which a peer may be reached.

    Args:
        candidate: the candidate attribute; empty for the end of candidates.
        sdpMid: the media section's identification, or None.
        sdpMLineIndex: the media section's index from 0, or None.
        usernameFragment: the ICE user fragment that it belongs to, or None.

    Attributes:
        foundation, component, priority, address, ip, protocol, port, type, tcpType, relatedAddress, relatedPort: what
            the candidate attribute says; None if it is empty or can't be read.

    Raises:
        TypeError: both sdpMid and sdpMLineIndex are None.
    """

    def __init__(
        self,
        candidate: str = "",
        sdpMid: str | None = None,
        sdpMLineIndex: int | None = None,
        usernameFragment: str | None = None,
    ) -> None:
        with argued():
            for name, value in (("candidate", candidate), ("sdpMid", sdpMid), ("usernameFragment", usernameFragment)):
                if value is not None or name == "candidate":
                    text(value, name, TypeError)
        self.candidate = candidate
        self.sdpMid = sdpMid
        self.sdpMLineIndex = sdpMLineIndex
        self.usernameFragment = usernameFragment
        read = _read(candidate)
        self.foundation = read.foundation if read else None
        self.component = ("rtp" if read.component == 1 else "rtcp") if read else None
        self.priority = read.priority if read else None
        self.address = self.ip = read.ip if read else None
        self.protocol = read.protocol.lower() if read else None
        self.port = read.port if read else None
        self.type = read.type if read else None
        self.tcpType = read.tcpType if read else None
        self.relatedAddress = read.relatedAddress if read else None
        self.relatedPort = read.relatedPort if read else None

    def toJSON(self) -> dict[str, str | int | None]:
        """``{"candidate", "sdpMid", "sdpMLineIndex", "usernameFragment"}``, to be sent to the other side."""
        return {
            "candidate": self.candidate,
            "sdpMid": self.sdpMid,
            "sdpMLineIndex": self.sdpMLineIndex,
            "usernameFragment": self.usernameFragment,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RTCIceCandidate) and self.toJSON() == other.toJSON()

    def __hash__(self) -> int:
        return hash(tuple(self.toJSON().values()))

    def __repr__(self) -> str:
        return f"RTCIceCandidate({self.candidate!r}, {self.sdpMid!r}, {self.sdpMLineIndex!r})"


class RTCPeerConnectionIceEvent:
    """What ``icecandidate`` tells.

    Attributes:
        candidate: an RTCIceCandidate, or None when there are no more.
    """

    def __init__(self, candidate: RTCIceCandidate | None) -> None:
        self.candidate = candidate


def as_candidate(candidate: Any) -> IceCandidate | None:
    """What addIceCandidate was given: an RTCIceCandidate, aiortc's or ours, a dictionary, or None for no more.

    Raises:
        TypeError: it names neither a section's mid nor its index.
    """
    if candidate is None:
        return None
    if isinstance(candidate, dict):
        candidate = RTCIceCandidate(**{name: candidate[name] for name in _NAMES if name in candidate})
    if not isinstance(candidate, aiortc.RTCIceCandidate) and not hasattr(candidate, "usernameFragment"):
        raise BadArgumentError(
            f"a candidate is an RTCIceCandidate, or what its toJSON gives, not {type(candidate).__name__}; "
            "read JSON text with json.loads"
        )
    if isinstance(candidate, aiortc.RTCIceCandidate):
        text, ufrag = f"candidate:{candidate_to_sdp(candidate)}", None
    else:
        text, ufrag = candidate.candidate, candidate.usernameFragment
    if text and candidate.sdpMid is None and candidate.sdpMLineIndex is None:
        raise BadArgumentError("Candidate must have either sdpMid or sdpMLineIndex")
    return IceCandidate(text, candidate.sdpMid, candidate.sdpMLineIndex, ufrag)


_NAMES = ("candidate", "sdpMid", "sdpMLineIndex", "usernameFragment")


def _read(candidate: str) -> Any:
    try:
        return candidate_from_sdp(candidate.removeprefix("candidate:"))
    except (AssertionError, IndexError, ValueError):
        return None

"""What two peers tell each other: session descriptions and ICE candidates, in the browser's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Self, cast, get_args

from fsm_rtc.errors import InvalidCandidateError, InvalidDescriptionError

SdpType = Literal["offer", "pranswer", "answer", "rollback"]


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """RTCSessionDescription: one side's offer or answer.

    Args:
        type: ``offer``, ``pranswer``, ``answer`` or ``rollback``.
        sdp: the description itself; empty for a rollback.

    Attributes:
        known: what it says, once `fsm_rtc.peer.sdp.read` has read it; the same object is handed on, and read once.

    Raises:
        InvalidDescriptionError: the type is none of these, or the SDP is no text.
    """

    type: SdpType
    sdp: str = ""
    known: object = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.type not in get_args(SdpType):
            raise InvalidDescriptionError(
                f"a description's type is one of {', '.join(get_args(SdpType))}, not {self.type!r}", detail="type"
            )
        if not _is_text(self.sdp):
            raise InvalidDescriptionError(
                f"a description's sdp is a string, not {type(self.sdp).__name__}", detail="sdp"
            )

    def to_dict(self) -> dict[str, str]:
        """``{"type": …, "sdp": …}``, as browsers write it."""
        return {"type": self.type, "sdp": self.sdp}

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read the browser's form.

        Raises:
            InvalidDescriptionError: `data` is not of that form.
        """
        if not isinstance(data, Mapping) or "type" not in data:
            raise InvalidDescriptionError(
                'a description is {"type": "offer", "sdp": "…"}; pass what the other side sent, parsed from JSON',
                detail="type",
            )
        return cls(cast("SdpType", data["type"]), data.get("sdp", ""))


@dataclass(frozen=True, slots=True)
class IceCandidate:
    """RTCIceCandidate: one address at which a peer may be reached.

    Args:
        candidate: the candidate attribute, ``candidate:… typ host``; empty for the end of candidates of one section.
        sdp_mid: the media section's identification, or None.
        sdp_m_line_index: the media section's index from 0, or None.
        username_fragment: the ICE user fragment that it belongs to, or None for the newest.

    Attributes:
        known: what it says, once `fsm_rtc.peer.sdp.read_candidate` has read it.

    Raises:
        InvalidCandidateError: a field has the wrong type.
    """

    candidate: str
    sdp_mid: str | None = None
    sdp_m_line_index: int | None = None
    username_fragment: str | None = None
    known: object = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        texts = [text for text in (self.sdp_mid, self.username_fragment) if text is not None]
        if not all(_is_text(text) for text in (self.candidate, *texts)):
            raise InvalidCandidateError(
                "a candidate's candidate, sdpMid and usernameFragment are strings; pass what the other side sent"
            )
        if not (self.sdp_m_line_index is None or _is_index(self.sdp_m_line_index)):
            raise InvalidCandidateError(
                f"a candidate's sdpMLineIndex is an integer from 0 to 65535, not {self.sdp_m_line_index!r}"
            )

    def to_dict(self) -> dict[str, str | int | None]:
        """``{"candidate": …, "sdpMid": …, "sdpMLineIndex": …}``, as browsers write it."""
        data = {"candidate": self.candidate, "sdpMid": self.sdp_mid, "sdpMLineIndex": self.sdp_m_line_index}
        return data if self.username_fragment is None else {**data, "usernameFragment": self.username_fragment}

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read the browser's form.

        Raises:
            InvalidCandidateError: `data` is not of that form.
        """
        if not isinstance(data, Mapping) or "candidate" not in data:
            raise InvalidCandidateError(
                'a candidate is {"candidate": "candidate:…", "sdpMid": "0", "sdpMLineIndex": 0}; '
                "pass what the other side sent"
            )
        return cls(data["candidate"], data.get("sdpMid"), data.get("sdpMLineIndex"), data.get("usernameFragment"))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0xFFFF

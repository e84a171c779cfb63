"""RTCSessionDescription: aiortc's, which may leave out the SDP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import aiortc

from fsm_rtc.peer.description import SdpType
from fsm_rtc.peer.rtc_errors import BadArgumentError

__all__ = ["RTCSessionDescription"]


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

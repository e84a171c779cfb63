"""What was created and applied on one peer connection: the context in which `Negotiation` decides.

Source: webrtc-pc, #dfn-lastcreatedoffer and #dfn-currentlocaldescription.
"""

from __future__ import annotations

from typing import Literal

from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.sdp import with_candidate

__all__ = ["Descriptions", "Side"]

Side = Literal["local", "remote"]


class Descriptions:
    """The last created, the pending and the current descriptions of both sides.

    Attributes:
        last_offer: what create_offer returned last, or None.
        last_answer: what create_answer returned last, or None.
        current_local, current_remote: those of the last complete negotiation, or None.
        pending_local, pending_remote: those of the negotiation under way, or None.
    """

    def __init__(self) -> None:
        self.last_offer: SessionDescription | None = None
        self.last_answer: SessionDescription | None = None
        self.current_local: SessionDescription | None = None
        self.current_remote: SessionDescription | None = None
        self.pending_local: SessionDescription | None = None
        self.pending_remote: SessionDescription | None = None

    @property
    def last_created_offer(self) -> str:
        return self.last_offer.sdp if self.last_offer else ""

    @property
    def last_created_answer(self) -> str:
        return self.last_answer.sdp if self.last_answer else ""

    @property
    def local(self) -> SessionDescription | None:
        return self.pending_local or self.current_local

    @property
    def remote(self) -> SessionDescription | None:
        return self.pending_remote or self.current_remote

    def created(self, trigger: str) -> SessionDescription | None:
        """What was created last for this trigger."""
        return self.last_offer if trigger == "set_local_offer" else self.last_answer

    def applied_local(self, description: SessionDescription) -> None:
        self.pending_local = description
        self._finish(description)

    def applied_remote(self, description: SessionDescription) -> None:
        self.pending_remote = description
        self._finish(description)

    def add_candidate(self, side: Side, candidate: IceCandidate | None) -> None:
        """Write a candidate into the descriptions that it belongs to; None ends every section's candidates."""
        for name in (f"pending_{side}", f"current_{side}"):
            description = getattr(self, name)
            if description is not None:
                sdp = with_candidate(description.sdp, candidate)
                setattr(self, name, SessionDescription(description.type, sdp))

    def forget_created(self) -> None:
        """The negotiation is complete: what was created for it can't be applied again. Source: #set-description."""
        self.last_offer = self.last_answer = None

    def rolled_back(self) -> None:
        self.pending_local = self.pending_remote = None

    def _finish(self, description: SessionDescription) -> None:
        if description.type == "answer":
            self.current_local, self.current_remote = self.local, self.remote
            self.pending_local = self.pending_remote = None

"""What was created and applied on one peer connection: the context in which `Negotiation` decides.

Source: webrtc-pc, #dfn-lastcreatedoffer and #dfn-currentlocaldescription.
"""

from __future__ import annotations

from fsm_rtc.peer.description import SessionDescription

__all__ = ["Descriptions"]


class Descriptions:
    """The last created, the pending and the current descriptions of both sides.

    Attributes:
        last_offer: what create_offer returned last, or None.
        last_answer: what create_answer returned last, or None.
    """

    def __init__(self) -> None:
        self.last_offer: SessionDescription | None = None
        self.last_answer: SessionDescription | None = None
        self._current: tuple[SessionDescription | None, SessionDescription | None] = (None, None)
        self._pending_local: SessionDescription | None = None
        self._pending_remote: SessionDescription | None = None

    @property
    def last_created_offer(self) -> str:
        return self.last_offer.sdp if self.last_offer else ""

    @property
    def last_created_answer(self) -> str:
        return self.last_answer.sdp if self.last_answer else ""

    @property
    def local(self) -> SessionDescription | None:
        return self._pending_local or self._current[0]

    @property
    def remote(self) -> SessionDescription | None:
        return self._pending_remote or self._current[1]

    def created(self, trigger: str) -> SessionDescription | None:
        """What was created last for this trigger."""
        return self.last_offer if trigger == "set_local_offer" else self.last_answer

    def applied_local(self, description: SessionDescription) -> None:
        self._pending_local = description
        self._finish(description)

    def applied_remote(self, description: SessionDescription) -> None:
        self._pending_remote = description
        self._finish(description)

    def forget_created(self) -> None:
        """The negotiation is complete: what was created for it can't be applied again. Source: #set-description."""
        self.last_offer = self.last_answer = None

    def rolled_back(self) -> None:
        self._pending_local = self._pending_remote = None

    def _finish(self, description: SessionDescription) -> None:
        if description.type == "answer":
            self._current = (self._pending_local, self._pending_remote)
            self._pending_local = self._pending_remote = None

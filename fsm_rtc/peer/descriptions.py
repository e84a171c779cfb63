"""What was created and applied on one peer connection: the context in which `Negotiation` decides.

Source: webrtc-pc, #dfn-lastcreatedoffer and #dfn-currentlocaldescription.
"""

from __future__ import annotations

from typing import Literal

from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.sdp import with_candidates

__all__ = ["Applied", "Descriptions", "Side"]

Side = Literal["local", "remote"]


class Applied:
    """A description that was applied, and the candidates that came after it; written together when somebody looks.

    Args:
        base: as it was applied; what it says was read once and stays read.
    """

    def __init__(self, base: SessionDescription) -> None:
        self.base = base
        self._candidates: dict[IceCandidate | None, None] = {}
        self._written: SessionDescription | None = base

    @property
    def written(self) -> SessionDescription:
        """The description with its candidates."""
        if self._written is None:
            self._written = with_candidates(self.base, self._candidates)
        return self._written

    def add(self, candidate: IceCandidate | None) -> None:
        """Add a candidate; None ends every section's."""
        if candidate not in self._candidates:
            self._candidates[candidate] = self._written = None

    def __contains__(self, candidate: IceCandidate | None) -> bool:
        return candidate in self._candidates

    def __len__(self) -> int:
        """How many candidates came after it."""
        return len(self._candidates)


class Descriptions:
    """The last created, the pending and the current descriptions of both sides.

    Attributes:
        last_offer: what create_offer returned last, or None.
        last_answer: what create_answer returned last, or None.
        slots: those of the last complete negotiation (current) and those under way (pending), by name.
    """

    def __init__(self) -> None:
        self.last_offer: SessionDescription | None = None
        self.last_answer: SessionDescription | None = None
        self.slots: dict[str, Applied] = {}

    @property
    def last_created_offer(self) -> str:
        return self.last_offer.sdp if self.last_offer else ""

    @property
    def last_created_answer(self) -> str:
        return self.last_answer.sdp if self.last_answer else ""

    @property
    def current_local(self) -> SessionDescription | None:
        """This side's of the last complete negotiation, or None."""
        return self._written("current_local")

    @property
    def current_remote(self) -> SessionDescription | None:
        """The other side's of the last complete negotiation, or None."""
        return self._written("current_remote")

    @property
    def pending_local(self) -> SessionDescription | None:
        """This side's of the negotiation under way, or None."""
        return self._written("pending_local")

    @property
    def pending_remote(self) -> SessionDescription | None:
        """The other side's of the negotiation under way, or None."""
        return self._written("pending_remote")

    @property
    def local(self) -> SessionDescription | None:
        return self.pending_local or self.current_local

    @property
    def remote(self) -> SessionDescription | None:
        return self.pending_remote or self.current_remote

    @property
    def applied_remotes(self) -> list[Applied]:
        """The other side's, the pending one first."""
        return [self.slots[name] for name in ("pending_remote", "current_remote") if name in self.slots]

    def created(self, trigger: str) -> SessionDescription | None:
        """What was created last for this trigger."""
        return self.last_offer if trigger == "set_local_offer" else self.last_answer

    def applied_local(self, description: SessionDescription) -> None:
        self._apply("local", description)

    def applied_remote(self, description: SessionDescription) -> None:
        self._apply("remote", description)

    def add_candidate(self, side: Side, candidate: IceCandidate | None) -> None:
        """Write a candidate into the descriptions that it belongs to; None ends every section's candidates."""
        for name in (f"pending_{side}", f"current_{side}"):
            if name in self.slots:
                self.slots[name].add(candidate)

    def forget_created(self) -> None:
        """The negotiation is complete: what was created for it can't be applied again. Source: #set-description."""
        self.last_offer = self.last_answer = None

    def rolled_back(self) -> None:
        self.slots.pop("pending_local", None)
        self.slots.pop("pending_remote", None)

    def _written(self, name: str) -> SessionDescription | None:
        return self.slots[name].written if name in self.slots else None

    def _apply(self, side: Side, description: SessionDescription) -> None:
        self.slots[f"pending_{side}"] = Applied(description)
        if description.type == "answer":
            for one in ("local", "remote"):
                if f"pending_{one}" in self.slots:
                    self.slots[f"current_{one}"] = self.slots.pop(f"pending_{one}")

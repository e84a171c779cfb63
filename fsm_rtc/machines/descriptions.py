"""The four descriptions of a session, and how it was in stable: what a negotiation fills, completes and takes back.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #set-description, #dfn-currentlocaldescription,
#dfn-pendinglocaldescription; RFC 9429, section 5.7, for a rollback. There is one of these for each thing that knows
descriptions in its own way: as text, as read for a library, or by their types alone, as the conformance kit's oracle.

Left out: whether a description may be set, which `negotiation` decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, Literal, TypeVar

from fsm_rtc.machines.negotiation import SignalingState

__all__ = ["OFFERED_BY", "Kind", "Side", "Slots"]

D = TypeVar("D")
S = TypeVar("S")

Side = Literal["local", "remote"]
Kind = Literal["offer", "pranswer", "answer"]

OFFERED_BY: Mapping[SignalingState, Side] = {
    SignalingState.HAVE_LOCAL_OFFER: "local",
    SignalingState.HAVE_REMOTE_PRANSWER: "local",
    SignalingState.HAVE_REMOTE_OFFER: "remote",
    SignalingState.HAVE_LOCAL_PRANSWER: "remote",
}
"""Whose offer is pending, by signalling state."""


class Slots(Generic[D, S]):
    """The pending and the current descriptions of both sides.

    ``D`` is how a description is kept, ``S`` what a rollback needs of how it was in stable.

    Attributes:
        current_local, current_remote: those of the last complete negotiation, or None.
        pending_local, pending_remote: those of the negotiation under way, or None.
        before: how it was in stable, while a negotiation is under way that was told so; or None.
    """

    def __init__(self) -> None:
        self.current_local: D | None = None
        self.current_remote: D | None = None
        self.pending_local: D | None = None
        self.pending_remote: D | None = None
        self.before: S | None = None

    def of(self, side: Side) -> tuple[D, ...]:
        """One side's, the pending one first."""
        local = side == "local"
        both = (self.pending_local, self.current_local) if local else (self.pending_remote, self.current_remote)
        return tuple(one for one in both if one is not None)

    @property
    def local(self) -> D | None:
        """This side's, pending or current."""
        return next(iter(self.of("local")), None)

    @property
    def remote(self) -> D | None:
        """The other side's, pending or current."""
        return next(iter(self.of("remote")), None)

    @property
    def has_remote(self) -> bool:
        """Whether there is one of the other side's."""
        return bool(self.of("remote"))

    def remember(self, take: Callable[[], S]) -> None:
        """Keep how it is in stable, for a rollback; a later description of the same negotiation changes nothing.

        Args:
            take: tells how it is now; called before the first description of a negotiation is applied.
        """
        if self.before is None:
            self.before = take()

    def set(self, side: Side, kind: Kind, description: D) -> None:
        """A description is applied.

        An offer begins its negotiation anew, and an answer completes it.
        """
        if kind == "offer":
            self.pending_local = self.pending_remote = None
        if side == "local":
            self.pending_local = description
        else:
            self.pending_remote = description
        if kind == "answer":
            self.current_local, self.current_remote = self.pending_local, self.pending_remote
            self.pending_local = self.pending_remote = self.before = None

    def roll_back(self) -> S | None:
        """What was pending never was; returns how it was in stable, if that was kept."""
        before = self.before
        self.pending_local = self.pending_remote = self.before = None
        return before

"""What was created and applied on one peer connection: the context in which `Negotiation` and `Api` decide.

Source: webrtc-pc, #dfn-lastcreatedoffer, #dfn-currentlocaldescription and #dom-peerconnection-addicecandidate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NoReturn

from fsm_rtc.errors import InvalidStateError, OperationError, Rejected
from fsm_rtc.machines.descriptions import Side, Slots
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.peer.sdp import placed_in, read_candidate, sections_of
from fsm_rtc.peer.sdp.checks import with_candidates


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


def _written(applied: Applied | None) -> SessionDescription | None:
    return applied.written if applied is not None else None


def _base(applied: Applied | None) -> SessionDescription | None:
    return applied.base if applied is not None else None


class Descriptions:
    """The last created, the pending and the current descriptions of both sides.

    Attributes:
        last_offer: what create_offer returned last, or None.
        last_answer: what create_answer returned last, or None.
        slots: those of the last complete negotiation (current) and those under way (pending).
    """

    def __init__(self) -> None:
        self.last_offer: SessionDescription | None = None
        self.last_answer: SessionDescription | None = None
        self.slots: Slots[Applied, None] = Slots()

    @property
    def last_created_offer(self) -> str:
        return self.last_offer.sdp if self.last_offer else ""

    @property
    def last_created_answer(self) -> str:
        return self.last_answer.sdp if self.last_answer else ""

    current_local = Forwarded[SessionDescription | None]("slots.current_local", _written)
    """This side's of the last complete negotiation, or None."""

    current_remote = Forwarded[SessionDescription | None]("slots.current_remote", _written)
    """The other side's of the last complete negotiation, or None."""

    pending_local = Forwarded[SessionDescription | None]("slots.pending_local", _written)
    """This side's of the negotiation under way, or None."""

    pending_remote = Forwarded[SessionDescription | None]("slots.pending_remote", _written)
    """The other side's of the negotiation under way, or None."""

    local = Forwarded[SessionDescription | None]("slots.local", _written)

    remote = Forwarded[SessionDescription | None]("slots.remote", _written)

    applied_remote = Forwarded[SessionDescription | None]("slots.remote", _base)
    """The other side's as it was applied, without what came later: it is read once, and within its bounds."""

    @property
    def has_remote(self) -> bool:
        """Whether there is a pending or a current one of the other side's."""
        return self.slots.has_remote

    @property
    def applied_remotes(self) -> tuple[Applied, ...]:
        """The other side's, the pending one first."""
        return self.slots.of("remote")

    def created(self, trigger: str) -> SessionDescription | None:
        """What was created last for this trigger."""
        return self.last_offer if trigger == "set_local_offer" else self.last_answer

    def add_candidate(self, side: Side, candidate: IceCandidate | None) -> None:
        """Write a candidate into the descriptions that it belongs to; None ends every section's candidates."""
        for applied in self.slots.of(side):
            applied.add(candidate)

    def forget_created(self) -> None:
        """The negotiation is complete: what was created for it can't be applied again. Source: #set-description."""
        self.last_offer = self.last_answer = None

    def apply(self, side: Side, description: SessionDescription) -> None:
        """Take a description that the library has applied; a rollback is the slots' own."""
        kind: Any = description.type
        self.slots.set(side, kind, Applied(description))


class RemoteCandidate:
    """One candidate, or their end.

    Args:
        candidate: as it was given; None for the end of all.
        descriptions: the connection's.
    """

    def __init__(self, candidate: IceCandidate | None, descriptions: Descriptions) -> None:
        self._given = candidate
        self._descriptions = descriptions

    @cached_property
    def placed(self) -> IceCandidate | None:
        """The candidate with its section's index, and its mid if the section has one.

        Raises:
            OperationError: the remote description has no such section.
        """
        given = self._given
        if given is None or (given.sdp_mid is None and given.sdp_m_line_index is None):
            return given
        return placed_in(given, self._descriptions.applied_remotes[0].base)

    @property
    def has_known_section(self) -> bool:
        return _holds(self._find_section)

    @property
    def has_known_fragment(self) -> bool:
        return _holds(self._find_fragment)

    @property
    def can_be_parsed(self) -> bool:
        return _holds(self._parse)

    def refuse(self, rejected: Rejected) -> NoReturn:
        """Raise what the table has refused, with what to do.

        Raises:
            InvalidStateError: there is no remote description yet.
            InvalidCandidateError: it can't be parsed.
            OperationError: there is no such section, or none with its user fragment.
        """
        if rejected.guard is not None:
            CHECKS[rejected.guard](self)
        raise InvalidStateError(
            "a candidate came before the other side's description; set_remote_description first, or let "
            "ConnectionStore keep early candidates",
            rejected=rejected,
        )

    def _find_section(self) -> None:
        _ = self.placed

    def _find_fragment(self) -> None:
        """Refuse a user fragment that no remote description has, in its section if it names one.

        The description in force counts too while another one is pending: a side that restarts ICE goes on telling
        what it finds for the present generation.
        """
        candidate = self.placed
        if candidate is None or candidate.username_fragment is None:
            return
        known = (
            section.ufrag
            for applied in self._descriptions.applied_remotes
            for section in sections_of(applied.base)
            if candidate.sdp_m_line_index in (None, section.index)
        )
        if candidate.username_fragment not in known:
            raise OperationError(
                f"the remote description has no user fragment {candidate.username_fragment!r} there; "
                "the candidate belongs to another description: apply that first"
            )

    def _parse(self) -> None:
        if self.placed is not None and self.placed.candidate:
            read_candidate(self.placed)


CHECKS: Mapping[str, Callable[[RemoteCandidate], None]] = {
    "known_section": RemoteCandidate._find_section,
    "known_fragment": RemoteCandidate._find_fragment,
    "well_formed": RemoteCandidate._parse,
}
"""By guard of the table, what raises its error."""


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except OperationError:
        return False
    return True

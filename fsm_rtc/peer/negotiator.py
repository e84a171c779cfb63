"""The operations of negotiation, two-phase: the table is asked, the library applies, and on success the event happens.

What the table refuses never reaches the library, and what fails in the library changes no state. Each operation runs in
its slot of the operations chain; only a close can come between its two steps, and then its result is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fsm_rtc.errors import InvalidStateError, NotSupportedError, OperationError, Rejected
from fsm_rtc.machines.negotiation import Negotiation
from fsm_rtc.peer.backend import Backend
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.descriptions import Descriptions
from fsm_rtc.peer.sdp import BOUNDS, check_candidate, read_in_turns, sections_of

__all__ = ["Negotiator"]

READ_AT_ONCE = 64 * 1024
"""Characters of a description that is read at the call, in some 5 ms; a longer one is read some lines a turn."""

LOCAL_TRIGGERS = {
    "offer": "set_local_offer",
    "pranswer": "set_local_pranswer",
    "answer": "set_local_answer",
    "rollback": "rollback",
}
REMOTE_TRIGGERS = {
    "offer": "set_remote_offer",
    "pranswer": "set_remote_pranswer",
    "answer": "set_remote_answer",
    "rollback": "rollback",
}
CREATED_BY = {
    "set_local_offer": "create_offer",
    "set_local_pranswer": "create_answer",
    "set_local_answer": "create_answer",
}


class Negotiator:
    """Carries out operations of one peer connection.

    Each operation is refused at the call or returns what is left to do, for the operations chain.

    Args:
        negotiation: the machine that permits them.
        descriptions: what was created and applied; the machine's context.
        backend: the library.
    """

    def __init__(self, negotiation: Negotiation, descriptions: Descriptions, backend: Backend) -> None:
        self._negotiation = negotiation
        self.descriptions = descriptions
        self._backend = backend

    def create_offer(self, *, restart: bool = False) -> Coroutine[Any, Any, SessionDescription]:
        """An offer, if the table permits one."""
        self._demand("create_offer")
        return self._make("create_offer", restart=restart)

    def create_answer(self) -> Coroutine[Any, Any, SessionDescription]:
        """An answer, if the table permits one."""
        self._demand("create_answer")
        return self._make("create_answer")

    async def _make(self, trigger: str, *, restart: bool = False) -> SessionDescription:
        if trigger == "create_offer":
            description = self.descriptions.last_offer = await self._backend.create_offer(restart=restart)
        else:
            description = self.descriptions.last_answer = await self._backend.create_answer()
        self._settle(trigger)
        return description

    def set_local(self, description: SessionDescription | None) -> Coroutine[Any, Any, None]:
        """Apply this side's description, or make and apply the one that is due."""
        if description is None:
            trigger = self._demand("set_local_description").trigger
        else:
            trigger = LOCAL_TRIGGERS[description.type]
            self._demand(trigger, description)
            self._require_capability(trigger)
        return self._set_local(trigger, description)

    async def _set_local(self, trigger: str, description: SessionDescription | None) -> None:
        if trigger == "rollback":
            await self._roll_back()
            self._backend.settled()
            return
        if description is None:
            description = await self._make(CREATED_BY[trigger])
            self._demand(trigger, description)
        elif not description.sdp:
            created = self.descriptions.created(trigger) or await self._make(CREATED_BY[trigger])
            description = SessionDescription(description.type, created.sdp)
        applied = await self._backend.set_local_description(description)
        self._settle(trigger, description, lambda: self.descriptions.applied_local(applied))
        self._backend.settled()

    def set_remote(self, description: SessionDescription) -> Coroutine[Any, Any, None]:
        """Apply the other side's description."""
        trigger = REMOTE_TRIGGERS[description.type]
        row = self._demand(trigger, description)
        self._require_capability(trigger)
        if row.first is not None:
            self._require_capability(row.first)
        elif trigger != "rollback" and len(description.sdp) <= READ_AT_ONCE:
            self._backend.check_remote(description)
        return self._set_remote(trigger, row, description)

    async def _set_remote(self, trigger: str, row: Any, description: SessionDescription) -> None:
        if trigger == "rollback":
            await self._roll_back()
        else:
            if row.first is not None:
                await self._roll_back()
                self._backend.settled()
            if row.first is not None or len(description.sdp) > READ_AT_ONCE:
                await read_in_turns(description)
                self._backend.check_remote(description)
            await self._backend.set_remote_description(description)
            self._settle(trigger, description, lambda: self.descriptions.applied_remote(description))
        self._backend.settled()

    async def _roll_back(self) -> None:
        await self._backend.rollback()
        self._settle("rollback", apply=self.descriptions.rolled_back)

    def add_candidate(self, candidate: IceCandidate | None) -> Coroutine[Any, Any, None]:
        """Give the library a candidate of the other side."""
        applied = self.descriptions.applied_remotes
        if not applied:
            raise InvalidStateError(
                "a candidate came before the other side's description; set_remote_description first, or let "
                "ConnectionStore keep early candidates"
            )
        remote = applied[0]
        if candidate is not None:
            if candidate.sdp_mid is not None or candidate.sdp_m_line_index is not None:
                candidate = check_candidate(candidate, remote.base)
            self._check_generation(candidate)
        if candidate not in remote and len(remote) >= BOUNDS.candidates:
            raise OperationError(
                f"the other side has sent {len(remote)} candidates for one description, and no more are taken; "
                "a peer that has so many is no browser"
            )
        return self._add_candidate(candidate)

    async def _add_candidate(self, candidate: IceCandidate | None) -> None:
        if any(candidate in applied for applied in self.descriptions.applied_remotes[:1]):
            return
        await self._backend.add_ice_candidate(candidate)
        self.descriptions.add_candidate("remote", candidate)

    def _check_generation(self, candidate: IceCandidate) -> None:
        """Refuse a candidate whose user fragment no remote description has, in its section if it names one."""
        ufrag, index = candidate.username_fragment, candidate.sdp_m_line_index
        known = (
            section.ufrag
            for applied in self.descriptions.applied_remotes
            for section in sections_of(applied.base)
            if index in (None, section.index)
        )
        if ufrag is not None and ufrag not in known:
            raise OperationError(
                f"the remote description has no user fragment {ufrag!r} there; "
                "the candidate belongs to another description: apply that first"
            )

    def _demand(self, trigger: str, event: object = None) -> Any:
        """The row that permits the event; if there is none, journal the refusal and raise the specification's error."""
        verdict = self._negotiation.permits(trigger, event)
        if isinstance(verdict, Rejected):
            self._negotiation.fire(trigger, event)
            raise (verdict.error or InvalidStateError).from_rejected(verdict)
        return verdict

    def _settle(self, trigger: str, event: object = None, apply: Callable[[], None] | None = None) -> None:
        """The library has done it, so the event happens; unless the connection was closed meanwhile.

        What it brings is applied before it, so that whoever is told of the change sees the descriptions.
        """
        if apply is not None and self._negotiation.permits(trigger, event):
            apply()
        outcome = self._negotiation.fire(trigger, event)
        if isinstance(outcome, Rejected):
            raise InvalidStateError(
                f"{trigger} was overtaken: {outcome} What the library did meanwhile is ignored.", rejected=outcome
            )
        if trigger in ("set_local_answer", "set_remote_answer"):
            self.descriptions.forget_created()

    def _require_capability(self, trigger: str) -> None:
        library = type(self._backend).__name__
        if trigger == "rollback" and not self._backend.can_roll_back():
            raise NotSupportedError(
                f"{library} can't roll back this description; replace the connection: close this one, make a new one"
            )
        if trigger.endswith("pranswer") and not self._backend.capabilities.pranswer:
            raise NotSupportedError(f"{library} knows no provisional answers; send a final answer")

"""The operations of negotiation, two-phase: the table is asked, the library applies, and on success the event happens.

What the table refuses never reaches the library, and what fails in the library changes no state. Each operation runs in
its slot of the operations chain; only a close can come between its two steps, and then its result is ignored.

When an offer is due is the table's too (`NegotiationNeed` steps it). Source: webrtc-pc,
#dfn-update-the-negotiation-needed-flag.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from fsm_rtc.errors import InvalidStateError, NotSupportedError, OperationError, Rejected
from fsm_rtc.machines.api import Api
from fsm_rtc.machines.negotiation import Negotiation, SignalingState
from fsm_rtc.machines.negotiation_needed import FireNegotiationNeeded, NegotiationNeeded, QueueTask, in_stable, needed
from fsm_rtc.peer.backend import Backend
from fsm_rtc.peer.chain import OperationsChain
from fsm_rtc.peer.closing import running_loop
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.descriptions import Descriptions, RemoteCandidate
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.peer.machine_set import carry_out
from fsm_rtc.peer.sdp import BOUNDS
from fsm_rtc.peer.sdp.reader import read_in_turns

READ_AT_ONCE = 64 * 1024
"""Characters of a description that is read at the call, in some 5 ms; a longer one is read some lines a turn."""

CREATED_BY = {"set_local_offer": "create_offer"}
"""By trigger, what makes the description that it applies, if not `create_answer`."""


class Negotiator:
    """Carries out operations of one peer connection.

    Each operation is refused at the call or returns what is left to do, for the operations chain.

    Args:
        negotiation: the machine that permits them.
        api: the machine that permits a candidate.
        descriptions: what was created and applied; the machine's context.
        backend: the library.
    """

    def __init__(self, negotiation: Negotiation, api: Api, descriptions: Descriptions, backend: Backend) -> None:
        self._negotiation = negotiation
        self._api = api
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
            trigger = _trigger("local", description)
            self._demand(trigger, description)
            self._require_capability(trigger)
        return self._set_local(trigger, description)

    async def _set_local(self, trigger: str, description: SessionDescription | None) -> None:
        if trigger == "rollback":
            await self._roll_back()
            self._backend.settled()
            return
        if description is None:
            description = await self._make(CREATED_BY.get(trigger, "create_answer"))
            self._demand(trigger, description)
        elif not description.sdp:
            created = self.descriptions.created(trigger) or await self._make(CREATED_BY.get(trigger, "create_answer"))
            description = SessionDescription(description.type, created.sdp)
        applied = await self._backend.set_local_description(description)
        self._settle(trigger, description, lambda: self.descriptions.apply("local", applied))
        self._backend.settled()

    def set_remote(self, description: SessionDescription) -> Coroutine[Any, Any, None]:
        """Apply the other side's description."""
        trigger = _trigger("remote", description)
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
            self._settle(trigger, description, lambda: self.descriptions.apply("remote", description))
        self._backend.settled()

    async def _roll_back(self) -> None:
        await self._backend.rollback()
        self._settle("rollback", apply=self.descriptions.slots.roll_back)

    def add_candidate(self, candidate: IceCandidate | None) -> Coroutine[Any, Any, None]:
        """Give the library a candidate of the other side."""
        found = RemoteCandidate(candidate, self.descriptions)
        verdict = self._api.permits("add_ice_candidate", found)
        if isinstance(verdict, Rejected):
            self._api.add_ice_candidate(found)
            found.refuse(verdict)
        placed, remote = found.placed, self.descriptions.applied_remotes[0]
        if placed not in remote and len(remote) >= BOUNDS.candidates:
            raise OperationError(
                f"the other side has sent {len(remote)} candidates for one description, and no more are taken; "
                "a peer that has so many is no browser"
            )
        return self._add_candidate(found, placed)

    async def _add_candidate(self, found: RemoteCandidate, placed: IceCandidate | None) -> None:
        if any(placed in applied for applied in self.descriptions.applied_remotes[:1]):
            return
        await self._backend.add_ice_candidate(placed)
        self.descriptions.add_candidate("remote", placed)
        self._api.add_ice_candidate(found)

    def _demand(self, trigger: str, event: object = None) -> Any:
        """The row that permits the event; if there is none, journal the refusal and raise the specification's error."""
        verdict = self._negotiation.permits(trigger, event)
        if isinstance(verdict, Rejected):
            self._negotiation.fire(trigger, event)
            raise (verdict.error or InvalidStateError).from_rejected(verdict)
        return verdict

    def _settle(self, trigger: str, event: object = None, apply: Callable[[], object] | None = None) -> None:
        """The library has done it, so the event happens; unless the connection was closed meanwhile.

        What it brings is applied before it, so that a listener to the change sees the descriptions.
        """
        if apply is not None and self._negotiation.permits(trigger, event):
            apply()
            self._api.on_descriptions()
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


def _trigger(side: str, description: SessionDescription) -> str:
    return "rollback" if description.type == "rollback" else f"set_{side}_{description.type}"


class NegotiationNeed:
    """Steps the flag, and is its context.

    Args:
        make: makes the flag's machine.
        negotiation: nothing is told outside of its stable.
        chain: nothing is told while it works.
        ask: whether the library has something that is not negotiated.
        tell: an offer is due.

    Attributes:
        flag: the flag's machine.
    """

    def __init__(
        self,
        make: Callable[[NegotiationNeed], NegotiationNeeded],
        negotiation: Negotiation,
        chain: OperationsChain,
        ask: Callable[[], bool],
        tell: Callable[[], None],
    ) -> None:
        self._negotiation = negotiation
        self._chain = chain
        self._ask = ask
        self._tell = tell
        self.flag = make(self)
        # Observed rather than taken from what a trigger returns: a listener may add something at once.
        carry_out(
            self.flag,
            {
                QueueTask: lambda _: asyncio.get_running_loop().call_soon(self.flag.on_task),
                FireNegotiationNeeded: lambda _: self._tell(),
            },
        )

    is_chain_empty = Forwarded[bool]("_chain.is_empty")

    @property
    def is_loop_running(self) -> bool:
        return running_loop() is not None

    signaling_state = Forwarded[SignalingState]("_negotiation.state")

    @property
    def is_needed(self) -> bool:
        return self._ask()

    @property
    def is_present(self) -> bool:
        """Whether an offer is due now."""
        return in_stable(self, None) and needed(self, None)

    def returned_to_stable(self) -> None:
        """A negotiation is complete, or rolled back."""
        self.flag.on_stable()
        self.flag.update()

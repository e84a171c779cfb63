"""PeerModel: what the tables say that one connection is, has, and does next. The oracle of the kit.

Each operation is first asked for (`expect`: pure), then, if the stack did the same, it happens (`happen`); after a
difference the model takes over what the stack says (`adopt`), so that one mistake isn't counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from fsm_rtc.conformance.counterpart import ice_credentials, media_count
from fsm_rtc.conformance.operations import Argument, OperationKind
from fsm_rtc.conformance.protocol import States, Verdict
from fsm_rtc.engine import Accepted, Chart, Outcome
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.api import Api
from fsm_rtc.machines.descriptions import OFFERED_BY, Kind, Side, Slots
from fsm_rtc.machines.negotiation import Negotiation, NegotiationJsep, SignalingState, UpdateNegotiationNeeded
from fsm_rtc.machines.negotiation_needed import FireNegotiationNeeded, NegotiationNeeded

__all__ = ["PROFILES", "Expected", "PeerModel"]

PROFILES: dict[str, type[Negotiation]] = {"webrtc-pc": Negotiation, "jsep": NegotiationJsep}
"""The tables that a stack can be held to, by name."""

DRAFT = "W3C webrtc-pc, Editor's Draft 2026-05-04, "
NO_MID_RULE = "A candidate must name its section by sdpMid or sdpMLineIndex"

CONTENT_ERRORS = {
    Argument.GARBAGE: ("OperationError", "RTCError"),
    Argument.NO_FINGERPRINT: ("InvalidAccessError", "OperationError"),
}
"""RTCError is a DOMException of the name OperationError; which of the two a stack in Python shows is its own affair."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an operation must do.

    Attributes:
        verdict: whether it succeeds.
        errors: the names that its error may have; the first is the specification's.
        state: the signalling state afterwards.
        states: the signalling states that the connection goes through, in order; each is one event.
        source: the passage.
        rule: the sentence of the guard that refuses, or empty.
    """

    verdict: Verdict
    errors: tuple[str, ...] = ()
    state: str = ""
    states: tuple[str, ...] = ()
    source: str = ""
    rule: str = ""


@dataclass
class ModelMemory:
    """What the guards read, and what the negotiation is about."""

    last_created_offer: str = ""
    last_created_answer: str = ""
    slots: Slots[str, None] = field(default_factory=Slots)
    local_sdp: str = ""
    agreed_local_sdp: str = ""
    remote_sdp: str = ""
    channels_made: int = 0
    transceivers_made: int = 0
    sections_of_the_peer: int = 0
    credentials_to_replace: frozenset[tuple[str, str]] = frozenset()
    knows_need: bool = True

    @property
    def has_remote(self) -> bool:
        return self.slots.has_remote

    def types(self) -> dict[str, str | None]:
        """The types of the four descriptions, by the names of the specification's attributes."""
        slots = self.slots
        return {
            "currentLocalDescription": slots.current_local,
            "pendingLocalDescription": slots.pending_local,
            "currentRemoteDescription": slots.current_remote,
            "pendingRemoteDescription": slots.pending_remote,
        }


@dataclass(frozen=True, slots=True)
class _Description:
    sdp: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    has_known_section: bool = True
    has_known_fragment: bool = True
    can_be_parsed: bool = True


CANDIDATES = {
    Argument.GOOD: _Candidate(),
    Argument.INDEX: _Candidate(),
    Argument.END: _Candidate(),
    Argument.MALFORMED: _Candidate(can_be_parsed=False),
    Argument.UNKNOWN_MID: _Candidate(has_known_section=False),
    Argument.UNKNOWN_INDEX: _Candidate(has_known_section=False),
    Argument.UFRAG: _Candidate(has_known_fragment=False),
}


class PeerModel:
    """One connection, as the tables have it.

    Args:
        profile: ``webrtc-pc`` or ``jsep``.

    Attributes:
        negotiation: the machine of its signalling state.
        api: the machine of its other methods.
        memory: what is known of its descriptions.
    """

    def __init__(self, profile: str = "webrtc-pc") -> None:
        self._profile = PROFILES[profile]
        self.memory = ModelMemory()
        self.negotiation = self._profile(self.memory)
        self.api = Api(self.memory)
        self.need = NegotiationNeeded(self)

    @property
    def state(self) -> str:
        """The signalling state."""
        return self.negotiation.state.value

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self.negotiation.is_final

    def machine(self, name: str) -> Chart[Any, Any]:
        """The machine that judges an operation."""
        return self.negotiation if name == "negotiation" else self.api

    def expect(self, operation: OperationKind, sdp: str = "") -> Expected:
        """What the operation must do now.

        Args:
            operation: what is done.
            sdp: the description that it is given, if any.
        """
        here = self.state
        if operation.argument is Argument.NO_MID:
            source = DRAFT + "#dom-peerconnection-addicecandidate"
            return Expected(Verdict.REJECTED, ("TypeError",), here, (), source, NO_MID_RULE)
        verdict = self.machine(operation.machine).permits(operation.trigger, self._payload(operation, sdp))
        refused = Verdict.REJECTED if operation.is_promise else Verdict.THROWN
        if isinstance(verdict, Rejected):
            source = self._source(operation)
            if verdict.reason is Reason.ALREADY:
                return Expected(Verdict.FULFILLED, (), here, (), source)
            return Expected(refused, (_error_name(verdict),), here, (), source, verdict.explanation or "")
        source = _cited(verdict.cite)
        states = self._way(verdict, operation)
        if operation.is_content_bad:
            before = states[:-1]
            return Expected(refused, CONTENT_ERRORS[operation.argument], before[-1] if before else here, before, source)
        if operation.trigger == "close":
            return Expected(Verdict.FULFILLED, (), SignalingState.CLOSED.value, (), source)
        return Expected(Verdict.FULFILLED, (), states[-1] if states else here, states, source)

    def _way(self, row: Any, operation: OperationKind) -> tuple[str, ...]:
        """The signalling states that a permitted row leads through."""
        if operation.machine != "negotiation":
            return ()
        before = self.negotiation.state
        via = [SignalingState.STABLE] if row.first == "rollback" else []
        way = [*via, row.target_from(before)]
        changes = [after for one, after in zip([before, *way], way, strict=False) if one is not after]
        return tuple(state.value for state in changes)

    def _source(self, operation: OperationKind) -> str:
        return _cited(self.machine(operation.machine).chart.triggers[operation.trigger].cite)

    def _payload(self, operation: OperationKind, sdp: str = "") -> object:
        if operation.trigger == "add_ice_candidate":
            return CANDIDATES[operation.argument]
        if operation.trigger.startswith(("set_local_", "set_remote_")) and operation.trigger != "set_local_description":
            return _Description(sdp)
        return None

    def happen(self, operation: OperationKind, *, local_sdp: str = "", remote_sdp: str = "") -> None:
        """The operation succeeded.

        Args:
            operation: what was done.
            local_sdp: the local description afterwards, if it was set.
            remote_sdp: the remote description, if it was set.
        """
        memory = self.memory
        if operation.trigger == "close":
            self.negotiation.close()
            self.need.close()
        outcome = self.machine(operation.machine).fire(operation.trigger, self._payload(operation))
        self._follow(outcome)
        trigger = outcome.trigger if isinstance(outcome, Accepted) else operation.trigger
        match trigger:
            case "create_data_channel":
                memory.channels_made += 1
            case "add_transceiver":
                memory.transceivers_made += 1
            case "restart_ice":
                current = ice_credentials(memory.agreed_local_sdp) if memory.slots.current_local else frozenset()
                pending = ice_credentials(memory.local_sdp) if memory.slots.pending_local else frozenset()
                memory.credentials_to_replace = current | pending
            case "rollback":
                self._rolled_back()
            case _ if trigger.startswith("set_"):
                self._described(trigger, local_sdp, remote_sdp)

    def rolled_back_before_failing(self) -> None:
        """An offer was refused for its content, after its implicit rollback."""
        self._follow(self.negotiation.rollback())
        self._rolled_back()

    def _follow(self, outcome: Outcome) -> None:
        for effect in outcome.effects if isinstance(outcome, Accepted) else ():
            if isinstance(effect, UpdateNegotiationNeeded):
                self.need.on_stable()

    def _rolled_back(self) -> None:
        # What a rollback does to credentials that were to be replaced is left to the stack.
        self.memory.knows_need = self.memory.knows_need and not self.memory.credentials_to_replace
        self.memory.slots.roll_back()
        self.api.on_descriptions()

    def _described(self, trigger: str, local_sdp: str, remote_sdp: str) -> None:
        memory = self.memory
        _, side, kind = trigger.split("_")
        memory.slots.set(cast("Side", side), cast("Kind", kind), kind)
        memory.local_sdp = local_sdp or memory.local_sdp
        memory.remote_sdp = remote_sdp or memory.remote_sdp
        if kind == "answer":
            memory.last_created_offer = memory.last_created_answer = ""
            if side == "local":  # a section that the peer offered belongs to none of this side's transceivers
                memory.sections_of_the_peer += media_count(memory.local_sdp) - media_count(memory.agreed_local_sdp)
            memory.agreed_local_sdp = memory.local_sdp
            if not memory.credentials_to_replace & ice_credentials(memory.agreed_local_sdp):
                memory.credentials_to_replace = frozenset()
        self.api.on_descriptions()

    def need_is_told(self) -> bool:
        """The chain is empty, and the queued task has run: whether negotiationneeded is fired now."""
        self.need.update()
        outcome = self.need.on_task()
        return isinstance(outcome, Accepted) and any(isinstance(one, FireNegotiationNeeded) for one in outcome.effects)

    # What the flag's guards read: an operation is looked at once the stack rests.

    @property
    def is_chain_empty(self) -> bool:
        return True

    @property
    def is_loop_running(self) -> bool:
        return True

    @property
    def signaling_state(self) -> SignalingState:
        return self.negotiation.state

    @property
    def is_needed(self) -> bool:
        memory = self.memory
        agreed = memory.agreed_local_sdp if memory.slots.current_local else ""
        return (
            bool(memory.credentials_to_replace)
            or (memory.channels_made > 0 and "m=application" not in agreed)
            or memory.transceivers_made > media_count(agreed) - memory.sections_of_the_peer
        )

    def adopt(self, states: States) -> None:
        """Take over what the stack says that it is."""
        memory, slots = self.memory, self.memory.slots
        reported = states.signalingState
        if isinstance(reported, str) and reported in set(SignalingState):
            self.negotiation = self._profile(memory, state=SignalingState(reported))
        self._guess_slots()
        for name in memory.types():
            value = getattr(states, name)
            if value is None or isinstance(value, str):
                side = "local" if "Local" in name else "remote"
                setattr(slots, f"{name[:7]}_{side}", value)
        if self.is_closed:
            self.api.close()
            self.need.close()
        memory.knows_need = False
        self.api.on_descriptions()

    def _guess_slots(self) -> None:
        """What a stack that doesn't show its four descriptions must have in its state."""
        slots = self.memory.slots
        slots.roll_back()
        if (side := OFFERED_BY.get(self.negotiation.state)) is not None:
            slots.set(side, "offer", "offer")


def _cited(cite: str) -> str:
    return cite if cite.startswith("RFC") else DRAFT + cite


def _error_name(rejected: Rejected) -> str:
    if rejected.error is not None:
        return rejected.error.__name__
    return "OperationError" if rejected.reason is Reason.GUARD else "InvalidStateError"

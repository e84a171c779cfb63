"""Side: one connection of a stack beside its model; what a reply says of it is held to the tables here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fsm_rtc.conformance.difference import Difference
from fsm_rtc.conformance.findings import Kind
from fsm_rtc.conformance.judge import Case, judge, judge_flag
from fsm_rtc.conformance.model import DRAFT, Expected, PeerModel
from fsm_rtc.conformance.operations import OperationKind
from fsm_rtc.conformance.protocol import Operation, Reply, Result, StackDescription, States, Verdict
from fsm_rtc.conformance.watch import Watch
from fsm_rtc.errors import AdapterError

__all__ = ["Record", "Side", "sdp_of"]

UNASKED = DRAFT + "#rtcsignalingstate-enum"
CHAIN = DRAFT + "#dfn-operations-chain"


@dataclass
class Record:
    """What has been seen of one stack, over all trials.

    Attributes:
        lacks: what it declares that it can't say.
        edges: observed changes, as (machine, source, target, is legal).
        cells: cells that were reached, as (machine, state, operation).
        transitions: what the models went through, to steer by: (state, operation, state after).
        steps: how many operations were done.
        sequences: how many trials were begun.
    """

    lacks: frozenset[str] = frozenset()
    edges: Counter[tuple[str, str, str, bool]] = field(default_factory=Counter)
    cells: set[tuple[str, str, str]] = field(default_factory=set)
    transitions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    steps: int = 0
    sequences: int = 0

    def can_say(self, operation: OperationKind) -> bool:
        """Whether the stack's API has this operation."""
        return not self.lacks & {operation.name, operation.method}


class Side:
    """One connection.

    Args:
        name: what the adapter calls it.
        record: what has been seen of the stack.
        profile: the tables.

    Attributes:
        model: what the tables say that it is.
    """

    def __init__(self, name: str, record: Record, profile: str) -> None:
        self.name = name
        self.model = PeerModel(profile)
        self._record = record
        self._watch = Watch(record.edges, record.lacks)
        self._signaling = self.model.state

    def state_of(self, kind: OperationKind) -> str:
        """The state of the machine that judges an operation."""
        return str(self.model.machine(kind.machine).state.value)

    def done(self, kinds: Sequence[OperationKind], asked: Sequence[Operation], reply: Reply) -> list[Difference]:
        """A step was done on this connection.

        Args:
            kinds: the operations that began in one turn.
            asked: the same, as they were asked for.
            reply: what was seen.
        """
        record, model, states = self._record, self.model, self._states(reply)
        name, before = " + ".join(kind.name for kind in kinds), model.state
        machine, state = (kinds[0].machine, self.state_of(kinds[0])) if len(kinds) == 1 else ("negotiation", before)
        record.cells.add((machine, state, name))
        record.steps += len(kinds)
        closing = next((number for number, kind in enumerate(kinds) if kind.trigger == "close"), 0)
        closing = 0 if model.is_closed else closing
        found: list[Difference] = []
        for number, (kind, result) in enumerate(zip(kinds, reply.results, strict=False)):
            if number < closing and kind.is_promise:
                found += self._overtaken(kind, asked[number], name, before, result)
            else:
                found += self._one(kind, asked[number], result, reply, name)
        now = str(states.signalingState)
        if len(kinds) > 1 and not found and now != model.state:
            found.append(Difference("negotiation", before, name, f"in {model.state}", f"in {now}", Kind.STATE, CHAIN))
        self._count_edges(reply, is_legal=now == model.state)
        if found:
            model.adopt(states)
        record.transitions[before, name, model.state] += 1
        seen = self.seen(reply, name)
        return found + seen if len(kinds) == 1 else found

    def _states(self, reply: Reply) -> States:
        if self.name not in reply.states:
            raise AdapterError(
                f"the adapter's reply has no states of the connection {self.name!r}; see docs/conformance-protocol.md"
            )
        return reply.states[self.name]

    def _count_edges(self, reply: Reply, *, is_legal: bool) -> None:
        """The changes of the signalling state, which an operation alone may cause."""
        told = [one.states for one in reply.events if one.on == self.name and one.event == "signalingstatechange"]
        for states in (*told, reply.states[self.name]):
            now = str(states.signalingState)
            if now != self._signaling:
                self._record.edges["negotiation", self._signaling, now, is_legal] += 1
                self._signaling = now

    def seen(self, reply: Reply, operation: str) -> list[Difference]:
        """What the reply says of this connection, whichever side was asked to do something."""
        found: list[Difference] = []
        model, watch, states = self.model, self._watch, self._states(reply)
        for event in reply.events:
            if event.on == self.name:
                found += watch.event(event, operation, is_closed=model.is_closed)
        found += watch.at_rest(states, operation, is_closed=model.is_closed)
        found += self._flag(reply, operation)
        now = states.signalingState
        if isinstance(now, str) and now != model.state:
            found.append(
                Difference("negotiation", model.state, operation, f"still {model.state}", now, Kind.STATE, UNASKED)
            )
            model.adopt(states)
        return found

    def _overtaken(
        self, kind: OperationKind, asked: Operation, name: str, state: str, result: Result
    ) -> Iterator[Difference]:
        """A promise that was pending when the connection was closed; one that had settled before is none.

        One that was to be refused anyway may be: the text would leave it pending by a microtask alone.
        """
        if result.error is not None and result.error.name in self._expected(kind, asked).errors:
            return
        settled_before = result.states is not None and result.states.signalingState != "closed"
        if result.verdict is not Verdict.PENDING and not settled_before:
            did = f"{result.verdict.value} with {result.error.name}" if result.error else result.verdict.value
            yield Difference("negotiation", state, name, "a promise that never settles", did, Kind.VERDICT, CHAIN)

    def _one(
        self, kind: OperationKind, asked: Operation, result: Result, reply: Reply, name: str
    ) -> Iterator[Difference]:
        state = self.state_of(kind)
        if result.verdict is Verdict.INEXPRESSIBLE:
            yield Difference(kind.machine, state, name, "a method of the API", "no such method", Kind.INEXPRESSIBLE, "")
            return
        expected = self._expected(kind, asked)
        if expected.verdict is Verdict.FULFILLED and result.verdict is Verdict.FULFILLED:
            self._happened(kind, asked, result)
        elif kind.is_content_bad and expected.states:
            self.model.rolled_back_before_failing()
        yield from judge(Case(kind, name, state, expected, result, reply, self.name, self.model, self._record.lacks))

    def _expected(self, kind: OperationKind, asked: Operation) -> Expected:
        return self.model.expect(kind, asked.description.sdp if asked.description is not None else "")

    def _happened(self, kind: OperationKind, asked: Operation, result: Result) -> None:
        memory, sdp = self.model.memory, asked.description.sdp if asked.description is not None else ""
        if kind.method == "createOffer":
            memory.last_created_offer = sdp_of(result.value)
        elif kind.method == "createAnswer":
            memory.last_created_answer = sdp_of(result.value)
        is_local = kind.method == "setLocalDescription"
        self.model.happen(kind, local_sdp=sdp if is_local else "", remote_sdp="" if is_local else sdp)

    def _flag(self, reply: Reply, name: str) -> Iterator[Difference]:
        model = self.model
        told = sum(event.on == self.name and event.event == "negotiationneeded" for event in reply.events)
        before = model.need.state.value
        is_due = model.need_is_told()
        if model.memory.knows_need and not model.is_closed and "event negotiationneeded" not in self._record.lacks:
            yield from judge_flag(before, name, is_due=is_due, times=told)


def sdp_of(made: object) -> str:
    """The SDP of a description as an adapter replies with it."""
    return (
        str(made.get("sdp", "")) if isinstance(made, dict) else made.sdp if isinstance(made, StackDescription) else ""
    )

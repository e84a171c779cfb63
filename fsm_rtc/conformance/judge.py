"""Whether one operation did what was expected, and if not, how grave it is; the gravest difference alone is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fsm_rtc.conformance.difference import Difference
from fsm_rtc.conformance.findings import Kind
from fsm_rtc.conformance.model import Expected, PeerModel
from fsm_rtc.conformance.operations import OperationKind
from fsm_rtc.conformance.protocol import Reply, Result, States, Verdict

__all__ = ["Case", "in_words", "judge", "judge_flag"]

CLOSED_ATTRIBUTES = ("signalingState", "iceConnectionState", "connectionState", "ice", "dtls", "sctp")
FLAG_SOURCE = "W3C webrtc-pc, Editor's Draft 2026-05-04, #dfn-update-the-negotiation-needed-flag"


def in_words(verdict: Verdict, error: str = "", state: str = "") -> str:
    """E.g. ``rejected with InvalidStateError, in stable``."""
    words = f"{verdict.value} with {error}" if error else verdict.value
    return f"{words}, in {state}" if state else words


@dataclass(frozen=True, slots=True)
class Case:
    """One operation that was done.

    Attributes:
        kind: the operation.
        name: the step's name; if it is another than the operation's, others began in the same turn, and what came of
            it is not this one's alone.
        state: the state of its machine before.
        expected: what it must do.
        result: what became of it.
        reply: everything that was seen.
        on: the connection's name in it.
        model: the connection; the operation has happened to it, if it succeeded.
        lacks: what the stack declares that it can't say.
    """

    kind: OperationKind
    name: str
    state: str
    expected: Expected
    result: Result
    reply: Reply
    on: str
    model: PeerModel
    lacks: frozenset[str]

    @property
    def is_alone(self) -> bool:
        """Whether no other operation began in the same turn."""
        return self.name == self.kind.name

    @property
    def rests(self) -> States:
        """What there was when all had come to rest."""
        return self.reply.states[self.on]

    @property
    def settled(self) -> States:
        """What there was in the moment in which it settled."""
        return self.result.states or self.rests

    def differs(self, kind: Kind, should: str, did: str) -> Difference:
        """The difference."""
        expected = self.expected
        return Difference(self.kind.machine, self.state, self.name, should, did, kind, expected.source, expected.rule)


def judge(case: Case) -> Iterator[Difference]:
    """What was otherwise than expected."""
    expected, result = case.expected, case.result
    before, after = str(case.settled.signalingState), str(case.rests.signalingState)
    error, right_error = result.error.name if result.error is not None else "", next(iter(expected.errors), "")
    is_negotiation = case.kind.machine == "negotiation"
    should = in_words(expected.verdict, right_error, expected.state if is_negotiation else "")
    did = in_words(result.verdict, error, before if is_negotiation else "")
    if result.verdict is Verdict.PENDING:
        yield case.differs(Kind.HANG, should, "the promise does not settle")
    elif (result.verdict is Verdict.FULFILLED) is not (expected.verdict is Verdict.FULFILLED):
        yield case.differs(Kind.VERDICT, should, did)
    elif case.is_alone and {before, after} != {expected.state}:
        then = f", then {after}" if after != before else ""
        should = in_words(expected.verdict, right_error, expected.state)
        yield case.differs(Kind.STATE, should, in_words(result.verdict, error, before) + then)
    else:
        if result.error is not None and error not in expected.errors:
            yield case.differs(Kind.ERROR, should, did)
        elif result.verdict is not expected.verdict:
            how = "thrown by the call" if result.verdict is Verdict.THROWN else "raised later, not by the call"
            yield case.differs(Kind.ERROR, should, f"{error}, {how}")
        if case.is_alone:
            yield from _closed(case) if case.kind.trigger == "close" else _what_it_brought(case)


def _what_it_brought(case: Case) -> Iterator[Difference]:
    """The attributes and events, where the verdict and the state are as expected."""
    for name, should in case.model.memory.types().items():
        value = getattr(case.rests, name)
        if (value is None or isinstance(value, str)) and value != should and f"attribute {name}" not in case.lacks:
            yield case.differs(Kind.STATE, f"{name} is {should or 'null'}", f"{name} is {value or 'null'}")
    seen = [
        (number, str(event.states.signalingState))
        for number, event in enumerate(case.reply.events)
        if event.on == case.on and event.event == "signalingstatechange"
    ]
    states = tuple(state for _, state in seen)
    if states != case.expected.states:
        yield case.differs(Kind.EVENT, _changes(case.expected.states), _changes(states))
    elif any(number >= case.result.after for number, _ in seen):
        should = "signalingstatechange before the promise settles"
        yield case.differs(Kind.EVENT, should, "signalingstatechange after it")


def _closed(case: Case) -> Iterator[Difference]:
    """Everything must be closed at once; a second close() has nothing more to do."""
    if case.state == "closed":
        return
    for name in CLOSED_ATTRIBUTES:
        value = getattr(case.settled, name)
        values = (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ()
        if any(one != "closed" for one in values):
            yield case.differs(Kind.STATE, f"{name} is closed at once", f"{name} is not")
    if set(case.settled.channels.values()) - {"closed"}:
        yield case.differs(Kind.STATE, "every data channel is closed at once", "a data channel is not")


def _changes(states: tuple[str, ...]) -> str:
    return f"signalingstatechange: {', '.join(states)}" if states else "no signalingstatechange"


def judge_flag(state: str, operation: str, *, is_due: bool, times: int) -> Iterator[Difference]:
    """Whether negotiationneeded was told when it was due, once, and not else."""
    if times != int(is_due):
        observed = "negotiationneeded" if times == 1 else f"negotiationneeded {times} times" if times else "no event"
        expected = "negotiationneeded" if is_due else "no negotiationneeded"
        yield Difference("negotiation_needed", state, operation, expected, observed, Kind.EVENT, FLAG_SOURCE)

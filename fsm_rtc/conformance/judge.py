"""Whether one operation did what was expected, and if not, how grave it is; the gravest difference alone is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fsm_rtc.conformance.difference import Difference
from fsm_rtc.conformance.findings import Kind
from fsm_rtc.conformance.model import Expected, PeerModel
from fsm_rtc.conformance.operations import OperationKind
from fsm_rtc.conformance.protocol import Reply, Result, States, Verdict

__all__ = ["in_words", "judge", "judge_flag"]

Differs = Callable[[Kind, str, str], Difference]

CLOSED_ATTRIBUTES = ("signalingState", "iceConnectionState", "connectionState", "ice", "dtls", "sctp")
FLAG_SOURCE = "W3C webrtc-pc, Editor's Draft 2026-05-04, #dfn-update-the-negotiation-needed-flag"


def in_words(verdict: Verdict, error: str = "", state: str = "") -> str:
    """E.g. ``rejected with InvalidStateError, in stable``."""
    words = f"{verdict.value} with {error}" if error else verdict.value
    return f"{words}, in {state}" if state else words


def judge(
    kind: OperationKind,
    name: str,
    state: str,
    expected: Expected,
    result: Result,
    reply: Reply,
    on: str,
    model: PeerModel,
    lacks: frozenset[str],
) -> Iterator[Difference]:
    """What was otherwise than expected.

    Args:
        kind: the operation.
        name: the step's; if it is another than the operation's, others began in the same turn, and the events are not
            this one's alone.
        state: the state of its machine before.
        expected: what it must do.
        result: what became of it.
        reply: everything that was seen.
        on: the connection's name in it.
        model: the connection; the operation has happened to it, if it succeeded.
        lacks: what the stack declares that it can't say.
    """

    def differs(kind_of: Kind, should: str, did: str) -> Difference:
        return Difference(kind.machine, state, name, should, did, kind_of, expected.source, expected.rule)

    rests = reply.states[on]
    settled = result.states or rests
    at_once, error = str(settled.signalingState), result.error.name if result.error is not None else ""
    is_negotiation = kind.machine == "negotiation"
    should = in_words(
        expected.verdict, expected.errors[0] if expected.errors else "", expected.state if is_negotiation else ""
    )
    did = in_words(result.verdict, error, at_once if is_negotiation else "")
    if result.verdict is Verdict.PENDING:
        yield differs(Kind.HANG, should, "the promise does not settle")
    elif (result.verdict is Verdict.FULFILLED) is not (expected.verdict is Verdict.FULFILLED):
        yield differs(Kind.VERDICT, should, did)
    elif name == kind.name and {at_once, rests.signalingState} != {expected.state}:
        later = f", then {rests.signalingState}" if rests.signalingState != settled.signalingState else ""
        yield differs(
            Kind.STATE,
            f"{should} in {expected.state}" if not is_negotiation else should,
            f"{did}, in {at_once}{later}" if not is_negotiation else did + later,
        )
    else:
        if result.error is not None and error not in expected.errors:
            yield differs(Kind.ERROR, should, did)
        elif result.verdict is not expected.verdict:
            how = "thrown by the call" if result.verdict is Verdict.THROWN else "raised later, not by the call"
            yield differs(Kind.ERROR, should, f"{error}, {how}")
        if name == kind.name:
            yield from _what_it_brought(kind, state, expected, result, reply, on, model, lacks, differs)


def _what_it_brought(
    kind: OperationKind,
    state: str,
    expected: Expected,
    result: Result,
    reply: Reply,
    on: str,
    model: PeerModel,
    lacks: frozenset[str],
    differs: Differs,
) -> Iterator[Difference]:
    """The attributes and events, where the verdict and the state are as expected."""
    if kind.trigger == "close":
        if state != "closed":
            yield from _closed(result.states or reply.states[on], differs)
        return
    yield from _slots(reply.states[on], model, lacks, differs)
    seen = [
        (number, str(event.states.signalingState))
        for number, event in enumerate(reply.events)
        if event.on == on and event.event == "signalingstatechange"
    ]
    states = tuple(one for _, one in seen)
    if states != expected.states:
        yield differs(Kind.EVENT, _changes(expected.states), _changes(states))
    elif any(number >= result.after for number, _ in seen):
        yield differs(Kind.EVENT, "signalingstatechange before the promise settles", "signalingstatechange after it")


def _closed(states: States, differs: Differs) -> Iterator[Difference]:
    for name in CLOSED_ATTRIBUTES:
        value = getattr(states, name)
        values = (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ()
        if any(one != "closed" for one in values):
            yield differs(Kind.STATE, f"{name} is closed at once", f"{name} is not")
    if set(states.channels.values()) - {"closed"}:
        yield differs(Kind.STATE, "every data channel is closed at once", "a data channel is not")


def _slots(states: States, model: PeerModel, lacks: frozenset[str], differs: Differs) -> Iterator[Difference]:
    for name, should in model.memory.slots.as_states().items():
        value = getattr(states, name)
        if (value is None or isinstance(value, str)) and value != should and f"attribute {name}" not in lacks:
            yield differs(Kind.STATE, f"{name} is {should or 'null'}", f"{name} is {value or 'null'}")


def _changes(states: tuple[str, ...]) -> str:
    return f"signalingstatechange: {', '.join(states)}" if states else "no signalingstatechange"


def judge_flag(state: str, operation: str, *, is_due: bool, times: int) -> Iterator[Difference]:
    """Whether negotiationneeded was told when it was due, once, and not else."""
    if times != int(is_due):
        observed = "negotiationneeded" if times == 1 else f"negotiationneeded {times} times" if times else "no event"
        expected = "negotiationneeded" if is_due else "no negotiationneeded"
        yield Difference("negotiation_needed", state, operation, expected, observed, Kind.EVENT, FLAG_SOURCE)

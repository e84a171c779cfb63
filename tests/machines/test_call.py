"""The call's table: where each trigger leads from each state, and what it asks for, said a second time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.call import REPORTS, Call, CallState
from fsm_rtc.machines.call_requests import CallEnd, LoseForGood, LoseForNow, NoteClosed, NoteEnd
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.dtls import DtlsTransportState
from fsm_rtc.testing import ManualClock

OPEN, MET, BUSY, READY, LOST, FAILED, OVER, ENDING, ENDED = CallState
UNREADY = (OPEN, MET, BUSY, LOST)
PRESENT = (MET, BUSY, READY, LOST)
USABLE = (OPEN, *PRESENT, FAILED, OVER)

Step = tuple[CallState, tuple[str, ...]]


@dataclass(frozen=True)
class Memory:
    """A call that works."""

    connection_state: PeerConnectionState | None = PeerConnectionState.CONNECTED
    messages_flow: bool = True
    dtls: frozenset[DtlsTransportState] = frozenset({DtlsTransportState.CONNECTED})
    connect_seconds: float = 30.0
    is_given_up: bool = False
    is_replaced: bool = False


WELL = Memory()
ILL = Memory(connection_state=PeerConnectionState.DISCONNECTED)
FORGED = Memory(connection_state=PeerConnectionState.FAILED, dtls=frozenset({DtlsTransportState.FAILED}))
GIVEN_UP = replace(ILL, is_given_up=True)
REPLACED = replace(GIVEN_UP, is_replaced=True)


def fire(state: CallState, trigger: str, memory: Memory, event: object = "why") -> Step | None:
    """Where the trigger leads and what it asks for; None if the table has no row for it, or a guard refuses."""
    outcome = Call(memory, state=state, clock=ManualClock()).fire(trigger, event)
    if isinstance(outcome, Rejected):
        assert outcome.reason in (Reason.NO_ROW, Reason.GUARD, Reason.CLOSED)
        return None
    assert isinstance(outcome, Accepted)
    return CallState(outcome.target.value), tuple(type(effect).__name__ for effect in outcome.effects)


def same(*states: CallState, asks: tuple[str, ...] = ()) -> dict[CallState, Step]:
    return {state: (state, asks) for state in states}


def each(states: tuple[CallState, ...], target: CallState, *asked: str) -> dict[CallState, Step]:
    return dict.fromkeys(states, (target, asked))


EXPECTED: dict[tuple[str, Memory], dict[CallState, Step]] = {
    ("on_peer", WELL): {**each(USABLE, MET), **same(ENDING)},
    ("on_back", WELL): same(OPEN),
    ("on_busy", WELL): {MET: (BUSY, ("TellBusy",)), **same(OPEN, BUSY, READY, LOST, FAILED, OVER, ENDING)},
    ("look", WELL): each((MET, BUSY, LOST), READY, "BeReady"),
    ("look", ILL): {READY: (LOST, ())},
    ("look", replace(WELL, messages_flow=False)): {READY: (LOST, ())},
    ("on_too_late", ILL): same(MET, BUSY, asks=("LeaveLate",)),
    ("on_connecting", WELL): same(*USABLE, ENDING),
    ("on_progress", WELL): same(READY, LOST, asks=("NoteProgress",)),
    ("on_progress", replace(WELL, connection_state=PeerConnectionState.CONNECTING)): same(
        READY, LOST, asks=("NoteProgress",)
    ),
    ("on_progress", ILL): {},
    ("on_disconnected", ILL): {
        **same(READY, LOST, asks=("LoseForNow",)),
        **same(OPEN, MET, BUSY, FAILED, OVER, ENDING),
    },
    ("on_failed", ILL): {
        **same(MET, BUSY, asks=("LeaveFailed",)),
        **same(READY, LOST, asks=("LoseForGood",)),
        **same(OPEN, FAILED, OVER, ENDING),
    },
    ("on_failed", FORGED): {**same(*PRESENT, asks=("NoteWrongCertificate",)), **same(OPEN, FAILED, OVER, ENDING)},
    ("on_closed", ILL): {**same(*PRESENT, asks=("NoteClosed",)), **same(OPEN, FAILED, OVER, ENDING)},
    ("on_closed", REPLACED): {**same(*PRESENT, asks=("EndAlone",)), **same(OPEN, FAILED, OVER, ENDING)},
    ("on_peer_lost", ILL): same(*USABLE, ENDING),
    ("on_peer_lost", REPLACED): {**same(*PRESENT, asks=("EndAlone",)), **same(OPEN, FAILED, OVER, ENDING)},
    ("on_given_up", GIVEN_UP): {**same(*UNREADY, FAILED, OVER, asks=("NoteGivenUp",)), **same(READY, ENDING)},
    ("on_given_up", REPLACED): {
        **same(*UNREADY, asks=("NoteGivenUp", "EndAlone")),
        **same(FAILED, OVER, asks=("NoteGivenUp",)),
        **same(READY, ENDING),
    },
    ("use", ILL): same(*USABLE),
    ("send", ILL): same(READY, LOST),
    ("keep_waiting", ILL): same(*UNREADY),
    ("keep_waiting", GIVEN_UP): {},
    ("wait_for_ready", ILL): same(READY),
    ("on_over", ILL): {
        **each((OPEN, MET, BUSY), FAILED, "NoteEnd"),
        **each((READY, LOST), OVER, "NoteEnd"),
        **same(FAILED, OVER, asks=("NoteEnd",)),
        **same(ENDING),
    },
    ("end", ILL): each(USABLE, ENDING, "Stop"),
    ("ended", ILL): {ENDING: (ENDED, ())},
}


@pytest.mark.parametrize(("trigger", "memory"), EXPECTED, ids=str)
def test_each_trigger_leads_where_it_should(trigger: str, memory: Memory) -> None:
    found = {state: step for state in CallState if (step := fire(state, trigger, memory)) is not None}
    assert found == EXPECTED[trigger, memory]


def test_every_trigger_is_looked_at() -> None:
    assert {trigger for trigger, _ in EXPECTED} == {*Call.chart.triggers}


@pytest.mark.parametrize(
    ("trigger", "state", "expected"),
    [
        ("on_disconnected", READY, LoseForNow("why")),
        ("on_failed", LOST, LoseForGood("why")),
        ("on_closed", MET, NoteClosed("why")),
    ],
)
def test_recovery_is_told_why(trigger: str, state: CallState, expected: object) -> None:
    outcome = Call(ILL, state=state, clock=ManualClock()).fire(trigger, "why")
    assert isinstance(outcome, Accepted)
    assert outcome.effects == (expected,)


def test_an_end_is_told_as_it_came() -> None:
    end = CallEnd("the peer left", by_peer=True)
    outcome = Call(ILL, state=READY, clock=ManualClock()).on_over(end)
    assert isinstance(outcome, Accepted)
    assert outcome.effects == (NoteEnd(end),)


def test_every_state_of_a_connection_has_a_report() -> None:
    assert {*REPORTS} == {*PeerConnectionState}
    losses = {state.value: trigger for state, trigger in REPORTS.items() if trigger != "on_connecting"}
    assert losses == {state: f"on_{state}" for state in ("disconnected", "failed", "closed")}


@pytest.mark.parametrize("state", CallState)
def test_time_runs_while_a_peer_is_there_and_the_call_never_worked(state: CallState) -> None:
    machine = Call(ILL, state=state, clock=ManualClock())
    assert machine.armed() == ({"on_too_late": 30.0} if state in (MET, BUSY) else {})


@pytest.mark.parametrize("trigger", ["on_peer", "on_busy"])
def test_it_begins_anew_with_another_peer_and_with_each_word_of_one_who_is_busy(trigger: str) -> None:
    clock = ManualClock()
    machine = Call(ILL, state=MET if trigger == "on_peer" else BUSY, clock=clock)
    clock.advance(20.0)
    machine.fire(trigger)
    assert machine.armed() == {"on_too_late": 50.0}
    clock.advance(30.0)
    (late,) = machine.tick(clock())
    assert isinstance(late, Accepted)
    assert machine.armed() == {}

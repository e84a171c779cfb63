"""The recovery of a call, stated apart from its table: what is done in each state, and what it depends on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.recovery import GiveUp, Recovery, RecoveryState, TellLost

IDLE, SUSPECT, RESTARTING, RECREATING, BACKING_OFF, GAVE_UP = RecoveryState
ATTEMPTING = (RESTARTING, RECREATING)
RECOVERING = (SUSPECT, *ATTEMPTING, BACKING_OFF)

Step = tuple[RecoveryState, tuple[str, ...]] | None


@dataclass(frozen=True)
class Memory:
    """What the attempts depend on: as it is when all is well."""

    link_is_up: bool = True
    peer_is_there: bool = True
    attempts_left: int = 1
    can_restart_ice: bool = True
    is_exchanging: bool = False
    leads: bool = True


WELL = Memory()


def fire(state: RecoveryState, trigger: str, memory: Memory = WELL, event: object = "why") -> Step:
    """Where the trigger leads and what it asks for; None if the table has no row for it."""
    outcome = Recovery(memory, state=state).fire(trigger, event)
    if isinstance(outcome, Rejected):
        assert outcome.reason is Reason.NO_ROW
        return None
    assert isinstance(outcome, Accepted)
    return RecoveryState(outcome.target.value), tuple(type(effect).__name__ for effect in outcome.effects)


def same(*states: RecoveryState) -> dict[RecoveryState, Step]:
    return {state: (state, ()) for state in states}


EXPECTED: dict[str, dict[RecoveryState, Step]] = {
    "on_silence": {IDLE: (SUSPECT, ("TellLost",)), **same(*RECOVERING, GAVE_UP)},
    "on_heard": {**dict.fromkeys(RECOVERING, (IDLE, ("TellRecovered",))), **same(IDLE, GAVE_UP)},
    "on_overdue": {SUSPECT: (RESTARTING, ("RestartIce",))},
    "on_long_overdue": {SUSPECT: (RESTARTING, ("RestartIce",))},
    "on_attempt_failed": {RESTARTING: (RECREATING, ("Recreate",)), RECREATING: (BACKING_OFF, ("BackOff",))},
    "on_backed_off": {BACKING_OFF: (RECREATING, ("Recreate",))},
    "on_stood": {IDLE: (IDLE, ("ResetAttempts",))},
    "on_too_long": dict.fromkeys(RECOVERING, (GAVE_UP, ("GiveUp",))),
    "on_dtls_failed": {**dict.fromkeys((IDLE, *RECOVERING), (GAVE_UP, ("GiveUp",))), **same(GAVE_UP)},
    "on_call_over": {**dict.fromkeys(RECOVERING, (GAVE_UP, ())), **same(IDLE, GAVE_UP)},
    "on_new_call": {**dict.fromkeys((*RECOVERING, GAVE_UP), (IDLE, ())), **same(IDLE)},
}
"""What is done on the side that leads, when nothing stands against it."""


@pytest.mark.parametrize("state", RecoveryState)
@pytest.mark.parametrize("trigger", EXPECTED)
def test_every_cell(trigger: str, state: RecoveryState) -> None:
    assert fire(state, trigger) == EXPECTED[trigger].get(state)


def test_there_are_no_other_triggers() -> None:
    assert {*Recovery.chart.triggers} == {*EXPECTED}
    assert Recovery.initial is IDLE
    assert Recovery.final == frozenset(), "another session of the peer begins another call"


MEMORIES = [
    Memory(*values)
    for values in product((True, False), (True, False), (0, 1, 2), (True, False), (True, False), (True, False))
]


def is_possible(memory: Memory) -> bool:
    return memory.link_is_up and memory.peer_is_there and not memory.is_exchanging and memory.attempts_left > 0


def attempt(memory: Memory) -> Step:
    return (RESTARTING, ("RestartIce",)) if memory.can_restart_ice else (RECREATING, ("Recreate",))


GIVES_UP: Step = (GAVE_UP, ("GiveUp",))


@pytest.mark.parametrize("memory", MEMORIES)
def test_the_leader_begins_when_it_can(memory: Memory) -> None:
    expected = attempt(memory) if is_possible(memory) and memory.leads else (SUSPECT, ())
    assert fire(SUSPECT, "on_overdue", memory) == expected


@pytest.mark.parametrize("memory", MEMORIES)
def test_later_either_side_begins_or_gives_up_when_no_attempt_is_left(memory: Memory) -> None:
    otherwise: Step = GIVES_UP if memory.attempts_left == 0 else (SUSPECT, ())
    assert fire(SUSPECT, "on_long_overdue", memory) == (attempt(memory) if is_possible(memory) else otherwise)


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("state", ATTEMPTING)
def test_an_attempt_has_failed_when_no_offer_is_under_way(state: RecoveryState, memory: Memory) -> None:
    if memory.is_exchanging:
        expected: Step = (state, ())
    elif state is RESTARTING and is_possible(memory):
        expected = (RECREATING, ("Recreate",))
    elif memory.attempts_left == 0:
        expected = GIVES_UP
    else:
        expected = (BACKING_OFF, ("BackOff",))
    assert fire(state, "on_attempt_failed", memory) == expected


@pytest.mark.parametrize("memory", MEMORIES)
def test_the_next_attempt_waits_for_the_link_the_peer_and_the_exchange(memory: Memory) -> None:
    expected: Step = (RECREATING, ("Recreate",)) if is_possible(memory) else (BACKING_OFF, ("BackOff",))
    assert fire(BACKING_OFF, "on_backed_off", memory) == expected


@pytest.mark.parametrize("trigger", [name for name in EXPECTED if name not in ("on_overdue", "on_long_overdue")])
@pytest.mark.parametrize("state", RecoveryState)
def test_nothing_else_depends_on_who_leads(state: RecoveryState, trigger: str) -> None:
    assert fire(state, trigger, replace(WELL, leads=False)) == fire(state, trigger)


def test_the_reason_is_handed_on() -> None:
    lost = Recovery(WELL).fire("on_silence", "silent")
    assert isinstance(lost, Accepted)
    assert lost.effects == (TellLost("silent"),)
    for trigger in ("on_too_long", "on_dtls_failed"):
        given_up = Recovery(WELL, state=SUSPECT).fire(trigger, "too long")
        assert isinstance(given_up, Accepted)
        assert given_up.effects == (GiveUp("too long"),)
    exhausted = Recovery(replace(WELL, attempts_left=0), state=RECREATING).fire("on_attempt_failed", None)
    assert isinstance(exhausted, Accepted)
    assert exhausted.effects == (GiveUp("every attempt to have the call back failed"),)

"""The recovery of a call, stated apart from its table: what is done in each state and at which time, and what it
depends on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.recovery import Recovery, RecoveryState
from fsm_rtc.machines.recovery_requests import GiveUp, NoteCut, StopHeartbeat, TellLost
from fsm_rtc.testing import ManualClock

(
    IDLE,
    CUT_EARLY,
    WATCHING,
    CUT,
    SUSPECT,
    OVERDUE,
    LONG_OVERDUE,
    RESTARTING,
    RECREATING,
    FOLLOWING,
    BACKING_OFF,
    WAITING,
    GOODBYE,
    GAVE_UP,
    CLOSED,
) = RecoveryState
TRYING = (RESTARTING, RECREATING, FOLLOWING)
BETWEEN = (SUSPECT, OVERDUE, LONG_OVERDUE, BACKING_OFF, WAITING)
RECOVERING = (*BETWEEN, *TRYING)
WATCHED = (WATCHING, CUT, *RECOVERING, GOODBYE)
OVER = (GAVE_UP, CLOSED)

Step = tuple[RecoveryState, tuple[str, ...]] | None


@dataclass(frozen=True)
class Times:
    """Each another figure."""

    suspect_after_seconds: float = 3.0
    follower_waits_seconds: float = 5.0
    attempt_seconds: float = 7.0
    stood_seconds: float = 17.0
    give_up_after_seconds: float = 90.0


@dataclass
class Memory:
    """What the attempts depend on, as it is when all is well; and each time another figure."""

    link_is_up: bool = True
    peer_is_there: bool = True
    peer_answers: bool = True
    attempts_left: int = 1
    can_restart_ice: bool = True
    is_exchanging: bool = False
    leads: bool = True
    cut_reason: str = "cut"
    heard_at: float = -1000.0
    overdue_seconds: float = 4.0
    backoff_seconds: float = 10.0
    bye_seconds: float = 2.0
    policy: Times = field(default_factory=Times)


WELL = Memory()


def machine_in(state: RecoveryState, memory: Memory = WELL, clock: ManualClock | None = None) -> Recovery:
    """A machine in this state. A drawn time is three quarters of the longest."""
    return Recovery(
        memory, state=state, clock=clock or ManualClock(), uniform=lambda low, high: low + (high - low) * 0.75
    )


def fire(state: RecoveryState, trigger: str, memory: Memory = WELL, event: object = "why") -> Step:
    """Where the trigger leads and what it asks for; None if the table has no row for it."""
    outcome = machine_in(state, memory).fire(trigger, event)
    if isinstance(outcome, Rejected):
        assert outcome.reason in (Reason.NO_ROW, Reason.ALREADY)
        return None
    assert isinstance(outcome, Accepted)
    return RecoveryState(outcome.target.value), tuple(type(effect).__name__ for effect in outcome.effects)


def same(*states: RecoveryState) -> dict[RecoveryState, Step]:
    return {state: (state, ()) for state in states}


def each(states: tuple[RecoveryState, ...], target: RecoveryState, *asked: str) -> dict[RecoveryState, Step]:
    return dict.fromkeys(states, (target, asked))


EXPECTED: dict[str, dict[RecoveryState, Step]] = {
    "on_heard": {
        **each((IDLE, CUT_EARLY), WATCHING, "StartHeartbeat"),
        CUT: (WATCHING, ()),
        **each(RECOVERING, WATCHING, "TellRecovered"),
        **same(WATCHING, GOODBYE, *OVER),
    },
    "on_silence": {WATCHING: (SUSPECT, ("TellLost",))},
    "on_lost": {WATCHING: (SUSPECT, ("TellLost",)), **same(IDLE, CUT_EARLY, CUT, *RECOVERING, GOODBYE, *OVER)},
    "on_lost_for_good": {
        **each((WATCHING, CUT), OVERDUE, "TellLost"),
        SUSPECT: (OVERDUE, ()),
        RESTARTING: (RECREATING, ("Recreate",)),
        **each((RECREATING, FOLLOWING), BACKING_OFF),
        **same(IDLE, CUT_EARLY, OVERDUE, LONG_OVERDUE, BACKING_OFF, WAITING, GOODBYE, *OVER),
    },
    "on_closed": {
        IDLE: (CUT_EARLY, ()),
        WATCHING: (CUT, ("NoteCut",)),
        SUSPECT: (OVERDUE, ()),
        RESTARTING: (RECREATING, ("Recreate",)),
        **same(CUT_EARLY, CUT, OVERDUE, LONG_OVERDUE, RECREATING, FOLLOWING, BACKING_OFF, WAITING, GOODBYE, *OVER),
    },
    "on_no_goodbye": {CUT: (OVERDUE, ("TellLost",))},
    "on_no_offer": {CUT_EARLY: (IDLE, ("EndEarly", "StopHeartbeat"))},
    "on_agreed": {
        CUT_EARLY: (IDLE, ("StopHeartbeat",)),
        **each(BETWEEN, FOLLOWING),
        **same(IDLE, WATCHING, CUT, *TRYING, GOODBYE, *OVER),
    },
    "on_progress": same(*RecoveryState),
    "on_goodbye": {**each((IDLE, CUT_EARLY, WATCHING, CUT, *RECOVERING), GOODBYE), **same(GOODBYE, *OVER)},
    "on_no_bye": {GOODBYE: (IDLE, ("EndByPeer", "StopHeartbeat"))},
    "on_overdue": {SUSPECT: (OVERDUE, ())},
    "on_turn": {OVERDUE: (RESTARTING, ("OfferIceRestart",))},
    "on_long_overdue": {OVERDUE: (RESTARTING, ("OfferIceRestart",))},
    "on_chance": {**each((OVERDUE, LONG_OVERDUE), RESTARTING, "OfferIceRestart"), WAITING: (BACKING_OFF, ())},
    "on_attempt_failed": {
        RESTARTING: (RECREATING, ("Recreate",)),
        **each((RECREATING, FOLLOWING), BACKING_OFF),
    },
    "on_backed_off": {BACKING_OFF: (RECREATING, ("Recreate",))},
    "on_stood": {WATCHING: (WATCHING, ("ResetAttempts",))},
    "on_too_long": each(RECOVERING, GAVE_UP, "GiveUp", "StopHeartbeat"),
    "on_dtls_failed": {**each((IDLE, CUT_EARLY, *WATCHED), GAVE_UP, "GiveUp", "StopHeartbeat"), **same(*OVER)},
    "on_call_over": {
        **each(RECOVERING, GAVE_UP, "StopHeartbeat"),
        **each((CUT_EARLY, WATCHING, CUT, GOODBYE), IDLE, "StopHeartbeat"),
        **same(IDLE, *OVER),
    },
    "on_new_call": {
        **each((CUT_EARLY, *WATCHED, GAVE_UP), IDLE, "ResetAttempts", "StopHeartbeat"),
        IDLE: (IDLE, ("ResetAttempts",)),
        **same(CLOSED),
    },
    "close": each((IDLE, CUT_EARLY, *WATCHED, GAVE_UP), CLOSED, "StopHeartbeat"),
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
    again = machine_in(CLOSED).fire("close")
    assert isinstance(again, Rejected)
    assert again.reason is Reason.ALREADY


MEMORIES = [
    Memory(*values)
    for values in product((True, False), (True, False), (True,), (0, 1, 2), (True, False), (True, False), (True, False))
]


def is_possible(memory: Memory) -> bool:
    return memory.link_is_up and memory.peer_is_there and not memory.is_exchanging and memory.attempts_left > 0


def attempt(memory: Memory) -> Step:
    return (RESTARTING, ("OfferIceRestart",)) if memory.can_restart_ice else (RECREATING, ("Recreate",))


GIVES_UP: Step = (GAVE_UP, ("GiveUp", "StopHeartbeat"))


def moved(state: RecoveryState, trigger: str, memory: Memory) -> Step:
    """As `fire`, but None for a trigger whose guards all refuse."""
    return fire(state, trigger, memory) if machine_in(state, memory).permits(trigger) else None


@pytest.mark.parametrize("memory", MEMORIES)
def test_the_leader_begins_when_it_can(memory: Memory) -> None:
    can = is_possible(memory) and memory.leads
    assert fire(OVERDUE, "on_turn", memory) == (attempt(memory) if can else (OVERDUE, ()))
    assert moved(OVERDUE, "on_chance", memory) == (attempt(memory) if can else None)


@pytest.mark.parametrize("memory", MEMORIES)
def test_later_either_side_begins_or_gives_up_when_no_attempt_is_left(memory: Memory) -> None:
    otherwise: Step = GIVES_UP if memory.attempts_left == 0 else (LONG_OVERDUE, ())
    assert fire(OVERDUE, "on_long_overdue", memory) == (attempt(memory) if is_possible(memory) else otherwise)
    assert moved(LONG_OVERDUE, "on_chance", memory) == (attempt(memory) if is_possible(memory) else None)


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("state", TRYING)
@pytest.mark.parametrize("trigger", ["on_attempt_failed", "on_lost_for_good"])
def test_an_attempt_has_failed_when_no_offer_is_under_way(trigger: str, state: RecoveryState, memory: Memory) -> None:
    if memory.is_exchanging:
        expected: Step = (state, ())
    elif state is RESTARTING and is_possible(memory):
        expected = (RECREATING, ("Recreate",))
    elif memory.attempts_left == 0:
        expected = GIVES_UP
    else:
        expected = (BACKING_OFF, ())
    assert fire(state, trigger, memory) == expected


@pytest.mark.parametrize("memory", MEMORIES)
def test_the_next_attempt_waits_for_the_link_the_peer_and_the_exchange(memory: Memory) -> None:
    expected: Step = (RECREATING, ("Recreate",)) if is_possible(memory) else (WAITING, ())
    assert fire(BACKING_OFF, "on_backed_off", memory) == expected
    stands_against_it = not is_possible(replace(memory, attempts_left=1))
    assert moved(WAITING, "on_chance", memory) == (None if stands_against_it else (BACKING_OFF, ()))


@pytest.mark.parametrize("memory", MEMORIES)
def test_a_connection_that_ends_while_ice_is_restarted_is_made_anew(memory: Memory) -> None:
    expected: Step = (RECREATING, ("Recreate",)) if is_possible(memory) else (RESTARTING, ())
    assert fire(RESTARTING, "on_closed", memory) == expected


def test_a_peer_that_answers_no_heartbeat_may_be_silent() -> None:
    assert fire(WATCHING, "on_silence", replace(WELL, peer_answers=False)) == (WATCHING, ())


@pytest.mark.parametrize("trigger", [name for name in EXPECTED if name not in ("on_turn", "on_chance")])
@pytest.mark.parametrize("state", RecoveryState)
def test_nothing_else_depends_on_who_leads(state: RecoveryState, trigger: str) -> None:
    assert fire(state, trigger, replace(WELL, leads=False)) == fire(state, trigger)


@pytest.mark.parametrize(
    ("state", "trigger", "effects"),
    [
        (WATCHING, "on_lost", (TellLost("why"),)),
        (WATCHING, "on_lost_for_good", (TellLost("why"),)),
        (WATCHING, "on_closed", (NoteCut("why"),)),
        (WATCHING, "on_silence", (TellLost("nothing was heard of it"),)),
        (CUT, "on_no_goodbye", (TellLost("cut"),)),
    ],
)
def test_the_reason_is_handed_on(state: RecoveryState, trigger: str, effects: tuple[object, ...]) -> None:
    outcome = machine_in(state).fire(trigger, "why")
    assert isinstance(outcome, Accepted)
    assert outcome.effects == effects


@pytest.mark.parametrize(
    ("state", "trigger", "reason"),
    [
        (SUSPECT, "on_dtls_failed", "why"),
        (SUSPECT, "on_too_long", "the call could not be recovered within 90 s"),
        (RECREATING, "on_attempt_failed", "every attempt to recover the call failed"),
    ],
)
def test_it_says_why_it_gives_up(state: RecoveryState, trigger: str, reason: str) -> None:
    outcome = machine_in(state, replace(WELL, attempts_left=0)).fire(trigger, "why")
    assert isinstance(outcome, Accepted)
    first, last = outcome.effects
    assert first == GiveUp(reason)
    assert isinstance(last, StopHeartbeat)


# Time.

TIMES: dict[RecoveryState, dict[str, float]] = {
    WATCHING: {"on_silence": 3.0, "on_stood": 17.0},
    CUT_EARLY: {"on_no_offer": 5.0},
    CUT: {"on_no_goodbye": 0.5},
    SUSPECT: {"on_overdue": 4.0},
    OVERDUE: {"on_turn": 0.0, "on_long_overdue": 5.0},
    RESTARTING: {"on_attempt_failed": 7.0},
    RECREATING: {"on_attempt_failed": 7.0},
    FOLLOWING: {"on_attempt_failed": 7.0},
    BACKING_OFF: {"on_backed_off": 7.5},
    GOODBYE: {"on_no_bye": 2.0},
}
"""What runs in each state, and for how long."""


@pytest.mark.parametrize("state", RecoveryState)
def test_what_runs_in_each_state(state: RecoveryState) -> None:
    given_up = {"on_too_long": 90.0} if state in RECOVERING else {}
    assert machine_in(state).armed() == {**TIMES.get(state, {}), **given_up}


def test_giving_up_counts_from_the_loss_whatever_is_tried_meanwhile() -> None:
    clock = ManualClock()
    machine = machine_in(WATCHING, clock=clock)
    machine.on_lost("why")
    for trigger in ("on_overdue", "on_turn", "on_attempt_failed", "on_attempt_failed", "on_backed_off"):
        clock.advance(1.0)
        assert machine.fire(trigger)
        assert machine.armed()["on_too_long"] == 90.0
    machine.on_heard()
    machine.on_lost("why")
    assert machine.armed()["on_too_long"] == 95.0


def test_every_attempt_has_the_whole_time_and_one_whose_offer_is_under_way_has_it_again() -> None:
    clock, memory = ManualClock(), replace(WELL, attempts_left=5)
    machine = machine_in(OVERDUE, memory, clock)
    machine.on_turn()
    clock.advance(3.0)
    machine.on_attempt_failed()
    assert machine.state is RECREATING
    assert machine.armed()["on_attempt_failed"] == 10.0
    memory.is_exchanging = True
    clock.advance(7.0)
    machine.tick(clock())
    assert machine.state is RECREATING
    assert machine.armed()["on_attempt_failed"] == 17.0
    machine.on_lost_for_good("why")
    assert machine.armed()["on_attempt_failed"] == 17.0, "only the time itself begins anew"


@pytest.mark.parametrize("state", TRYING)
@pytest.mark.parametrize("trigger", ["on_agreed", "on_progress"])
def test_an_attempt_that_comes_nearer_has_the_whole_time_again(state: RecoveryState, trigger: str) -> None:
    clock = ManualClock()
    machine = machine_in(state, clock=clock)
    clock.advance(5.0)
    machine.fire(trigger)
    assert machine.armed() == {"on_attempt_failed": 12.0, "on_too_long": 90.0}


def test_what_is_heard_puts_the_suspicion_off_without_an_event() -> None:
    clock, memory = ManualClock(), replace(WELL, heard_at=0.0)
    machine = machine_in(WATCHING, memory, clock)
    memory.heard_at = 2.0
    clock.advance(3.0)
    assert machine.tick(clock()) == ()
    assert machine.next_timeout() == 5.0
    clock.advance(2.0)
    assert [outcome.trigger for outcome in machine.tick(clock())] == ["on_silence"]


def test_a_peer_whose_silence_says_nothing_is_looked_at_again() -> None:
    clock = ManualClock()
    machine = machine_in(WATCHING, replace(WELL, peer_answers=False), clock)
    clock.advance(3.0)
    machine.tick(clock())
    assert machine.armed() == {"on_silence": 6.0, "on_stood": 17.0}


def test_a_process_that_stood_still_holds_nothing_of_that_against_the_peer() -> None:
    for state in RecoveryState:
        machine = machine_in(state)
        before = dict(machine.armed())
        machine.stood_still(100.0)
        late = {name: at + (0.0 if name == "on_turn" else 100.0) for name, at in before.items()}
        assert machine.armed() == late

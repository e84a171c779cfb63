"""The negotiation-needed flag, against #dfn-update-the-negotiation-needed-flag written down by hand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.negotiation import SignalingState
from fsm_rtc.machines.negotiation_needed import FireNegotiationNeeded, NegotiationFlag, NegotiationNeeded, QueueTask

CLEAR, CLEAR_DUE, CLEAR_QUEUED, SET, SET_DUE, SET_QUEUED, CLOSED = NegotiationFlag
LIVE = (CLEAR, CLEAR_DUE, CLEAR_QUEUED, SET, SET_DUE, SET_QUEUED)

Did = tuple[NegotiationFlag, list[str]]


@dataclass(frozen=True)
class Need:
    """Where the connection stands."""

    is_chain_empty: bool = True
    signaling_state: SignalingState = SignalingState.STABLE
    is_needed: bool = True
    is_loop_running: bool = True


STANDINGS = [
    Need(is_chain_empty, state, is_needed, is_loop_running)
    for is_chain_empty, state, is_needed, is_loop_running in product(
        [True, False], SignalingState, [True, False], [True, False]
    )
]


def did(state: NegotiationFlag, trigger: str, need: Need) -> Did:
    outcome = NegotiationNeeded(need, state=state).fire(trigger)
    assert isinstance(outcome, Accepted), outcome
    target = outcome.target
    assert isinstance(target, NegotiationFlag)
    return target, [type(effect).__name__ for effect in outcome.effects]


FLAGS = {CLEAR: "clear", CLEAR_DUE: "clear", CLEAR_QUEUED: "clear", SET: "set", SET_DUE: "set", SET_QUEUED: "set"}
STATES = {
    ("clear", ""): CLEAR,
    ("clear", "due"): CLEAR_DUE,
    ("clear", "queued"): CLEAR_QUEUED,
    ("set", ""): SET,
    ("set", "due"): SET_DUE,
    ("set", "queued"): SET_QUEUED,
}


def updated(state: NegotiationFlag, need: Need) -> Did:
    """The algorithm's first two steps."""
    flag = FLAGS[state]
    if state in (CLEAR_QUEUED, SET_QUEUED):
        return state, []  # another task in the same turn would find the same
    if not need.is_chain_empty or not need.is_loop_running:
        return STATES[flag, "due"], []
    return STATES[flag, "queued"], [QueueTask.__name__]


def done_by_the_task(state: NegotiationFlag, need: Need) -> Did:
    """The queued task's steps, in their order."""
    flag = FLAGS[state]
    if not need.is_chain_empty:
        return STATES[flag, "due"], []
    if need.signaling_state is not SignalingState.STABLE:
        return STATES[flag, ""], []
    if not need.is_needed:
        return CLEAR, []
    if flag == "set":
        return SET, []
    return SET, [FireNegotiationNeeded.__name__]


@pytest.mark.parametrize("state", LIVE)
def test_an_update_queues_a_task_or_waits_for_the_end_of_the_chain(state: NegotiationFlag) -> None:
    for need in STANDINGS:
        assert did(state, "update", need) == updated(state, need), need


@pytest.mark.parametrize("state", [CLEAR_QUEUED, SET_QUEUED])
def test_the_task_does_as_the_algorithm_does(state: NegotiationFlag) -> None:
    for need in STANDINGS:
        assert did(state, "on_task", need) == done_by_the_task(state, need), need


@pytest.mark.parametrize("state", [CLEAR, CLEAR_DUE, SET, SET_DUE])
def test_no_task_comes_that_was_not_queued(state: NegotiationFlag) -> None:
    outcome = NegotiationNeeded(Need(), state=state).on_task()
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.NO_ROW


@pytest.mark.parametrize("state", NegotiationFlag)
def test_the_end_of_the_chain_queues_what_is_due_and_nothing_else(state: NegotiationFlag) -> None:
    queued = {CLEAR_DUE: CLEAR_QUEUED, SET_DUE: SET_QUEUED}
    asked = [QueueTask.__name__] if state in queued else []
    assert did(state, "on_chain_empty", Need()) == (queued.get(state, state), asked)
    assert did(state, "on_chain_empty", Need(is_loop_running=False)) == (state, [])


@pytest.mark.parametrize("state", LIVE)
def test_the_return_to_stable_clears_the_flag_and_nothing_else(state: NegotiationFlag) -> None:
    cleared = {SET: CLEAR, SET_DUE: CLEAR_DUE, SET_QUEUED: CLEAR_QUEUED}
    assert did(state, "on_stable", Need()) == (cleared.get(state, state), [])


@pytest.mark.parametrize("state", LIVE)
def test_a_close_ends_it(state: NegotiationFlag) -> None:
    assert did(state, "close", Need()) == (CLOSED, [])


@pytest.mark.parametrize("trigger", ["update", "on_chain_empty", "on_task"])
def test_what_comes_after_the_close_does_nothing(trigger: str) -> None:
    assert did(CLOSED, trigger, Need()) == (CLOSED, [])


@pytest.mark.parametrize("trigger", ["on_stable", "close"])
def test_a_closed_connection_neither_returns_to_stable_nor_closes_again(trigger: str) -> None:
    assert not NegotiationNeeded(Need(), state=CLOSED).fire(trigger)


def test_it_begins_clear_and_has_no_other_trigger() -> None:
    assert NegotiationNeeded(Need()).state is CLEAR
    assert {*NegotiationNeeded.chart.triggers} == {"update", "on_chain_empty", "on_task", "on_stable", "close"}

"""Whether a signalling server lets somebody in, stated apart from its table."""

from __future__ import annotations

from fsm_rtc.engine import Accepted
from fsm_rtc.machines.signaling_hub import SignalingHub, SignalingHubState
from tests.machines.handwritten_tables import asked, triggers_of, written

SERVING, DRAINING, STOPPED = SignalingHubState

TABLE = """
        serving  draining stopped
answer  =        =        closed
admit   =        -        closed
drain   draining =        closed
stop    stopped  stopped  already
"""


def test_every_cell() -> None:
    assert asked(SignalingHub, triggers_of(TABLE)) == written(TABLE)
    assert {*SignalingHub.chart.triggers} == {*triggers_of(TABLE)}


def requests(state: SignalingHubState, trigger: str) -> list[str]:
    outcome = SignalingHub(state=state).fire(trigger)
    assert isinstance(outcome, Accepted)
    return [type(effect).__name__ for effect in outcome.effects]


def test_everybody_is_told_that_it_drains_and_nobody_that_it_ends() -> None:
    for state in (SERVING, DRAINING):
        assert requests(state, "drain") == ["TellDraining"]
        assert requests(state, "stop") == ["ForgetAll"]
        assert requests(state, "answer") == []


def test_it_serves_first() -> None:
    assert SignalingHub().state is SERVING

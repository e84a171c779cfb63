"""The negotiation-needed flag, against #dfn-update-the-negotiation-needed-flag written down by hand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.machines.negotiation_needed import FireNegotiationNeeded, NegotiationFlag, NegotiationNeeded

CLEAR, SET = NegotiationFlag


@dataclass(frozen=True)
class Need:
    """Where the connection stands."""

    is_chain_empty: bool
    is_stable: bool
    is_needed: bool


def updated(state: NegotiationFlag, need: Need) -> tuple[NegotiationFlag, tuple[object, ...]]:
    outcome = NegotiationNeeded(state=state).update(need)
    assert isinstance(outcome, Accepted)
    target = outcome.target
    assert isinstance(target, NegotiationFlag)
    return target, outcome.effects


def by_the_text(flag: NegotiationFlag, need: Need) -> tuple[NegotiationFlag, tuple[object, ...]]:
    """The algorithm's steps, in its order."""
    if not need.is_chain_empty:
        return flag, ()
    if not need.is_stable:
        return flag, ()
    if not need.is_needed:
        return CLEAR, ()
    if flag is SET:
        return SET, ()
    return SET, (FireNegotiationNeeded(),)


@pytest.mark.parametrize("state", NegotiationFlag)
@pytest.mark.parametrize("need", [Need(*facts) for facts in product([True, False], repeat=3)], ids=str)
def test_it_is_updated_as_the_algorithm_does(state: NegotiationFlag, need: Need) -> None:
    assert updated(state, need) == by_the_text(state, need)


@pytest.mark.parametrize("state", NegotiationFlag)
def test_the_return_to_stable_clears_it(state: NegotiationFlag) -> None:
    machine = NegotiationNeeded(state=state)
    assert machine.on_stable()
    assert machine.state is CLEAR


def test_it_begins_clear_and_has_no_other_trigger() -> None:
    assert NegotiationNeeded().state is CLEAR
    assert {*NegotiationNeeded.chart.triggers} == {"update", "on_stable"}

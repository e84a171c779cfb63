"""Observed: reports of a library, known and unknown, and the adoption of where it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest

from fsm_rtc.engine import Accepted, Observed, On, Queued, Row, adopt
from fsm_rtc.engine.observed import report_trigger
from fsm_rtc.errors import Reason, Rejected


class Lamp(StrEnum):
    """States of a lamp, as its library reports them."""

    OFF = "off"
    DIM = "half-lit"
    BRIGHT = "bright"
    NONE = "Off"


OFF, DIM, BRIGHT, NONE = Lamp


def tell(context: None, reported: Lamp) -> tuple[str, Lamp]:
    """Tell somebody."""
    return ("told", reported)


class Watched(Observed[Lamp, None]):
    """A lamp that somebody else switches."""

    initial = OFF
    on_half_lit = On(Row((OFF, BRIGHT), DIM), idempotent=True)
    on_bright = On(Row(DIM, BRIGHT), idempotent=True)
    on_off = On(Row(BRIGHT, OFF), idempotent=True)
    unplug = On(Row((OFF, DIM, BRIGHT), NONE))
    on_desync = adopt((OFF, DIM, BRIGHT), (OFF, DIM, BRIGHT), then=(tell,))


def reason(outcome: object) -> Reason:
    assert isinstance(outcome, Rejected)
    return outcome.reason


def test_a_report_is_its_states_trigger() -> None:
    lamp = Watched()
    assert report_trigger("half-lit") == "on_half_lit"
    outcome = lamp.report("half-lit")
    assert isinstance(outcome, Accepted)
    assert (outcome.trigger, lamp.state) == ("on_half_lit", DIM)


def test_a_report_of_where_it_is_is_nothing_to_do() -> None:
    assert reason(Watched().report("off")) is Reason.ALREADY


def test_an_unexpected_report_is_refused_and_changes_nothing() -> None:
    lamp = Watched()
    assert reason(lamp.report("bright")) is Reason.NO_ROW
    assert lamp.state is OFF


@pytest.mark.parametrize("value", ["broken", "BRIGHT", "half_lit", "Off", "desync", "", None, "half-Lit"])
def test_a_value_that_is_no_reported_state_is_unknown(value: Any) -> None:
    lamp = Watched(state=DIM)
    heard: list[object] = []
    lamp.observe(lambda machine, outcome: heard.append(outcome))
    outcome = lamp.report(value)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.UNKNOWN_REPORT
    assert (outcome.event, outcome.trigger) == (value, report_trigger(value))
    assert heard == [outcome]
    assert lamp.state is DIM


@pytest.mark.parametrize("value", ["half-lit", "broken"])
def test_a_report_of_another_generation_is_stale(value: str) -> None:
    lamp = Watched(generation=2)
    assert reason(lamp.report(value, generation=1)) is Reason.STALE
    assert reason(lamp.report("broken", generation=2)) is Reason.UNKNOWN_REPORT
    assert lamp.report("half-lit", generation=2)


def test_an_unknown_report_waits_its_turn_like_any_other() -> None:
    lamp = Watched()
    heard: list[str] = []
    answers: list[object] = []

    def answer(machine: object, outcome: Accepted | Rejected) -> None:
        if outcome:
            answers.append(lamp.report("broken"))

    lamp.observe(answer)
    lamp.observe(lambda machine, outcome: heard.append(outcome.trigger))
    lamp.report("half-lit")
    assert isinstance(answers[0], Queued)
    assert repr(answers[0]) == "Queued(Watched: report)"
    assert heard == ["on_half_lit", "on_broken"]


def test_it_adopts_where_the_library_is_and_tells() -> None:
    lamp = Watched()
    outcome = lamp.on_desync(BRIGHT)
    assert isinstance(outcome, Accepted)
    assert (outcome.target, outcome.effects) == (BRIGHT, (("told", BRIGHT),))


def test_it_adopts_only_another_state() -> None:
    outcome = Watched().on_desync(OFF)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.guard) == (Reason.GUARD, "library_is_half_lit")
    assert outcome.explanation == "The library must be in 'half-lit'"

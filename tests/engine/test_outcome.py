"""Accepted, Queued: what they say, compare and hide."""

from __future__ import annotations

from unittest import mock

import pytest

from fsm_rtc.engine import Accepted, Chart, On, Queued, Row
from tests.engine.door_chart import GONE, LOCKED, OPEN, SHUT, Creak, Door, DoorState, House


def one(context: None, event: object) -> object:
    """Return the event."""
    return event


def nothing(context: None, event: object) -> object:
    """Return None."""
    return None


class Effects(Chart[DoorState, None]):
    """A chart with rows of 0, 1 and 2 effects."""

    initial = OPEN
    none = On[None, object](Row(OPEN, SHUT))
    single = On[None, object](Row(OPEN, LOCKED, then=(one,)))
    empty = On[None, object](Row(OPEN, GONE, then=(nothing,)))
    both = On[None, object](Row(OPEN, SHUT, then=(nothing, one)))


def effects(trigger: str, event: object) -> object:
    outcomes = []
    for observed in (False, True):
        machine = Effects()
        if observed:
            machine.observe(lambda machine, outcome: None)
        outcome = machine.fire(trigger, event)
        assert isinstance(outcome, Accepted)
        outcomes.append(outcome.effects)
    hot = getattr(Effects(), trigger)(event)
    assert outcomes == [hot.effects] * 2
    return hot.effects


@pytest.mark.parametrize("event", [None, 1, (), (1, 2), [3]])
def test_effects_are_a_tuple_of_what_each_returned(event: object) -> None:
    assert effects("none", event) == ()
    assert effects("single", event) == (event,)
    assert effects("empty", event) == (None,)
    assert effects("both", event) == (None, event)


def shut(event: object = None) -> Accepted:
    outcome = Door(House(), state=SHUT).fire("open", event)
    assert isinstance(outcome, Accepted)
    return outcome


def test_an_accepted_is_true_and_says_its_edge() -> None:
    outcome = shut("wide")
    assert outcome
    assert repr(outcome) == "Accepted(Door: shut --open--> open)"
    assert (outcome.machine, outcome.trigger, outcome.source, outcome.target) == ("Door", "open", SHUT, OPEN)
    assert outcome.row.describe() == "shut -> open / creak"
    assert outcome.effects == (Creak("wide"),)


def test_equal_are_the_same_edge_payload_and_requests() -> None:
    assert shut(1) == shut(1)
    assert hash(shut(1)) == hash(shut(1))
    assert shut(1) != shut(2)
    assert shut() != Door(House(), state=OPEN).fire("shut")


def test_the_same_edge_of_another_chart_is_not_equal() -> None:
    class Gate(Door):
        """A door by another name."""

    assert Gate(House(), state=SHUT).fire("open", 1) != shut(1)


def test_what_is_no_outcome_is_not_equal() -> None:
    assert shut(1) != (1, Creak(1))
    assert (1, Creak(1)) != shut(1)
    assert shut(1) != "shut"
    assert shut(1) == mock.ANY


def test_an_outcome_has_no_dict() -> None:
    assert not hasattr(shut(), "__dict__")


def test_a_queued_is_neither_true_nor_false() -> None:
    queued = Queued("Door", "lock")
    assert repr(queued) == "Queued(Door: lock)"
    with pytest.raises(TypeError, match=r"lock waits its turn on Door, .* observe the machine"):
        bool(queued)

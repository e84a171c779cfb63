"""Messages on their way, stated apart from their table, against docs/delivery.md."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.delivery import (
    AcceptAcknowledgement,
    BeginAt,
    Deliveries,
    DeliveryState,
    ForgetMessages,
    Greet,
    HandOver,
    Resume,
    Skip,
)

AWAY, GREETING, FLOWING, OVER = DeliveryState


@dataclass(frozen=True)
class Memory:
    """Three messages were sent, two have come; and a greeting."""

    sent: int = 3
    next_number: int = 3
    handed_over: int = 2
    knows_stream: bool = True
    peer_stream: str = "s"
    has_received: int = 1
    stream: str = "s"


EVENTS: dict[str, object] = {"on_hello": Memory(), "on_begin": 3, "on_message": "hello", "on_acknowledged": 2}

EXPECTED: dict[str, dict[DeliveryState, tuple[DeliveryState, tuple[object, ...]]]] = {
    "on_open": {AWAY: (GREETING, (Greet(),))},
    "on_hello": {GREETING: (FLOWING, (Resume(1),)), FLOWING: (FLOWING, (Greet(), Resume(1)))},
    "send": {FLOWING: (FLOWING, ())},
    "on_begin": {GREETING: (GREETING, (Greet(),)), FLOWING: (FLOWING, (BeginAt(3),))},
    "on_message": {FLOWING: (FLOWING, (HandOver("hello"),))},
    "on_acknowledged": {FLOWING: (FLOWING, (AcceptAcknowledgement(2),))},
    "on_lost": {GREETING: (AWAY, ()), FLOWING: (AWAY, ())},
    "on_goodbye": dict.fromkeys((AWAY, GREETING, FLOWING), (OVER, (ForgetMessages(),))),
}


@pytest.mark.parametrize("state", DeliveryState)
@pytest.mark.parametrize("trigger", EXPECTED)
def test_every_cell(trigger: str, state: DeliveryState) -> None:
    outcome = Deliveries(Memory(), state=state).fire(trigger, EVENTS.get(trigger))
    if state in EXPECTED[trigger]:
        assert isinstance(outcome, Accepted)
        assert (outcome.target, outcome.effects) == EXPECTED[trigger][state]
    else:
        assert isinstance(outcome, Rejected)
        expected = Reason.CLOSED if state is OVER else Reason.NO_ROW
        assert outcome.reason is (Reason.ALREADY if (trigger, state) == ("on_lost", AWAY) else expected)


def test_there_are_no_other_triggers() -> None:
    assert {*Deliveries.chart.triggers} == {*EXPECTED}
    assert Deliveries.initial is AWAY
    assert Deliveries.final == {OVER}


def test_only_a_goodbye_forgets_messages() -> None:
    forgetting = {
        trigger
        for trigger in EXPECTED
        for state in DeliveryState
        if isinstance(outcome := Deliveries(Memory(), state=state).fire(trigger, EVENTS.get(trigger)), Accepted)
        and ForgetMessages() in outcome.effects
    }
    assert forgetting == {"on_goodbye"}


def refusing(memory: Memory, trigger: str, event: object) -> str | None:
    """Who refuses; None if nobody does."""
    state = GREETING if trigger == "on_hello" else FLOWING
    outcome = Deliveries(memory, state=state).fire(trigger, event)
    return outcome.guard if isinstance(outcome, Rejected) else None


@pytest.mark.parametrize(("has_received", "refused"), [(0, None), (3, None), (4, "peer_has_what_was_sent")])
def test_the_peer_has_no_more_than_was_sent(has_received: int, refused: str | None) -> None:
    assert refusing(Memory(), "on_hello", Memory(has_received=has_received)) == refused


def test_on_one_channel_there_is_one_stream_of_the_peers() -> None:
    refused = Deliveries(Memory(), state=FLOWING).fire("on_hello", Memory(stream="another"))
    assert isinstance(refused, Rejected)
    assert refused.guard == "is_the_same_stream"
    assert Deliveries(Memory(), state=GREETING).fire("on_hello", Memory(stream="another"))


@pytest.mark.parametrize(("number", "refused"), [(0, None), (3, None), (4, "was_sent")])
def test_no_more_is_acknowledged_than_was_sent(number: int, refused: str | None) -> None:
    assert refusing(Memory(), "on_acknowledged", number) == refused


@pytest.mark.parametrize(
    ("number", "known", "refused"),
    [
        (0, True, "leaves_no_gap"),
        (1, True, None),
        (3, True, None),
        (4, True, "leaves_no_gap"),
        (0, False, "leaves_no_gap"),
        (1, False, None),
        (400, False, None),
    ],
)
def test_a_stream_goes_on_where_it_was_and_a_new_one_begins_anywhere(
    number: int, known: bool, refused: str | None
) -> None:
    assert refusing(Memory(knows_stream=known), "on_begin", number) == refused


@pytest.mark.parametrize(
    ("next_number", "asked"), [(0, "number_is_known"), (1, Skip()), (2, Skip()), (3, HandOver("m")), (4, HandOver("m"))]
)
def test_a_message_that_came_before_is_skipped(next_number: int, asked: object) -> None:
    outcome = Deliveries(Memory(next_number=next_number), state=FLOWING).fire("on_message", "m")
    told = (
        outcome.guard if isinstance(outcome, Rejected) else outcome.effects[0] if isinstance(outcome, Accepted) else 0
    )
    assert told == asked

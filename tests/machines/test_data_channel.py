"""RTCDataChannelState and the flow of a channel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.engine import Accepted
from fsm_rtc.machines.data_channel import (
    Channel,
    CloseChannel,
    DataChannelState,
    FireClose,
    FireClosing,
    FireOpen,
    Flow,
    FlowLimits,
    FlowState,
)
from tests.machines.handwritten_tables import asked, reaction, triggers_of, written

CHANNEL = """
                   connecting  open     closing  closed
on_open            open        already  -        closed
on_made_there      open        -        -        closed
announce           -           =        -        closed
send               -           =        -        closed
close              closing     closing  already  closed
on_closing         closing     closing  =        closed
on_closed          closed      closed   closed   already
connection_closed  closed      closed   closed   already
"""


def test_every_cell_of_the_channel_is_as_the_specification_has_it() -> None:
    triggers = triggers_of(CHANNEL)
    assert asked(Channel, triggers) == written(CHANNEL)
    assert {*Channel.chart.triggers} == {*triggers}


ASKED = {
    ("connecting", "on_open"): [FireOpen],
    ("open", "announce"): [FireOpen],
    ("connecting", "close"): [CloseChannel],
    ("open", "close"): [CloseChannel],
    ("connecting", "on_closing"): [FireClosing],
    ("open", "on_closing"): [FireClosing],
} | {
    (state, trigger): [FireClose]
    for state in ("connecting", "open", "closing")
    for trigger in ("on_closed", "connection_closed")
}


@pytest.mark.parametrize("state", DataChannelState)
@pytest.mark.parametrize("trigger", triggers_of(CHANNEL))
def test_what_is_told_and_asked_for(state: DataChannelState, trigger: str) -> None:
    outcome = Channel(state=state).fire(trigger)
    effects = outcome.effects if isinstance(outcome, Accepted) else ()
    assert [type(effect) for effect in effects] == ASKED.get((state.value, trigger), [])


def test_what_closed_it_is_told() -> None:
    outcome = Channel(state=DataChannelState.OPEN).fire("on_closed", "lost")
    assert isinstance(outcome, Accepted)
    assert outcome.effects == (FireClose("lost"),)


def test_a_channel_begins_connecting_and_ends_closed() -> None:
    assert Channel().state is DataChannelState.CONNECTING
    assert Channel.final == {DataChannelState.CLOSED}


LIMITS = FlowLimits(high_bytes=1000, low_bytes=100)


def test_the_flow_is_congested_from_the_high_mark_and_clear_from_the_low_one() -> None:
    for amount, from_clear, from_congested in [
        (0, "too_much_waits", "clear"),
        (100, "too_much_waits", "clear"),
        (101, "too_much_waits", "little_waits"),
        (999, "too_much_waits", "little_waits"),
        (1000, "congested", "little_waits"),
        (5000, "congested", "little_waits"),
    ]:
        assert reaction(Flow, FlowState.CLEAR, "on_buffered_amount", amount, LIMITS) == from_clear
        assert reaction(Flow, FlowState.CONGESTED, "on_buffered_amount", amount, LIMITS) == from_congested


def test_more_is_sent_only_while_the_flow_is_clear() -> None:
    assert reaction(Flow, FlowState.CLEAR, "send", None, LIMITS) == "="
    assert reaction(Flow, FlowState.CONGESTED, "send", None, LIMITS) == "-"


def test_the_flow_begins_clear() -> None:
    assert Flow(LIMITS).state is FlowState.CLEAR
    assert not Flow.final


def test_the_marks_by_default_are_a_mebibyte_and_a_quarter_of_it() -> None:
    assert FlowLimits() == FlowLimits(high_bytes=1_048_576, low_bytes=262_144)


@given(st.lists(st.sampled_from(sorted(Channel.chart.triggers))))
def test_a_channel_opens_at_most_once_and_closes_at_most_once(triggers: list[str]) -> None:
    channel = Channel()
    outcomes = [channel.fire(trigger) for trigger in triggers]
    moves = [one.target for one in outcomes if isinstance(one, Accepted) and one.source is not one.target]
    assert moves == [state for state in DataChannelState if state in moves]


@given(st.lists(st.integers(0, 2000)))
def test_between_the_marks_the_flow_stays_what_it_was(amounts: list[int]) -> None:
    flow = Flow(LIMITS)
    for amount in amounts:
        before = flow.state
        flow.on_buffered_amount(amount)
        if 100 < amount < 1000:
            assert flow.state is before

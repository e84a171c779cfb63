"""How far a transceiver is stopped, against webrtc-pc's text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.engine import Accepted
from fsm_rtc.machines.transceiver import AskForNegotiation, EndMedia, Transceiver, TransceiverState
from tests.machines.handwritten_tables import asked, triggers_of, written

TRANSCEIVER = """
                     active    stopping  stopped  closed
stop                 stopping  =         =        closed
on_section_rejected  stopped   stopped   already  closed
take_section         =         -         -        closed
take_track           =         -         -        closed
set_direction        =         -         -        closed
replace_track        =         -         -        closed
set_streams          =         =         =        closed
connection_closed    closed    closed    closed   already
"""


def test_every_cell_is_as_the_specification_has_it() -> None:
    triggers = triggers_of(TRANSCEIVER)
    assert asked(Transceiver, triggers) == written(TRANSCEIVER)
    assert {*Transceiver.chart.triggers} == {*triggers}


@pytest.mark.parametrize("state", TransceiverState)
@pytest.mark.parametrize("trigger", triggers_of(TRANSCEIVER))
def test_media_ends_whichever_way_it_leaves_active_and_a_stop_asks_for_negotiation(
    state: TransceiverState, trigger: str
) -> None:
    outcome = Transceiver(state=state).fire(trigger)
    effects = [type(effect) for effect in outcome.effects] if isinstance(outcome, Accepted) else []
    leaves = isinstance(outcome, Accepted) and state is TransceiverState.ACTIVE is not outcome.target
    asks = [AskForNegotiation] if leaves and trigger == "stop" else []
    assert effects == ([EndMedia, *asks] if leaves else [])


def test_it_begins_active_and_ends_with_its_connection() -> None:
    assert Transceiver().state is TransceiverState.ACTIVE
    assert Transceiver.final == {TransceiverState.CLOSED}


@given(st.lists(st.sampled_from(sorted(Transceiver.chart.triggers))))
def test_nothing_makes_it_active_again_and_what_both_know_is_never_forgotten(triggers: list[str]) -> None:
    transceiver = Transceiver()
    outcomes = [transceiver.fire(trigger) for trigger in triggers]
    moves = [one.target for one in outcomes if isinstance(one, Accepted) and one.source is not one.target]
    assert moves == [state for state in TransceiverState if state in moves]

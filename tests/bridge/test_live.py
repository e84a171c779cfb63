"""to_transitions: a chart as a machine of the library, as a program built on that library uses it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
from transitions import MachineError
from transitions.extensions.asyncio import AsyncMachine

from fsm_rtc.bridge import to_transitions
from fsm_rtc.engine import Chart, On, Row
from fsm_rtc.errors import ChartError
from tests.engine.door_chart import GONE, LOCKED, OPEN, SHUT, Creak, Door, House


def door(context: House | None = None, **options: Any) -> Any:
    """The model of a live machine."""
    return to_transitions(Door, context or House(), **options).model


def test_its_states_are_the_charts() -> None:
    model = door()
    assert model.state is OPEN
    assert model.is_OPEN()
    assert model.shut()
    assert model.state is SHUT


def test_it_may_start_in_any_state() -> None:
    assert door(state=LOCKED).state is LOCKED


def test_a_guard_is_a_condition_and_says_what_refused() -> None:
    model = door(state=SHUT)
    assert not model.lock(2)
    assert (model.refused_by, model.explanation) == ("key_fits", "The key must be the house's")
    assert model.lock(1)
    assert model.refused_by is None


def test_a_check_comes_before_the_guards() -> None:
    model = door(state=SHUT)
    assert not model.lock(-1)
    assert model.refused_by == "key_is_positive"


def test_rows_are_tried_in_order() -> None:
    model = door(state=LOCKED)
    assert model.unlock(2)
    assert model.state is OPEN
    model = door(state=LOCKED)
    assert model.unlock(event=1)
    assert model.state is SHUT


def test_what_effects_request_is_there_for_the_owner() -> None:
    model = door(state=SHUT)
    model.lock(1)
    model.knock("knock")
    assert model.take_requests() == ("click", Creak("knock"))
    assert model.take_requests() == ()


def test_a_row_that_stays_is_an_internal_transition() -> None:
    entered: list[object] = []
    machine = to_transitions(Door, House(), state=SHUT)
    machine.get_state("SHUT").add_callback("enter", entered.append)
    assert machine.model.knock()  # type: ignore[attr-defined]
    assert entered == []


def test_an_implicit_first_transition_is_gone_through_on_the_way() -> None:
    passed: list[str] = []
    machine = to_transitions(Door, House(), after_state_change=lambda event: passed.append(event.event.name))
    machine.get_state("SHUT").add_callback("enter", lambda event: passed.append("entered shut"))
    machine.get_state("SHUT").add_callback("exit", lambda event: passed.append("left shut"))
    model: Any = machine.model
    assert model.lock(1)
    assert passed == ["entered shut", "shut", "left shut", "lock"]
    assert model.state is LOCKED
    assert model.take_requests() == ("click", Creak(1))


def test_a_row_fails_if_its_first_is_not_possible() -> None:
    model = door(state=LOCKED)
    assert not model.slam()
    assert model.state is LOCKED


def test_a_trigger_resolves_to_another() -> None:
    model = door()
    assert model.toggle()
    assert model.state is SHUT
    assert model.toggle()
    assert model.state is OPEN


def test_where_nothing_is_possible_the_library_raises() -> None:
    model = door()
    assert model.remove()
    with pytest.raises(MachineError, match="shut"):
        model.shut()


def test_final_states_are_final_to_the_library() -> None:
    ended: list[object] = []
    machine = to_transitions(Door, House(), on_final=ended.append)
    machine.model.remove()  # type: ignore[attr-defined]
    assert machine.get_state("GONE").final
    assert len(ended) == 1


def test_an_effect_that_raises_leaves_the_state() -> None:
    model = door(state=LOCKED)
    with pytest.raises(ZeroDivisionError):
        model.jam()
    assert model.state is LOCKED
    assert model.take_requests() == ()


def test_there_is_no_trigger_that_the_table_does_not_declare() -> None:
    machine = to_transitions(Door, House())
    assert set(machine.events) == set(Door.chart.triggers)
    assert not hasattr(machine.model, "to_GONE")
    assert not isinstance(machine, AsyncMachine)
    assert not machine.has_queue


@pytest.mark.parametrize("option", ["auto_transitions", "queued", "model_attribute", "states", "send_event"])
def test_what_the_chart_decides_is_no_option(option: str) -> None:
    options: dict[str, Any] = {option: True}
    with pytest.raises(ChartError, match=rf"to_transitions\(Door\): leave {option} out; the chart decides it"):
        door(**options)


def test_a_trigger_with_a_name_of_the_model_is_refused() -> None:
    class Asking(Chart[StrEnum, None]):
        initial = OPEN
        requests = On(Row(OPEN, SHUT), Row(SHUT, LOCKED), Row(LOCKED, GONE))

    with pytest.raises(ChartError, match="rename requests"):
        to_transitions(Asking)


def test_it_draws_itself() -> None:
    machine = to_transitions(Door, House(), graph=True, show_conditions=True)
    drawn = machine.get_graph().source
    assert "Door" in drawn
    assert 'state "locked" as LOCKED' in drawn
    assert "SHUT --> LOCKED: lock [key_is_positive & key_fits]" in drawn
    assert "lock after shut" in drawn
    model: Any = machine.model
    assert model.lock(1)
    after = model.get_graph().source
    assert "Class LOCKED s_active" in after
    assert after.count("s_active\n") == 1
    assert "Class SHUT s_previous" in after

"""paths: the ways through a chart, from its table alone."""

from __future__ import annotations

from typing import Any, cast

import pytest

from fsm_rtc.conformance import ChartPath, paths
from fsm_rtc.machines import CHARTS
from tests.conformance.door_chart import DoorChart
from tests.conformance.loan_chart import LoanChart, LoanState, Slip


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())
@pytest.mark.parametrize("to", ["states", "edges"])
def test_a_path_begins_at_the_beginning_and_goes_on_from_where_it_came(chart: Any, to: Any) -> None:
    for path in paths(chart, to=to):
        state = chart.chart.initial
        for edge in path.edges:
            assert edge.source is state
            assert (edge.source, edge.row, edge.target) in list(chart.chart.edges())
            state = edge.target
        assert path.end is state


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())
def test_there_is_one_to_each_state_and_to_each_edge(chart: Any) -> None:
    assert [path.end for path in paths(chart)] == list(chart.chart.states)
    last = [path.edges[-1] for path in paths(chart, to="edges")]
    assert [(edge.source, edge.row, edge.target) for edge in last] == list(chart.chart.edges())


def test_they_are_the_shortest() -> None:
    by_end = {path.end: path.triggers for path in paths(LoanChart)}
    assert by_end[LoanState.DRAFT] == ()
    assert by_end[LoanState.WITHDRAWN] == ("withdraw",)
    assert by_end[LoanState.ARCHIVED] == ("withdraw", "archive")
    assert by_end[LoanState.LENT] == (*("submit", "demand_deposit", "pay_in", "fetch", "wrap", "send", "hand_out"),)


@pytest.mark.parametrize("path", paths(DoorChart, to="edges"), ids=str)
def test_the_triggers_of_a_path_lead_to_its_end(path: ChartPath) -> None:
    door = DoorChart()
    for trigger in path.triggers:
        assert door.fire(trigger, 7)
    assert door.state is path.end


def test_a_path_names_itself() -> None:
    assert [str(path) for path in paths(DoorChart)] == ["open", "shut by shut", "locked by shut, lock"]


def test_what_a_context_refuses_has_no_path_and_what_an_event_decides_has() -> None:
    empty, full = Slip(), Slip()
    full.titles = 1
    assert {path.end.value for path in paths(LoanChart, context=empty)} == {"draft", "withdrawn", "settled", "archived"}
    assert len(paths(LoanChart, context=full)) == 12
    assert "submit" not in {path.triggers[-1] for path in paths(LoanChart, to="edges", context=empty)}


def test_another_word_is_told_which_there_are() -> None:
    with pytest.raises(ValueError, match="to is 'cells'; give 'states' or 'edges'"):
        paths(DoorChart, to=cast(Any, "cells"))

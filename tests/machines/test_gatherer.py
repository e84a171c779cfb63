"""RTCIceGathererState of this library's own gatherer: one way, and within what is reported."""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.machines.gatherer import Gatherer, IceGathererState
from fsm_rtc.machines.gathering import Gathering
from tests.machines.handwritten_tables import asked, triggers_of, written

GATHERER = """
             new        gathering  complete  closed
gather       gathering  -          -         closed
find         =          =          -         closed
on_complete  -          complete   -         closed
close        closed     closed     closed    closed
"""


def test_every_cell_is_as_the_specification_has_it() -> None:
    triggers = triggers_of(GATHERER)
    assert asked(Gatherer, triggers) == written(GATHERER)
    assert {*Gatherer.chart.triggers} == {*triggers}
    assert Gatherer().state is IceGathererState.NEW


def moves() -> list[tuple[StrEnum, object, StrEnum]]:
    """The steps that lead elsewhere."""
    return [(one, row, other) for one, row, other in Gatherer.chart.edges() if one is not other]


def test_it_never_goes_back() -> None:
    states = [state.value for state in IceGathererState]
    assert all(states.index(one.value) < states.index(other.value) for one, _, other in moves())


def test_whatever_it_does_is_what_may_be_reported() -> None:
    done = {(one.value, other.value) for one, _, other in moves() if other.value != "closed"}
    reported = {(one.value, other.value) for one, row, other in Gathering.chart.edges() if row.trigger != "on_desync"}
    assert done == {("new", "gathering"), ("gathering", "complete")}
    assert done <= reported

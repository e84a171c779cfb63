"""RTCIceTransportState of this library's own transport: its rows, written down by hand, and within what is reported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import pytest

from fsm_rtc.machines.ice import Ice, IceAiortc, IceTransportState
from fsm_rtc.machines.ice_reported import IceReported
from tests.machines.handwritten_tables import asked, reaction, triggers_of, written


@dataclass(frozen=True)
class Ways:
    """What a transport knows."""

    has_remote_candidate: bool = True
    is_looking: bool = False
    has_pair: bool = False
    is_carried: bool = False
    has_all_candidates: bool = False


ALONE = Ways(has_remote_candidate=False)
FIRST = Ways(is_looking=True)
FOUND = Ways(has_pair=True, is_carried=True)
DONE = replace(FOUND, has_all_candidates=True)
RESTART = replace(DONE, is_looking=True)
SILENT = replace(RESTART, is_carried=False)

BEFORE_THERE_IS_A_PAIR = """
                    new       checking      connected  completed  disconnected  failed    closed
begin_checks        checking  =             =          connected  checking      checking  closed
on_remote_candidate checking  =             =          =          =             =         closed
on_new_pair         checking  =             =          =          checking      =         closed
on_pairs_exhausted  =         disconnected  =          -          =             -         closed
on_pair_selected    -         connected     =          connected  connected     -         closed
on_checks_progress  =         =             =          =          =             =         closed
on_nothing_found    failed    failed        disconnected -        failed        -         closed
on_unanswered       -         =             checking   disconnected =           -         closed
on_answered         -         connected     =          =          connected     -         closed
on_consent_expired  -         =             =          =          =             -         closed
secure              -         -             =          =          -             -         closed
close               closed    closed        closed     closed     closed        closed    closed
"""

WITH_A_PAIR_THAT_ANSWERS = """
                    new       checking      connected  completed  disconnected  failed    closed
begin_checks        checking  =             =          connected  checking      checking  closed
on_remote_candidate =         =             =          =          =             =         closed
on_new_pair         checking  =             =          =          =             =         closed
on_pairs_exhausted  =         =             =          -          =             -         closed
on_pair_selected    -         connected     =          connected  connected     -         closed
on_checks_progress  =         =             completed  =          =             =         closed
on_nothing_found    no_pair   =             completed  -          =             -         closed
on_unanswered       -         =             disconnected disconnected =         -         closed
on_answered         -         connected     =          =          connected     -         closed
on_consent_expired  -         =             =          failed     failed        -         closed
secure              -         -             =          =          -             -         closed
close               closed    closed        closed     closed     closed        closed    closed
"""

AIORTC_BEFORE_THERE_IS_A_PAIR = """
                    new       checking      connected  completed  disconnected  failed    closed
begin_checks        checking  =             =          connected  checking      checking  closed
on_remote_candidate =         =             =          =          =             =         closed
on_new_pair         checking  =             =          =          checking      =         closed
on_pairs_exhausted  =         disconnected  =          -          =             -         closed
on_pair_selected    -         completed     completed  =          completed     -         closed
on_checks_progress  =         =             =          =          =             =         closed
on_nothing_found    -         failed        disconnected =        failed        -         closed
on_unanswered       -         =             disconnected disconnected =         -         closed
on_answered         -         completed     =          =          completed     -         closed
on_consent_expired  -         =             =          failed     failed        -         closed
secure              -         -             =          =          -             -         closed
close               closed    closed        closed     closed     closed        closed    closed
"""

TABLES = [
    (Ice, FIRST, BEFORE_THERE_IS_A_PAIR),
    (Ice, DONE, WITH_A_PAIR_THAT_ANSWERS),
    (IceAiortc, ALONE, AIORTC_BEFORE_THERE_IS_A_PAIR),
]


@pytest.mark.parametrize(("chart", "ways", "table"), TABLES)
def test_every_cell_is_as_the_specification_has_it(chart: type[Ice], ways: Ways, table: str) -> None:
    triggers = triggers_of(table)
    expected = {cell: "has_no_pair" if what == "no_pair" else what for cell, what in written(table).items()}
    assert asked(chart, triggers, context=ways) == expected
    assert {*chart.chart.triggers} == {*triggers}
    assert chart(ways).state is IceTransportState.NEW


@pytest.mark.parametrize(
    ("ways", "state", "trigger", "target"),
    [
        # Who has no candidate waits for one; one that comes before the other side's credentials waits for them.
        (ALONE, "new", "begin_checks", "="),
        (ALONE, "new", "on_remote_candidate", "="),
        # It has completed when neither side will find more, and nothing is looked for.
        (FOUND, "connected", "on_checks_progress", "="),
        (RESTART, "connected", "on_checks_progress", "="),
        # All checks of a restart have failed: the old pair decides.
        (RESTART, "connected", "on_nothing_found", "completed"),
        (replace(RESTART, has_all_candidates=False), "connected", "on_nothing_found", "="),
        (SILENT, "connected", "on_nothing_found", "disconnected"),
        (SILENT, "checking", "on_nothing_found", "disconnected"),
        (FIRST, "checking", "on_nothing_found", "failed"),
        # The old pair falls silent in a restart: the new ones are checked.
        (SILENT, "connected", "on_unanswered", "checking"),
        (replace(SILENT, is_looking=False), "connected", "on_unanswered", "disconnected"),
        # Consent is over: for good, unless a restart is under way.
        (ALONE, "disconnected", "on_consent_expired", "failed"),
        (FIRST, "disconnected", "on_consent_expired", "="),
        # All pairs have failed so far: as long as the old one is in use, that says nothing.
        (RESTART, "checking", "on_pairs_exhausted", "="),
        (RESTART, "disconnected", "on_new_pair", "="),
    ],
)
def test_what_the_transport_knows_decides(ways: Ways, state: str, trigger: str, target: str) -> None:
    assert reaction(Ice, IceTransportState(state), trigger, context=ways) == target


@pytest.mark.parametrize(
    ("ways", "state", "trigger", "target"),
    [
        (ALONE, "new", "begin_checks", "checking"),
        (FIRST, "new", "on_remote_candidate", "checking"),
        (replace(RESTART, has_all_candidates=False), "connected", "on_nothing_found", "completed"),
        (SILENT, "connected", "on_nothing_found", "disconnected"),
        (RESTART, "checking", "on_nothing_found", "="),
        (RESTART, "disconnected", "on_nothing_found", "="),
        (DONE, "connected", "on_checks_progress", "completed"),
        (SILENT, "connected", "on_unanswered", "checking"),
    ],
)
def test_aiortc_checks_at_once_and_ends_in_completed(ways: Ways, state: str, trigger: str, target: str) -> None:
    assert reaction(IceAiortc, IceTransportState(state), trigger, context=ways) == target


def edges(chart: type[Ice | IceReported]) -> set[tuple[str, str]]:
    return {(one.value, other.value) for one, row, other in chart.chart.edges() if row.trigger != "on_desync"}


@pytest.mark.parametrize("chart", [Ice, IceAiortc])
def test_whatever_it_does_is_what_may_be_reported(chart: type[Ice]) -> None:
    moved = {(one, other) for one, other in edges(chart) if one != other}
    assert moved <= edges(IceReported)


@pytest.mark.parametrize("chart", [Ice, IceAiortc])
def test_nothing_leads_back_to_new_and_out_of_closed(chart: type[Ice]) -> None:
    assert not [one for one, other in edges(chart) if one == "closed" or (other == "new" and one != "new")]


@pytest.mark.parametrize("chart", [Ice, IceAiortc])
def test_no_pair_is_refused_but_where_all_has_failed(chart: type[Ice]) -> None:
    for known in product((False, True), repeat=5):
        refused = {
            state for state in IceTransportState if not chart(Ways(*known), state=state).permits("on_pair_selected")
        }
        assert refused == {IceTransportState.NEW, IceTransportState.FAILED, IceTransportState.CLOSED}

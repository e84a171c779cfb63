"""RTCPeerConnection's methods beside those of negotiation, against the text written down as a table by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.methods import Methods, MethodsState
from tests.machines.tables import asked, reaction

UNDESCRIBED, DESCRIBED, CLOSED = MethodsState

TABLE = {
    "on_remote_description": ("remote description", "=", "-"),
    "on_no_remote_description": ("=", "no remote description", "-"),
    "add_ice_candidate": ("-", "=", "-"),
    "create_data_channel": ("=", "=", "-"),
    "add_transceiver": ("=", "=", "-"),
    "restart_ice": ("=", "=", "="),
    "close": ("closed", "closed", "="),
}


@dataclass(frozen=True)
class Candidate:
    """A candidate that is all right."""

    has_known_section: bool = True
    has_known_fragment: bool = True
    can_be_parsed: bool = True


GOOD = Candidate()


def test_every_cell_is_as_the_text_has_it() -> None:
    expected = {
        (state.value, trigger): cell
        for trigger, cells in TABLE.items()
        for state, cell in zip(MethodsState, cells, strict=True)
    }
    assert asked(Methods, [*TABLE], GOOD) == expected
    assert {*Methods.chart.triggers} == {*TABLE}


def test_it_begins_without_a_remote_description() -> None:
    assert Methods().state is UNDESCRIBED


@pytest.mark.parametrize(
    ("wrong", "guard"),
    [
        ({"has_known_section": False}, "known_section"),
        ({"has_known_fragment": False}, "known_fragment"),
        ({"can_be_parsed": False}, "well_formed"),
    ],
)
def test_a_candidate_that_does_not_fit_is_refused_by_name(wrong: dict[str, bool], guard: str) -> None:
    candidate = replace(GOOD, **wrong)
    assert reaction(Methods, DESCRIBED, "add_ice_candidate", candidate) == guard
    refused = Methods(state=UNDESCRIBED).fire("add_ice_candidate", candidate)
    assert isinstance(refused, Rejected)
    assert refused.reason is Reason.NO_ROW


def test_the_section_is_looked_at_before_the_fragment_and_that_before_the_candidate() -> None:
    nothing = Candidate(has_known_section=False, has_known_fragment=False, can_be_parsed=False)
    assert reaction(Methods, DESCRIBED, "add_ice_candidate", nothing) == "known_section"
    assert (
        reaction(Methods, DESCRIBED, "add_ice_candidate", replace(nothing, has_known_section=True)) == "known_fragment"
    )

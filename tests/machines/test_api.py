"""RTCPeerConnection's methods beside those of negotiation, against the text written down as a table by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.api import Api, ApiState, RestartIce, Shut, TellShut
from tests.machines.handwritten_tables import asked, reaction

UNDESCRIBED, DESCRIBED, CLOSED = ApiState

TABLE = {
    "chain": ("=", "=", "-"),
    "add_ice_candidate": ("-", "=", "-"),
    "create_data_channel": ("=", "=", "-"),
    "add_track": ("=", "=", "-"),
    "remove_track": ("=", "=", "-"),
    "add_transceiver": ("=", "=", "-"),
    "set_configuration": ("=", "=", "-"),
    "restart_ice": ("=", "=", "="),
    "on_library_event": ("=", "=", "-"),
    "on_closed_by_library": ("closed", "closed", "="),
    "close": ("closed", "closed", "="),
}
WITH_REMOTE = {"on_descriptions": ("remote description", "=", "-")}
WITHOUT_REMOTE = {"on_descriptions": ("=", "no remote description", "-")}


@dataclass(frozen=True)
class Candidate:
    """A candidate that is all right."""

    has_known_section: bool = True
    has_known_fragment: bool = True
    can_be_parsed: bool = True


@dataclass(frozen=True)
class Descriptions:
    """The connection's descriptions."""

    has_remote: bool


GOOD = Candidate()


@pytest.mark.parametrize(("has_remote", "differs"), [(True, WITH_REMOTE), (False, WITHOUT_REMOTE)])
def test_every_cell_is_as_the_text_has_it(has_remote: bool, differs: dict[str, tuple[str, ...]]) -> None:
    table = TABLE | differs
    expected = {
        (state.value, trigger): cell
        for trigger, cells in table.items()
        for state, cell in zip(ApiState, cells, strict=True)
    }
    assert asked(Api, [*table], GOOD, Descriptions(has_remote)) == expected
    assert {*Api.chart.triggers} == {*table}


def test_it_begins_without_a_remote_description() -> None:
    assert Api(Descriptions(False)).state is UNDESCRIBED


@pytest.mark.parametrize("state", ApiState)
@pytest.mark.parametrize(
    ("trigger", "request_"), [("restart_ice", RestartIce), ("close", Shut), ("on_closed_by_library", TellShut)]
)
def test_what_is_asked_for_is_asked_for_as_long_as_the_connection_is_open(
    state: ApiState, trigger: str, request_: type
) -> None:
    outcome = Api(Descriptions(False), state=state).fire(trigger)
    assert isinstance(outcome, Accepted)
    assert [type(effect) for effect in outcome.effects] == ([] if state is CLOSED else [request_])


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
    assert reaction(Api, DESCRIBED, "add_ice_candidate", candidate) == guard
    refused = Api(Descriptions(False), state=UNDESCRIBED).fire("add_ice_candidate", candidate)
    assert isinstance(refused, Rejected)
    assert refused.reason is Reason.NO_ROW


def test_the_section_is_looked_at_before_the_fragment_and_that_before_the_candidate() -> None:
    nothing = Candidate(has_known_section=False, has_known_fragment=False, can_be_parsed=False)
    assert reaction(Api, DESCRIBED, "add_ice_candidate", nothing) == "known_section"
    assert reaction(Api, DESCRIBED, "add_ice_candidate", replace(nothing, has_known_section=True)) == "known_fragment"

"""RTCStatsIceCandidatePairState."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.engine import Accepted
from fsm_rtc.machines.candidate_pair import CandidatePair, CandidatePairState
from tests.machines.handwritten_tables import asked, triggers_of, written

PAIR = """
                  frozen       waiting      in-progress  succeeded  failed
unfreeze          waiting      -            -            -          -
check             in-progress  in-progress  =            =          -
ordinary_check    =            =            -            -          -
nominate          -            -            -            =          -
on_request        waiting      =            =            =          waiting
on_answer         -            succeeded    succeeded    =          succeeded
on_role_conflict  -            =            waiting      =          waiting
on_failure        -            failed       failed       failed     =
"""


def test_every_cell_of_a_candidate_pair_is_as_rfc_8445_has_it() -> None:
    triggers = triggers_of(PAIR)
    assert asked(CandidatePair, triggers) == written(PAIR)
    assert {*CandidatePair.chart.triggers} == {*triggers}
    assert CandidatePair().state is CandidatePairState.FROZEN


@given(st.lists(st.sampled_from(sorted(CandidatePair.chart.triggers))))
def test_a_pair_works_only_after_an_answer_and_until_a_failure(triggers: list[str]) -> None:
    pair = CandidatePair()
    for trigger in triggers:
        worked = pair.state is CandidatePairState.SUCCEEDED
        accepted = isinstance(pair.fire(trigger), Accepted)
        works = pair.state is CandidatePairState.SUCCEEDED
        assert works == ((trigger == "on_answer" and accepted) or (worked and trigger != "on_failure"))


@given(st.lists(st.sampled_from(sorted(CandidatePair.chart.triggers))))
def test_a_request_of_the_other_side_brings_every_pair_back_to_where_it_can_work(triggers: list[str]) -> None:
    pair = CandidatePair()
    for trigger in triggers:
        pair.fire(trigger)
    pair.on_request()
    pair.check()
    assert pair.state in (CandidatePairState.IN_PROGRESS, CandidatePairState.SUCCEEDED)
    assert pair.on_answer()

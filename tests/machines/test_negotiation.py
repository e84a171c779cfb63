"""RTCSignalingState, against the text of webrtc-pc and RFC 9429 written down as a table by hand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.errors import InvalidModificationError, Reason, Rejected
from fsm_rtc.machines.negotiation import (
    Negotiation,
    NegotiationJsep,
    SignalingState,
    UpdateNegotiationNeeded,
)
from tests.machines.handwritten_tables import asked, reaction, triggers_of, written

WEBRTC_PC = """
                       stable             have-local-offer      have-remote-offer    have-local-pranswer  have-remote-pranswer  closed
create_offer           =                  =                     -                    -                    -                     closed
create_answer          -                  -                     =                    =                    -                     closed
set_local_offer        have-local-offer   =                     -                    -                    -                     closed
set_local_pranswer     -                  -                     have-local-pranswer  =                    -                     closed
set_local_answer       -                  -                     stable               stable               -                     closed
set_remote_offer       have-remote-offer  have-remote-offer     =                    -                    -                     closed
set_remote_pranswer    -                  have-remote-pranswer  -                    -                    =                     closed
set_remote_answer      -                  stable                -                    -                    stable                closed
rollback               -                  stable                stable               -                    -                     closed
close                  closed             closed                closed               closed               closed                already
set_local_description  have-local-offer   =                     stable               stable               -                     closed
"""  # noqa: E501

JSEP_DIFFERS = {
    ("have-local-pranswer", "rollback"): "stable",
    ("have-remote-pranswer", "rollback"): "stable",
    ("have-local-pranswer", "set_remote_offer"): "have-remote-offer",
    ("have-remote-pranswer", "set_remote_offer"): "have-remote-offer",
}


@dataclass
class Created:
    """What was created last."""

    last_created_offer: str = "the offer"
    last_created_answer: str = "the answer"


@dataclass
class Sdp:
    """A description."""

    sdp: str = ""


TRIGGERS = triggers_of(WEBRTC_PC)


def test_every_cell_is_as_webrtc_pc_has_it() -> None:
    assert asked(Negotiation, TRIGGERS, Sdp(), Created()) == written(WEBRTC_PC)


def test_the_jsep_profile_differs_in_rolling_back_a_provisional_answer_and_in_nothing_else() -> None:
    assert asked(NegotiationJsep, TRIGGERS, Sdp(), Created()) == written(WEBRTC_PC) | JSEP_DIFFERS


def test_the_triggers_are_those_of_the_table() -> None:
    assert list(Negotiation.chart.triggers) == list(NegotiationJsep.chart.triggers)
    assert {*Negotiation.chart.triggers} == {*TRIGGERS}


def test_it_begins_stable_and_ends_closed() -> None:
    assert Negotiation(Created()).state is SignalingState.STABLE
    assert Negotiation.final == {SignalingState.CLOSED}


@pytest.mark.parametrize("state", [state for state in SignalingState if state not in Negotiation.final])
@pytest.mark.parametrize(
    ("trigger", "created", "check"),
    [
        ("set_local_offer", "the offer", "unmodified_offer"),
        ("set_local_answer", "the answer", "unmodified_answer"),
        ("set_local_pranswer", "the answer", "unmodified_answer"),
    ],
)
def test_a_changed_description_is_refused_before_the_state_is_looked_at(
    state: SignalingState, trigger: str, created: str, check: str
) -> None:
    assert reaction(Negotiation, state, trigger, Sdp("changed"), Created()) == check
    refused = Negotiation(Created(), state=state).fire(trigger, Sdp("changed"))
    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.error) == (Reason.CHECK, InvalidModificationError)
    as_created = reaction(Negotiation, state, trigger, Sdp(created), Created())
    assert (
        as_created
        == reaction(Negotiation, state, trigger, Sdp(""), Created())
        == written(WEBRTC_PC)[state.value, trigger]
    )


@pytest.mark.parametrize("trigger", ["set_local_offer", "set_local_answer", "set_local_pranswer"])
def test_on_a_closed_connection_a_changed_description_is_refused_for_the_state(trigger: str) -> None:
    refused = Negotiation(Created(), state=SignalingState.CLOSED).fire(trigger, Sdp("changed"))
    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.error) == (Reason.CLOSED, None)


def test_an_offer_is_not_taken_for_an_answer() -> None:
    state = SignalingState.HAVE_REMOTE_OFFER
    assert reaction(Negotiation, state, "set_local_answer", Sdp("the offer"), Created()) == "unmodified_answer"
    assert (
        reaction(Negotiation, SignalingState.STABLE, "set_local_offer", Sdp("the answer"), Created())
        == "unmodified_offer"
    )


@pytest.mark.parametrize("profile", [Negotiation, NegotiationJsep])
@pytest.mark.parametrize("side", ["local", "remote"])
@pytest.mark.parametrize("kind", ["answer", "pranswer"])
def test_an_answer_is_never_accepted_in_stable(profile: type[Negotiation], side: str, kind: str) -> None:
    machine = profile(Created())
    assert not machine.fire(f"set_{side}_{kind}", Sdp())
    assert machine.state is SignalingState.STABLE


@pytest.mark.parametrize("profile", [Negotiation, NegotiationJsep])
def test_an_answer_goes_the_other_way_than_its_offer(profile: type[Negotiation]) -> None:
    for offered, wrong in [("set_local_offer", "set_local_answer"), ("set_remote_offer", "set_remote_answer")]:
        machine = profile(Created())
        assert machine.fire(offered, Sdp())
        assert not machine.fire(wrong, Sdp())
        assert not machine.fire(wrong.replace("answer", "pranswer"), Sdp())


def test_a_remote_offer_that_meets_a_local_one_is_two_transitions() -> None:
    machine = Negotiation(Created(), state=SignalingState.HAVE_LOCAL_OFFER)
    seen: list[object] = []
    machine.observe(lambda _, outcome: seen.append(outcome))
    assert machine.set_remote_offer(Sdp())
    steps = [(one.trigger, one.source.value, one.target.value) for one in seen if isinstance(one, Accepted)]
    assert steps == [
        ("rollback", "have-local-offer", "stable"),
        ("set_remote_offer", "stable", "have-remote-offer"),
    ]


@pytest.mark.parametrize("state", [SignalingState.HAVE_LOCAL_PRANSWER, SignalingState.HAVE_REMOTE_PRANSWER])
def test_glare_behind_a_provisional_answer_fails_with_the_refused_rollback(state: SignalingState) -> None:
    machine = Negotiation(Created(), state=state)
    refused = machine.set_remote_offer(Sdp())
    assert isinstance(refused, Rejected)
    assert refused.first == "rollback"
    assert machine.state is state


def test_the_description_that_is_due_is_an_offer_or_an_answer_by_the_state() -> None:
    due = {}
    for state in SignalingState:
        row = Negotiation(Created(), state=state).permits("set_local_description", Sdp())
        due[state.value] = None if isinstance(row, Rejected) else row.trigger
    assert due == {
        "stable": "set_local_offer",
        "have-local-offer": "set_local_offer",
        "have-remote-offer": "set_local_answer",
        "have-local-pranswer": "set_local_answer",
        "have-remote-pranswer": None,
        "closed": None,
    }
    refused = Negotiation(Created(), state=SignalingState.HAVE_REMOTE_PRANSWER).permits("set_local_description", Sdp())
    assert isinstance(refused, Rejected)
    resolves = Negotiation.chart.triggers["set_local_description"].rows_from(SignalingState.HAVE_REMOTE_PRANSWER)
    assert [row.resolves for row in resolves] == ["set_local_offer"]


@pytest.mark.parametrize("profile", [Negotiation, NegotiationJsep])
@pytest.mark.parametrize("state", SignalingState)
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_each_return_to_stable_and_nothing_else_asks_for_an_update_of_the_negotiation_needed_flag(
    profile: type[Negotiation], state: SignalingState, trigger: str
) -> None:
    outcome = profile(Created(), state=state).fire(trigger, Sdp())
    if not isinstance(outcome, Accepted):
        return
    passes = [state, SignalingState.STABLE] if outcome.row.first == "rollback" else [state]
    way = [*passes, outcome.target]
    returns = [after for before, after in pairwise(way) if after is not before and after is SignalingState.STABLE]
    assert [type(effect) for effect in outcome.effects] == [UpdateNegotiationNeeded] * len(returns)

"""The exchange of offers, stated apart from its table: what each side does in each state, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.exchange import Exchange, ExchangeState, ExchangeUnsigned
from tests.machines.exchange_context import Meeting

(IDLE, MAKING_OFFER, AWAITING, APPLYING_ANSWER, APPLYING_OFFER, MAKING_ANSWER, YIELDING, LEAVING, CLOSED) = (
    ExchangeState
)
BUSY = (MAKING_OFFER, AWAITING, APPLYING_ANSWER, APPLYING_OFFER, MAKING_ANSWER, YIELDING)
LIVE = (IDLE, *BUSY)
OPEN = (*LIVE, LEAVING)

POLITE = Meeting()
IMPOLITE = replace(POLITE, id="c", recipient="c")
"""This side's id is the greater one."""

Step = tuple[ExchangeState, tuple[str, ...]]

BOTH = pytest.mark.parametrize("chart", [Exchange, ExchangeUnsigned])


def fire(
    chart: type[Exchange], state: ExchangeState, trigger: str, memory: Meeting = POLITE, event: Any = None
) -> Step | Rejected:
    """Where the trigger leads and what it asks for, or the refusal."""
    outcome = chart(memory, state=state).fire(trigger, memory if event is None else event)
    if isinstance(outcome, Rejected):
        return outcome
    assert isinstance(outcome, Accepted)
    assert isinstance(outcome.target, ExchangeState)
    return outcome.target, tuple(type(effect).__name__ for effect in outcome.effects)


def guard_of(step: Step | Rejected) -> str | None:
    assert isinstance(step, Rejected)
    return step.guard


EXPECTED: dict[str, dict[ExchangeState, Step]] = {
    "on_joined": {IDLE: (IDLE, ())},
    "receive": {state: (state, ("DeliverMessage",)) for state in OPEN},
    "on_ack": {**{state: (state, ("Acknowledge",)) for state in LIVE}, LEAVING: (CLOSED, ("Acknowledge",))},
    "negotiate": {IDLE: (MAKING_OFFER, ("MakeOffer",)), **{state: (state, ("RememberNeed",)) for state in BUSY}},
    "negotiate_now": {IDLE: (MAKING_OFFER, ("MakeOffer",))},
    "offer_made": {MAKING_OFFER: (AWAITING, ("SendOffer",)), YIELDING: (YIELDING, ())},
    "offer_failed": {MAKING_OFFER: (IDLE, ()), YIELDING: (YIELDING, ())},
    "on_answer": {AWAITING: (APPLYING_ANSWER, ("ApplyAnswer",)), LEAVING: (LEAVING, ())},
    "answer_applied": {APPLYING_ANSWER: (IDLE, ("Settle",))},
    "on_offer": {
        IDLE: (APPLYING_OFFER, ("ApplyOffer",)),
        MAKING_OFFER: (YIELDING, ("YieldOffer",)),
        AWAITING: (YIELDING, ("YieldOffer",)),
        APPLYING_ANSWER: (APPLYING_ANSWER, ("PostponeOffer",)),
        APPLYING_OFFER: (APPLYING_OFFER, ("PostponeOffer",)),
        MAKING_ANSWER: (MAKING_ANSWER, ("PostponeOffer",)),
        YIELDING: (YIELDING, ("PostponeOffer",)),
        LEAVING: (LEAVING, ("IgnoreOffer",)),
    },
    "yielded": {YIELDING: (APPLYING_OFFER, ("ApplyOffer",))},
    "offer_applied": {APPLYING_OFFER: (MAKING_ANSWER, ("AnswerOffer",))},
    "answer_made": {MAKING_ANSWER: (IDLE, ("SendAnswer", "Settle"))},
    "on_candidate": {**{state: (state, ("TakeCandidate",)) for state in LIVE}, LEAVING: (LEAVING, ())},
    "on_end_of_candidates": {**{state: (state, ("TakeCandidate",)) for state in LIVE}, LEAVING: (LEAVING, ())},
    "leave": dict.fromkeys(LIVE, (LEAVING, ("SendBye",))),
    "on_bye": {**dict.fromkeys(LIVE, (CLOSED, ("EndExchange",))), LEAVING: (CLOSED, ("NoteFarewell",))},
    "on_left": {LEAVING: (CLOSED, ())},
    "abandon": dict.fromkeys(OPEN, (CLOSED, ())),
}
"""What the polite side does in each state, when every guard that can agree does."""


@BOTH
@pytest.mark.parametrize("state", ExchangeState)
@pytest.mark.parametrize("trigger", EXPECTED)
def test_each_state_does_this_and_refuses_the_rest(chart: type[Exchange], trigger: str, state: ExchangeState) -> None:
    step = fire(chart, state, trigger)
    expected = EXPECTED[trigger].get(state)
    if expected is not None:
        assert step == expected
    else:
        assert isinstance(step, Rejected)
        assert step.reason is (Reason.CLOSED if state is CLOSED else Reason.NO_ROW)


@BOTH
def test_it_begins_with_nothing_under_way(chart: type[Exchange]) -> None:
    assert chart(POLITE).state is IDLE


@BOTH
def test_there_is_no_other_trigger(chart: type[Exchange]) -> None:
    assert set(chart.chart.triggers) == set(EXPECTED)


class TestWhoOffers:
    @BOTH
    def test_the_impolite_side_offers_as_soon_as_the_peer_is_there(self, chart: type[Exchange]) -> None:
        assert fire(chart, IDLE, "on_joined", IMPOLITE) == (MAKING_OFFER, ("MakeOffer",))

    @BOTH
    def test_of_equal_ids_the_greater_session_is_impolite(self, chart: type[Exchange]) -> None:
        twins = replace(POLITE, id="b", peer_id="b", session="t", peer_session="s")
        assert fire(chart, IDLE, "on_joined", twins) == (MAKING_OFFER, ("MakeOffer",))
        assert fire(chart, IDLE, "on_joined", replace(twins, session="r")) == (IDLE, ())

    @BOTH
    @pytest.mark.parametrize(("one", "other"), [("a s", "b t"), ("a t", "b s"), ("b s", "b t"), ("a é", "a z")])
    def test_of_two_offers_that_meet_that_of_the_greater_stays_by_id_and_of_one_key_by_session(
        self, chart: type[Exchange], one: str, other: str
    ) -> None:
        lesser, greater = sorted((one.split(), other.split()))
        for (id_, session), (peer_id, peer_session), stays in ((lesser, greater, False), (greater, lesser, True)):
            sides: dict[str, Any] = {"id": id_, "session": session, "peer_id": peer_id, "peer_session": peer_session}
            addressed: dict[str, Any] = {
                "sender": peer_id,
                "recipient": id_,
                "sender_session": peer_session,
                "recipient_session": session,
            }
            outcome = chart(replace(POLITE, **sides), state=MAKING_OFFER).fire(
                "on_offer", replace(POLITE, **sides, **addressed, offer_id=f"{peer_session}.9", offer_number=9)
            )
            assert isinstance(outcome, Accepted)
            assert (outcome.target is MAKING_OFFER) == stays

    @BOTH
    def test_nobody_is_his_own_peer(self, chart: type[Exchange]) -> None:
        itself = replace(POLITE, id="b", peer_id="b", session="t", peer_session="t")
        assert guard_of(fire(chart, IDLE, "on_joined", itself)) == "somebody_else"

    @BOTH
    def test_a_need_waits_until_somebody_is_there(self, chart: type[Exchange]) -> None:
        assert fire(chart, IDLE, "negotiate", replace(POLITE, peer_id="")) == (IDLE, ("RememberNeed",))

    @BOTH
    @pytest.mark.parametrize("state", [MAKING_OFFER, AWAITING])
    def test_of_two_offers_that_meet_the_impolite_side_ignores_the_others(
        self, chart: type[Exchange], state: ExchangeState
    ) -> None:
        assert fire(chart, state, "on_offer", IMPOLITE) == (state, ("IgnoreOffer",))

    @BOTH
    @pytest.mark.parametrize("state", [MAKING_OFFER, AWAITING])
    def test_an_offer_of_oneself_meets_nobody(self, chart: type[Exchange], state: ExchangeState) -> None:
        itself = replace(POLITE, id="b", peer_id="b", session="t", peer_session="t")
        assert guard_of(fire(chart, state, "on_offer", itself)) == "polite"

    @BOTH
    @pytest.mark.parametrize("memory", [POLITE, IMPOLITE])
    def test_without_a_collision_both_take_the_others_offer(self, chart: type[Exchange], memory: Meeting) -> None:
        assert fire(chart, IDLE, "on_offer", memory) == (APPLYING_OFFER, ("ApplyOffer",))


WRONG: dict[str, dict[str, Any]] = {
    "from_the_peer": {"sender": "x"},
    "of_this_room": {"room": "another"},
    "for_this_side": {"recipient": "x"},
    "of_these_sessions": {"sender_session": "x"},
    "signed_by_the_peer": {"is_signed": False},
    "taken_once": {"sequence": 0},
}
"""What is wrong with a message, by the check that finds it, in the order of the checks."""


class TestMessages:
    @pytest.mark.parametrize("trigger", ["receive", "on_ack"])
    @pytest.mark.parametrize("state", OPEN)
    @pytest.mark.parametrize("check", WRONG)
    def test_each_check_refuses_with_its_own_name(self, trigger: str, state: ExchangeState, check: str) -> None:
        step = fire(Exchange, state, trigger, POLITE, replace(POLITE, **WRONG[check]))
        if (trigger, check) == ("on_ack", "taken_once"):
            assert not isinstance(step, Rejected)  # an acknowledgement has no number of its own
        else:
            assert isinstance(step, Rejected)
            assert (step.reason, step.guard) == (Reason.CHECK, check)

    @pytest.mark.parametrize("trigger", ["receive", "on_ack"])
    @pytest.mark.parametrize("check", [check for check in WRONG if check != "signed_by_the_peer"])
    def test_the_unsigned_profile_leaves_out_the_signature_alone(self, trigger: str, check: str) -> None:
        unsigned = replace(POLITE, is_signed=False)
        assert not isinstance(fire(ExchangeUnsigned, IDLE, trigger, unsigned), Rejected)
        step = fire(ExchangeUnsigned, IDLE, trigger, POLITE, replace(unsigned, **WRONG[check]))
        if (trigger, check) != ("on_ack", "taken_once"):
            assert guard_of(step) == check

    @pytest.mark.parametrize("first", range(len(WRONG)))
    def test_of_several_faults_the_first_check_names_its_own(self, first: int) -> None:
        faults: dict[str, Any] = {}
        for check in list(WRONG)[first:]:
            faults |= WRONG[check]
        assert guard_of(fire(Exchange, IDLE, "receive", POLITE, replace(POLITE, **faults))) == list(WRONG)[first]

    @BOTH
    @pytest.mark.parametrize("trigger", ["receive", "on_ack"])
    def test_while_nobody_has_joined_nobody_is_the_peer(self, chart: type[Exchange], trigger: str) -> None:
        alone = replace(POLITE, peer_id="")
        assert guard_of(fire(chart, IDLE, trigger, alone, replace(POLITE, sender=""))) == "from_the_peer"

    @BOTH
    def test_the_recipients_session_counts_as_the_senders_does(self, chart: type[Exchange]) -> None:
        step = fire(chart, IDLE, "receive", POLITE, replace(POLITE, recipient_session="x"))
        assert guard_of(step) == "of_these_sessions"

    @BOTH
    @pytest.mark.parametrize("state", OPEN)
    def test_a_message_that_is_early_is_held_up_to_256_ahead(self, chart: type[Exchange], state: ExchangeState) -> None:
        for ahead in (1, 256):
            assert fire(chart, state, "receive", POLITE, replace(POLITE, sequence=1 + ahead)) == (state, ("Hold",))
        assert guard_of(fire(chart, state, "receive", POLITE, replace(POLITE, sequence=258))) == "next_in_sequence"

    @BOTH
    @pytest.mark.parametrize("state", OPEN)
    def test_what_was_taken_is_not_taken_again(self, chart: type[Exchange], state: ExchangeState) -> None:
        later = replace(POLITE, next_sequence=7)
        for sequence in (0, 1, 6):
            assert guard_of(fire(chart, state, "receive", later, replace(POLITE, sequence=sequence))) == "taken_once"


class TestIntroductions:
    def test_a_forged_one_is_refused_before_trust_is_asked(self) -> None:
        forged = replace(IMPOLITE, is_genuine=False, is_trusted=False)
        assert guard_of(fire(Exchange, IDLE, "on_joined", IMPOLITE, forged)) == "introduced_itself"

    def test_a_genuine_one_must_be_trusted(self) -> None:
        stranger = replace(IMPOLITE, is_trusted=False)
        assert guard_of(fire(Exchange, IDLE, "on_joined", IMPOLITE, stranger)) == "trusted"

    def test_the_unsigned_profile_asks_neither(self) -> None:
        stranger = replace(IMPOLITE, is_genuine=False, is_trusted=False)
        assert fire(ExchangeUnsigned, IDLE, "on_joined", IMPOLITE, stranger) == (MAKING_OFFER, ("MakeOffer",))


UNUSABLE: dict[str, dict[str, Any]] = {
    "media_section": {"has_media_section": False},
    "ice_credentials": {"has_ice_credentials": False},
    "fingerprint": {"has_fingerprint": False},
}


class TestDescriptions:
    @BOTH
    @pytest.mark.parametrize("state", OPEN)
    @pytest.mark.parametrize("trigger", ["on_offer", "on_answer"])
    @pytest.mark.parametrize("check", UNUSABLE)
    def test_what_could_not_connect_is_refused_by_what_it_lacks(
        self, chart: type[Exchange], check: str, trigger: str, state: ExchangeState
    ) -> None:
        step = fire(chart, state, trigger, POLITE, replace(POLITE, **UNUSABLE[check]))
        assert guard_of(step) == check

    @BOTH
    @pytest.mark.parametrize("number", [0, 3])
    def test_an_offer_must_be_newer_than_the_last(self, chart: type[Exchange], number: int) -> None:
        memory = replace(POLITE, last_offer_number=3)
        older = replace(POLITE, offer_number=number, has_fingerprint=False)
        assert guard_of(fire(chart, IDLE, "on_offer", memory, older)) == "newer_offer"
        newer = replace(POLITE, offer_number=4)
        assert fire(chart, IDLE, "on_offer", memory, newer) == (APPLYING_OFFER, ("ApplyOffer",))

    @BOTH
    def test_an_answer_must_be_to_the_offer_that_waits(self, chart: type[Exchange]) -> None:
        step = fire(chart, AWAITING, "on_answer", POLITE, replace(POLITE, offer_id="s.0"))
        assert guard_of(step) == "answers_this_offer"

    @BOTH
    @pytest.mark.parametrize("trigger", ["on_candidate", "on_end_of_candidates"])
    @pytest.mark.parametrize("state", LIVE)
    def test_a_candidate_must_be_of_an_offer_that_counts(
        self, chart: type[Exchange], state: ExchangeState, trigger: str
    ) -> None:
        assert fire(chart, state, trigger, POLITE, replace(POLITE, offer_id="s.2")) == (state, ())
        assert guard_of(fire(chart, state, trigger, POLITE, replace(POLITE, offer_id="x"))) == "known_offer"


class TestLeaving:
    @BOTH
    def test_with_nobody_there_it_is_over_at_once(self, chart: type[Exchange]) -> None:
        assert fire(chart, IDLE, "leave", replace(POLITE, peer_id="")) == (CLOSED, ())

    @BOTH
    def test_it_is_over_when_the_goodbye_is_acknowledged_and_not_before(self, chart: type[Exchange]) -> None:
        said = replace(POLITE, bye_sequence=5)
        assert fire(chart, LEAVING, "on_ack", said, replace(POLITE, acknowledged=4)) == (LEAVING, ("Acknowledge",))
        assert fire(chart, LEAVING, "on_ack", said, replace(POLITE, acknowledged=5)) == (CLOSED, ("Acknowledge",))

    @BOTH
    def test_an_acknowledgement_ends_nothing_while_the_exchange_lives(self, chart: type[Exchange]) -> None:
        assert fire(chart, IDLE, "on_ack", replace(POLITE, bye_sequence=0)) == (IDLE, ("Acknowledge",))

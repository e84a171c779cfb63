"""Each rule's sentence is given to the failure that it is made for, and to no other one here."""

from __future__ import annotations

import pytest

from fsm_rtc.connection.diagnosis import advice as symptoms
from fsm_rtc.connection.diagnosis.advice import RULES
from fsm_rtc.connection.diagnosis.evidence import Phase
from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.errors import OperationError, SignalingError
from fsm_rtc.messages import EndCode
from tests.connection.diagnosis.sample_failures import (
    LOOPBACK,
    NAMED,
    NO_STUN,
    NO_TURN,
    PRIVATE,
    PUBLIC_V6,
    QUOTA,
    REFLEXIVE,
    RELAYED,
    WRONG_USER,
    at,
    checked,
)


def refused(code: str) -> Failure:
    return at(Phase.SIGNALING, error=SignalingError("no", code=code))


CASES: list[tuple[str, Failure]] = [
    ("said_goodbye", at(Phase.CONNECTED, by_peer=True)),
    ("was_replaced", refused("replaced")),
    ("found_no_room", refused("room_full")),
    ("was_not_let_in", refused("no_access")),
    ("was_refused_by_the_server", refused("wrong_protocol")),
    ("has_no_link", at(Phase.SIGNALING, error=SignalingError("refused"))),
    ("met_nobody", at(Phase.WAITING)),
    ("was_forged", at(Phase.TRUST, rejections={"introduced_itself": 1})),
    ("was_forged", at(Phase.EXCHANGE, rejections={"signed_by_the_peer": 2})),
    ("met_one_who_is_busy", at(Phase.EXCHANGE, peer_was_busy=True)),
    ("is_not_trusted", at(Phase.TRUST, by_peer=True)),
    ("does_not_trust", at(Phase.TRUST, rejections={"trusted": 1})),
    ("turn_refused_the_user", at(Phase.GATHERING, candidate_errors=(NO_STUN, WRONG_USER), relay_only=True)),
    ("turn_refused_the_user", checked((PRIVATE,), (PRIVATE,), candidate_errors=(WRONG_USER,))),
    ("turn_is_full", checked((PRIVATE, REFLEXIVE), (REFLEXIVE,), candidate_errors=(NO_TURN, QUOTA))),
    ("turn_is_out_of_reach", checked((PRIVATE,), (PRIVATE,), candidate_errors=(NO_STUN, NO_TURN))),
    ("has_no_relay", at(Phase.GATHERING, relay_only=True)),
    ("has_no_address", at(Phase.GATHERING)),
    ("is_still_gathering", at(Phase.GATHERING, local_candidates=(PRIVATE,))),
    ("hears_of_no_candidate", at(Phase.ICE, local_candidates=(PRIVATE,))),
    ("one_stays_on_loopback", checked((PRIVATE,), (LOOPBACK,))),
    ("one_stays_on_loopback", checked((LOOPBACK,), (PRIVATE, REFLEXIVE))),
    ("has_no_pair", checked((PRIVATE, REFLEXIVE), (PUBLIC_V6,))),
    ("stun_is_out_of_reach", checked((PRIVATE,), (PRIVATE, REFLEXIVE), candidate_errors=(NO_STUN,))),
    ("needs_a_server_between_networks", checked((PRIVATE,), (PRIVATE,), shares_a_network=False)),
    ("is_blocked_in_its_own_network", checked((PRIVATE,), (PRIVATE,), shares_a_network=True)),
    ("needs_a_server", checked((PRIVATE,), (NAMED,))),
    ("needs_a_server", checked((PUBLIC_V6,), (PUBLIC_V6,), shares_a_network=False)),
    ("is_behind_bad_nats", checked((PRIVATE, REFLEXIVE), (PRIVATE, REFLEXIVE), shares_a_network=False)),
    ("lacks_a_relay", checked((PRIVATE, REFLEXIVE), (PRIVATE,))),
    ("is_checking", checked((PRIVATE, REFLEXIVE, RELAYED), (PRIVATE, REFLEXIVE))),
    ("is_checking", checked((PRIVATE,), (RELAYED,), candidate_errors=())),
    ("met_a_wrong_certificate", at(Phase.DTLS, states={"alice.peer.dtls": "failed"})),
    ("met_a_wrong_certificate", at(Phase.DTLS, states={"alice.peer.dtls.2": "failed"})),
    ("could_not_shake_hands", at(Phase.DTLS, states={"alice.peer.dtls": "connecting", "alice.peer.ice": "failed"})),
    ("has_no_channel", at(Phase.CHANNEL)),
    ("broke_here", at(Phase.EXCHANGE, error=OperationError("no room"))),
    ("broke_there", at(Phase.EXCHANGE, by_peer=True)),
    ("did_not_agree", at(Phase.EXCHANGE)),
    ("stood", at(Phase.CONNECTED, by_peer=True, end_code=EndCode.CONNECTION_FAILED)),
    ("stood", at(Phase.CONNECTED, by_peer=True, was_lost=True)),
    ("stood", at(Phase.CONNECTED, error=OperationError("gone"))),
    ("stands", at(Phase.CONNECTED)),
]


@pytest.mark.parametrize(("symptom", "failure"), CASES)
def test_the_first_rule_that_applies_is_the_one_made_for_it(symptom: str, failure: Failure) -> None:
    first = next(rule for rule in RULES if rule.applies(failure))
    assert first.applies is getattr(symptoms, symptom)
    assert failure.advice == first.sentence


def test_every_rule_has_a_failure_that_it_is_made_for() -> None:
    assert {rule.applies.__name__ for rule in RULES} == {symptom for symptom, _ in CASES}


def test_every_phase_has_a_last_rule_of_its_own() -> None:
    failures = {phase: at(phase, local_candidates=(PRIVATE,)) for phase in Phase}
    lasts = {phase: [rule for rule in RULES if rule.applies(one)][-1] for phase, one in failures.items()}
    assert {phase: last.applies.__name__ for phase, last in lasts.items()} == {
        Phase.SIGNALING: "has_no_link",
        Phase.WAITING: "met_nobody",
        Phase.TRUST: "does_not_trust",
        Phase.EXCHANGE: "did_not_agree",
        Phase.GATHERING: "is_still_gathering",
        Phase.ICE: "is_checking",
        Phase.DTLS: "could_not_shake_hands",
        Phase.CHANNEL: "has_no_channel",
        Phase.CONNECTED: "stood",
    }


def test_turn_is_not_blamed_where_it_gave_an_address_or_was_not_needed() -> None:
    relayed = checked((PRIVATE, RELAYED), (PRIVATE,), candidate_errors=(NO_TURN, WRONG_USER))
    assert "Even by way of the TURN server" in relayed.advice
    assert "was lost" in at(Phase.CONNECTED, candidate_errors=(WRONG_USER,), was_lost=True).advice


def test_a_wrong_certificate_is_never_tried_again_and_any_other_end_of_dtls_may_be() -> None:
    wrong = at(Phase.DTLS, states={"alice.peer.dtls": "failed"})
    assert wrong.advice.startswith("Don't try again")
    others = [failure.advice for symptom, failure in CASES if symptom != "met_a_wrong_certificate"]
    assert not any(advice.startswith("Don't try again") for advice in others)


def test_only_who_is_not_who_he_should_be_is_never_called_again() -> None:
    final = {symptom for symptom, failure in CASES if not failure.may_be_retried}
    assert final == {"was_forged", "is_not_trusted", "does_not_trust", "met_a_wrong_certificate"}


@pytest.mark.parametrize("rule", RULES)
def test_advice_is_one_sentence(rule: object) -> None:
    sentence = getattr(rule, "sentence", "")
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert ". " not in sentence

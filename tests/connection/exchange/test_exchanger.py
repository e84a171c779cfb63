"""Exchanger: two sides without clock, socket or task; what is sent, kept, given up, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsm_rtc.connection.exchange.candidates import KEPT_CANDIDATES
from fsm_rtc.connection.exchange.exchanger import ANSWER_SECONDS, MAX_DESCRIPTION_BYTES, Exchanger
from fsm_rtc.connection.exchange.requests import ExchangeEnded
from fsm_rtc.connection.exchange.retransmission import GIVE_UP_SECONDS
from fsm_rtc.engine import Journal
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.messages import Ack, Allowlist, Answer, Bye, Candidate, EndOfCandidates, Offer, PeerMessage, decode
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.machine_set import MachineSet
from tests.connection.exchange.exchange_pair import Pair, Side, sdp

LINE = "candidate:{} 1 udp 2130706431 192.0.2.1 {} typ host"


def candidate(number: int) -> IceCandidate:
    return IceCandidate(LINE.format(number, 40_000 + number), "0", 0)


def agreed() -> Pair:
    pair = Pair()
    pair.join()
    pair.run()
    return pair


def sent(side: Side) -> list[PeerMessage]:
    """What waits to be delivered, acknowledgements left out."""
    messages = [decode(text) for text in side.outbox]
    return [message for message in messages if isinstance(message, PeerMessage) and not isinstance(message, Ack)]


def lose(*sides: Side) -> None:
    for side in sides:
        side.outbox.clear()


class TestTime:
    def test_an_offer_that_the_peer_has_must_be_answered_in_time(self) -> None:
        pair = agreed()
        pair.negotiate(pair.impolite)
        pair.impolite.do_one(pair.clock())
        pair.deliver(pair.polite, pair.impolite.outbox.pop(0))
        pair.deliver(pair.impolite, pair.polite.outbox.pop(0))  # the acknowledgement; the answer never comes
        pair.advance(ANSWER_SECONDS - 0.1)
        assert pair.impolite.exchanger.state is ExchangeState.AWAITING_ANSWER
        pair.advance(0.1)
        assert pair.impolite.ended is not None
        assert "has not answered the offer within 20 s" in pair.impolite.ended.reason

    def test_one_that_the_peer_has_not_acknowledged_may_take_longer(self) -> None:
        pair = agreed()
        pair.negotiate(pair.impolite)
        pair.impolite.do_one(pair.clock())
        pair.advance(GIVE_UP_SECONDS - 0.1)
        assert pair.impolite.exchanger.state is ExchangeState.AWAITING_ANSWER
        pair.advance(0.1)
        assert pair.impolite.ended is not None
        assert "has acknowledged nothing for 45 s" in pair.impolite.ended.reason

    def test_the_peer_is_told_of_the_end_when_it_can_be_reached_again(self) -> None:
        pair = agreed()
        pair.negotiate(pair.impolite)
        pair.impolite.do_one(pair.clock())
        pair.advance(GIVE_UP_SECONDS)
        pair.run()
        assert pair.polite.ended == ExchangeEnded(
            "the other side has acknowledged nothing for 45 s", by_peer=True, for_good=False
        )
        assert {side.exchanger.state for side in pair.sides} == {ExchangeState.CLOSED}

    def test_while_the_link_is_down_no_time_counts(self) -> None:
        pair = agreed()
        pair.negotiate(pair.impolite)
        pair.impolite.do_one(pair.clock())
        lose(pair.impolite)
        for side in pair.sides:
            side.exchanger.link_down()
        assert pair.impolite.exchanger.next_timeout() is None
        pair.advance(1000.0)
        assert pair.impolite.exchanger.state is ExchangeState.AWAITING_ANSWER
        for side in pair.sides:
            side.exchanger.link_up(pair.clock())
            side.pump()
        pair.run()
        assert pair.polite.agreed == pair.impolite.agreed is not None

    def test_a_goodbye_that_nobody_acknowledges_is_given_up(self) -> None:
        pair = agreed()
        pair.polite.exchanger.leave("enough", pair.clock())
        pair.polite.pump()
        pair.advance(GIVE_UP_SECONDS)
        assert pair.polite.exchanger.state is ExchangeState.CLOSED
        assert pair.polite.exchanger.next_timeout() is None


class TestCandidates:
    def test_those_that_the_description_holds_are_not_sent_again_and_the_others_follow_it(self) -> None:
        pair = agreed()
        pair.negotiate(pair.impolite)
        exchanger = pair.impolite.exchanger
        held, other = candidate(1), candidate(2)
        for one in (held, other, None):
            exchanger.candidate_found(one, pair.clock())
        exchanger.offer_made(SessionDescription("offer", sdp("i", 9) + f"a={held.candidate}\r\n"), pair.clock())
        pair.impolite.pump()
        messages = sent(pair.impolite)
        assert [type(message) for message in messages] == [Offer, Candidate, EndOfCandidates]
        assert "40002" in messages[1].payload
        assert {message.offer_id for message in messages} == {f"{exchanger.memory.session}.2"}

    def test_those_that_come_before_their_description_is_applied_are_kept_and_then_given_in_order(self) -> None:
        pair = agreed()
        pair.polite.candidates.clear()
        pair.negotiate(pair.impolite)
        pair.impolite.do_one(pair.clock())
        for one in (candidate(1), candidate(2), None):
            pair.impolite.exchanger.candidate_found(one, pair.clock())
        pair.impolite.pump()
        while pair.impolite.outbox:
            pair.deliver(pair.polite, pair.impolite.outbox.pop(0))
        assert pair.polite.candidates == []
        pair.run()
        assert pair.polite.candidates == [candidate(1), candidate(2), None]

    def test_the_answerers_go_with_the_offers_id_and_wait_for_the_answer(self) -> None:
        pair = agreed()
        pair.impolite.candidates.clear()
        pair.negotiate(pair.impolite)
        pair.run()
        pair.polite.exchanger.candidate_found(candidate(7), pair.clock())
        pair.polite.pump()
        assert sent(pair.polite)[-1].offer_id == pair.impolite.exchanger.memory.offer_id
        pair.run()
        assert pair.impolite.candidates == [candidate(7)]

    def test_too_many_that_are_early_are_counted_and_not_kept(self) -> None:
        pair = agreed()
        pair.negotiate(pair.impolite)
        pair.impolite.do_one(pair.clock())
        for number in range(KEPT_CANDIDATES + 44):
            pair.impolite.exchanger.candidate_found(candidate(number), pair.clock())
        pair.impolite.pump()
        pair.polite.candidates.clear()
        while pair.impolite.outbox:
            pair.deliver(pair.polite, pair.impolite.outbox.pop(0))
        pair.run()
        assert len(pair.polite.candidates) == KEPT_CANDIDATES
        assert pair.polite.exchanger.refused["OperationError"] == 44

    def test_too_many_for_a_description_that_is_applied_are_counted_and_not_taken(self) -> None:
        pair = agreed()
        pair.polite.candidates.clear()
        for number in range(KEPT_CANDIDATES + 7):
            pair.impolite.exchanger.candidate_found(candidate(number), pair.clock())
        pair.impolite.pump()
        pair.run()
        assert pair.polite.exchanger.refused["OperationError"] == 7
        assert len(pair.polite.candidates) == KEPT_CANDIDATES

    def test_one_that_is_too_long_is_counted_and_harms_no_other(self) -> None:
        pair = agreed()
        pair.polite.candidates.clear()
        for number in range(2):
            long = replace(candidate(number), candidate=candidate(number).candidate + " x" * 4096)
            pair.impolite.exchanger.candidate_found(long if number else candidate(number), pair.clock())
        pair.impolite.pump()
        pair.run()
        assert pair.polite.exchanger.refused["InvalidCandidateError"] == 1
        assert pair.polite.candidates == [candidate(0)]


class TestOffersThatMeet:
    def test_the_polite_side_yields_and_both_agree_on_the_others(self) -> None:
        pair = agreed()
        for side in pair.sides:
            pair.negotiate(side)
            side.do_one(pair.clock())
        pair.run()
        assert pair.polite.agreed == pair.impolite.agreed == f"{pair.impolite.exchanger.memory.session}.2"

    def test_one_that_is_found_while_the_offer_is_taken_back_is_not_sent(self) -> None:
        pair = agreed()
        for side in (pair.polite, pair.impolite):
            pair.negotiate(side)
            side.do_one(pair.clock())
            side.pump()
        pair.deliver(pair.polite, pair.impolite.outbox.pop(0))
        assert pair.polite.exchanger.state is ExchangeState.YIELDING
        pair.polite.outbox.clear()
        pair.polite.exchanger.candidate_found(candidate(7), pair.clock())
        pair.polite.pump()
        assert not any(isinstance(message, Candidate) for message in sent(pair.polite))

    def test_candidates_of_the_one_that_yielded_are_dropped_without_a_word(self) -> None:
        pair = agreed()
        pair.impolite.candidates.clear()
        for side in pair.sides:
            pair.negotiate(side)
            side.do_one(pair.clock())
        pair.polite.exchanger.candidate_found(candidate(1), pair.clock())
        pair.polite.pump()
        pair.run()
        assert pair.impolite.candidates == []
        assert pair.impolite.exchanger.refused == {}

    def test_one_that_comes_while_another_is_applied_waits_and_is_answered_then(self) -> None:
        pair = agreed()
        pair.negotiate(pair.polite)
        pair.polite.do_one(pair.clock())
        pair.deliver(pair.impolite, pair.polite.outbox.pop(0))
        while pair.impolite.work:
            pair.impolite.do_one(pair.clock())
        pair.negotiate(pair.impolite)
        pair.impolite.do_one(pair.clock())
        while pair.impolite.outbox:  # the answer, and behind it the next offer
            pair.deliver(pair.polite, pair.impolite.outbox.pop(0))
        assert pair.polite.exchanger.state is ExchangeState.APPLYING_ANSWER
        pair.run()
        assert pair.polite.agreed == pair.impolite.agreed == f"{pair.impolite.exchanger.memory.session}.2"

    def test_a_need_in_the_middle_of_an_exchange_becomes_an_offer_behind_it(self) -> None:
        pair = Pair()
        pair.join()
        pair.negotiate(pair.impolite)
        pair.run()
        assert pair.polite.agreed == f"{pair.impolite.exchanger.memory.session}.2"


class TestEnds:
    def test_both_know_why(self) -> None:
        pair = agreed()
        pair.polite.exchanger.leave("supper", pair.clock(), for_good=True)
        pair.polite.pump()
        pair.run()
        assert pair.polite.ended == ExchangeEnded("supper", by_peer=False, for_good=True)
        assert pair.impolite.ended == ExchangeEnded("supper", by_peer=True, for_good=True)

    def test_a_failure_is_told_from_a_goodbye(self) -> None:
        pair = agreed()
        pair.polite.exchanger.leave("no way", pair.clock())
        pair.polite.pump()
        pair.run()
        assert pair.polite.ended == ExchangeEnded("no way", by_peer=False, for_good=False)
        assert pair.impolite.ended == ExchangeEnded("no way", by_peer=True, for_good=False)

    @pytest.mark.parametrize("reason", ["x" * 5000, "\ud800", "\r\n\x00"])
    def test_any_text_can_be_a_reason(self, reason: str) -> None:
        pair = agreed()
        pair.polite.exchanger.leave(reason, pair.clock())
        pair.polite.pump()
        pair.run()
        assert pair.impolite.ended is not None
        assert len(pair.impolite.ended.reason) <= 200

    def test_leaving_twice_says_it_once(self) -> None:
        pair = agreed()
        for _ in range(2):
            pair.polite.exchanger.leave("enough", pair.clock())
        pair.polite.pump()
        assert [type(message) for message in sent(pair.polite)] == [Bye]

    def test_a_description_that_no_message_can_hold_ends_it_with_that_reason(self) -> None:
        pair = agreed()
        pair.negotiate(pair.impolite)
        pair.impolite.exchanger.offer_made(SessionDescription("offer", "x" * MAX_DESCRIPTION_BYTES), pair.clock())
        pair.impolite.pump()
        pair.run()
        assert pair.polite.ended is not None
        assert "offer is too long" in pair.polite.ended.reason

    def test_who_is_not_trusted_is_turned_away_once_and_who_is_forged_not_answered(self) -> None:
        pair = Pair()
        strict = Exchanger(
            pair.members[0], Allowlist([]), MachineSet("s", generation=0, engine="compiled", journal=Journal())
        )
        assert not strict.joined(pair.members[1].introduction)
        (farewell,) = strict.take()
        pair.join(pair.impolite)
        pair.deliver(pair.impolite, farewell.text)  # type: ignore[union-attr]
        assert pair.impolite.ended is not None
        assert "does not trust this key" in pair.impolite.ended.reason
        forged = pair.members[1].introduction
        assert not strict.joined(type(forged)(forged.id, forged.session, "eve", forged.public_key, forged.signature))
        assert strict.take() == []
        assert strict.refused == {"trusted": 1, "introduced_itself": 1}


def test_an_answer_names_the_offer_and_is_signed() -> None:
    pair = Pair()
    pair.join()
    pair.impolite.do_one(pair.clock())
    pair.deliver(pair.polite, pair.impolite.outbox.pop(0))
    for _ in range(2):
        pair.polite.do_one(pair.clock())
    (answer,) = sent(pair.polite)
    assert isinstance(answer, Answer)
    assert answer.offer_id == f"{pair.impolite.exchanger.memory.session}.1"
    assert len(answer.signature) == 64

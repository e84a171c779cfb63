"""A live exchange takes nothing that isn't its peer's, new, and meant for it; and counts each by what is wrong with it.

``HYPOTHESIS_PROFILE=ci`` sends 100,000 frames.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import settings

from fsm_rtc.connection.exchanger import Exchanger
from fsm_rtc.connection.requests import Transmit
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.messages import Answer, Candidate, Introduction, Member, Offer, PeerMessage, encode
from tests.connection.exchanges import Pair, Side, sdp
from tests.connection.hostile import KINDS, Enemy

FRAMES = {15: 2_000, 100: 8_000}.get(settings().max_examples, 100_000)
"""How many frames in all: few on the quick profile, some for a developer, all in CI."""

STATES = tuple(state for state in ExchangeState if state is not ExchangeState.CLOSED)


def pass_on(pair: Pair, sender: Side, seen: list[str]) -> None:
    """Deliver everything that a side has sent."""
    while sender.outbox:
        seen.append(sender.outbox[0])
        pair.deliver(pair.other(sender), sender.outbox.pop(0))


def work(pair: Pair, side: Side, times: int = 1) -> None:
    for _ in range(times):
        side.do_one(pair.clock())


def in_state(state: ExchangeState) -> tuple[Pair, Side, list[str]]:
    """Two sides that have joined; one of them in this state, with what it has got from the other."""
    pair, seen = Pair(), list[str]()
    polite, impolite = pair.sides
    pair.join()  # the impolite side is making its offer
    if state is ExchangeState.MAKING_OFFER:
        return pair, impolite, seen
    if state is ExchangeState.YIELDING:
        pair.negotiate(polite)
        work(pair, polite)
        work(pair, impolite)
        pass_on(pair, impolite, seen)
        return pair, polite, seen
    work(pair, impolite)
    if state is ExchangeState.AWAITING_ANSWER:
        return pair, impolite, seen
    pass_on(pair, impolite, seen)
    if state is ExchangeState.APPLYING_OFFER:
        return pair, polite, seen
    work(pair, polite)
    if state is ExchangeState.MAKING_ANSWER:
        return pair, polite, seen
    work(pair, polite)
    seen.clear()
    pass_on(pair, polite, seen)
    if state is ExchangeState.APPLYING_ANSWER:
        return pair, impolite, seen
    work(pair, impolite)
    if state is ExchangeState.LEAVING:
        impolite.exchanger.leave("enough", pair.clock())
        impolite.pump()
    assert state in (ExchangeState.IDLE, ExchangeState.LEAVING)
    return pair, impolite, seen


def picture(exchanger: Exchanger) -> tuple[Any, ...]:
    """All of an exchange that a message could change."""
    memory = exchanger.memory
    known = tuple(memory._offers.items())
    return (exchanger.state, memory.next_sequence, memory.last_offer_number, memory.offer_id, known, memory.peer)


@pytest.mark.parametrize("state", STATES)
def test_hostile_frames_change_nothing_and_each_is_counted_by_its_own_reason(state: ExchangeState) -> None:
    seed = Random().randrange(2**32)
    print(f"seed {seed}")  # pytest shows it if the test fails
    random = Random(seed)
    pair, victim, seen = in_state(state)
    assert victim.exchanger.state is state
    enemy = Enemy(pair, victim, seen, random)
    before = picture(victim.exchanger)
    refused_before = Counter(victim.exchanger.refused)
    expected: Counter[str] = Counter()
    for number in range(FRAMES // len(STATES)):
        kind = KINDS[number % len(KINDS)]
        frame, reason = kind(enemy)
        expected[reason] += 1
        victim.exchanger.received(frame, pair.clock())
        requests = victim.exchanger.take()
        assert all(isinstance(request, Transmit) and '"type":"ack"' in request.text for request in requests), kind
        assert picture(victim.exchanger) == before, kind
        assert victim.exchanger.refused - refused_before == expected, kind
    pair.run()
    ends = {side.exchanger.state for side in pair.sides}
    assert ends == ({ExchangeState.CLOSED} if state is ExchangeState.LEAVING else {ExchangeState.IDLE})
    if state is not ExchangeState.LEAVING:
        assert pair.polite.agreed == pair.impolite.agreed is not None


def say(pair: Pair, sender: Side, kind: type[PeerMessage], offer_id: str, payload: str) -> None:
    """An authentic message that this side's exchange would never send."""
    exchanger = sender.exchanger
    exchanger._outgoing.sequence += 1
    message = exchanger._post._signed(kind, exchanger._outgoing.sequence, offer_id, payload)
    pair.deliver(pair.other(sender), encode(message))


GOOD = sdp("x", 1)


def without(line: str) -> str:
    return "".join(one for one in GOOD.splitlines(keepends=True) if not one.startswith(line))


@pytest.mark.parametrize(
    ("kind", "number", "payload", "reason"),
    [
        (Offer, 1, GOOD, "newer_offer"),
        (Offer, 0, GOOD, "newer_offer"),
        (Offer, 9, "v=0\r\n", "media_section"),
        (Offer, 9, "", "media_section"),
        (Offer, 9, without("a=ice-ufrag"), "ice_credentials"),
        (Offer, 9, without("a=ice-pwd"), "ice_credentials"),
        (Offer, 9, without("a=fingerprint"), "fingerprint"),
        (Answer, 1, without("a=fingerprint"), "fingerprint"),
        (Answer, 1, GOOD, "no row"),
        (Candidate, 9, "{}", "known_offer"),
        (Candidate, 1, "{}", "InvalidCandidateError"),
        (Candidate, 1, "not JSON", "DecodeError"),
        (Candidate, 1, "[" * 100_000, "RecursionError"),
        (Candidate, 1, '{"candidate":5}', "InvalidCandidateError"),
    ],
)
def test_nonsense_of_the_peer_itself_is_refused_by_name_and_the_exchange_goes_on(
    kind: type[PeerMessage], number: int, payload: str, reason: str
) -> None:
    pair = Pair()
    pair.join()
    pair.run()
    sender, victim = pair.impolite, pair.polite
    known = f"{sender.exchanger.memory.session}.{number}"
    say(pair, sender, kind, known, payload)
    assert victim.exchanger.refused == Counter({reason: 1})
    assert victim.exchanger.state is ExchangeState.IDLE
    pair.negotiate(sender)
    pair.run()
    assert victim.agreed == sender.agreed == f"{sender.exchanger.memory.session}.2"


def test_the_answer_to_an_older_offer_is_not_that_to_this_one() -> None:
    pair = Pair()
    pair.join()
    pair.run()
    offerer, answerer = pair.impolite, pair.polite
    pair.negotiate(offerer)
    offerer.do_one(pair.clock())
    say(pair, answerer, Answer, f"{offerer.exchanger.memory.session}.1", GOOD)
    assert offerer.exchanger.refused == Counter({"answers_this_offer": 1})
    assert offerer.exchanger.state is ExchangeState.AWAITING_ANSWER


def test_what_is_held_for_its_turn_is_bounded() -> None:
    pair = Pair()
    pair.join()
    pair.run()
    sender, victim = pair.impolite, pair.polite
    sender.exchanger._outgoing.sequence += 1  # one that never comes
    for _ in range(2_000):
        say(pair, sender, Candidate, "x", "{}")
    held = victim.exchanger.memory.incoming._held
    assert len(held) == 256
    assert victim.exchanger.refused == Counter({"next_in_sequence": 2_000 - 256})


def test_an_introduction_that_is_forged_or_not_for_this_room_begins_nothing() -> None:
    pair = Pair()
    polite, impolite = pair.members
    other_room = type(impolite)("another", impolite.identity, "bob").introduction
    for forged in (other_room, _renamed(impolite.introduction), _with_key_of(impolite.introduction, polite)):
        assert not pair.polite.exchanger.joined(forged)
        assert pair.polite.exchanger.memory.peer is None
    assert pair.polite.exchanger.refused == Counter({"introduced_itself": 3})
    pair.join()
    pair.run()
    assert pair.polite.agreed == pair.impolite.agreed is not None


def _renamed(introduction: Introduction) -> Introduction:
    return msgspec.structs.replace(introduction, name="carol")


def _with_key_of(introduction: Introduction, member: Member) -> Introduction:
    return msgspec.structs.replace(introduction, public_key=member.introduction.public_key)

"""A live exchange takes nothing that isn't its peer's, new, and meant for it; and counts each by what is wrong with it.

``HYPOTHESIS_PROFILE=ci`` sends 20,000 frames, ``thorough`` 100,000.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.connection.exchange.exchanger import Exchanger
from fsm_rtc.connection.exchange.requests import Transmit
from fsm_rtc.errors import Malformed
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.messages import (
    Ack,
    Answer,
    Candidate,
    EndOfCandidates,
    Introduction,
    Member,
    Offer,
    PeerMessage,
    decode,
    encode,
)
from tests.connection.exchange.exchange_pair import Pair, Side, sdp
from tests.connection.exchange.hostile_frames import KINDS, Enemy
from tests.effort import by_profile
from tests.random_seed import seeded

FRAMES = by_profile(quick=2_000, default=8_000, ci=100_000, thorough=100_000)
"""How many frames in all."""

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
    memory, outgoing = exchanger.memory, exchanger._outgoing
    return (
        exchanger.state,
        (memory.peer, memory.next_sequence, memory.last_offer_number, memory.offer_id, memory.bye_sequence),
        (tuple(memory._offers.items()), tuple(memory.ignored_offers), tuple(memory.incoming._held.items())),
        (outgoing.sequence, outgoing.unacknowledged, outgoing.next_at()),
        (exchanger._coming, exchanger._postponed, exchanger._needed, exchanger._round, exchanger.next_timeout()),
    )


@pytest.mark.parametrize("state", STATES)
def test_hostile_frames_change_nothing_and_each_is_counted_by_its_own_reason(state: ExchangeState) -> None:
    pair, victim, seen = in_state(state)
    assert victim.exchanger.state is state
    enemy = Enemy(pair, victim, seen, seeded(state))
    before = picture(victim.exchanger)
    refused_before = Counter(victim.exchanger.refused)
    expected: Counter[str] = Counter()
    for number in range(FRAMES // len(STATES)):
        kind = KINDS[number % len(KINDS)]
        frame, reason = kind(enemy)
        expected[reason] += 1
        victim.exchanger.received(frame, pair.clock())
        requests = victim.exchanger.take()
        acknowledges = [isinstance(one, Transmit) and isinstance(decode(one.text), Ack) for one in requests]
        assert acknowledges == [True] * (reason == "taken_once"), kind
        assert picture(victim.exchanger) == before, kind
        assert victim.exchanger.refused - refused_before == expected, kind
    assert sum(expected.values()) == FRAMES // len(STATES)
    comes_to_its_end(pair, state)


def comes_to_its_end(pair: Pair, state: ExchangeState) -> None:
    """The honest exchange, of which a side was in this state, still completes."""
    pair.run()
    ends = {side.exchanger.state for side in pair.sides}
    if state is ExchangeState.LEAVING:
        assert ends == {ExchangeState.CLOSED}
        return
    assert ends == {ExchangeState.IDLE}
    assert pair.polite.agreed == pair.impolite.agreed is not None


@pytest.mark.parametrize("state", STATES)
def test_a_frame_cut_off_anywhere_is_no_frame(state: ExchangeState) -> None:
    pair, victim, seen = in_state(state)
    text = Enemy(pair, victim, seen, seeded(state)).signed_by_the_peer()
    before = picture(victim.exchanger)
    for end in range(len(text)):
        victim.exchanger.received(text[:end], pair.clock())
        victim.exchanger.received(text[:end].encode(), pair.clock())
    assert picture(victim.exchanger) == before
    assert victim.exchanger.refused == Counter({Malformed.NOT_JSON.value: 2 * len(text)})


WRONG_VALUES: tuple[Any, ...] = (None, True, 1.5, -1, 2**53, 2**70, [], ["x"], {}, {"x": 1}, "x" * 200)


@pytest.mark.parametrize("field", PeerMessage.__struct_fields__)
def test_a_field_of_another_type_or_out_of_range_is_a_wrong_shape(field: str) -> None:
    pair, victim, seen = in_state(ExchangeState.AWAITING_ANSWER)
    good = json.loads(Enemy(pair, victim, seen, seeded(field)).signed_by_the_peer())
    wrong = [value for value in WRONG_VALUES if not (field == "payload" and isinstance(value, str))]
    before = picture(victim.exchanger)
    for value in wrong:
        victim.exchanger.received(json.dumps({**good, field: value}), pair.clock())
    victim.exchanger.received(json.dumps({name: good[name] for name in good if name != field}), pair.clock())
    assert picture(victim.exchanger) == before
    assert victim.exchanger.refused == Counter({Malformed.WRONG_SHAPE.value: len(wrong) + 1})


def say(pair: Pair, sender: Side, kind: type[PeerMessage], offer_id: str, payload: str) -> None:
    """An authentic message that this side's exchange would never send."""
    exchanger = sender.exchanger
    exchanger._outgoing.sequence += 1
    message = exchanger._post._signed(kind, exchanger._outgoing.sequence, offer_id, payload)
    pair.deliver(pair.other(sender), encode(message))


GOOD = sdp("x", 1)
LINES = (("ice-ufrag", "ice_credentials"), ("ice-pwd", "ice_credentials"), ("fingerprint", "fingerprint"))
"""What a media section must have, and the guard that asks for it."""


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
        (Candidate, 1, "not JSON", "InvalidCandidateError"),
        (Candidate, 1, "[" * 4000, "InvalidCandidateError"),
        (Candidate, 1, "[" * 100_000, "InvalidCandidateError"),
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


@pytest.mark.parametrize("state", STATES)
def test_nonsense_of_the_peer_itself_moves_the_exchange_in_no_state(state: ExchangeState) -> None:
    pair, victim, _ = in_state(state)
    sender = pair.other(victim)
    session = sender.exchanger.memory.session
    nonsense: list[tuple[type[PeerMessage], str, str, str]] = [
        (Offer, f"{session}.0", GOOD, "newer_offer"),
        (Offer, f"{session}.-1", GOOD, "newer_offer"),
        (Offer, "another.9", GOOD, "newer_offer"),
        (Offer, f"{session}.9", "nonsense", "media_section"),
        (Offer, f"{session}.9", without("m="), "media_section"),
    ]
    for description in (Offer, Answer):
        nonsense += [(description, f"{session}.9", without(f"a={line}"), guard) for line, guard in LINES]
    if state is not ExchangeState.LEAVING:
        foreign = "answers_this_offer" if state is ExchangeState.AWAITING_ANSWER else "no row"
        nonsense += [(Answer, f"{session}.9", GOOD, foreign)]
        nonsense += [(one, "nobody's.1", "{}", "known_offer") for one in (Candidate, EndOfCandidates)]
    known = tuple(victim.exchanger.memory._offers)
    for number, (kind, offer_id, payload, reason) in enumerate(nonsense, start=1):
        say(pair, sender, kind, offer_id, payload)
        assert victim.exchanger.state is state, reason
        assert victim.exchanger.refused.total() == number
        assert victim.exchanger.refused[reason] == sum(one[3] == reason for one in nonsense[:number])
        assert tuple(victim.exchanger.memory._offers) == known
    comes_to_its_end(pair, state)


texts = st.text(st.characters(codec="utf-8"), max_size=40)
sdps = st.lists(
    st.sampled_from(["v=0", *GOOD.splitlines()[1:], "m=audio 0 x y", "m=x", "m=audio 99999999999 a b", "a=", "a=:", ""])
    | texts,
    max_size=9,
).map("\r\n".join)
candidates = st.fixed_dictionaries(
    {"candidate": st.none() | texts | st.sampled_from(["", "candidate:1 1 udp 1 192.0.2.1 9 typ host"])},
    optional={name: st.none() | st.booleans() | st.integers() | texts for name in ("sdpMid", "sdpMLineIndex")},
).map(json.dumps)
nonsense = st.tuples(
    st.sampled_from([Offer, Answer, Candidate, EndOfCandidates]),
    st.sampled_from(["", ".", "{mine}.1", "{mine}.2", "{mine}.3", "{yours}.1", "{mine}.\u0661"]) | texts,
    texts | sdps | candidates,
)


@given(state=st.sampled_from(STATES), messages=st.lists(nonsense, max_size=12))
def test_whatever_the_peer_itself_says_nothing_raises_and_little_is_kept(
    state: ExchangeState, messages: list[tuple[type[PeerMessage], str, str]]
) -> None:
    pair, victim, _ = in_state(state)
    sender = pair.other(victim)
    for kind, offer_id, payload in messages:
        for side, name in ((sender, "{mine}"), (victim, "{yours}")):
            offer_id = offer_id.replace(name, side.exchanger.memory.session)
        say(pair, sender, kind, offer_id[:160], payload)
        if victim.work:
            victim.do_one(pair.clock())
    memory = victim.exchanger.memory
    assert memory.next_sequence == sender.exchanger._outgoing.sequence + 1
    assert len(memory._offers) <= 8 >= len(memory.ignored_offers)
    assert victim.ended is None or state is ExchangeState.LEAVING


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
    for _ in range(10_000):
        say(pair, sender, Candidate, "x", "{}")
    held = victim.exchanger.memory.incoming._held
    assert len(held) == 256
    assert victim.exchanger.refused == Counter({"next_in_sequence": 10_000 - 256})


def test_of_however_many_offers_few_are_known() -> None:
    pair, victim, _ = in_state(ExchangeState.AWAITING_ANSWER)  # the impolite side: it ignores them
    sender, memory = pair.other(victim), victim.exchanger.memory
    for number in range(1, 50):
        say(pair, sender, Offer, f"{sender.exchanger.memory.session}.{number}", GOOD)
    assert len(memory.ignored_offers) == 8
    comes_to_its_end(pair, ExchangeState.AWAITING_ANSWER)
    for number in range(50, 100):
        say(pair, sender, Offer, f"{sender.exchanger.memory.session}.{number}", GOOD)
        while victim.work:
            victim.do_one(pair.clock())
    assert len(memory._offers) == 8
    assert victim.exchanger.refused == {}


def test_an_introduction_that_comes_back_to_who_made_it_begins_nothing() -> None:
    pair = Pair()
    assert not pair.polite.exchanger.joined(pair.members[0].introduction)
    assert pair.polite.exchanger.memory.peer is None
    assert pair.polite.exchanger.take() == []
    assert pair.polite.exchanger.refused == Counter({"somebody_else": 1})
    pair.join()
    pair.run()
    assert pair.polite.agreed == pair.impolite.agreed is not None


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

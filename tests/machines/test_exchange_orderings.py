"""The exchange of offers, whatever the peer says in whatever order: what it asks of its owner stays an exchange."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsm_rtc.bridge import on_transitions
from fsm_rtc.engine import Accepted
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.exchange import Exchange, ExchangeState, ExchangeUnsigned
from tests.machines.exchange_context import Meeting

(IDLE, MAKING_OFFER, AWAITING, APPLYING_ANSWER, APPLYING_OFFER, MAKING_ANSWER, YIELDING, LEAVING, CLOSED) = (
    ExchangeState
)

POLITE = Meeting()
IMPOLITE = replace(POLITE, id="c", recipient="c")
PROFILES = st.sampled_from([Exchange, ExchangeUnsigned])
SIDES = st.sampled_from([POLITE, IMPOLITE])

OF_THE_PEER = ("on_offer", "on_answer", "on_candidate", "on_end_of_candidates", "on_bye")
"""What a message may be when its turn has come."""

RESULTS = {
    MAKING_OFFER: "offer_made",
    APPLYING_ANSWER: "answer_applied",
    YIELDING: "yielded",
    APPLYING_OFFER: "offer_applied",
    MAKING_ANSWER: "answer_made",
}
"""What comes of what this side is doing."""

OFTEN = ("on_offer", "on_answer", "negotiate", "receive", *4 * ["its result"])
EVENTS = (*OFTEN, *OFTEN, *OF_THE_PEER, *RESULTS.values(), "on_joined", "on_ack", "leave")

FORGED = ({"room": "x"}, {"sender": "x"}, {"recipient": "x"}, {"sender_session": "x"}, {"recipient_session": "x"})

Event = tuple[str, dict[str, Any]]


MESSAGES = st.fixed_dictionaries(
    {"offer_number": st.integers(0, 40)},
    optional={
        "offer_id": st.sampled_from(["s.1", "s.2", "t.1", "x"]),
        "acknowledged": st.integers(0, 2),
        "ahead": st.sampled_from([-1, 0, 1, 2, 256, 257, 300]),
        "has_fingerprint": st.booleans(),
    },
)
"""What a message says that is not as expected."""

FORGERIES = st.sampled_from(FORGED)
FLOODS: st.SearchStrategy[list[Event]] = st.lists(st.tuples(st.sampled_from(EVENTS), MESSAGES | FORGERIES), max_size=50)


@dataclass
class Owner:
    """Does what the machine asks at once, but for operations on the peer connection: those are drawn events."""

    chart: type[Exchange]
    memory: Meeting
    asked: list[tuple[str, Any]] = field(default_factory=list)
    states: list[ExchangeState] = field(default_factory=lambda: [IDLE])
    yielded_to: Meeting | None = None
    postponed: Meeting | None = None

    def __post_init__(self) -> None:
        self.machine = self.chart(self.memory)

    def happen(self, event: Event) -> Accepted | Rejected:
        trigger, said = event
        if trigger == "its result":
            trigger = RESULTS.get(self.machine.state, "negotiate")
        if trigger == "yielded" and self.yielded_to is not None:
            return self.fire(trigger, self.yielded_to)
        says = {name: value for name, value in said.items() if name != "ahead"}
        sequence = self.memory.next_sequence + said.get("ahead", 0)
        return self.fire(trigger, replace(self.memory, sequence=sequence, **says))

    def fire(self, trigger: str, payload: Meeting) -> Accepted | Rejected:
        outcome = self.machine.fire(trigger, payload)
        assert isinstance(outcome, Accepted | Rejected)
        self.states.append(self.machine.state)
        for request in outcome.effects if isinstance(outcome, Accepted) else ():
            self.asked.append((type(request).__name__, payload))
            self.carry_out(type(request).__name__, payload)
        return outcome

    def carry_out(self, request: str, payload: Meeting) -> None:
        match request:
            case "DeliverMessage":
                self.remember(next_sequence=self.memory.next_sequence + 1)
            case "ApplyOffer" | "YieldOffer" | "IgnoreOffer":
                self.remember(last_offer_number=payload.offer_number)
                self.yielded_to = payload
            case "PostponeOffer":
                self.postponed = payload
            case "Settle" if self.postponed is not None:
                postponed, self.postponed = self.postponed, None
                self.fire("on_offer", postponed)

    def remember(self, **known: Any) -> None:
        self.memory = replace(self.memory, **known)
        self.machine.context = self.memory

    def of(self, *requests: str) -> list[Any]:
        """What it was asked with these requests, in order."""
        return [payload for request, payload in self.asked if request in requests]


def flooded(chart: type[Exchange], memory: Meeting, events: list[Event]) -> Owner:
    owner = Owner(chart, memory)
    for event in events:
        owner.happen(event)
    return owner


STEPS = {
    "MakeOffer": "make ",
    "SendOffer": "send ",
    "YieldOffer": "yield ",
    "ApplyAnswer": "apply_answer ",
    "ApplyOffer": "apply ",
    "AnswerOffer": "answer ",
    "SendAnswer": "send_answer ",
    "Settle": "settle ",
}
ROUNDS = (
    "make send apply_answer settle ",
    "make yield apply answer send_answer settle ",
    "make send yield apply answer send_answer settle ",
    "apply answer send_answer settle ",
)
"""All the ways in which one offer comes to its answer."""

BEGUN = {text[:end] for text in ROUNDS for end in range(len(text)) if not end or text[end - 1] == " "}
COURSE = re.compile(f"({'|'.join(ROUNDS)})*({'|'.join(sorted(BEGUN))})")


@given(PROFILES, SIDES, FLOODS)
def test_one_offer_comes_to_its_answer_before_the_next_begins(
    chart: type[Exchange], memory: Meeting, events: list[Event]
) -> None:
    owner = flooded(chart, memory, events)
    course = "".join(STEPS.get(request, "") for request, _ in owner.asked)
    assert COURSE.fullmatch(course), course


@given(PROFILES, SIDES, FLOODS)
def test_messages_are_delivered_once_and_in_order(chart: type[Exchange], memory: Meeting, events: list[Event]) -> None:
    owner = flooded(chart, memory, events)
    delivered = [letter.sequence for letter in owner.of("DeliverMessage")]
    assert delivered == [*range(1, len(delivered) + 1)]
    assert all(0 < letter.sequence - letter.next_sequence <= 256 for letter in owner.of("Hold"))


@given(PROFILES, SIDES, FLOODS)
def test_an_offer_is_never_older_than_one_that_was_taken_or_ignored(
    chart: type[Exchange], memory: Meeting, events: list[Event]
) -> None:
    letters = flooded(chart, memory, events).of("YieldOffer", "ApplyOffer", "IgnoreOffer")
    numbers = [letter.offer_number for letter in {id(letter): letter for letter in letters}.values()]
    assert numbers == sorted({*numbers})


@given(PROFILES, SIDES, FLOODS)
def test_only_an_answer_to_this_sides_offer_is_applied(
    chart: type[Exchange], memory: Meeting, events: list[Event]
) -> None:
    owner = flooded(chart, memory, events)
    assert all(letter.offer_id == memory.offer_id and letter.has_fingerprint for letter in owner.of("ApplyAnswer"))


@given(PROFILES, FLOODS)
def test_the_polite_side_ignores_no_offer_before_it_leaves_and_the_impolite_never_yields(
    chart: type[Exchange], events: list[Event]
) -> None:
    asked = [request for request, _ in flooded(chart, POLITE, events).asked]
    assert "IgnoreOffer" not in asked or "SendBye" in asked[: asked.index("IgnoreOffer")]
    assert not flooded(chart, IMPOLITE, events).of("YieldOffer")


@given(PROFILES, SIDES, FLOODS)
def test_who_has_left_does_nothing_more_for_the_peer_and_does_not_come_back(
    chart: type[Exchange], memory: Meeting, events: list[Event]
) -> None:
    owner = flooded(chart, memory, [*events, ("leave", {}), *events])
    states = owner.states[owner.states.index(LEAVING) :] if LEAVING in owner.states else [CLOSED]
    assert states == sorted(states, key=[LEAVING, CLOSED].index)
    asked = [request for request, _ in owner.asked]
    if "SendBye" in asked:
        behind = {*asked[asked.index("SendBye") + 1 :]}
        assert behind <= {"DeliverMessage", "Hold", "Acknowledge", "IgnoreOffer", "NoteFarewell"}


@given(PROFILES, SIDES, FLOODS)
def test_what_is_closed_stays_closed_and_says_so(chart: type[Exchange], memory: Meeting, events: list[Event]) -> None:
    owner = flooded(chart, memory, [*events, ("abandon", {})])
    assert owner.machine.state is CLOSED
    asked = len(owner.asked)
    for event in events:
        outcome = owner.happen(event)
        assert isinstance(outcome, Rejected)
        assert outcome.reason is Reason.CLOSED
    assert len(owner.asked) == asked


@given(PROFILES, SIDES, FLOODS, st.sampled_from(["receive", "on_ack"]), FORGERIES)
def test_what_is_not_from_the_peer_changes_nothing_in_any_state(
    chart: type[Exchange], memory: Meeting, events: list[Event], trigger: str, forgery: dict[str, Any]
) -> None:
    owner = flooded(chart, memory, events)
    before, asked = owner.machine.state, len(owner.asked)
    assert isinstance(owner.happen((trigger, forgery)), Rejected)
    if chart is Exchange:
        assert isinstance(owner.happen((trigger, {"is_signed": False})), Rejected)
    assert owner.machine.state is before
    assert len(owner.asked) == asked


@given(PROFILES, SIDES, FLOODS)
def test_wherever_it_stands_the_results_and_one_answer_lead_back_to_idle(
    chart: type[Exchange], memory: Meeting, events: list[Event]
) -> None:
    owner = flooded(chart, memory, events)
    owner.postponed = None
    for _ in range(4):
        state = owner.machine.state
        if state in (AWAITING, *RESULTS):
            assert owner.happen((RESULTS.get(state, "on_answer"), {}))
    assert owner.machine.state in (IDLE, LEAVING, CLOSED)


@pytest.mark.parametrize("chart", [Exchange, ExchangeUnsigned])
@given(memory=SIDES, events=FLOODS)
def test_stepped_by_transitions_it_does_the_same(chart: type[Exchange], memory: Meeting, events: list[Event]) -> None:
    compiled, stepped = Owner(chart, memory), Owner(on_transitions(chart), memory)
    for event in events:
        one, other = compiled.happen(event), stepped.happen(event)
        assert str(one) == str(other)
    assert compiled.states == stepped.states
    assert compiled.asked == stepped.asked


def test_the_floods_reach_every_state_and_every_request() -> None:
    reached: set[object] = set()

    @settings(max_examples=1000, database=None, derandomize=True)
    @given(SIDES, FLOODS)
    def flood(memory: Meeting, events: list[Event]) -> None:
        owner = flooded(Exchange, memory, events)
        reached.update(owner.states, (request for request, _ in owner.asked))

    flood()
    assert {*ExchangeState} < reached
    assert {*STEPS} < reached
    assert {
        "DeliverMessage",
        "Hold",
        "Acknowledge",
        "IgnoreOffer",
        "PostponeOffer",
        "RememberNeed",
        "TakeCandidate",
    } < reached
    assert {"SendBye", "EndExchange"} < reached

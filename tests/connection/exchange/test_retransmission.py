"""Messages in order, each once: what is sent again, when, and for how long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.connection.exchange.retransmission import GIVE_UP_SECONDS, MAX_HELD_CHARACTERS, Incoming, Outgoing


def sent(*times: float) -> Outgoing:
    """Messages "1", "2", … sent at these times."""
    outgoing = Outgoing()
    for number, time in enumerate(times, start=1):
        outgoing.sequence = number
        outgoing.sent(str(number), time)
    return outgoing


def test_what_is_not_acknowledged_is_sent_again_after_1_2_4_and_every_8_seconds() -> None:
    outgoing = sent(0.0)
    again = []
    for tenth in range(400):
        again += [tenth / 10] * len(outgoing.due(tenth / 10))
    assert again == [1.0, 3.0, 7.0, 15.0, 23.0, 31.0, 39.0]


def test_an_acknowledgement_covers_all_before_it_and_nothing_behind() -> None:
    outgoing = sent(0.0, 0.0, 0.0)
    outgoing.acknowledged(2, 0.5)
    assert outgoing.due(10.0) == ["3"]
    outgoing.acknowledged(3, 11.0)
    assert outgoing.due(100.0) == []
    assert outgoing.next_at() is None


def test_an_older_acknowledgement_changes_nothing() -> None:
    outgoing = sent(0.0, 0.0)
    outgoing.acknowledged(1, 1.0)
    outgoing.acknowledged(0, GIVE_UP_SECONDS)
    assert outgoing.is_hopeless(1.0 + GIVE_UP_SECONDS)


def test_it_is_hopeless_when_nothing_was_acknowledged_for_too_long_and_something_waits() -> None:
    outgoing = sent(5.0)
    assert not outgoing.is_hopeless(5.0 + GIVE_UP_SECONDS - 0.1)
    assert outgoing.is_hopeless(5.0 + GIVE_UP_SECONDS)
    outgoing.acknowledged(1, 100.0)
    assert not outgoing.is_hopeless(1000.0)


def test_progress_begins_the_time_anew() -> None:
    outgoing = sent(0.0, 0.0)
    outgoing.acknowledged(1, 20.0)
    assert not outgoing.is_hopeless(GIVE_UP_SECONDS)
    assert outgoing.is_hopeless(20.0 + GIVE_UP_SECONDS)


def test_while_the_link_is_down_nothing_is_sent_and_time_does_not_count() -> None:
    outgoing = sent(0.0)
    outgoing.pause()
    assert outgoing.due(100.0) == []
    assert outgoing.next_at() is None
    assert not outgoing.is_hopeless(100.0)
    assert outgoing.resume(100.0) == ["1"]
    assert outgoing.next_at() == 101.0
    assert not outgoing.is_hopeless(101.0)


def test_what_is_forgotten_is_never_sent_again() -> None:
    outgoing = sent(0.0)
    outgoing.forget()
    assert outgoing.resume(1.0) == []
    assert outgoing.next_at() is None


@given(st.permutations(range(1, 9)))
def test_in_whatever_order_they_come_they_are_taken_in_theirs(order: list[int]) -> None:
    incoming: Incoming[int] = Incoming()
    taken = []
    for number in order:
        if number != incoming.next_sequence:
            incoming.hold(number, number)
            continue
        letter: int | None = number
        while letter is not None:
            taken.append(letter)
            incoming.take_turn()
            letter = incoming.next_held()
    assert taken == sorted(order)
    assert incoming.owes


def test_only_so_much_is_kept_of_what_comes_early_and_the_rest_may_come_again() -> None:
    incoming: Incoming[int] = Incoming()
    size = MAX_HELD_CHARACTERS // 4
    for number in range(2, 257):
        incoming.hold(number, number, size)
    incoming.take_turn()
    taken = []
    while (letter := incoming.next_held()) is not None:
        taken.append(letter)
        incoming.take_turn()
    assert taken == [2, 3, 4, 5]
    incoming.hold(7, 7, size)
    incoming.take_turn()
    assert incoming.next_held() == 7

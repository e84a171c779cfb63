"""The four descriptions, against #set-description."""

from __future__ import annotations

import pytest

from fsm_rtc.machines.descriptions import OFFERED_BY, Slots
from fsm_rtc.machines.negotiation import SignalingState


def shown(slots: Slots[str, str]) -> tuple[str | None, ...]:
    return slots.current_local, slots.current_remote, slots.pending_local, slots.pending_remote


@pytest.fixture
def agreed() -> Slots[str, str]:
    """Of a complete negotiation, offered here."""
    slots: Slots[str, str] = Slots()
    slots.set("local", "offer", "o1")
    slots.set("remote", "answer", "a1")
    return slots


def test_there_is_nothing_at_first() -> None:
    slots: Slots[str, str] = Slots()
    assert (shown(slots), slots.local, slots.remote, slots.has_remote) == ((None,) * 4, None, None, False)


def test_an_offer_is_pending_until_its_answer(agreed: Slots[str, str]) -> None:
    assert shown(agreed) == ("o1", "a1", None, None)
    agreed.set("remote", "offer", "o2")
    assert shown(agreed) == ("o1", "a1", None, "o2")
    assert (agreed.local, agreed.remote) == ("o1", "o2")
    agreed.set("local", "answer", "a2")
    assert shown(agreed) == ("a2", "o2", None, None)


def test_a_provisional_answer_completes_nothing(agreed: Slots[str, str]) -> None:
    agreed.set("local", "offer", "o2")
    agreed.set("remote", "pranswer", "p2")
    assert shown(agreed) == ("o1", "a1", "o2", "p2")
    agreed.set("remote", "answer", "a2")
    assert shown(agreed) == ("o2", "a2", None, None)


def test_an_offer_takes_the_place_of_the_one_before_whoever_made_it(agreed: Slots[str, str]) -> None:
    agreed.set("local", "offer", "o2")
    agreed.set("local", "offer", "o3")
    assert shown(agreed) == ("o1", "a1", "o3", None)
    agreed.set("remote", "offer", "o4")
    assert shown(agreed) == ("o1", "a1", None, "o4")


def test_a_rollback_leaves_the_current_ones_and_gives_back_how_it_was(agreed: Slots[str, str]) -> None:
    agreed.remember(lambda: "stable")
    agreed.set("remote", "offer", "o2")
    assert agreed.roll_back() == "stable"
    assert shown(agreed) == ("o1", "a1", None, None)
    assert agreed.roll_back() is None


def test_a_second_description_of_a_negotiation_does_not_change_how_it_was_in_stable(agreed: Slots[str, str]) -> None:
    agreed.remember(lambda: "stable")
    agreed.set("remote", "offer", "o2")
    agreed.remember(lambda: "changed")
    agreed.set("remote", "offer", "o3")
    assert agreed.roll_back() == "stable"


def test_a_complete_negotiation_is_the_stable_that_the_next_one_begins_with(agreed: Slots[str, str]) -> None:
    agreed.remember(lambda: "first")
    agreed.set("remote", "offer", "o2")
    agreed.set("local", "answer", "a2")
    agreed.remember(lambda: "second")
    agreed.set("remote", "offer", "o3")
    assert agreed.roll_back() == "second"


def test_each_side_s_are_given_with_the_pending_one_first_and_none_is_taken_for_missing() -> None:
    slots: Slots[str, str] = Slots()
    slots.set("local", "offer", "")  # a description may be an empty container
    slots.set("remote", "answer", "")
    slots.set("remote", "offer", "o2")
    assert (slots.of("local"), slots.of("remote")) == (("",), ("o2", ""))
    assert (slots.local, slots.has_remote) == ("", True)


def test_an_offer_is_pending_in_each_state_but_stable_and_closed() -> None:
    assert {*OFFERED_BY} == {*SignalingState} - {SignalingState.STABLE, SignalingState.CLOSED}
    assert {state for state, side in OFFERED_BY.items() if side == "local"} == {
        SignalingState.HAVE_LOCAL_OFFER,
        SignalingState.HAVE_REMOTE_PRANSWER,
    }

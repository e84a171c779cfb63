"""The hub: who is in, who may come back, and who is told what."""

from __future__ import annotations

import pytest

from fsm_rtc.engine import Entry, Journal
from fsm_rtc.machines.session import SessionState
from fsm_rtc.messages.wire import (
    DeliveriesReceived,
    Draining,
    Error,
    ErrorCode,
    IceServers,
    MemberJoined,
    MemberLeft,
    Offer,
    Welcome,
)
from fsm_rtc.signaling.hub import ACKNOWLEDGE_EVERY, Hub
from fsm_rtc.signaling.limits import Limits
from fsm_rtc.signaling.seats import DeliverText, Drop, Effect, ForgetMailbox
from tests.signaling.hub_talk import attached, codes, deliveries, introduction, message, said

LIMITS = Limits(members=3, rooms=2, grace_seconds=30, messages_per_second=1, burst=100)


@pytest.fixture
def hub() -> Hub[int]:
    """A kitchen with anna on socket 1 and bert on socket 2."""
    hub: Hub[int] = Hub(LIMITS)
    hub.join(1, "kitchen", introduction("anna"), 0.0)
    hub.join(2, "kitchen", introduction("bert"), 0.0)
    return hub


# Joining.


def test_the_first_is_alone_and_the_second_meets_it() -> None:
    hub: Hub[int] = Hub()
    anna, bert = introduction("anna"), introduction("bert")
    effects = hub.join(1, "kitchen", anna, 0.0)
    assert said(effects) == [(1, Welcome(members=()))]
    assert attached(effects) == [("anna", 1, 0)]
    effects = hub.join(2, "kitchen", bert, 0.0)
    assert said(effects) == [(2, Welcome(members=(anna,)))]
    assert deliveries(effects) == [("anna", MemberJoined(member=bert))]
    assert hub.members("kitchen") == (anna, bert)


def test_one_more_than_a_room_holds_is_refused_and_nobody_hears_of_it(hub: Hub[int]) -> None:
    hub.join(3, "kitchen", introduction("carl"), 0.0)
    effects = hub.join(4, "kitchen", introduction("dora"), 0.0)
    assert codes(effects) == [(4, ErrorCode.ROOM_FULL)]
    assert len(effects) == 1
    assert len(hub.members("kitchen")) == 3
    assert said(hub.join(4, "cellar", introduction("dora"), 0.0)) == [(4, Welcome(members=()))]


def test_who_is_refused_is_followed_in_the_journal_to_its_end_and_no_further() -> None:
    journal = Journal()
    hub: Hub[int] = Hub(LIMITS, journal)
    hub.drain()
    hub.join(1, "kitchen", introduction("anna"), 0.0)
    followed = [one for one in journal if one.label == "room.1.session.1"]
    assert [one.trigger for one in followed if isinstance(one, Entry)] == ["claim", "on_refused"]
    assert len(hub) == 0


def test_one_more_room_than_there_may_be_is_refused(hub: Hub[int]) -> None:
    hub.join(3, "cellar", introduction("carl"), 0.0)
    assert codes(hub.join(4, "attic", introduction("dora"), 0.0)) == [(4, ErrorCode.TOO_MANY_ROOMS)]
    assert len(hub) == 2
    assert codes(hub.join(4, "cellar", introduction("dora"), 0.0)) == []


def test_a_new_session_of_the_same_id_is_one_that_left_and_one_that_joined(hub: Hub[int]) -> None:
    new = introduction("anna", "s2")
    effects = hub.join(3, "kitchen", new, 0.0)
    assert codes(effects) == [(1, ErrorCode.REPLACED)]
    assert said(effects) == [(3, Welcome(members=(introduction("bert"),)))]
    assert deliveries(effects) == [("bert", MemberLeft(id="anna", session="s1")), ("bert", MemberJoined(member=new))]
    assert len(hub.members("kitchen")) == 2


def test_a_full_room_still_takes_the_same_id_again(hub: Hub[int]) -> None:
    hub.join(3, "kitchen", introduction("carl"), 0.0)
    assert codes(hub.join(4, "kitchen", introduction("carl", "s2"), 0.0)) == [(3, ErrorCode.REPLACED)]


# Sessions.


def test_the_same_session_goes_on_where_it_was_and_nobody_hears_of_it(hub: Hub[int]) -> None:
    hub.post(1, message("anna", "bert"), "text", 0.0)
    hub.lost(1, 5.0)
    effects = hub.join(3, "kitchen", introduction("anna"), 10.0, seen=1)
    assert said(effects) == [(3, Welcome(members=(), resumed=True, received=1))]
    assert attached(effects) == [("anna", 3, 1)]
    assert len(effects) == 2
    assert deliveries(hub.post(3, message("anna", "bert"), "text", 10.0)) == [("bert", "text")]


def test_the_same_session_takes_over_its_old_socket_unnoticed(hub: Hub[int]) -> None:
    effects = hub.join(3, "kitchen", introduction("anna"), 0.0, seen=1)
    assert codes(effects) == [(1, ErrorCode.REPLACED)]
    assert deliveries(effects) == []
    assert hub.leave(1) == ()
    hub.lost(1, 0.0)
    assert hub.post(1, message("anna", "bert"), "late", 0.0) == ()
    assert hub.seat_of(3) is not None


def test_who_lost_its_link_before_its_first_welcome_gets_it_again_and_loses_nothing(hub: Hub[int]) -> None:
    hub.lost(2, 0.0)
    hub.join(3, "kitchen", introduction("carl"), 1.0)
    effects = hub.join(4, "kitchen", introduction("bert"), 2.0)
    assert said(effects) == [(4, Welcome(members=(introduction("anna"),)))]  # carl's coming is among the deliveries
    assert attached(effects) == [("bert", 4, 0)]
    assert len(effects) == 2


@pytest.mark.parametrize("how", ["posted", "received", "resumed"])
def test_the_same_session_from_its_beginning_gets_an_empty_mailbox_and_the_others_hear_nothing(
    hub: Hub[int], how: str
) -> None:
    match how:
        case "posted":
            hub.post(1, message("anna", "bert"), "text", 0.0)
        case "received":
            hub.seen(1)
        case "resumed":
            hub.lost(1, 0.0)
            hub.join(1, "kitchen", introduction("anna"), 0.0, seen=0)
    effects = hub.join(3, "kitchen", introduction("anna"), 0.0)
    assert codes(effects) == [(1, ErrorCode.REPLACED)]
    assert said(effects) == [(3, Welcome(members=(introduction("bert"),)))]
    forgotten = [effect.seat.introduction.id for effect in effects if isinstance(effect, ForgetMailbox)]
    assert (forgotten, deliveries(effects)) == (["anna"], [])


def test_no_session_resumes_another_s(hub: Hub[int]) -> None:
    hub.lost(1, 0.0)
    effects = hub.join(3, "kitchen", introduction("carl", "s1"), 0.0, seen=0)
    assert said(effects) == [(3, Welcome(members=(introduction("anna"), introduction("bert"))))]
    assert hub.away_count == 1


def test_what_comes_for_who_is_away_waits_for_it(hub: Hub[int]) -> None:
    hub.lost(2, 0.0)
    assert deliveries(hub.post(1, message("anna", "bert"), "text", 1.0)) == [("bert", "text")]
    assert introduction("bert") in hub.members("kitchen")


def test_who_does_not_come_back_is_given_up_when_the_grace_time_ends(hub: Hub[int]) -> None:
    hub.lost(1, 5.0)
    deadline = hub.next_deadline
    assert deadline == 35.0
    assert hub.tick(34.9) == ()
    assert deliveries(hub.tick(deadline)) == [("bert", MemberLeft(id="anna", session="s1"))]
    assert hub.next_deadline is None
    assert hub.members("kitchen") == (introduction("bert"),)


def test_who_came_back_in_time_is_not_given_up(hub: Hub[int]) -> None:
    hub.lost(1, 5.0)
    hub.join(3, "kitchen", introduction("anna"), 34.0, seen=0)
    assert hub.tick(100.0) == ()
    seat = hub.seat_of(3)
    assert seat is not None
    assert seat.machine.state is SessionState.JOINED


def test_who_is_lost_first_is_given_up_first(hub: Hub[int]) -> None:
    hub.lost(2, 1.0)
    hub.lost(1, 2.0)
    hub.join(3, "kitchen", introduction("bert"), 3.0, seen=0)
    assert hub.next_deadline == 32.0
    hub.lost(3, 4.0)
    assert hub.next_deadline == 32.0
    hub.tick(40.0)
    assert len(hub) == 0


def test_leaving_is_told_and_empties_the_room(hub: Hub[int]) -> None:
    assert deliveries(hub.leave(1)) == [("bert", MemberLeft(id="anna", session="s1"))]
    assert hub.leave(1) == ()
    assert deliveries(hub.leave(2)) == []
    assert (len(hub), hub.member_count) == (0, 0)


# Messages.


def test_the_very_text_is_passed_on_to_its_recipient_alone(hub: Hub[int]) -> None:
    hub.join(3, "kitchen", introduction("carl"), 0.0)
    (effect,) = hub.post(1, message("anna", "bert"), ' { "as": "it is" } ', 0.0)
    assert isinstance(effect, DeliverText)
    assert (effect.to.introduction.id, effect.text) == ("bert", ' { "as": "it is" } ')


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        (message("anna", "bert", room="cellar"), ErrorCode.WRONG_ROOM),
        (message("bert", "anna"), ErrorCode.BAD_MESSAGE),
        (message("carl", "bert"), ErrorCode.BAD_MESSAGE),
        (message("anna", "bert", session="s0"), ErrorCode.BAD_MESSAGE),
    ],
)
def test_who_claims_to_be_another_is_put_out(hub: Hub[int], claims: Offer, code: ErrorCode) -> None:
    effects = hub.post(1, claims, "text", 0.0)
    assert codes(effects) == [(1, code)]
    assert deliveries(effects) == [("bert", MemberLeft(id="anna", session="s1"))]
    assert hub.members("kitchen") == (introduction("bert"),)


@pytest.mark.parametrize(
    "nowhere", [message("anna", "carl"), message("anna", "anna"), message("anna", "bert", to_session="s0")]
)
def test_a_message_to_somebody_who_isn_t_there_comes_back_as_an_error(hub: Hub[int], nowhere: Offer) -> None:
    ((socket, error),) = said(hub.post(1, nowhere, "text", 0.0))
    assert isinstance(error, Error)
    assert (socket, error.code) == (1, ErrorCode.NOT_HERE)
    assert len(hub.members("kitchen")) == 2


def test_a_member_of_one_room_is_a_stranger_in_another(hub: Hub[int]) -> None:
    hub.join(3, "cellar", introduction("anna"), 0.0)
    ((_, error),) = said(hub.post(3, message("anna", "bert", room="cellar"), "text", 0.0))
    assert isinstance(error, Error)
    assert len(hub.members("kitchen")) == 2


def test_who_sends_is_told_now_and_then_how_much_was_taken(hub: Hub[int]) -> None:
    told = [said(hub.post(1, message("anna", "bert"), "text", 0.0)) for _ in range(2 * ACKNOWLEDGE_EVERY)]
    assert [one for one in told if one] == [[(1, DeliveriesReceived(32))], [(1, DeliveriesReceived(64))]]
    assert told[31] == [(1, DeliveriesReceived(32))]


def test_who_sends_faster_than_allowed_is_put_out_and_who_doesn_t_is_not(hub: Hub[int]) -> None:
    answers = [hub.post(1, message("anna", "bert"), "text", second) for second in range(1000)]
    assert not any(codes(answer) for answer in answers)
    burst = [hub.post(2, message("bert", "anna"), "text", 0.0) for _ in range(101)]
    assert not any(codes(answer) for answer in burst[:100])
    assert codes(burst[100]) == [(2, ErrorCode.TOO_FAST)]
    assert deliveries(burst[100]) == [("anna", MemberLeft(id="bert", session="s1"))]


def test_who_repeats_what_was_said_is_as_fast_as_who_sends_messages(hub: Hub[int]) -> None:
    assert [hub.repeat(1, 0.0) for _ in range(50)] == [()] * 50
    assert not any(codes(hub.post(1, message("anna", "bert"), "text", 0.0)) for _ in range(50))
    assert codes(hub.repeat(1, 0.0)) == [(1, ErrorCode.TOO_FAST)]
    assert hub.repeat(1, 0.0) == ()


# The end.


def test_who_is_thrown_out_while_it_is_away_is_told_nothing(hub: Hub[int]) -> None:
    seat = hub.seat_of(1)
    assert seat is not None
    hub.lost(1, 0.0)
    effects = hub.evict(seat, ErrorCode.MAILBOX_FULL, "too much waits")
    assert codes(effects) == []
    assert deliveries(effects) == [("bert", MemberLeft(id="anna", session="s1"))]
    assert hub.evict(seat, ErrorCode.MAILBOX_FULL, "too much waits") == ()
    assert hub.next_deadline is None


def test_a_hub_that_drains_tells_everybody_and_lets_only_those_in_who_come_back(hub: Hub[int]) -> None:
    hub.lost(2, 0.0)
    assert said(hub.drain()) == [(1, Draining(30.0))]
    assert codes(hub.join(3, "kitchen", introduction("carl"), 1.0)) == [(3, ErrorCode.SHUTTING_DOWN)]
    assert codes(hub.join(4, "kitchen", introduction("bert", "s2"), 1.0)) == [(4, ErrorCode.SHUTTING_DOWN)]
    assert said(hub.join(5, "kitchen", introduction("bert"), 1.0, seen=0)) == [(5, Welcome((), resumed=True))]


def test_stopping_forgets_everybody_and_tells_nobody(hub: Hub[int]) -> None:
    hub.lost(2, 0.0)
    effects = hub.stop()
    assert {effect.seat.introduction.id for effect in effects if isinstance(effect, ForgetMailbox)} == {"anna", "bert"}
    assert len(effects) == 2
    assert (len(hub), hub.member_count, hub.next_deadline) == (0, 0, None)
    assert hub.post(1, message("anna", "bert"), "text", 0.0) == ()
    assert (hub.stop(), hub.drain(), hub.takes_sessions) == ((), (), False)
    assert codes(hub.join(3, "kitchen", introduction("carl"), 0.0)) == [(3, ErrorCode.SHUTTING_DOWN)]


# Bounds.


def test_who_is_told_more_than_is_kept_loses_its_socket_and_keeps_its_place(hub: Hub[int]) -> None:
    seat = hub.seat_of(1)
    assert seat is not None
    effects = hub.overflow(seat, 5.0)
    assert codes(effects) == [(1, ErrorCode.MAILBOX_FULL)]
    assert [effect.seat for effect in effects if isinstance(effect, Drop)] == [seat]
    assert (deliveries(effects), hub.away_count, hub.next_deadline) == ([], 1, 35.0)
    assert hub.overflow(seat, 6.0) == ()
    effects = hub.join(3, "kitchen", introduction("anna"), 7.0, seen=4)
    assert said(effects) == [(3, Welcome(members=(introduction("bert"),)))]
    assert attached(effects) == [("anna", 3, 0)]
    assert deliveries(effects) == []


@pytest.mark.parametrize("heard", [False, True])
def test_who_is_away_and_told_too_much_has_no_longer_to_come_back_than_before(hub: Hub[int], heard: bool) -> None:
    if heard:
        hub.seen(1)
    hub.lost(1, 5.0)
    seat = hub.seat_at("kitchen", "anna")
    assert seat is not None
    assert [type(effect) for effect in hub.overflow(seat, 20.0)] == [Drop]
    assert hub.next_deadline == 35.0
    assert deliveries(hub.tick(35.0)) == [("bert", MemberLeft(id="anna", session="s1"))]


def test_what_was_asked_for_and_is_not_kept_begins_anew(hub: Hub[int]) -> None:
    hub.seen(1)
    effects = hub.join(3, "kitchen", introduction("anna"), 0.0, seen=4, is_kept=False)
    assert said(effects) == [(3, Welcome(members=(introduction("bert"),)))]
    assert [effect.seat.session for effect in effects if isinstance(effect, ForgetMailbox)] == ["s1"]


def test_a_new_session_of_the_only_member_takes_the_last_room_there_is() -> None:
    hub: Hub[int] = Hub(Limits(rooms=1))
    hub.join(1, "kitchen", introduction("anna"), 0.0)
    assert codes(hub.join(2, "kitchen", introduction("anna", "s2"), 0.0)) == [(1, ErrorCode.REPLACED)]
    assert hub.members("kitchen") == (introduction("anna", "s2"),)


# TURN credentials.


def renewed(effects: tuple[Effect[int], ...]) -> list[int]:
    """The sockets that get new servers."""
    return [socket for socket, message in said(effects) if isinstance(message, IceServers)]


@pytest.fixture
def renewing() -> Hub[int]:
    """A kitchen with anna on socket 1 since 0 s and bert on 2 since 10 s; credentials are renewed after 100 s."""
    hub: Hub[int] = Hub(LIMITS, None, 100.0)
    hub.join(1, "kitchen", introduction("anna"), 0.0)
    hub.join(2, "kitchen", introduction("bert"), 10.0)
    return hub


def test_who_stays_gets_new_credentials_again_and_again(renewing: Hub[int]) -> None:
    assert (renewing.next_renewal, renewed(renewing.renew(99.9))) == (100.0, [])
    assert renewed(renewing.renew(100.0)) == [1]
    assert renewed(renewing.renew(110.0)) == [2]
    assert renewing.next_renewal == 200.0
    assert renewed(renewing.renew(300.0)) == [1, 2]
    assert renewing.next_renewal == 400.0


def test_who_is_away_then_gets_them_when_it_is_back(renewing: Hub[int]) -> None:
    renewing.lost(1, 95.0)
    assert renewed(renewing.renew(100.0)) == []
    assert renewing.next_renewal == 110.0
    assert renewed(renewing.join(3, "kitchen", introduction("anna"), 105.0, seen=0)) == [3]
    assert renewed(renewing.renew(204.9)) == [2]
    assert renewed(renewing.renew(205.0)) == [3]


def test_who_was_away_before_keeps_its_time(renewing: Hub[int]) -> None:
    for _ in range(50):
        renewing.lost(1, 50.0)
        assert renewed(renewing.join(1, "kitchen", introduction("anna"), 60.0, seen=0)) == []
    assert renewed(renewing.renew(100.0)) == [1]
    assert renewed(renewing.renew(199.0)) == [2]


def test_who_is_gone_gets_nothing(renewing: Hub[int]) -> None:
    renewing.leave(1)
    renewing.lost(2, 20.0)
    renewing.tick(50.0)
    assert (renewing.next_renewal, renewed(renewing.renew(1000.0))) == (None, [])


def test_without_turn_there_is_nothing_to_renew(hub: Hub[int]) -> None:
    assert (hub.next_renewal, hub.renew(1e9)) == (None, ())

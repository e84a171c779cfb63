"""Rooms: who is in, and who is told what."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from fsm_rtc.messages.wire import Bye, Error, ErrorCode, Introduction, Joined, Left, Offer, Welcome



def introduction(who: str, session: str = "s1") -> Introduction:
    return Introduction(id=who, session=session, name=who, public_key=b"", signature=b"")


def letter(sender: str, recipient: str, room: str, session: str, to_session: str) -> dict[str, Any]:
    return {
        "room": room,
        "sender": sender,
        "recipient": recipient,
        "sender_session": session,
        "recipient_session": to_session,
        "sequence": 1,
        "offer_id": "o1",
        "payload": "v=0",
        "signature": b"",
    }


def message(sender: str, recipient: str, room: str = "kitchen", session: str = "s1", to_session: str = "s1") -> Offer:
    return Offer(**letter(sender, recipient, room, session, to_session))


@pytest.fixture
def rooms() -> Rooms[int]:
    """A kitchen with anna on socket 1 and bert on socket 2."""
    rooms: Rooms[int] = Rooms()
    rooms.join(1, "kitchen", introduction("anna"))
    rooms.join(2, "kitchen", introduction("bert"))
    return rooms


def codes(effects: tuple[Effect[int], ...]) -> list[tuple[int, ErrorCode]]:
    return [(effect.to, effect.code) for effect in effects if isinstance(effect, Refuse)]


def test_the_first_is_alone_and_the_second_meets_it() -> None:
    rooms: Rooms[int] = Rooms()
    anna, bert = introduction("anna"), introduction("bert")
    assert rooms.join(1, "kitchen", anna) == (Send(1, Welcome(members=())),)
    assert rooms.join(2, "kitchen", bert) == (Send(2, Welcome(members=(anna,))), Send(1, Joined(member=bert)))
    assert rooms.members("kitchen") == (anna, bert)


def test_a_third_is_refused_and_nobody_hears_of_it(rooms: Rooms[int]) -> None:
    assert codes(rooms.join(3, "kitchen", introduction("carl"))) == [(3, ErrorCode.ROOM_FULL)]
    assert len(rooms.members("kitchen")) == ROOM_SIZE == 2
    assert rooms.join(3, "cellar", introduction("carl")) == (Send(3, Welcome(members=())),)


def test_the_same_session_takes_over_its_old_socket_unnoticed(rooms: Rooms[int]) -> None:
    effects = rooms.join(3, "kitchen", introduction("anna"))
    assert codes(effects) == [(1, ErrorCode.REPLACED)]
    assert effects[1:] == (Send(3, Welcome(members=(introduction("bert"),))),)
    assert rooms.leave(1) == ()
    assert rooms.relay(1, message("anna", "bert"), "late") == ()
    assert rooms.relay(3, message("anna", "bert"), "text") == (Relay(2, "text"),)


def test_a_new_session_of_the_same_id_is_one_that_left_and_one_that_joined(rooms: Rooms[int]) -> None:
    new = introduction("anna", "s2")
    effects = rooms.join(3, "kitchen", new)
    assert codes(effects) == [(1, ErrorCode.REPLACED)]
    assert effects[1:] == (
        Send(3, Welcome(members=(introduction("bert"),))),
        Send(2, Left(id="anna", session="s1")),
        Send(2, Joined(member=new)),
    )
    assert len(rooms.members("kitchen")) == 2


def test_the_very_text_is_relayed_to_the_other_one_alone(rooms: Rooms[int]) -> None:
    assert rooms.relay(1, message("anna", "bert"), ' { "as": "it is" } ') == (Relay(2, ' { "as": "it is" } '),)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        (message("anna", "bert", room="cellar"), ErrorCode.WRONG_ROOM),
        (message("bert", "anna"), ErrorCode.BAD_MESSAGE),
        (message("carl", "bert"), ErrorCode.BAD_MESSAGE),
        (message("anna", "bert", session="s0"), ErrorCode.BAD_MESSAGE),
    ],
)
def test_who_claims_to_be_another_is_put_out(rooms: Rooms[int], claims: Offer, code: ErrorCode) -> None:
    effects = rooms.relay(1, claims, "text")
    assert codes(effects) == [(1, code)]
    assert effects[1:] == (Send(2, Left(id="anna", session="s1")),)
    assert rooms.members("kitchen") == (introduction("bert"),)


@pytest.mark.parametrize(
    "nowhere", [message("anna", "carl"), message("anna", "anna"), message("anna", "bert", to_session="s0")]
)
def test_a_message_to_somebody_who_isn_t_there_comes_back_as_an_error(rooms: Rooms[int], nowhere: Offer) -> None:
    (effect,) = rooms.relay(1, nowhere, "text")
    assert isinstance(effect, Send)
    assert isinstance(effect.message, Error)
    assert (effect.to, effect.message.code) == (1, ErrorCode.NOT_HERE)
    assert len(rooms.members("kitchen")) == 2


def test_leaving_is_told_and_empties_the_room(rooms: Rooms[int]) -> None:
    assert rooms.leave(1) == (Send(2, Left(id="anna", session="s1")),)
    assert rooms.leave(1) == ()
    assert rooms.leave(2) == ()
    assert len(rooms) == 0


def test_a_member_of_one_room_is_a_stranger_in_another(rooms: Rooms[int]) -> None:
    rooms.join(3, "cellar", introduction("anna"))
    assert len(rooms.members("kitchen")) == 2
    (effect,) = rooms.relay(3, message("anna", "bert", room="cellar"), "text")
    assert isinstance(effect, Send)


IDS = ("anna", "bert", "carl", "dora")
SESSIONS = ("s1", "s2")
ROOMS = ("kitchen", "cellar")


class Hotel(RuleBasedStateMachine):
    """Rooms against a model: each socket knows from what it was told who else is in its room."""

    sockets: Bundle[int] = Bundle("sockets")

    def __init__(self) -> None:
        super().__init__()
        self.rooms: Rooms[int] = Rooms()
        self.count = 0
        self.seats: dict[int, tuple[str, str, str]] = {}
        self.sees: dict[int, set[tuple[str, str]]] = {}

    def tell(self, effects: tuple[Effect[int], ...], newcomer: int | None = None) -> None:
        for effect in effects:
            assert effect.to in self.seats or effect.to == newcomer, "somebody outside was told something"
            if isinstance(effect, Refuse):
                self.seats.pop(effect.to, None)
                self.sees.pop(effect.to, None)
            elif isinstance(effect, Send):
                self.hear(effect.to, effect.message)

    def hear(self, socket: int, said: Any) -> None:
        if isinstance(said, Welcome):
            assert socket not in self.sees
            self.sees[socket] = {(member.id, member.session) for member in said.members}
        elif isinstance(said, Joined):
            assert (said.member.id, said.member.session) not in self.sees[socket]
            self.sees[socket].add((said.member.id, said.member.session))
        elif isinstance(said, Left):
            self.sees[socket].remove((said.id, said.session))

    @rule(target=sockets, room=st.sampled_from(ROOMS), who=st.sampled_from(IDS), session=st.sampled_from(SESSIONS))
    def join(self, room: str, who: str, session: str) -> int:
        self.count += 1
        before = {seat[1] for seat in self.seats.values() if seat[0] == room}
        effects = self.rooms.join(self.count, room, introduction(who, session))
        if who in before or len(before) < 2:
            self.seats[self.count] = (room, who, session)
        else:
            assert codes(effects) == [(self.count, ErrorCode.ROOM_FULL)]
            assert len(effects) == 1
        self.tell(effects, self.count)
        return self.count

    @rule(socket=sockets)
    def leave(self, socket: int) -> None:
        self.seats.pop(socket, None)
        self.sees.pop(socket, None)
        self.tell(self.rooms.leave(socket))

    @rule(
        socket=sockets,
        room=st.sampled_from(ROOMS),
        sender=st.tuples(st.sampled_from(IDS), st.sampled_from(SESSIONS)),
        recipient=st.tuples(st.sampled_from(IDS), st.sampled_from(SESSIONS)),
        honest=st.booleans(),
    )
    def send(self, socket: int, room: str, sender: tuple[str, str], recipient: tuple[str, str], honest: bool) -> None:
        seat = self.seats.get(socket)
        if honest and seat is not None:
            room, *rest = seat
            sender = (rest[0], rest[1])
        sent = message(sender[0], recipient[0], room, sender[1], recipient[1])
        effects = self.rooms.relay(socket, sent, "the text")
        relays = [effect for effect in effects if isinstance(effect, Relay)]
        if seat is None:
            assert effects == ()
        elif (room, *sender) != seat:
            assert relays == []
            assert [to for to, _ in codes(effects)] == [socket]
        elif recipient in self.sees[socket]:
            (relay,) = effects
            assert isinstance(relay, Relay)
            assert relay.text == "the text"
            assert relay.to != socket
            assert self.seats[relay.to] == (room, *recipient), "it reached somebody else, or another room"
        else:
            assert relays == []
            assert len(effects) == 1
        self.tell(effects)

    @rule(socket=sockets)
    def say_goodbye(self, socket: int) -> None:
        if socket in self.seats:
            room, who, session = self.seats[socket]
            for other, other_session in sorted(self.sees[socket]):
                bye = Bye(**letter(who, other, room, session, other_session))
                (relay,) = self.rooms.relay(socket, bye, "bye")
                assert isinstance(relay, Relay)

    @invariant()
    def never_more_than_two(self) -> None:
        for room in ROOMS:
            present = {(who, session) for where, who, session in self.seats.values() if where == room}
            assert {(member.id, member.session) for member in self.rooms.members(room)} == present
            assert len(self.rooms.members(room)) <= 2
        assert len(self.rooms) == len({seat[0] for seat in self.seats.values()})

    @invariant()
    def everybody_knows_who_else_is_there(self) -> None:
        for socket, (room, *me) in self.seats.items():
            others = {(who, session) for where, who, session in self.seats.values() if where == room}
            assert self.sees[socket] == others - {(me[0], me[1])}


TestHotel = Hotel.TestCase

"""Another session in a room, from its coming until nobody knows it, stated apart from its table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.machines.room_member import RoomMember, RoomMemberState
from fsm_rtc.machines.room_member_requests import EndCall
from fsm_rtc.testing import ManualClock
from tests.machines.handwritten_tables import reaction

COMING, UNPROVEN, ACCEPTED, UNPROVEN_ABSENT, ABSENT, OVER, FORGOTTEN = RoomMemberState
DOUBTED, TRUSTED = (UNPROVEN, UNPROVEN_ABSENT), (ACCEPTED, ABSENT)


@dataclass
class Memory:
    room_is_open: bool = True
    has_seat: bool = True
    stands: bool = False
    is_still_trusted: bool = True
    give_up_seconds: float = 45.0


@dataclass(frozen=True)
class Said:
    """A peer's introduction, and how a connection ended."""

    id: str = "b"
    session: str = "s"
    reason: str = "enough"


STANDS = Memory(stands=True)
CLOSED = Memory(room_is_open=False)
FULL = Memory(has_seat=False)
NAMESAKE = Memory(is_still_trusted=False)

CELLS: list[tuple[str, Memory, tuple[str, ...]]] = [
    ("on_joined", Memory(), ("unproven", "=", "=", "unproven", "unproven", "=", "closed")),
    ("on_joined", STANDS, ("unproven", "=", "=", "unproven", "accepted", "=", "closed")),
    ("on_joined", CLOSED, ("room_is_open", "=", "=", "unproven", "unproven", "=", "closed")),
    ("on_joined", FULL, ("has_seat", "=", "=", "unproven", "unproven", "=", "closed")),
    ("on_joined_anew", Memory(), ("unproven", "=", "unproven", "unproven", "unproven", "unproven", "closed")),
    ("on_joined_anew", STANDS, ("unproven", "=", "=", "unproven", "accepted", "unproven", "closed")),
    ("on_joined_anew", CLOSED, ("room_is_open", "=", "unproven", "unproven", "unproven", "room_is_open", "closed")),
    ("on_joined_anew", FULL, ("has_seat", "=", "unproven", "unproven", "unproven", "has_seat", "closed")),
    ("on_turned_away", Memory(), ("forgotten", "=", "=", "=", "=", "=", "closed")),
    ("on_missing", Memory(), ("-", "unproven, absent", "absent", "=", "=", "forgotten", "closed")),
    ("on_missing_long", Memory(), ("-", "-", "-", "over", "over", "-", "closed")),
    ("on_missing_long", STANDS, ("-", "-", "-", "=", "=", "-", "closed")),
    ("on_left", Memory(), ("-", "forgotten", "forgotten", "forgotten", "forgotten", "forgotten", "closed")),
    ("on_proved", Memory(), ("-", "accepted", "-", "absent", "-", "-", "closed")),
    ("tell", Memory(), ("-", "-", "=", "-", "=", "-", "closed")),
    ("on_refused", Memory(), ("-", "over", "=", "over", "=", "=", "closed")),
    ("on_agreed", Memory(), ("-", "=", "=", "=", "=", "=", "closed")),
    ("on_agreed", NAMESAKE, ("-", "over", "over", "over", "over", "=", "closed")),
    ("on_replaced", Memory(), ("-", "=", "over", "=", "over", "=", "closed")),
    ("on_ended", Memory(), ("-", "over", "over", "over", "over", "=", "closed")),
    ("forget", Memory(), ("-", "-", "-", "-", "-", "forgotten", "closed")),
    ("close", Memory(), ("forgotten",) * 6 + ("closed",)),
]


@pytest.mark.parametrize(("trigger", "memory", "expected"), CELLS)
def test_every_cell(trigger: str, memory: Memory, expected: tuple[str, ...]) -> None:
    found = [reaction(RoomMember, state, trigger, Said(), memory) for state in RoomMemberState]
    assert found == [*expected]
    assert {*RoomMember.chart.triggers} == {name for name, _, _ in CELLS}


def requests(state: RoomMemberState, trigger: str, event: Any = None, memory: Memory | None = None) -> list[str]:
    """What an event asks for, in order; an end by its code."""
    outcome = RoomMember(memory or Memory(), state=state, clock=lambda: 0.0).fire(trigger, event)
    assert isinstance(outcome, Accepted)
    for effect in outcome.effects:
        assert getattr(effect, "peer", event) == getattr(effect, "end", event) == event
    return [one.why.value if isinstance(one, EndCall) else type(one).__name__ for one in outcome.effects]


def test_who_comes_gets_a_connection_and_who_finds_no_seat_is_forgotten() -> None:
    assert requests(COMING, "on_joined", Said()) == requests(COMING, "on_joined_anew", Said()) == ["BeginCall"]
    assert requests(OVER, "on_joined_anew", Said()) == ["BeginCall"]
    assert requests(COMING, "on_turned_away") == requests(COMING, "close", Said()) == ["ForgetPeer"]
    for state in (UNPROVEN, ACCEPTED, OVER):
        assert requests(state, "on_joined", Said()) == []


def test_what_does_not_stand_begins_anew_when_one_of_the_two_has_joined_anew() -> None:
    for state, trigger in ((UNPROVEN_ABSENT, "on_joined"), *((one, "on_joined_anew") for one in DOUBTED)):
        assert requests(state, trigger, Said()) == ["met anew", "BeginCall"]
        assert requests(state, trigger, Said(), STANDS) == []
    for state, trigger in ((ABSENT, "on_joined"), *((one, "on_joined_anew") for one in TRUSTED)):
        assert requests(state, trigger, Said()) == ["met anew", "TellGone", "BeginCall"]
        assert requests(state, trigger, Said(), STANDS) == []


ENDS = {
    "on_left": ("left", "ForgetPeer"),
    "on_ended": ("EndAs", "LimitMemory"),
    "on_agreed": ("namesake", "LimitMemory"),
    "close": ("EndForGood", "ForgetPeer"),
}


@pytest.mark.parametrize("trigger", ENDS)
def test_whose_coming_was_told_his_end_is_told_too(trigger: str) -> None:
    end, then = ENDS[trigger]
    for state in DOUBTED:
        assert requests(state, trigger, Said(), NAMESAKE) == [end, then]
    for state in TRUSTED:
        assert requests(state, trigger, Said(), NAMESAKE) == [end, "TellGone", then]


def test_each_other_end_has_its_code() -> None:
    for state in DOUBTED:
        assert requests(state, "on_proved") == ["Arrive"]
        assert requests(state, "on_refused") == ["not trusted", "LimitMemory"]
        assert requests(state, "on_replaced") == []
    for state in TRUSTED:
        assert requests(state, "on_replaced") == ["replaced", "TellGone", "LimitMemory"]
        assert requests(state, "on_refused") == []
    assert requests(UNPROVEN_ABSENT, "on_missing_long") == ["missing", "LimitMemory"]
    assert requests(ABSENT, "on_missing_long") == ["missing", "TellGone", "LimitMemory"]
    for trigger in ("on_left", "forget", "on_missing", "close"):
        assert requests(OVER, trigger, Said()) == ["ForgetPeer"]


@pytest.mark.parametrize("state", [UNPROVEN, ACCEPTED])
def test_who_is_absent_is_given_up_when_his_time_is_over_unless_his_connection_stands(state: RoomMemberState) -> None:
    clock, memory = ManualClock(), Memory()
    machine = RoomMember(memory, state=state, clock=clock)
    machine.on_missing()
    clock.advance(10.0)
    machine.on_missing()
    machine.on_proved()
    assert machine.armed() == {"on_missing_long": 45.0}
    machine.stood_still(5.0)
    assert machine.armed() == {"on_missing_long": 50.0}
    memory.stands = True
    clock.advance(40.0)
    machine.tick(clock())
    assert (machine.state, machine.armed()) == (ABSENT, {})
    memory.stands = False
    machine.on_joined(Said())
    machine.on_missing()
    assert machine.armed() == {"on_missing_long": 95.0}
    clock.advance(45.0)
    machine.tick(clock())
    assert machine.state is OVER


def test_it_comes_first() -> None:
    assert RoomMember(Memory(), clock=lambda: 0.0).state is COMING

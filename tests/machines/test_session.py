"""A member's session at the signalling server, against docs/protocol.md, stated apart from its table."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.errors import Rejected
from fsm_rtc.machines.session import Session, SessionState
from fsm_rtc.testing import ManualClock
from tests.machines.handwritten_tables import reaction

JOINING, WELCOMED, JOINED, UNHEARD, IN_GRACE, OVERFLOWED, GONE = SessionState
LIVE = (WELCOMED, JOINED, UNHEARD, IN_GRACE, OVERFLOWED)


@dataclass
class Memory:
    session: str = "s1"
    takes_sessions: bool = True
    has_room_left: bool = True
    has_place_left: bool = True
    grace_seconds: float = 30.0


@dataclass
class Claim:
    session: str = "s1"
    seen: int | None = None
    is_kept: bool = True


CELLS = {
    "on_refused": ("gone", *("=",) * 5, "closed"),
    "on_heard": ("-", "joined", "=", "-", "-", "-", "closed"),
    "on_credentials_due": ("-", "=", "=", "=", "=", "=", "closed"),
    "on_link_lost": ("-", "in grace, unheard", "in grace", "-", "-", "-", "closed"),
    "on_overflow": ("-", *("in grace, overflowed",) * 4, "=", "closed"),
    "on_grace_over": ("-", "-", "-", "gone", "gone", "gone", "closed"),
    "leave": ("-", "gone", "gone", "-", "-", "-", "closed"),
    "evict": ("-", *("gone",) * 5, "closed"),
    "on_server_ends": ("-", *("gone",) * 5, "closed"),
}
"""Of each state, in their order."""

CLAIMS = {
    "back": (Claim(seen=3), Memory(), ("welcomed", "joined", "=", "joined", "joined", "welcomed", "closed")),
    "from the beginning": (
        Claim(),
        Memory(),
        ("welcomed", "=", "welcomed", "welcomed", "welcomed", "welcomed", "closed"),
    ),
    "back, and nothing is kept": (
        Claim(seen=3, is_kept=False),
        Memory(),
        ("welcomed", "=", "welcomed", "welcomed", "welcomed", "welcomed", "closed"),
    ),
    "another session": (Claim("s2", seen=3), Memory(), ("welcomed", *("gone",) * 5, "closed")),
    "back, while it drains": (
        Claim(seen=3),
        Memory(takes_sessions=False),
        ("server_takes_sessions", "joined", "=", "joined", "joined", "server_takes_sessions", "closed"),
    ),
    "from the beginning, while it drains": (
        Claim(),
        Memory(takes_sessions=False),
        (
            "server_takes_sessions",
            "=",
            "server_takes_sessions",
            "welcomed",
            "server_takes_sessions",
            "server_takes_sessions",
            "closed",
        ),
    ),
    "another session, while it drains": (
        Claim("s2", seen=3),
        Memory(takes_sessions=False),
        (*("server_takes_sessions",) * 6, "closed"),
    ),
    "no room": (Claim(), Memory(has_room_left=False, has_place_left=False), ("room_is_left",)),
    "no place": (Claim(), Memory(has_place_left=False), ("place_is_left",)),
}


@pytest.mark.parametrize("trigger", CELLS)
def test_every_cell_is_as_the_protocol_says(trigger: str) -> None:
    assert [reaction(Session, state, trigger, Claim(), Memory()) for state in SessionState] == [*CELLS[trigger]]
    assert {*Session.chart.triggers} == {"claim", *CELLS}


@pytest.mark.parametrize("case", CLAIMS)
def test_who_claims_a_place_gets_it_as_the_protocol_says(case: str) -> None:
    claim, memory, expected = CLAIMS[case]
    assert [reaction(Session, state, "claim", claim, memory) for state in [*SessionState][: len(expected)]] == [
        *expected
    ]


def asked(state: SessionState, trigger: str, event: object = None) -> list[str]:
    """The names of what an event asks for, in order."""
    outcome = Session(Memory(), state=state, clock=lambda: 0.0).fire(trigger, event)
    assert isinstance(outcome, Accepted)
    return [type(effect).__name__ for effect in outcome.effects]


REPLACES = ["TellReplaced"]
GONE_ = ["ForgetMember", "TellLeft"]


@pytest.mark.parametrize("state", [WELCOMED, JOINED])
def test_who_has_a_socket_is_told_before_another_one_takes_its_place(state: SessionState) -> None:
    forgets = ["ForgetWelcome"] if state is WELCOMED else []
    assert asked(state, "claim", Claim(seen=3)) == [*REPLACES, "TakeSocket", "ResumeSession", *forgets]
    assert asked(state, "claim", Claim("s2")) == [*REPLACES, *GONE_, "LetIn"]


@pytest.mark.parametrize("state", [UNHEARD, IN_GRACE])
def test_who_comes_back_in_time_goes_on_behind_what_it_has_seen(state: SessionState) -> None:
    outcome = Session(Memory(), state=state, clock=lambda: 0.0).claim(Claim(seen=3))
    assert isinstance(outcome, Accepted)
    take, go_on, forget = outcome.effects
    assert [type(one).__name__ for one in (take, go_on, forget)] == ["TakeSocket", "ResumeSession", "ForgetWelcome"]
    assert go_on.seen == 3  # type: ignore[attr-defined]
    assert take.claim == Claim(seen=3)  # type: ignore[attr-defined]


def test_what_each_other_event_asks_for() -> None:
    assert asked(JOINING, "claim", Claim()) == ["TakePlace", "TakeSocket", "SendWelcome", "TellJoined"]
    assert asked(JOINING, "on_refused") == ["Unwatch"]
    assert asked(WELCOMED, "claim", Claim()) == [*REPLACES, "TakeSocket", "SendWelcome"]
    assert asked(UNHEARD, "claim", Claim()) == ["TakeSocket", "SendWelcome"]
    assert asked(JOINED, "claim", Claim()) == [*REPLACES, "BeginAnew", "TakeSocket", "SendWelcome"]
    for state in (IN_GRACE, OVERFLOWED):
        assert asked(state, "claim", Claim()) == ["BeginAnew", "TakeSocket", "SendWelcome"]
    for state in (UNHEARD, IN_GRACE, OVERFLOWED):
        assert asked(state, "claim", Claim("s2")) == [*GONE_, "LetIn"]
        assert asked(state, "evict", "why") == asked(state, "on_grace_over") == GONE_
        assert asked(state, "on_credentials_due") == []
    for state in (WELCOMED, JOINED):
        assert asked(state, "on_credentials_due") == ["OfferServers"]
        assert asked(state, "leave") == GONE_
        assert asked(state, "evict", "why") == ["TellEvicted", *GONE_]
        assert asked(state, "on_overflow") == ["TellOverflow", "DropMail", "BeginGrace"]
        assert asked(state, "on_link_lost") == ["BeginGrace"]
    for state in (UNHEARD, IN_GRACE):
        assert asked(state, "on_overflow") == ["DropMail", "BeginGrace"]
    assert asked(OVERFLOWED, "on_overflow") == []
    assert asked(WELCOMED, "on_heard") == ["ForgetWelcome"]
    assert asked(JOINED, "on_heard") == []
    for state in LIVE:
        assert asked(state, "on_server_ends") == ["ForgetMember"]


def test_the_grace_time_is_one_whatever_happens_in_it_and_runs_on_while_the_server_stands_still() -> None:
    clock = ManualClock()
    session = Session(Memory(), state=WELCOMED, clock=clock)
    session.on_link_lost()
    assert session.next_timeout() == 30.0
    clock.advance(10.0)
    session.on_overflow()
    session.stood_still(5.0)
    assert session.next_timeout() == 30.0
    clock.advance(20.0)
    assert [bool(outcome) for outcome in session.tick(clock())] == [True]
    assert session.state is GONE


def test_who_is_back_has_no_time_to_be_back() -> None:
    session = Session(Memory(), state=JOINED, clock=lambda: 0.0)
    session.on_link_lost()
    session.claim(Claim(seen=0))
    assert session.next_timeout() is None


def test_it_begins_outside_and_never_comes_back_when_it_is_gone() -> None:
    session = Session(Memory(), clock=lambda: 0.0)
    assert session.state is JOINING
    assert isinstance(session.on_heard(), Rejected)
    assert Session.final == {GONE}

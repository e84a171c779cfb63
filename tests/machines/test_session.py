"""A member's session at the signalling server, against docs/protocol.md."""

from __future__ import annotations

from fsm_rtc.machines.session import Session, SessionState
from tests.machines.tables import asked

CELLS = {
    "on_link_lost": ("in grace", "-", "closed"),
    "resume": ("=", "joined", "closed"),
    "leave": ("gone", "gone", "closed"),
    "put_out": ("gone", "gone", "closed"),
    "on_grace_over": ("-", "gone", "closed"),
}
"""Of a session that is joined, in grace and gone."""


def test_every_cell_is_as_the_protocol_says() -> None:
    states = [state.value for state in SessionState]
    expected = {
        (state, trigger): cell for trigger, row in CELLS.items() for state, cell in zip(states, row, strict=True)
    }
    assert asked(Session, [*CELLS]) == expected
    assert {*Session.chart.triggers} == {*CELLS}


def test_it_begins_in_the_room_and_never_comes_back_when_it_is_gone() -> None:
    assert Session().state is SessionState.JOINED
    assert Session.final == {SessionState.GONE}

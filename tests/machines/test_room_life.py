"""Whether this side is in a room, stated apart from its table."""

from __future__ import annotations

from fsm_rtc.machines.room_life import RoomLife, RoomLifeState
from tests.machines.handwritten_tables import asked, triggers_of, written

TABLE = """
      new    open    closed
open  open   already closed
admit =      =       closed
send  =      =       closed
close closed closed  already
"""


def test_every_cell() -> None:
    assert asked(RoomLife, triggers_of(TABLE)) == written(TABLE)
    assert {*RoomLife.chart.triggers} == {*triggers_of(TABLE)}


def test_it_is_new_at_first() -> None:
    assert RoomLife().state is RoomLifeState.NEW

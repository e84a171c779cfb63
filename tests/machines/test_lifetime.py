"""The life of a part of a call."""

from __future__ import annotations

from fsm_rtc.machines.lifetime import Lifetime, LifetimeState
from tests.machines.handwritten_tables import asked, triggers_of, written

LIFETIME = """
        open      finished  closed
use     =         =         closed
add     =         -         closed
finish  finished  -         closed
close   closed    closed    already
"""


def test_every_cell() -> None:
    triggers = triggers_of(LIFETIME)
    assert asked(Lifetime, triggers) == written(LIFETIME)
    assert {*Lifetime.chart.triggers} == {*triggers}


def test_it_begins_open_and_ends_closed() -> None:
    assert Lifetime().state is LifetimeState.OPEN
    assert Lifetime.final == {LifetimeState.CLOSED}

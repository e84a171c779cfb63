"""Who waits while there is a call with somebody else, stated apart from its table."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.machines.busy_signal import BusySignal, BusySignalState, TellEverybody, TellOne
from fsm_rtc.testing import ManualClock
from tests.machines.handwritten_tables import asked, triggers_of, written

QUIET, TELLING, CLOSED = BusySignalState


@dataclass
class Callers:
    somebody_waits: bool = True


@dataclass(frozen=True)
class Caller:
    id: str = "carol"


TABLE = """
             quiet   telling closed
on_waiting   telling =       closed
tell_again   -       =       closed
on_call_over =       quiet   closed
close        closed  closed  already
"""


def test_every_cell() -> None:
    assert asked(BusySignal, triggers_of(TABLE), Caller(), Callers()) == written(TABLE)


def machine_in(state: BusySignalState, callers: Callers, clock: ManualClock) -> BusySignal:
    return BusySignal(callers, state=state, clock=clock)


@pytest.mark.parametrize("state", [QUIET, TELLING])
def test_who_comes_is_told_at_once(state: BusySignalState) -> None:
    outcome = machine_in(state, Callers(), ManualClock()).on_waiting(Caller())
    assert isinstance(outcome, Accepted)
    assert outcome.effects == (TellOne(Caller()),)


def test_all_are_told_again_every_fifteen_seconds_whoever_comes_meanwhile() -> None:
    clock, callers = ManualClock(), Callers()
    machine = machine_in(QUIET, callers, clock)
    assert machine.armed() == {}
    machine.on_waiting(Caller())
    clock.advance(10.0)
    machine.on_waiting(Caller("dave"))
    assert machine.armed() == {"tell_again": 15.0}
    clock.advance(5.0)
    (outcome,) = machine.tick(clock())
    assert isinstance(outcome, Accepted)
    assert [type(effect) for effect in outcome.effects] == [TellEverybody]
    assert machine.armed() == {"tell_again": 30.0}
    callers.somebody_waits = False
    clock.advance(15.0)
    (outcome,) = machine.tick(clock())
    assert isinstance(outcome, Accepted)
    assert (machine.state, outcome.effects, machine.armed()) == (QUIET, (), {})


@pytest.mark.parametrize("ends", ["on_call_over", "close"])
def test_nobody_is_told_when_the_call_is_over(ends: str) -> None:
    machine = machine_in(TELLING, Callers(), ManualClock())
    machine.fire(ends)
    assert machine.armed() == {}

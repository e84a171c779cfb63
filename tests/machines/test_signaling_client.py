"""A client's link to its signalling server, against docs/protocol.md, stated apart from its table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.machines.signaling_client import SignalingClient, SignalingClientState
from fsm_rtc.testing import ManualClock
from tests.machines.handwritten_tables import asked, triggers_of, written

NEW, CONNECTING, HANDSHAKING, RESUMING, UP, CHECKING, WAITING, HELD, REFUSED, CLOSED = SignalingClientState
TRYING = (CONNECTING, HANDSHAKING, RESUMING)
LINKED = (UP, CHECKING)


class LostError(Exception):
    """What a link was lost for."""

    def __init__(self, *, final: bool = False, cancelled: bool = False) -> None:
        super().__init__()
        self.final = final
        self.cancelled = cancelled


@dataclass
class Memory:
    has_session: bool = True
    has_reader: bool = True
    connect_timeout_seconds: float = 10.0
    check_timeout_seconds: float = 2.0
    stable_seconds: float = 20.0

    def is_final(self, loss: Exception) -> bool:
        return isinstance(loss, LostError) and loss.final

    def is_cancelled(self, loss: Exception) -> bool:
        return isinstance(loss, LostError) and loss.cancelled


@dataclass(frozen=True)
class Greeting:
    resumed: bool = True


TABLE = """
             new        connecting handshaking resuming up       checking waiting    held       refused closed
open         connecting -          -           -        -        -        -          -          -       closed
on_connected -          resuming   -           -        -        -        -          -          -       closed
on_welcome   -          -          up          up       -        -        -          -          -       closed
on_late      -          waiting    waiting     waiting  -        -        -          -          -       closed
on_waited    -          -          -           -        -        -        connecting -          -       closed
on_reader    -          -          -           -        -        -        -          connecting -       closed
on_stood     -          -          -           -        =        =        -          -          -       closed
send         -          -          -           -        =        =        -          -          -       closed
check        =          =          =           =        checking =        =          =          =       closed
on_pong      -          =          =           =        =        up       =          =          =       closed
on_no_pong   -          -          -           -        -        =        -          -          -       closed
close        closed     closed     closed      closed   closed   closed   closed     closed     closed  already
"""

LOST = """
             new        connecting handshaking resuming up       checking waiting    held       refused closed
on_lost      -          waiting    waiting     waiting  waiting  waiting  -          -          -       closed
"""


def test_every_cell() -> None:
    assert asked(SignalingClient, triggers_of(TABLE), Greeting(), Memory()) == written(TABLE)
    assert asked(SignalingClient, ["on_lost"], LostError(), Memory()) == written(LOST)
    final = written(LOST.replace("waiting  ", "refused  ").replace("refused    held", "waiting    held"))
    assert asked(SignalingClient, ["on_lost"], LostError(final=True), Memory()) == final
    cancelled = written(LOST.replace("waiting  ", "closed   ").replace("closed     held", "waiting    held"))
    assert asked(SignalingClient, ["on_lost"], LostError(cancelled=True), Memory()) == cancelled
    assert {*SignalingClient.chart.triggers} == {*triggers_of(TABLE), "on_lost"}


def step(state: SignalingClientState, trigger: str, event: Any = None, memory: Memory | None = None) -> Any:
    outcome = SignalingClient(memory or Memory(), state=state, clock=lambda: 0.0).fire(trigger, event)
    assert isinstance(outcome, Accepted)
    return outcome


def requests(state: SignalingClientState, trigger: str, event: Any = None, memory: Memory | None = None) -> list[str]:
    return [type(effect).__name__ for effect in step(state, trigger, event, memory).effects]


def test_only_who_was_let_in_before_goes_on_and_only_if_the_server_does() -> None:
    assert step(CONNECTING, "on_connected", None, Memory(has_session=False)).target is HANDSHAKING
    for memory in (Memory(), Memory(has_session=False)):
        assert requests(CONNECTING, "on_connected", None, memory) == ["ShakeHands"]
    assert requests(RESUMING, "on_welcome", Greeting()) == ["GoOnWithSession", "Read"]
    assert step(RESUMING, "on_welcome", Greeting()).effects[0].welcome == Greeting()
    for state, welcome in ((RESUMING, Greeting(resumed=False)), (HANDSHAKING, Greeting())):
        assert requests(state, "on_welcome", welcome) == ["BeginSession", "Read"]
        assert step(state, "on_welcome", welcome).effects[0].welcome == welcome


def test_what_is_lost_is_made_again_unless_it_would_be_refused_again() -> None:
    for state in (*TRYING, *LINKED):
        assert requests(state, "on_lost", loss := LostError()) == ["HangUp", "BackOff"]
        assert step(state, "on_lost", loss).effects[1].loss is loss
        assert requests(state, "on_lost", loss := LostError(final=True)) == ["HangUp", "TellRefused"]
        assert step(state, "on_lost", loss).effects[1].loss is loss
    for state in TRYING:
        assert requests(state, "on_lost", LostError(cancelled=True, final=True)) == ["Abort", "EndEvents"]
        assert requests(state, "on_late") == ["HangUp", "BackOffLate"]
    for state in LINKED:
        assert requests(state, "on_lost", LostError(cancelled=True, final=True)) == ["Abort", "TellClosed", "EndEvents"]


def test_nothing_more_comes_before_what_has_come_is_read() -> None:
    full = Memory(has_reader=False)
    assert step(WAITING, "on_waited", None, full).target is HELD
    assert requests(WAITING, "on_waited", None, full) == ["AwaitReader"]
    for state, trigger in ((WAITING, "on_waited"), (HELD, "on_reader"), (NEW, "open")):
        assert requests(state, trigger) == ["Connect"]


def test_who_is_up_tells_that_it_closes_and_who_has_a_socket_leaves() -> None:
    for state in (*TRYING, WAITING, HELD):
        assert requests(state, "close") == ["Leave", "EndEvents"]
    for state in LINKED:
        assert requests(state, "close") == ["TellClosed", "Leave", "EndEvents"]
    for state in (NEW, REFUSED):
        assert requests(state, "close") == ["EndEvents"]


def test_a_check_asks_once_and_cuts_what_does_not_answer() -> None:
    assert requests(UP, "check") == ["CheckLink"]
    for state in (NEW, *TRYING, CHECKING, WAITING, HELD, REFUSED):
        assert requests(state, "check") == []
    clock = ManualClock()
    machine = SignalingClient(Memory(), state=UP, clock=clock)
    machine.check()
    clock.advance(1.0)
    machine.check()
    assert machine.armed() == {"on_stood": 20.0, "on_no_pong": 2.0}
    machine.stood_still(1.0)
    assert machine.armed()["on_no_pong"] == 2.0
    clock.advance(1.0)
    (outcome,) = machine.tick(clock())
    assert isinstance(outcome, Accepted)
    assert [type(effect).__name__ for effect in outcome.effects] == ["Abort"]
    assert machine.armed() == {"on_stood": 20.0}


@pytest.mark.parametrize("welcome", [Greeting(), Greeting(resumed=False)])
def test_an_attempt_has_one_time_for_all_of_it(welcome: Greeting) -> None:
    clock = ManualClock()
    machine = SignalingClient(Memory(), clock=clock)
    assert machine.armed() == {}
    machine.open()
    clock.advance(4.0)
    machine.on_connected()
    machine.stood_still(3.0)
    assert machine.armed() == {"on_late": 10.0}
    machine.on_welcome(welcome)
    assert machine.armed() == {"on_stood": 24.0}
    machine.check()
    machine.on_pong()
    machine.stood_still(3.0)
    assert machine.armed() == {"on_stood": 24.0}
    clock.advance(20.0)
    (outcome,) = machine.tick(clock())
    assert isinstance(outcome, Accepted)
    assert [type(effect).__name__ for effect in outcome.effects] == ["ResetBackoff"]
    machine.on_lost(LostError())
    assert machine.armed() == {}

"""RecoveryPolicy: what it refuses, and that each time may be infinite without anything breaking."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from functools import partial
from math import inf
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fsm_rtc.connection.events import PeerLost
from fsm_rtc.connection.recovery.driver import RecoveryDriver
from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from fsm_rtc.machines.data_channel import DataChannelState
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.recovery import RecoveryState
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.peer.machine_set import MachineSet
from tests.instant_loop import InstantLoop

ENDLESS = [field.name for field in fields(RecoveryPolicy) if field.name not in ("attempts", "heartbeat_seconds")]


def nothing(*_: object) -> None:
    """Done elsewhere."""


class SilentCall:
    """A call whose peer is never heard again."""

    def __init__(self) -> None:
        self.told: list[tuple[float, str]] = []
        self.checked: list[float] = []
        self.signaling_link = SimpleNamespace(state=SignalingStatus.CONNECTED)
        channel = SimpleNamespace(ready_state=DataChannelState.OPEN)
        negotiation = SimpleNamespace(is_final=False)
        connection = SimpleNamespace(negotiation=negotiation, restart_ice=nothing)
        self.peers = SimpleNamespace(connection=connection, channel=channel, give_up=nothing)
        self.link = SimpleNamespace(is_numbered=True, channel=channel, ping=nothing, goodbye=None)
        self.driver = SimpleNamespace(
            peer_is_there=True,
            exchanger=SimpleNamespace(state=ExchangeState.IDLE),
            me=SimpleNamespace(introduction=SimpleNamespace(id="b", session="s")),
            peer=SimpleNamespace(id="a", session="s"),
            check_link=self.check_link,
            negotiate=nothing,
            leave=nothing,
        )

    keep_alive = nothing

    def recovery_told(self, event: Any) -> None:
        self.told.append((asyncio.get_running_loop().time(), type(event).__name__))

    def check_link(self) -> None:
        self.checked.append(asyncio.get_running_loop().time())


async def watch(policy: RecoveryPolicy, seconds: float) -> tuple[SilentCall, RecoveryDriver]:
    call = SilentCall()
    machines = MachineSet("it", generation=0, engine="compiled", journal=None)
    recoverer = RecoveryDriver(cast(Any, call), policy, machines, uniform=lambda low, high: high)
    recoverer.heard()
    await asyncio.sleep(seconds)
    recoverer.close()
    return call, recoverer


def watched(policy: RecoveryPolicy, seconds: float = 200.0) -> tuple[SilentCall, RecoveryDriver]:
    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        return runner.run(watch(policy, seconds))


def endless(name: str) -> RecoveryPolicy:
    later = {"suspect_after_seconds": {"begin_after_seconds": inf, "give_up_after_seconds": inf}}
    later["begin_after_seconds"] = {"give_up_after_seconds": inf}
    return RecoveryPolicy(**{name: inf, **later.get(name, {})})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [name for name in ENDLESS if not name.endswith("backoff_seconds")])
def test_a_time_that_is_never_over_breaks_nothing(name: str, caplog: pytest.LogCaptureFixture) -> None:
    call, _ = watched(endless(name))
    assert not caplog.records
    noticed = [at for at, what in call.told if what == PeerLost.__name__]
    assert noticed == ([] if name == "suspect_after_seconds" else [2.5])


@pytest.mark.parametrize("name", ["first_backoff_seconds", "longest_backoff_seconds"])
def test_a_pause_is_over_some_time(name: str) -> None:
    with pytest.raises(ValueError, match="nothing would be tried behind it"):
        RecoveryPolicy(**{name: inf})  # type: ignore[arg-type]


@pytest.mark.parametrize("attempts", [inf, 1.5, -1, True])
def test_attempts_are_counted(attempts: Any) -> None:
    with pytest.raises(ValueError, match="attempts"):
        RecoveryPolicy(attempts=attempts)


async def converse(round_trip_seconds: float) -> tuple[int, int]:
    """How often each of two sides asks within a minute in which neither says anything else; the first leads."""
    loop = asyncio.get_running_loop()
    asked = [0, 0]
    sides: list[RecoveryDriver] = []

    def ping(side: int) -> None:
        asked[side] += 1
        loop.call_later(round_trip_seconds / 2, sides[1 - side].heard)
        loop.call_later(round_trip_seconds, sides[side].heard)

    for side, (me, peer) in enumerate([("b", "a"), ("a", "b")]):
        call = SilentCall()
        call.driver.me.introduction.id, call.driver.peer.id = me, peer
        call.link.ping = partial(ping, side)
        machines = MachineSet("it", generation=0, engine="compiled", journal=None)
        sides.append(RecoveryDriver(cast(Any, call), RecoveryPolicy(), machines))
    for one in sides:
        one.new_call()
        one.heard()
    await asyncio.sleep(60.0)
    for one in sides:
        assert one.machine.state is RecoveryState.WATCHING
        one.close()
    return asked[0], asked[1]


@pytest.mark.parametrize("round_trip_seconds", [0.001, 0.05, 0.2])
def test_of_two_that_are_silent_one_asks_and_the_other_answers(round_trip_seconds: float) -> None:
    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        leader, follower = runner.run(converse(round_trip_seconds))
    assert 60 / (1 + round_trip_seconds) - 2 < leader < 60
    assert follower == 0


@pytest.mark.parametrize("round_trip_seconds", [0.3, 0.6, 1.0, 1.4])
def test_on_a_slow_way_both_ask_less_than_once_a_second_and_nobody_is_suspected(round_trip_seconds: float) -> None:
    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        assert max(runner.run(converse(round_trip_seconds))) < 50


def test_a_heart_that_beats_all_the_time_is_refused() -> None:
    with pytest.raises(ValueError, match="heartbeat_seconds must be"):
        RecoveryPolicy(heartbeat_seconds=1e-9)


def test_while_the_call_is_lost_the_link_is_checked_again_and_again() -> None:
    call, recoverer = watched(RecoveryPolicy(), 20.0)
    assert recoverer.machine.state is RecoveryState.CLOSED
    gaps = [later - sooner for sooner, later in zip(call.checked, call.checked[1:], strict=False)]
    assert call.checked[0] == 2.5
    assert max(gaps) <= 1.0

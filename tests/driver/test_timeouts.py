"""The one timer of a driver: many machines, and a process that stood still."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.driver import Driver, HandlerFailure
from fsm_rtc.driver.timeouts import AWAKE_SECONDS, seconds_asleep
from fsm_rtc.engine import Chart, On, Row, stay
from fsm_rtc.testing import ManualClock
from tests.engine.order_chart import AskBank, Order, OrderState, Release, Reserve, Shop
from tests.instant_loop import InstantLoop


class LampState(StrEnum):
    ON = "on"
    OFF = "off"


ON, OFF = LampState


class Lit:
    """The lamp is lit."""


class Limits:
    """How long the lamp burns, and is heard of."""

    def __init__(self, seconds: float = 5.0) -> None:
        self.seconds = seconds


def seconds(context: Limits) -> float:
    """How long it burns."""
    return context.seconds


class Lamp(Chart[LampState, Limits]):
    """A lamp that goes out by itself, unless it is moved about; after an hour in any case."""

    initial = OFF
    entry = {ON: (Lit,)}

    switch = On(Row(OFF, ON), cite="box")
    move = On(stay(ON, restarts=("go_out",)), cite="box")
    go_out = On(Row(ON, OFF), after=seconds, late="postpone", cite="box")
    break_ = On(Row(ON, OFF), cite="box")
    cool_down = On(Row(ON, OFF), after=3600.0, late="fire", cite="box")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = InstantLoop()
    yield loop
    loop.close()


def test_timers_fire_by_themselves_at_their_time(loop: asyncio.AbstractEventLoop) -> None:
    async def story() -> list[tuple[float, str]]:
        seen = []
        async with Driver(asleep=lambda: 0.0) as driver:
            for number in (3.0, 1.0, 2.0):
                lamp = Lamp(Limits(number), clock=driver.clock)
                driver.add(lamp, {Lit: lambda _: None})
                lamp.observe(lambda machine, outcome: seen.append((driver.clock(), outcome.trigger)))
                driver.fire(lamp.switch)
            await asyncio.sleep(10)
        return seen

    assert loop.run_until_complete(story())[3:] == [(1.0, "go_out"), (2.0, "go_out"), (3.0, "go_out")]


def test_what_a_timer_asks_for_is_carried_out(loop: asyncio.AbstractEventLoop) -> None:
    states: list[OrderState] = []

    async def story() -> list[str]:
        asked: list[str] = []
        handlers = {kind: lambda one: asked.append(type(one).__name__) for kind in (Reserve, Release, AskBank)}
        async with Driver(asleep=lambda: 0.0) as driver:
            order = Order(Shop(), clock=driver.clock)
            driver.add(order, handlers)
            driver.fire(order.check_out, "book")
            driver.fire(order.pay)
            await asyncio.sleep(9)
            states.append(order.state)
            await asyncio.sleep(30)
            states.append(order.state)
        return asked

    asked = loop.run_until_complete(story())
    assert states == [OrderState.PAYING, OrderState.GONE]
    assert asked[:6] == ["Reserve", "Release", "AskBank", "AskBank", "AskBank", "AskBank"]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["switch", "move", "wait"]), st.floats(0, 4)), max_size=60)
)
def test_the_heap_fires_as_each_machine_ticked_alone_would(steps: list[tuple[int, str, float]]) -> None:
    loop = InstantLoop()

    async def driven() -> list[tuple[int, str, float]]:
        seen: list[tuple[int, str, float]] = []
        async with Driver(asleep=lambda: 0.0) as driver:
            lamps = [Lamp(Limits(number + 1.0), clock=driver.clock) for number in range(4)]
            for number, lamp in enumerate(lamps):
                driver.add(lamp, {Lit: lambda _: None})
                lamp.observe(
                    lambda machine, outcome, number=number: seen.append(  # type: ignore[misc]
                        (number, outcome.trigger, round(driver.clock(), 6))
                    )
                )
            for number, word, wait in steps:
                if word == "wait":
                    await asyncio.sleep(wait)
                else:
                    driver.fire(getattr(lamps[number], word))
            await asyncio.sleep(20)
        return seen

    try:
        assert sorted(loop.run_until_complete(driven())) == sorted(alone(steps))
    finally:
        loop.close()


def alone(steps: list[tuple[int, str, float]]) -> list[tuple[int, str, float]]:
    """The same without a driver: each deadline is gone to by itself."""
    clock = ManualClock()
    seen: list[tuple[int, str, float]] = []
    lamps = [Lamp(Limits(number + 1.0), clock=clock) for number in range(4)]
    for number, lamp in enumerate(lamps):
        lamp.observe(
            lambda machine, outcome, number=number: seen.append(  # type: ignore[misc]
                (number, outcome.trigger, round(clock.now, 6))
            )
        )

    def go(until: float) -> None:
        while (due := min((at for lamp in lamps if (at := lamp.next_timeout()) is not None), default=until)) < until:
            clock.now = due
            for lamp in lamps:
                lamp.tick(clock.now)
        clock.now = until

    for number, word, wait in steps:
        if word == "wait":
            go(clock.now + wait)
        else:
            for lamp in lamps:
                lamp.tick(clock.now)
            getattr(lamps[number], word)()
    go(clock.now + 20)
    return seen


class TestStandingStill:
    async def test_after_a_standstill_silence_is_put_off_and_limits_are_not(self) -> None:
        clock = ManualClock()
        async with Driver(clock=clock, asleep=lambda: 0.0) as driver:
            lamp = Lamp(Limits(5.0), clock=clock)
            driver.add(lamp, {Lit: lambda _: None})
            driver.fire(lamp.switch)
            clock.advance(100.0)  # due at 5, so it stood still for 95 s at least
            driver._timeouts.look()
            assert lamp.state is ON
            assert lamp.armed() == {"go_out": 100.0 + AWAKE_SECONDS, "cool_down": 3600.0}
            clock.advance(AWAKE_SECONDS)
            driver._timeouts.look()
            assert lamp.state is OFF

    async def test_what_was_heard_just_before_counts_as_so_much_later(self) -> None:
        clock = ManualClock()
        async with Driver(clock=clock, asleep=lambda: 0.0) as driver:
            order = Order(Shop(patience=1000.0), clock=clock)
            driver.add(order, {kind: lambda _: None for kind in (Reserve, Release, AskBank)})
            driver.fire(order.check_out, "shoes")
            driver.fire(order.pay)
            for _ in range(19):
                clock.advance(0.5)
                driver._timeouts.look()
            order.context.heard_at = 9.5
            clock.advance(60.0)  # polled at 10: it stood still for 59.5 s
            driver._timeouts.look()
            assert order.armed()["bank_is_silent"] == 9.5 + 10.0 + 59.5 + AWAKE_SECONDS

    async def test_a_little_late_is_no_standstill(self) -> None:
        clock = ManualClock()
        async with Driver(clock=clock, asleep=lambda: 0.0) as driver:
            lamp = Lamp(Limits(5.0), clock=clock)
            driver.add(lamp, {Lit: lambda _: None})
            driver.fire(lamp.switch)
            clock.advance(5.3)
            driver._timeouts.look()
            assert lamp.state is OFF

    async def test_a_host_that_slept_lets_limits_run_out(self) -> None:
        clock, slept = ManualClock(), [10.0]
        async with Driver(clock=clock, asleep=lambda: slept[0]) as driver:
            lamp = Lamp(Limits(50.0), clock=clock)
            driver.add(lamp, {Lit: lambda _: None})
            driver.fire(lamp.switch)
            slept[0] += 3000.0  # and the clock stood still
            clock.advance(30.0)
            driver._timeouts.look()
            assert lamp.armed() == {"go_out": 50.0 + AWAKE_SECONDS, "cool_down": 600.0}
            slept[0] += 3000.0
            clock.advance(1.0)
            driver._timeouts.look()
            assert lamp.state is OFF

    def test_it_is_looked_for_a_sleep_however_late_the_next_timer_is(self, loop: asyncio.AbstractEventLoop) -> None:
        async def story() -> float:
            slept = [0.0]
            async with Driver(asleep=lambda: slept[0]) as driver:
                lamp = Lamp(Limits(4000.0), clock=driver.clock)
                driver.add(lamp, {Lit: lambda _: None})
                driver.fire(lamp.switch)
                await asyncio.sleep(100)
                slept[0] = 3600.0
                gone = asyncio.Event()
                lamp.observe(lambda machine, outcome: gone.set())
                await gone.wait()
                return driver.clock()

        assert 100.0 < loop.run_until_complete(story()) <= 130.0

    @pytest.mark.live
    def test_the_hosts_sleep_doesnt_grow_while_it_is_awake(self) -> None:
        # A loaded machine may take its time between the two clocks that are read; not each of a hundred times.
        readings = [seconds_asleep() for _ in range(100)]
        time.sleep(0.2)
        assert abs(min(seconds_asleep() for _ in range(100)) - min(readings)) < 0.1


class TestManyMachines:
    async def test_a_timer_that_fails_doesnt_stop_the_others(self) -> None:
        clock, failures = ManualClock(), []

        def told(failure: HandlerFailure) -> None:
            failures.append(failure.what)

        async with Driver(clock=clock, on_error=told, asleep=lambda: 0.0) as driver:
            bad, good = Bad(clock=clock), Lamp(Limits(1.0), clock=clock)
            driver.add(bad, {Lit: lambda _: None})
            driver.add(good, {Lit: lambda _: None})
            driver.fire(good.switch)
            clock.advance(1.0)
            driver.tick()
            assert good.state is OFF
            assert failures == ["timers"]

    async def test_the_heap_doesnt_grow_with_what_is_armed_anew(self) -> None:
        clock = ManualClock()
        async with Driver(clock=clock, asleep=lambda: 0.0) as driver:
            lamps = [Lamp(Limits(5.0), clock=clock) for _ in range(100)]
            for lamp in lamps:
                driver.add(lamp, {Lit: lambda _: None})
            for seconds_ in range(1000, 0, -1):
                for lamp in lamps:
                    lamp.context = Limits(float(seconds_))
                    driver.fire(lamp.switch)
                    driver.fire(lamp.move)
            assert len(driver._timeouts._heap) <= 2 * len(lamps) + 64

    async def test_a_machine_that_is_removed_fires_no_more(self) -> None:
        clock = ManualClock()
        async with Driver(clock=clock, asleep=lambda: 0.0) as driver:
            lamp = Lamp(Limits(5.0), clock=clock)
            driver.add(lamp, {Lit: lambda _: None})
            driver.fire(lamp.switch)
            driver.remove(lamp)
            clock.advance(5.0)
            driver.tick()
            assert lamp.state is ON


def fails(context: object, event: object) -> Lit:
    """It fails."""
    raise ValueError("broken")


class Bad(Chart[LampState, Any]):
    """A lamp whose timer's effect raises."""

    initial = ON
    go_out = On(Row(ON, OFF, then=(fails,)), after=1.0, cite="box")
    back = On(Row(OFF, ON), cite="box")


async def test_no_timer_is_left_when_nothing_is_armed() -> None:
    def timers() -> int:
        return len([one for one in asyncio.get_running_loop()._scheduled if not one.cancelled()])  # type: ignore[attr-defined]

    before = timers()
    driver = Driver()
    lamp = Lamp(Limits(5.0), clock=driver.clock)
    driver.add(lamp, {Lit: lambda _: None})
    driver.fire(lamp.switch)
    assert timers() == before + 1
    driver.fire(lamp.break_)
    assert timers() == before


async def test_a_loop_that_is_blocked_again_and_again_still_notices_silence() -> None:
    clock = ManualClock()
    async with Driver(clock=clock, asleep=lambda: 0.0) as driver:
        lamp = Lamp(Limits(2.5), clock=clock)
        driver.add(lamp, {Lit: lambda _: None})
        driver.fire(lamp.switch)
        for _ in range(20):  # blocked for 0.7 s, then awake for 0.1 s
            clock.advance(0.7)
            driver._timeouts.look()
            if lamp.state is OFF:
                break
            clock.advance(0.1)
        assert lamp.state is OFF
        assert clock() < 6.0

"""What strangers did with the driver: observers that fire, machines that go meanwhile, handlers that cancel."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

from fsm_rtc.driver import Driver, Handler, HandlerFailure
from fsm_rtc.driver.timeouts import AWAKE_SECONDS
from fsm_rtc.engine import Accepted, Chart, Dropped, Journal, On, Row, stay
from fsm_rtc.engine.replay import replay
from fsm_rtc.errors import DriverError, RequestDroppedError
from fsm_rtc.testing import ManualClock
from tests.driver.job_machine import IDLE, JAMMED, PRINTING, Beep, Desk, Log, Print, Printer


class StepState(StrEnum):
    A = "a"
    B = "b"
    C = "c"


A, B, C = StepState


class Do:
    """Do it."""


@dataclass
class Memory:
    """What the timers read."""

    fails: bool = False
    heard: float | None = None


def heard(memory: Memory) -> float | None:
    """When it was heard."""
    if memory.fails:
        raise OSError("deaf")
    return memory.heard


def breaks(memory: Memory, event: object) -> Do:
    """It breaks, if it is to."""
    if memory.fails:
        raise OSError("broken")
    return Do()


class Timed(Chart[StepState, Memory]):
    """Goes on by itself."""

    initial = A
    go = On(Row(A, B, then=(Do,)), after=1.0, since=heard, late="postpone", cite="here")
    on = On(Row(B, C, then=(breaks,)), after=1.0, cite="here")
    again = On(stay(A, B, C, then=(Do,)), cite="here")


def timed(driver: Driver, call: Any = lambda _: None, **fields: Any) -> Timed:
    machine = Timed(Memory(**fields), clock=driver.clock)
    driver.add(machine, {Do: call})
    return machine


@pytest.fixture
def desk() -> Desk:
    return Desk()


def printer_of(driver: Driver, desk: Desk, call: Any = None, **how: Any) -> Printer:
    printer = Printer()
    driver.add(printer, {Print: Handler(call or desk.print, **how), Beep: desk.beep, Log: desk.log})
    return printer


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_an_observer_that_fires_again_and_again_lets_the_loop_have_its_turn(desk: Desk) -> None:
    async with Driver() as driver:
        printer = printer_of(driver, desk)

        def fires(machine: Chart[Any, Any], outcome: object) -> None:
            driver.fire(printer.beep)

        stop = printer.observe(fires)
        driver.fire(printer.beep)
        for _ in range(100):
            await asyncio.sleep(0)
        stop()
        assert len(desk.done) > 10


class TestRemovedMeanwhile:
    @pytest.mark.parametrize("removed", [0, 1, 2])
    async def test_in_the_handler_of_a_timer(self, removed: int) -> None:
        clock = ManualClock()
        async with Driver(clock=clock) as driver:
            machines: list[Timed] = []
            machines += [
                timed(driver, lambda _: driver.remove(machines[removed])),
                timed(driver),
                timed(driver),
            ]
            clock.advance(1.0)
            driver.tick()
            # The first has fired before it is removed.
            assert [machine.state for machine in machines] == [A if number == removed > 0 else B for number in range(3)]

    async def test_by_an_observer(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = printer_of(driver, desk)
            printer.observe(lambda machine, outcome: driver.remove(printer))
            assert isinstance(driver.fire(printer.print, 1), Accepted)
            assert desk.done == []

    async def test_what_it_asked_for_earlier_is_no_event_of_its_next_run(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = printer_of(driver, desk, done="printed", shielded=True)
            gate = desk.gate(1)
            driver.fire(printer.print, 1)
            await settle()
            driver.remove(printer)
            driver.add(printer, {Print: desk.print, Beep: desk.beep, Log: desk.log})
            gate.set_result(None)
            await settle()
            assert printer.state is PRINTING

    async def test_a_journal_still_replays(self, desk: Desk) -> None:
        journal = Journal()
        async with Driver(journal=journal) as driver:
            named, unnamed = Printer(), Printer()
            handlers: dict[type[Any], Any] = {Print: desk.print, Beep: desk.beep, Log: desk.log}
            driver.add(named, handlers, label="printer 7")
            driver.add(unnamed, handlers)
            for pages in (1, 2):
                desk.gate(pages)
            driver.fire(named.print, 1)
            driver.fire(unnamed.print, 2)
            await settle()
            driver.remove(named)
            driver.remove(unnamed)
            await settle()
        dropped = {(one.label, one.request) for one in journal if isinstance(one, Dropped)}
        assert dropped == {("printer 7", "Print"), ("printer 7", "Beep")}, "one waited behind the other"
        assert replay(journal, {"Printer": Printer}).agrees

    async def test_a_hundred_thousand_are_let_go(self) -> None:
        async with Driver() as driver:
            kept = timed(driver)
            for _ in range(2_000):
                driver.remove(timed(driver))
            assert len(driver._timeouts._heap) <= 100
            assert kept.next_timeout() is not None


class TestCancelledHandlers:
    async def test_a_plain_handler_that_raises_cancelled_error_has_failed_and_its_lane_goes_on(
        self, desk: Desk
    ) -> None:
        def cancels(request: Print) -> None:
            raise asyncio.CancelledError

        async with Driver() as driver:
            printer = printer_of(driver, desk, cancels)
            with pytest.raises(DriverError, match="cancelled, and not by its driver"):
                await driver.run(printer.page, 1)
            await driver.run(printer.beep)
            assert desk.done == ["beep"]

    async def test_a_coroutine_that_is_cancelled_by_another_has_failed(self, desk: Desk) -> None:
        async def cancels(request: Print) -> None:
            inner = asyncio.ensure_future(asyncio.sleep(10))
            inner.cancel()
            await inner

        async with Driver() as driver:
            printer = printer_of(driver, desk, cancels, failed="jam")
            driver.fire(printer.print, 1)
            await settle()
            assert printer.state is JAMMED

    @pytest.mark.parametrize("failed", ["jam", None])
    async def test_one_that_is_cancelled_from_outside_is_an_event_for_who_asks_and_no_error_for_others(
        self, desk: Desk, failed: str | None
    ) -> None:
        failures: list[HandlerFailure] = []

        async def lasts(request: Print) -> None:
            await asyncio.sleep(10)

        before = asyncio.all_tasks()
        async with Driver(on_error=failures.append) as driver:
            printer = printer_of(driver, desk, lasts, failed=failed)
            driver.fire(printer.print, 1)
            await settle()
            (task,) = asyncio.all_tasks() - before
            task.cancel()
            await settle()
            assert (printer.state is JAMMED) is (failed is not None)
        assert failures == []

    async def test_a_keyboard_interrupt_goes_on_and_leaves_the_lane_free(self, desk: Desk) -> None:
        def interrupts(request: Print) -> None:
            raise KeyboardInterrupt

        async with Driver() as driver:
            printer = printer_of(driver, desk, interrupts)
            with pytest.raises(KeyboardInterrupt):
                driver.fire(printer.page, 1)
            driver.fire(printer.beep)
            assert desk.done == ["beep"]


class TestDropped:
    @pytest.mark.parametrize("how", ["cut", "remove", "close"])
    async def test_who_waits_for_what_is_dropped_is_told(self, desk: Desk, how: str) -> None:
        driver = Driver()
        printer = Printer()
        lane = {"lane": "x"}
        driver.add(
            printer,
            {
                Print: Handler(desk.print, **lane),  # type: ignore[arg-type]
                Beep: Handler(desk.beep, cuts_in=True, **lane),  # type: ignore[arg-type]
                Log: desk.log,
            },
        )
        for pages in (1, 2):
            desk.gate(pages)
        running = [asyncio.create_task(driver.run(printer.page, pages)) for pages in (1, 2)]
        await settle()
        if how == "cut":
            driver.fire(printer.beep)
        elif how == "remove":
            driver.remove(printer)
        else:
            await driver.aclose()
        for task in running:
            with pytest.raises(RequestDroppedError, match="Print was dropped"):
                await task
        await driver.aclose()


class TestTimersThatRaise:
    async def test_what_was_fired_before_is_carried_out_and_it_is_tried_again_later(self) -> None:
        clock, failures, done = ManualClock(), list[HandlerFailure](), list[str]()
        async with Driver(clock=clock, on_error=failures.append) as driver:
            machine = timed(driver, lambda _: done.append("done"))
            clock.advance(1.0)
            driver.tick()
            machine.context.fails = True
            clock.advance(1.0)
            for _ in range(5):
                driver.tick()
            assert [type(failure.error) for failure in failures] == [OSError]
            machine.context.fails = False
            clock.advance(1.0)
            driver.tick()
            assert (machine.state, done) == (C, ["done", "done"])

    async def test_a_time_that_can_not_be_read_stops_nobody_elses_timer(self) -> None:
        clock, failures = ManualClock(), list[HandlerFailure]()
        async with Driver(clock=clock, on_error=failures.append, asleep=lambda: 0.0) as driver:
            machines = [timed(driver, fails=fails) for fails in (True, False, False)]
            clock.advance(100.0)
            driver._timeouts.look()
            clock.advance(AWAKE_SECONDS)
            driver._timeouts.look()
            assert [machine.state for machine in machines] == [A, B, B]
            assert failures
            machines[0].context.fails = False
            clock.advance(200.0)
            driver.tick()
            assert machines[0].state is B

    async def test_an_on_error_that_raises_stops_nothing(self) -> None:
        def raises(failure: HandlerFailure) -> None:
            raise ValueError("and this too")

        clock = ManualClock()
        async with Driver(clock=clock, on_error=raises) as driver:
            machines = [timed(driver, fails=fails) for fails in (True, False)]
            clock.advance(1.0)
            driver.tick()
            assert machines[1].state is B


class TestClosing:
    async def test_no_timer_fires_while_it_closes(self, desk: Desk) -> None:
        clock = ManualClock()
        driver = Driver(clock=clock)
        machine = timed(driver)
        printer = printer_of(driver, desk, shielded=True, done="printed")
        gate = desk.gate(1)
        driver.fire(printer.print, 1)
        await settle()
        closing = asyncio.create_task(driver.aclose())
        await settle()
        driver.fire(machine.again)
        clock.advance(10.0)
        driver.tick()
        await settle()
        assert machine.state is A
        gate.set_result(None)
        await closing


class TestOneOwnLane:
    @pytest.mark.parametrize("how", ["wait_for", "task group"])
    async def test_a_handler_that_waits_for_its_own_lane_in_another_task_is_told(self, desk: Desk, how: str) -> None:
        failures: list[HandlerFailure] = []

        async def waits(request: Print) -> None:
            if request.pages > 1:
                return
            if how == "wait_for":
                await asyncio.wait_for(driver.run(printer.page, 2), 30)
            else:
                async with asyncio.TaskGroup() as group:
                    group.create_task(driver.run(printer.page, 2))

        async with Driver(on_error=failures.append) as driver:
            printer = printer_of(driver, desk, waits)
            with suppress(DriverError, ExceptionGroup):
                await driver.run(printer.page, 1)
            await settle()


class TestManyLanes:
    async def test_lanes_that_are_empty_are_let_go(self, desk: Desk) -> None:
        async with Driver() as driver:
            for number in range(100):
                printer = printer_of(driver, desk, lane=f"printer {number}")
                await driver.run(printer.page, 1)
            assert driver._lanes.every() == ()

    async def test_a_chain_of_handlers_over_many_machines_doesnt_recurse(self) -> None:
        # No time passes: on a slow machine their timers would begin the chain again and again.
        async with Driver(clock=ManualClock()) as driver:
            machines: list[Timed] = []

            def fires(number: int) -> Any:
                def fire(_: Do) -> None:
                    if number + 1 < len(machines):
                        driver.fire(machines[number + 1].again)
                    else:
                        reached.append(number)

                return fire

            reached: list[int] = []
            machines += [timed(driver, fires(number)) for number in range(3_000)]
            driver.fire(machines[0].again)
            await settle()
            assert reached == [2_999]


class TestTheWrongPlace:
    def test_another_loop(self, desk: Desk) -> None:
        driver = Driver()

        async def use() -> None:
            printer = printer_of(driver, desk)
            driver.fire(printer.beep)

        asyncio.run(use())
        with pytest.raises(DriverError, match="belongs to another event loop"):
            asyncio.run(use())

    async def test_another_thread(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = printer_of(driver, desk)
            errors: list[Exception] = []

            def fire() -> None:
                try:
                    driver.fire(printer.print, 1)
                except DriverError as error:
                    errors.append(error)

            thread = threading.Thread(target=fire)
            thread.start()
            thread.join()
            assert errors
            assert printer.state is IDLE

    def test_timers_outside_of_a_loop(self) -> None:
        clock = ManualClock()
        driver = Driver(clock=clock)
        machine = Timed(Memory(), clock=clock)
        for _ in range(2):
            with pytest.raises(DriverError, match="where the event loop runs"):
                driver.add(machine, {Do: print})

    async def test_another_clock(self) -> None:
        async with Driver() as driver:
            with pytest.raises(DriverError, match="another clock than its driver"):
                driver.add(Timed(Memory(), clock=time.time), {Do: print})

    @pytest.mark.parametrize("trigger", ["beep", Printer.beep, print])
    async def test_what_is_no_trigger(self, desk: Desk, trigger: Any) -> None:
        async with Driver() as driver:
            printer_of(driver, desk)
            with pytest.raises(DriverError, match=r"driver\.fire\(order\.pay, 10\)"):
                driver.fire(trigger)

    @pytest.mark.parametrize("machine", ["x", Printer, None])
    async def test_what_is_no_machine(self, machine: Any) -> None:
        async with Driver() as driver:
            with pytest.raises(DriverError, match="is no machine"):
                driver.add(machine, {})


class TestUntilInVain:
    async def test_a_state_of_another_chart(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = printer_of(driver, desk)
            with pytest.raises(DriverError, match="has no state"):
                await driver.until(printer, A)  # type: ignore[misc]
            with pytest.raises(DriverError, match="no final state"):
                await driver.until(printer)

    async def test_a_machine_that_ends_elsewhere(self) -> None:
        class Ending(Chart[StepState, None]):
            """Ends in one of two states."""

            initial = A
            final = frozenset({B, C})
            left = On(Row(A, B), cite="here")
            right = On(Row(A, C), cite="here")

        async with Driver() as driver:
            machine = Ending()
            driver.add(machine, {})
            waiting = asyncio.create_task(driver.until(machine, B))
            await settle()
            driver.fire(machine.right)
            with pytest.raises(DriverError, match="has ended"):
                await waiting
            assert await driver.until(machine) is C


async def test_a_clock_that_is_set_by_hand_is_no_standstill() -> None:
    clock = ManualClock()
    async with Driver(clock=clock) as driver:
        machine = timed(driver)
        clock.advance(60.0)
        driver.tick()
        assert machine.state is B


async def test_a_driver_that_is_let_go_leaves_nothing() -> None:
    driver = Driver()
    machine = timed(driver)
    driver.fire(machine.again)
    await driver.aclose()
    del driver, machine
    gc.collect()
    assert not [one for one in gc.get_objects() if isinstance(one, Timed)]

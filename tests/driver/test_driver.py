"""The driver: order, results, failures, cancellation, close."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from fsm_rtc.driver import Driver, Handler, HandlerFailure
from fsm_rtc.engine import Accepted, Chart, Dropped, Journal, Queued
from fsm_rtc.errors import ChartError, DriverClosedError, DriverError, Rejected
from tests.driver.job_machine import IDLE, JAMMED, PRINTING, Beep, Desk, Log, Print, Printer


def handlers_of(desk: Desk, **changed: Handler) -> dict[type[Any], Handler | Callable[[Any], Any]]:
    handlers: dict[type[Any], Handler | Callable[[Any], Any]] = {
        Print: Handler(desk.print, lane="paper", done="printed", failed="jam"),
        Beep: Handler(desk.beep, lane="sound"),
        Log: Handler(desk.log, lane="log"),
    }
    return {**handlers, **{{"print": Print, "beep": Beep, "log": Log}[name]: one for name, one in changed.items()}}


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def desk() -> Desk:
    return Desk()


class TestResults:
    async def test_what_a_handler_returns_is_the_event_of_done(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk))
            assert isinstance(driver.fire(printer.print, 3), Accepted)
            assert printer.state is PRINTING
            await settle()
            assert printer.state is IDLE
            assert desk.done == ["beep", "begin 3", "end 3", "log 3"]

    async def test_what_a_handler_raises_is_the_event_of_failed(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk))
            gate = desk.gate(3)
            driver.fire(printer.print, 3)
            await settle()
            gate.set_exception(OSError("paper"))
            await settle()
            assert printer.state is JAMMED
            assert desk.done[-1] == "log paper"

    async def test_what_nobody_takes_is_told_to_on_error(self, desk: Desk) -> None:
        failures: list[HandlerFailure] = []
        error = ValueError("speaker")

        def broken(request: Beep) -> None:
            raise error

        async with Driver(on_error=failures.append) as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk, beep=Handler(broken)))
            driver.fire(printer.beep)
            assert failures == [HandlerFailure(printer, "Beep", error)]

    async def test_a_refusal_asks_for_nothing(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk))
            assert isinstance(driver.fire(printer.jolt), Rejected)
            await settle()
            assert desk.done == []

    async def test_an_event_of_another_generation_is_stale(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer(generation=2)
            driver.add(printer, handlers_of(desk))
            assert isinstance(driver.fire(printer.beep, generation=1), Rejected)
            assert isinstance(driver.fire(printer.beep, generation=2), Accepted)


class TestOrder:
    async def test_a_lane_carries_out_one_after_the_other(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk, print=Handler(desk.print, lane="paper")))
            gate = desk.gate(1)
            for pages in (1, 2, 3):
                driver.fire(printer.page, pages)
            await settle()
            assert desk.done == ["begin 1"]
            gate.set_result(None)
            await settle()
            assert desk.done == ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]

    async def test_a_plain_function_runs_at_once_if_its_lane_is_empty_and_else_waits(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(
                printer, handlers_of(desk, print=Handler(desk.print, lane="all"), beep=Handler(desk.beep, lane="all"))
            )
            driver.fire(printer.beep)
            assert desk.done == ["beep"]
            gate = desk.gate(1)
            driver.fire(printer.page, 1)
            driver.fire(printer.beep)
            await settle()
            assert desk.done == ["beep", "begin 1"]
            gate.set_result(None)
            await settle()
            assert desk.done == ["beep", "begin 1", "end 1", "beep"]

    async def test_a_named_lane_is_shared_and_one_without_name_is_the_machines_own(self, desk: Desk) -> None:
        async with Driver() as driver:
            one, other, apart = Printer(), Printer(), Printer()
            for printer in (one, other):
                driver.add(printer, handlers_of(desk, print=Handler(desk.print, lane="paper")))
            driver.add(apart, handlers_of(desk, print=Handler(desk.print)))
            gate = desk.gate(1)
            driver.fire(one.page, 1)
            driver.fire(other.page, 2)
            driver.fire(apart.page, 3)
            await settle()
            assert desk.done == ["begin 1", "begin 3", "end 3"]
            gate.set_result(None)
            await settle()
            assert desk.done[3:] == ["end 1", "begin 2", "end 2"]

    async def test_all_requests_of_a_step_are_in_their_lanes_before_one_is_carried_out(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()

            def print_and_beep(request: Print) -> None:
                desk.done.append("print")
                driver.fire(printer.log, "from within")

            same = {"lane": "all"}
            driver.add(
                printer,
                handlers_of(
                    desk,
                    print=Handler(print_and_beep, **same),  # type: ignore[arg-type]
                    beep=Handler(desk.beep, **same),  # type: ignore[arg-type]
                    log=Handler(desk.log, **same),  # type: ignore[arg-type]
                ),
            )
            driver.fire(printer.print, 1)
            assert desk.done == ["print", "beep", "log from within"]

    async def test_what_an_observer_fires_has_its_turn_behind_the_step(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk))
            outcomes: list[object] = []

            def observer(machine: Chart[Any, Any], outcome: object) -> None:
                if not outcomes:
                    outcomes.append(driver.fire(printer.beep))

            printer.observe(observer)
            driver.fire(printer.log, "first")
            assert isinstance(outcomes[0], Queued)
            await settle()
            assert desk.done == ["log first", "beep"]

    async def test_ten_thousand_events_that_follow_one_from_another_neither_recurse_nor_hold_up_the_loop(
        self, desk: Desk
    ) -> None:
        async with Driver() as driver:
            printer = Printer()
            turns = 0

            def again(request: Beep) -> None:
                nonlocal turns
                turns += 1
                if turns < 10_000:
                    driver.fire(printer.beep)

            driver.add(printer, handlers_of(desk, beep=Handler(again)))
            driver.fire(printer.beep)
            assert turns < 10_000
            await settle()
            assert turns == 10_000

    async def test_what_cuts_in_comes_first(self, desk: Desk) -> None:
        journal = Journal()
        async with Driver(journal=journal) as driver:
            printer = Printer()
            driver.add(
                printer,
                handlers_of(desk, print=Handler(desk.print, lane="x"), beep=Handler(desk.beep, lane="x", cuts_in=True)),
                label="printer",
            )
            desk.gate(1)
            driver.fire(printer.page, 1)
            driver.fire(printer.page, 2)
            await settle()
            driver.fire(printer.beep)
            await settle()
            assert desk.done == ["begin 1", "beep"]
            assert [one.request for one in journal if isinstance(one, Dropped)] == ["Print", "Print"]


class TestRun:
    async def test_it_waits_for_what_the_event_asks_for(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk, print=Handler(desk.print)))
            outcome = await driver.run(printer.print, 1)
            assert isinstance(outcome, Accepted)
            assert desk.done == ["beep", "begin 1", "end 1"]

    async def test_a_refusal_comes_back_at_once(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk))
            assert isinstance(await driver.run(printer.jolt), Rejected)

    async def test_a_failure_that_is_no_event_is_raised(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk, print=Handler(desk.print)))
            gate = desk.gate(1)
            running = asyncio.create_task(driver.run(printer.print, 1))
            await settle()
            gate.set_exception(OSError("paper"))
            with pytest.raises(OSError, match="paper"):
                await running

    async def test_a_cancelled_caller_cancels_what_is_not_shielded(self, desk: Desk) -> None:
        journal = Journal()
        async with Driver(journal=journal) as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk, print=Handler(desk.print, lane="paper")), label="printer")
            desk.gate(1)
            running = asyncio.create_task(driver.run(printer.page, 1))
            await settle()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await driver.run(printer.page, 2)
            assert desk.done == ["begin 1", "begin 2", "end 2"]
            assert [one.request for one in journal if isinstance(one, Dropped)] == ["Print"]

    async def test_a_cancelled_caller_leaves_what_is_shielded(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(
                printer, handlers_of(desk, print=Handler(desk.print, lane="paper", done="printed", shielded=True))
            )
            gate = desk.gate(1)
            running = asyncio.create_task(driver.run(printer.print, 1))
            await settle()
            running.cancel()
            await settle()
            gate.set_result(None)
            await settle()
            assert printer.state is IDLE

    async def test_a_handler_that_waits_for_its_own_lane_is_told(self, desk: Desk) -> None:
        failures: list[HandlerFailure] = []
        async with Driver(on_error=failures.append) as driver:
            printer = Printer()

            async def waits(request: Print) -> None:
                await driver.run(printer.page, request.pages + 1)

            driver.add(printer, handlers_of(desk, print=Handler(waits, lane="paper")))
            driver.fire(printer.page, 1)
            await settle()
            assert isinstance(failures[0].error, DriverError)
            assert "own lane" in str(failures[0].error)

    async def test_two_lanes_that_wait_for_each_other_are_told(self, desk: Desk) -> None:
        failures: list[HandlerFailure] = []
        async with Driver(on_error=failures.append) as driver:
            printer = Printer()

            async def prints(request: Print) -> None:
                await driver.run(printer.beep)

            async def beeps(request: Beep) -> None:
                await asyncio.sleep(0)
                await driver.run(printer.page, 2)

            driver.add(printer, handlers_of(desk, print=Handler(prints, lane="a"), beep=Handler(beeps, lane="b")))
            driver.fire(printer.page, 1)
            await settle()
            assert any(isinstance(one.error, DriverError) for one in failures)

    async def test_it_may_be_called_from_an_observer_by_a_task(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk))
            tasks: list[asyncio.Task[object]] = []

            def observer(machine: Chart[Any, Any], outcome: object) -> None:
                if not tasks:
                    tasks.append(asyncio.ensure_future(driver.run(printer.beep)))

            printer.observe(observer)
            driver.fire(printer.log, "x")
            assert isinstance(await tasks[0], Accepted)


class TestClose:
    async def test_it_cancels_what_runs_and_drops_what_waits(self, desk: Desk) -> None:
        journal = Journal()
        driver = Driver(journal=journal)
        printer = Printer()
        driver.add(printer, handlers_of(desk), label="printer")
        desk.gate(1)
        driver.fire(printer.page, 1)
        driver.fire(printer.page, 2)
        await settle()
        await driver.aclose()
        assert desk.done == ["begin 1"]
        assert [one.request for one in journal if isinstance(one, Dropped)] == ["Print", "Print"]
        with pytest.raises(DriverClosedError):
            driver.fire(printer.beep)
        with pytest.raises(DriverClosedError):
            driver.add(Printer(), handlers_of(desk))
        await driver.aclose()

    async def test_what_is_shielded_runs_to_its_end_and_its_result_is_an_event(self, desk: Desk) -> None:
        driver = Driver()
        printer = Printer()
        driver.add(printer, handlers_of(desk, print=Handler(desk.print, done="printed", shielded=True)))
        gate = desk.gate(1)
        driver.fire(printer.print, 1)
        await settle()
        closing = asyncio.create_task(driver.aclose())
        await settle()
        assert not closing.done()
        gate.set_result(None)
        await closing
        assert printer.state is IDLE
        assert desk.done == ["beep", "begin 1", "end 1"]  # the log, which isn't shielded, is dropped

    async def test_a_handler_may_close_its_driver(self, desk: Desk) -> None:
        driver = Driver()
        printer = Printer()

        async def closes(request: Print) -> None:
            await driver.aclose()

        driver.add(printer, handlers_of(desk, print=Handler(closes, shielded=True)))
        driver.fire(printer.page, 1)
        await settle()
        await driver.aclose()
        with pytest.raises(DriverClosedError):
            driver.fire(printer.beep)

    async def test_a_cancelled_closer_leaves_it_to_go_on(self, desk: Desk) -> None:
        driver = Driver()
        printer = Printer()
        driver.add(printer, handlers_of(desk, print=Handler(desk.print, shielded=True)))
        gate = desk.gate(1)
        driver.fire(printer.page, 1)
        await settle()
        closing = asyncio.create_task(driver.aclose())
        await settle()
        closing.cancel()
        await settle()
        gate.set_result(None)
        await driver.aclose()
        assert desk.done == ["begin 1", "end 1"]

    async def test_a_machine_that_is_removed_is_left_alone(self, desk: Desk) -> None:
        async with Driver() as driver:
            one, other = Printer(), Printer()
            for printer in (one, other):
                driver.add(printer, handlers_of(desk, print=Handler(desk.print, lane="paper")))
            desk.gate(1)
            driver.fire(one.page, 1)
            driver.fire(other.page, 2)
            await settle()
            driver.remove(one)
            await settle()
            assert desk.done == ["begin 1", "begin 2", "end 2"]
            with pytest.raises(DriverError, match="not run by this driver"):
                driver.fire(one.beep)
            driver.remove(one)

    async def test_no_task_is_left(self, desk: Desk) -> None:
        before = asyncio.all_tasks()
        driver = Driver()
        for pages in range(5):
            printer = Printer()
            driver.add(printer, handlers_of(desk, print=Handler(desk.print)))
            desk.gate(pages)
            driver.fire(printer.page, pages)
        await driver.aclose()
        assert asyncio.all_tasks() == before


class TestRefusals:
    async def test_a_request_without_handler(self) -> None:
        async with Driver() as driver:
            with pytest.raises(ChartError, match="nobody carries out Beep, which effect Beep asks for"):
                driver.add(Printer(), {Print: print, Log: print})

    async def test_a_result_that_is_no_trigger(self, desk: Desk) -> None:
        async with Driver() as driver:
            with pytest.raises(ChartError, match="done='finished', which is no trigger"):
                driver.add(Printer(), handlers_of(desk, print=Handler(desk.print, done="finished")))

    async def test_a_machine_twice(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk))
            with pytest.raises(DriverError, match="already"):
                driver.add(printer, handlers_of(desk))

    def test_without_a_loop(self, desk: Desk) -> None:
        driver = Driver()
        printer = Printer()
        driver.add(printer, handlers_of(desk))
        driver.fire(printer.beep)
        assert desk.done == ["beep"]
        with pytest.raises(DriverError, match="in a coroutine"):
            driver.clock()
        failures: list[HandlerFailure] = []
        driver = Driver(on_error=failures.append)
        driver.add(printer, handlers_of(desk, print=Handler(desk.print)))
        driver.fire(printer.page, 1)
        assert isinstance(failures[0].error, DriverError)


class TestUntil:
    async def test_it_waits_for_a_state(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk))
            gate = desk.gate(1)
            driver.fire(printer.print, 1)
            assert await driver.until(printer, PRINTING, JAMMED) is PRINTING
            waiting = asyncio.create_task(driver.until(printer, IDLE))
            await settle()
            assert not waiting.done()
            gate.set_result(None)
            assert await waiting is IDLE

    @pytest.mark.parametrize(("ends", "error"), [("remove", DriverError), ("aclose", DriverClosedError)])
    async def test_it_ends_with_the_machine_or_the_driver(self, desk: Desk, ends: str, error: type[Exception]) -> None:
        driver = Driver()
        printer = Printer()
        driver.add(printer, handlers_of(desk))
        waiting = asyncio.create_task(driver.until(printer, JAMMED))
        await settle()
        if ends == "remove":
            driver.remove(printer)
        else:
            await driver.aclose()
        with pytest.raises(error):
            await waiting
        assert printer._observers == ()

    async def test_who_is_cancelled_leaves_nothing(self, desk: Desk) -> None:
        async with Driver() as driver:
            printer = Printer()
            driver.add(printer, handlers_of(desk))
            waiting = asyncio.create_task(driver.until(printer, JAMMED))
            await settle()
            waiting.cancel()
            await settle()
            assert printer._observers == ()

"""Driver: owns machines, carries out what they ask for, and lets their timers fire.

    await driver.run(order.pay, 10) ─┐                    ┌─→ lane "bank":  Charge ── result ─→ order.charged
    driver.fire(order.cancel) ───────┼─→ machine ─→ requests ─→ lane "mail":  SendMail
    a timer that is due ─────────────┘                    └─→ …

What holds:

- A machine steps at once, where the event arrives; a machine in the midst of a step has its turn when that is done.
- All requests of a step are in their lanes, in order, before the first of them is carried out; see `lanes`.
- Only what is fired by the driver is acted on. Who fires a trigger by itself gets the requests, and they are its own.
- Each request is done, failed or dropped. What failed is an event (`Handler.failed`), the exception of `run`, or told
  to `on_error`; what is dropped stands in the journal.
- `aclose` cuts in: timers stop, what waits is dropped, what runs is cancelled; what is shielded runs to its end.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from fsm_rtc.driver.handlers import Handler, HandlerFailure, Handlers, handler_of, handlers_for
from fsm_rtc.driver.lanes import Ending, Job, Lane, Lanes, current_lane, running_loop
from fsm_rtc.driver.running import Running, would_wait_for_itself
from fsm_rtc.driver.timeouts import Timeouts, seconds_asleep
from fsm_rtc.engine import Accepted, Chart, Clock, Journal, Outcome, Queued
from fsm_rtc.errors import DriverClosedError, DriverError

__all__ = ["Driver"]

logger = logging.getLogger("fsm_rtc.driver")

RETRY_SECONDS = 1.0
"""A machine whose timer raises is ticked again so much later: it is due at once, and would raise again and again."""

Event = TypeVar("Event")
State = TypeVar("State", bound=StrEnum)


class Driver:
    """Runs machines on the event loop on which it is first used.

    Args:
        clock: the machines' clock; the loop's by default.
        on_error: is told what failed and nobody waited for; by default it is logged.
        journal: watches the machines that have a label, and holds what was dropped.
        asleep: for how many seconds the host has slept, since any time.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        on_error: Callable[[HandlerFailure], object] | None = None,
        journal: Journal | None = None,
        asleep: Callable[[], float] = seconds_asleep,
    ) -> None:
        self.clock: Clock = clock or self._loop_time
        self._on_error = on_error or _log
        self._journal = journal
        self._timeouts = Timeouts(self.clock, self._tick, self._stood_still, asleep)
        self._machines: dict[Chart[Any, Any], _OwnedMachine] = {}
        self._lanes = Lanes(self._ended)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._late: deque[tuple[Chart[Any, Any], str, object, int | None, Running | None]] = deque()
        self._closing: asyncio.Task[None] | None = None
        self._is_closed = False

    def add(
        self,
        machine: Chart[Any, Any],
        handlers: Mapping[type[Any], Handler | Callable[[Any], Any]],
        *,
        label: str = "",
    ) -> None:
        """Run a machine from now on.

        Args:
            machine: of one with timers, the clock must be the driver's: ``Order(context, clock=driver.clock)``.
            handlers: by the requests' class, what carries them out; a plain function stands for ``Handler(function)``.
            label: of the machine in the journal.

        Raises:
            ChartError: a request of its table has no handler.
            DriverError: it is run already.
            DriverClosedError: the driver is closed.
        """
        self._assert_usable()
        if not isinstance(machine, Chart):
            raise DriverError(f"{machine!r} is no machine; give an instance of a chart")
        if machine in self._machines:
            raise DriverError(f"{machine!r} is run by this driver already; remove it first")
        if machine._ticking is not None and machine._ticking.clock != self.clock:
            name = machine.chart.name
            raise DriverError(f"{machine!r} has another clock than its driver: {name}(…, clock=driver.clock)")
        if machine.next_timeout() is not None:
            running_loop()
        owned = _OwnedMachine(handlers_for(machine.chart, handlers), label)
        if self._journal is not None and label:
            owned.unwatch = self._journal.watch(machine, label)
        self._machines[machine] = owned
        self._timeouts.follow(machine)

    def remove(self, machine: Chart[Any, Any]) -> None:
        """Run a machine no longer; its requests are dropped or cancelled, unless they are shielded."""
        owned = self._machines.pop(machine, None)
        if owned is None:
            return
        self._timeouts.forget(machine)
        for lane in frozenset(owned.jobs.values()):
            lane.drop(lambda job: job in owned.jobs and not job.handler.shielded)
        if owned.unwatch is not None:
            owned.unwatch()
        error = self._closed_error() if self._closing is not None else DriverError(f"{machine!r} is run no longer")
        for reached in owned.waiting:
            if not reached.done():
                reached.set_exception(error)

    @overload
    def fire(self, trigger: Callable[[], Outcome], event: None = ..., *, generation: int | None = ...) -> Outcome: ...
    @overload
    def fire(self, trigger: Callable[[Event], Outcome], event: Event, *, generation: int | None = ...) -> Outcome: ...
    def fire(self, trigger: Any, event: Any = None, *, generation: int | None = None) -> Outcome:
        """Fire a trigger of a machine, and begin what it asks for.

        Args:
            trigger: of the machine: ``order.pay``.
            event: its payload.
            generation: as in `Chart.fire`.

        Returns:
            What became of it; `Queued` if the machine is in the midst of a step, as when an observer fires it.

        Raises:
            DriverError: the machine isn't run by this driver.
            DriverClosedError: the driver is closed.
        """
        return self._fire(*_machine_and_name(trigger), event, generation, None)

    @overload
    async def run(
        self, trigger: Callable[[], Outcome], event: None = ..., *, generation: int | None = ...
    ) -> Outcome: ...
    @overload
    async def run(
        self, trigger: Callable[[Event], Outcome], event: Event, *, generation: int | None = ...
    ) -> Outcome: ...
    async def run(self, trigger: Any, event: Any = None, *, generation: int | None = None) -> Outcome:
        """Fire a trigger, and wait until what it asks for is done; not for what follows from that.

        If the caller is cancelled, what waits is dropped and what runs is cancelled, unless it is shielded.

        Raises:
            Exception: that of the first handler that failed and has no `failed`.
            RequestDroppedError: a request isn't carried out: another cut in, or the machine or the driver is gone.
            DriverError: as `fire`; or a handler waits for its own lane, which would last for ever: the event was taken,
                and its requests are carried out behind the handler.
        """
        running = Running()
        self._fire(*_machine_and_name(trigger), event, generation, running)
        here = current_lane()
        if here is not None and would_wait_for_itself(here, running.lanes):
            running.unwatch()
            raise DriverError(
                f"a handler waits for {trigger.__name__}, whose requests wait for the handler's own lane, so it would "
                "never end; they are carried out behind it. Use fire, or another lane"
            )
        try:
            if here is not None:
                here.awaits |= running.lanes
            return await asyncio.shield(running.ended)
        except asyncio.CancelledError:
            running.leave()
            raise
        finally:
            if here is not None:
                here.awaits = frozenset()

    async def until(self, machine: Chart[State, Any], *states: State) -> State:
        """Wait until a machine is in one of these states, or in a final one if none is given; which one it is in.

        Raises:
            DriverError: the machine isn't run by this driver, or no longer; has no such state, or has ended elsewhere.
            DriverClosedError: the driver is closed, or closes meanwhile.
        """
        self._assert_usable()
        owned, table = self._owned(machine), machine.chart
        if unknown := [one for one in states if one not in table.states or type(one) is not type(table.initial)]:
            raise DriverError(f"{table.name} has no state {unknown[0]!r}; it has {', '.join(table.states)}")
        wanted = frozenset(states) or table.final
        if not wanted:
            raise DriverError(f"{table.name} has no final state; say which ones to wait for")
        reached = running_loop().create_future()

        def look(machine: Chart[Any, Any], outcome: object) -> None:
            if reached.done():
                return
            if machine.state in wanted:
                reached.set_result(machine.state)
            elif machine.is_final:
                reached.set_exception(DriverError(f"{machine!r} has ended, and never comes to what is waited for"))

        look(machine, None)

        stop = machine.observe(look)
        owned.waiting.append(reached)
        try:
            return await reached  # type: ignore[no-any-return]
        finally:
            stop()
            owned.waiting.remove(reached)

    def tick(self) -> None:
        """Let the timers fire that are due; the driver does by itself, this is for a clock that is set by hand."""
        self._timeouts.look(by_hand=True)

    async def aclose(self) -> None:
        """Stop the timers, drop what waits, cancel what runs, and wait for what is shielded. Idempotent.

        A caller who is cancelled leaves it to go on. A handler that calls this doesn't wait: it is waited for.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="fsm_rtc driver close")
        if current_lane() not in self._lanes.every():
            await asyncio.shield(self._closing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _close(self) -> None:
        self._timeouts.stop()
        while True:
            for lane in self._lanes.every():
                lane.drop(lambda job: not job.handler.shielded)
            if not (tasks := [lane.task for lane in self._lanes.every() if lane.task is not None]):
                break
            await asyncio.wait(tasks)
        self._is_closed = True
        for machine in tuple(self._machines):
            self.remove(machine)

    def _loop_time(self) -> float:
        return running_loop().time()

    # One event.

    def _fire(
        self, machine: Chart[Any, Any], trigger: str, event: object, generation: int | None, running: Running | None
    ) -> Outcome:
        self._assert_usable()
        owned = self._owned(machine)
        if machine.is_stepping:
            self._late.append((machine, trigger, event, generation, running))
            running_loop().call_soon(self._fire_late)
            return Queued(type(machine).__name__, trigger)
        outcome = machine.fire(trigger, event, generation=generation)
        self._carry_out(machine, owned, (outcome,), running)
        if running is not None:
            running.fired(outcome)
        return outcome

    def _fire_late(self) -> None:
        for _ in range(len(self._late)):  # what these lead to has its turn behind the loop's other work
            machine, trigger, event, generation, running = self._late.popleft()
            try:
                self._fire(machine, trigger, event, generation, running)
            except Exception as error:
                if running is None:
                    self._tell(machine, trigger, error)
                else:
                    running.refuse(error)

    def _tick(self, machine: Chart[Any, Any], now: float) -> None:
        owned = self._machines[machine]
        try:
            outcomes = machine.tick(now)
        except Exception as error:
            self._tell(machine, "timers", error)
            self._timeouts.follow(machine, now + RETRY_SECONDS)  # it is due again at once
        else:
            self._carry_out(machine, owned, outcomes, None)

    def _stood_still(self, machine: Chart[Any, Any], seconds: float, clock_ran: bool) -> None:
        try:
            machine.stood_still(seconds, clock_ran=clock_ran)
        except Exception as error:
            self._tell(machine, "timers", error)

    def _carry_out(
        self, machine: Chart[Any, Any], owned: _OwnedMachine, outcomes: tuple[Outcome, ...], running: Running | None
    ) -> None:
        """Put what is asked for into its lanes, then begin it. An observer may have removed the machine meanwhile."""
        handlers, is_run = owned.handlers, self._machines.get(machine) is owned
        if is_run:
            self._timeouts.follow(machine)
        lanes: dict[Lane, None] = {}
        for outcome in outcomes:
            for request in outcome.effects if isinstance(outcome, Accepted) else ():
                if request is None:
                    continue
                handler = handler_of(handlers, type(request))
                if handler is None:
                    error = DriverError(f"nobody carries out {type(request).__name__}; its effect said another class")
                    self._tell(machine, type(request).__name__, error)
                    continue
                job = Job(machine, request, handler, running, owned)
                if not handler.shielded and (self._closing is not None or not is_run):
                    self._drop(job)
                    continue
                lane = self._lane_of(machine, handler)
                owned.jobs[job] = lane
                if running is not None:
                    running.add(job, lane)
                lane.put(job)
                lanes[lane] = None
        for lane in lanes:
            self._lanes.begin(lane)

    def _lane_of(self, machine: Chart[Any, Any], handler: Handler) -> Lane:
        key: object = machine if handler.lane is None else handler.lane
        return self._lanes.get(key, f"fsm_rtc {handler.lane or machine.chart.name}")

    def _ended(self, job: Job, ending: Ending, result: Any) -> None:
        machine, handler, running = job.machine, job.handler, job.running
        job.owner.jobs.pop(job, None)
        is_own = self._machines.get(machine) is job.owner  # else it was removed meanwhile, and perhaps added again
        trigger = handler.done if ending is Ending.DONE else handler.failed
        if ending is Ending.DROPPED:
            self._drop(job)
        elif ending is Ending.FAILED and (trigger is None or not is_own):
            if running is None or not running.failed(result):
                self._tell(machine, job.name, result)
        elif trigger is not None and is_own:
            try:
                self._fire(machine, trigger, result, None, None)
            except Exception as error:
                self._tell(machine, trigger, error)
        if running is not None:
            running.remove(job)

    def _drop(self, job: Job) -> None:
        if job.running is not None:
            job.running.dropped(job)
        if self._journal is not None and job.owner.label:
            self._journal.drop(job.machine, job.owner.label, job.name)
        logger.debug("%r: %s is dropped", job.machine, job.name)

    def _tell(self, machine: Chart[Any, Any], what: str, error: Exception) -> None:
        """Tell of a failure that nobody waits for."""
        try:
            self._on_error(HandlerFailure(machine, what, error))
        except Exception:
            logger.exception("on_error raised on %s of %r", what, machine)

    def _owned(self, machine: Chart[Any, Any]) -> _OwnedMachine:
        if machine not in self._machines:
            raise DriverError(f"{machine!r} is not run by this driver; give it to add() first")
        return self._machines[machine]

    def _assert_usable(self) -> None:
        """Before anything moves: open, and on the loop on which it was used before."""
        if self._is_closed:
            raise self._closed_error()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if self._loop is None:
            self._loop = loop
        elif loop is not self._loop:
            raise DriverError(
                "this driver belongs to another event loop; make one for each, and from another thread use "
                "loop.call_soon_threadsafe(driver.fire, …)"
            )

    def _closed_error(self) -> DriverClosedError:
        return DriverClosedError("the driver is closed, and runs nothing any more; make another")


class _OwnedMachine:
    """What the driver has of a machine."""

    __slots__ = ("handlers", "jobs", "label", "unwatch", "waiting")

    def __init__(self, handlers: Handlers, label: str) -> None:
        self.handlers = handlers
        self.label = label
        self.jobs: dict[Job, Lane] = {}
        self.unwatch: Callable[[], None] | None = None
        self.waiting: list[asyncio.Future[Any]] = []


def _machine_and_name(trigger: Any) -> tuple[Chart[Any, Any], str]:
    machine = getattr(trigger, "__self__", None)
    if not isinstance(machine, Chart):
        raise DriverError(f"{trigger!r} is no trigger of a machine; give one as in driver.fire(order.pay, 10)")
    return machine, trigger.__name__


def _log(failure: HandlerFailure) -> None:
    logger.error("%r: %s failed", failure.machine, failure.what, exc_info=failure.error)

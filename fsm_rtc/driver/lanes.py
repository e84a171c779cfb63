"""Lanes: requests that are carried out one after the other.

What holds:

- The requests of a lane are begun in the order in which they came, each when the one before it has ended.
- A plain function in an empty lane is called in the turn in which the event came; nothing waits for the loop.
- What a handler fires is carried out behind it, not within it; so a chain of handlers is no deeper than one.
- Each request ends exactly once: done, failed or dropped. None is lost in silence.
- A lane that is empty has no task, and is let go.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, copy_context
from enum import Enum
from functools import partial
from typing import Any, Protocol

from fsm_rtc.driver.handlers import Handler
from fsm_rtc.engine import Chart
from fsm_rtc.errors import DriverError

__all__ = ["Ending", "Job", "Lane", "Lanes", "current_lane", "running_loop"]

TURN = 1_000
"""So many plain functions are called in one turn; then the loop's other work has its own."""

_HERE: ContextVar[tuple[Lane, Job] | None] = ContextVar("fsm_rtc_driver_lane", default=None)
"""In a handler's task, and in those that it makes: where it runs."""


class Ending(Enum):
    """What became of a request."""

    DONE = "done"
    FAILED = "failed"
    DROPPED = "dropped"


class Waiter(Protocol):
    """Who waits for what an event leads to; see `Running`."""

    def dropped(self, job: Job) -> None:
        """One of its requests wasn't carried out."""

    def failed(self, error: Exception) -> bool:
        """One failed; whether that will be raised where one waits."""

    def remove(self, job: Job) -> None:
        """One has ended."""


class Job:
    """One request on its way.

    Attributes:
        machine: the machine that asked.
        request: what it asks for.
        handler: what carries it out.
        running: who waits for it, or None.
        owner: what the driver has of the machine, in this run of it.
    """

    __slots__ = ("handler", "machine", "owner", "request", "running")

    def __init__(
        self, machine: Chart[Any, Any], request: object, handler: Handler, running: Waiter | None, owner: Any
    ) -> None:
        self.machine = machine
        self.owner = owner
        self.request = request
        self.handler = handler
        self.running = running

    @property
    def name(self) -> str:
        """The request's class."""
        return type(self.request).__name__


Ended = Callable[[Job, Ending, Any], None]
"""Called once for each request, with what became of it and the result or the exception."""


class Lane:
    """Requests in their order. `Lanes` makes it and begins what waits in it.

    Attributes:
        key: which lane it is.
        running: the request that is carried out, or None.
        awaits: the lanes for which what runs here waits.
    """

    def __init__(self, key: object, name: str, lanes: Lanes) -> None:
        self.key = key
        self.running: Job | None = None
        self.awaits: frozenset[Lane] = frozenset()
        self.task: asyncio.Task[Any] | None = None
        self._name = name
        self._lanes = lanes
        self._waiting: deque[Job] = deque()
        self._is_dropped = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing runs or waits."""
        return self.running is None and not self._waiting

    def put(self, job: Job) -> None:
        """Let a request wait its turn."""
        if job.handler.cuts_in:
            self.drop(lambda other: not other.handler.shielded)
        self._waiting.append(job)

    def drop(self, which: Callable[[Job], bool]) -> None:
        """Drop those requests of `which` that wait, and cancel the one that runs, if it is one of them."""
        waiting, self._waiting = self._waiting, deque()
        dropped: list[Job] = []
        for job in waiting:
            (dropped if which(job) else self._waiting).append(job)
        if self.running is not None and which(self.running) and self.task is not None:
            self._is_dropped = True
            self.task.cancel()
        for job in dropped:
            self._lanes.ended(job, Ending.DROPPED, None)
        self._lanes.let_go(self)

    def begin_next(self) -> bool:
        """Begin what waits, if nothing runs; whether there may be more to begin."""
        if self.running is not None or not self._waiting:
            return False
        job = self.running = self._waiting.popleft()
        try:
            result = job.handler.call(job.request)
            if inspect.isawaitable(result):
                self._await(job, result)
                return False
        except (Exception, asyncio.CancelledError) as error:
            self._end(job, Ending.FAILED, _as_failure(job, error))
        except BaseException:
            self._end(job, Ending.DROPPED, None)
            raise
        else:
            self._end(job, Ending.DONE, result)
        return bool(self._waiting)

    def _await(self, job: Job, result: Awaitable[Any]) -> None:
        coroutine = result if inspect.iscoroutine(result) else _wait_for(result)
        context = copy_context()
        context.run(_HERE.set, (self, job))
        try:
            loop = running_loop()
        except DriverError:
            coroutine.close()
            raise
        self._is_dropped = False
        self.task = loop.create_task(coroutine, name=f"{self._name}: {job.name}", context=context)
        # One that is cancelled before its first step never runs, so its end is noticed from without.
        self.task.add_done_callback(partial(self._awaited, job))

    def _awaited(self, job: Job, task: asyncio.Task[Any]) -> None:
        self.task = None
        if task.cancelled():
            # One that is cancelled from outside, by the end of the loop, say, is an event for a machine that wants to
            # know, as `SignalingClient` must end its events; nobody else wants an error of it.
            if self._is_dropped or (task.cancelling() and job.handler.failed is None):
                self._end(job, Ending.DROPPED, None)
            else:
                self._end(job, Ending.FAILED, _as_failure(job, asyncio.CancelledError()))
        elif (error := task.exception()) is not None:
            self._end(job, Ending.FAILED, error)
        else:
            self._end(job, Ending.DONE, task.result())
        self._lanes.begin(self)

    def _end(self, job: Job, ending: Ending, result: Any) -> None:
        self.running = None
        self.awaits = frozenset()
        try:
            self._lanes.ended(job, ending, result)
        finally:
            self._lanes.let_go(self)


class Lanes:
    """The lanes in which something runs or waits.

    Attributes:
        ended: called with each request that has ended.
    """

    def __init__(self, ended: Ended) -> None:
        self.ended = ended
        self._lanes: dict[object, Lane] = {}
        self._ready: deque[Lane] = deque()
        self._is_pumping = False

    def get(self, key: object, name: str) -> Lane:
        """The lane of this key, made if there is none."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key, name, self)
        return lane

    def every(self) -> tuple[Lane, ...]:
        """Those in which something runs or waits."""
        return tuple(self._lanes.values())

    def let_go(self, lane: Lane) -> None:
        """Forget a lane if it is empty."""
        if lane.is_empty and self._lanes.get(lane.key) is lane:
            del self._lanes[lane.key]

    def begin(self, lane: Lane) -> None:
        """Something waits in this lane: begin it; behind the handler that is just called, if one is."""
        self._ready.append(lane)
        if not self._is_pumping:
            self._pump()

    def _pump(self) -> None:
        self._is_pumping = True
        try:
            for _ in range(TURN):
                if not self._ready:
                    return
                lane = self._ready.popleft()
                if lane.begin_next():
                    self._ready.append(lane)  # the others have their turn before
        finally:
            self._is_pumping = False
        running_loop().call_soon(self._pump)


def current_lane() -> Lane | None:
    """The lane whose handler's task, or a task made by it, this is; None once that has ended."""
    here = _HERE.get()
    return here[0] if here is not None and here[0].running is here[1] else None


def running_loop() -> asyncio.AbstractEventLoop:
    """The event loop that runs.

    Raises:
        DriverError: none does.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise DriverError("a Driver works where the event loop runs: in a coroutine, or called by one") from None


def _as_failure(job: Job, error: BaseException) -> Exception:
    """A handler's exception; one that is cancelled by nobody but itself has failed too."""
    if isinstance(error, Exception):
        return error
    failure = DriverError(f"the handler of {job.name} was cancelled, and not by its driver; so it has failed")
    failure.__cause__ = error
    return failure


async def _wait_for(result: Awaitable[Any]) -> Any:
    return await result

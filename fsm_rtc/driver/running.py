"""One event that somebody waits for: the requests that it led to, and when all of them have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from fsm_rtc.driver.lanes import Job, Lane
from fsm_rtc.engine import Outcome
from fsm_rtc.errors import RequestDroppedError

__all__ = ["Running", "would_wait_for_itself"]


class Running:
    """The requests of one event, on their way.

    Attributes:
        ended: is done when the event was taken and all of its requests have ended; with the first exception of one that
            failed.
    """

    def __init__(self) -> None:
        self.ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._jobs: dict[Job, Lane] = {}
        self._outcome: Outcome | None = None
        self._error: Exception | None = None
        self._is_left = False

    @property
    def lanes(self) -> frozenset[Lane]:
        """Where the requests are that have not ended."""
        return frozenset(self._jobs.values())

    def add(self, job: Job, lane: Lane) -> None:
        """A request is in its lane."""
        self._jobs[job] = lane

    def fired(self, outcome: Outcome) -> None:
        """The event was taken, and all its requests are in their lanes."""
        self._outcome = outcome
        self._look()

    def dropped(self, job: Job) -> None:
        """One of the requests wasn't carried out."""
        self.failed(RequestDroppedError(f"{job.name} was dropped before it was done: its driver or its lane let it go"))

    def failed(self, error: Exception) -> bool:
        """Something failed; whether that will be raised where one waits."""
        if self._is_left or self._error is not None:
            return False
        self._error = error
        return True

    def remove(self, job: Job) -> None:
        """A request has ended."""
        self._jobs.pop(job, None)
        self._look()

    def unwatch(self) -> None:
        """Nobody waits any more, and all goes on; what fails is told elsewhere."""
        self._is_left = True

    def refuse(self, error: Exception) -> None:
        """The event could not be taken."""
        if not self.ended.done():
            self.ended.set_exception(error)

    def leave(self) -> None:
        """Nobody waits any more: what is not shielded is dropped."""
        self._is_left = True
        mine = dict(self._jobs)
        for lane in frozenset(mine.values()):
            lane.drop(lambda job: job in mine and not job.handler.shielded)

    def _look(self) -> None:
        if self._outcome is None or self._jobs or self.ended.done():
            return
        if self._error is not None:
            self.ended.set_exception(self._error)
        else:
            self.ended.set_result(self._outcome)


def would_wait_for_itself(waiting: Lane, lanes: Iterable[Lane]) -> bool:
    """Whether a handler that waits for these lanes would wait for its own, perhaps by way of others."""
    return any(lane is waiting for lane in _reached(lanes))


def _reached(lanes: Iterable[Lane]) -> Iterator[Lane]:
    seen: set[Lane] = set()
    todo = list(lanes)
    while todo:
        lane = todo.pop()
        if lane not in seen:
            seen.add(lane)
            yield lane
            todo.extend(lane.awaits)

"""The operations chain of one peer connection: one operation at a time, in the order in which they were asked for.

Source: webrtc-pc, #dfn-operations-chain. An operation runs in the chain's own task, so a caller who is cancelled leaves
nothing half done: an operation that had begun is carried to its end, one that still waited never begins.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

logger = logging.getLogger("fsm_rtc.peer")

T = TypeVar("T")


@dataclass(slots=True)
class _Waiting:
    """An operation whose turn has not come.

    Attributes:
        operation: what to call.
        result: what its caller waits for.
        rest: what it returned, if it was called already.
    """

    operation: Callable[[], Awaitable[Any]]
    result: asyncio.Future[Any]
    rest: Awaitable[Any] | None

    def begin(self) -> Awaitable[Any]:
        """What is left to do."""
        return self.rest if self.rest is not None else self.operation()

    def forget(self) -> None:
        """Never do it."""
        if isinstance(self.rest, Coroutine):
            self.rest.close()


class OperationsChain:
    """Runs operations one after the other.

    Args:
        on_empty: called when none is left.
    """

    def __init__(self, on_empty: Callable[[], object] = lambda: None) -> None:
        self._on_empty = on_empty
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None
        self._present: asyncio.Future[Any] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no operation is under way or waits."""
        return self._task is None

    async def run(self, operation: Callable[[], Awaitable[T]]) -> T:
        """The result of `operation`, once its turn has come and it is done.

        On an empty chain the operation is called before this suspends, so what it refuses is refused at the call.
        """
        rest = operation() if self.is_empty else None
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(operation, result, rest))
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="fsm_rtc operations chain")
        return await result

    def abandon(self, error: Exception) -> None:
        """Fail every caller with `error` now. The operation that has begun goes on; its result is ignored."""
        results = [waiting.result for waiting in self._waiting]
        self._forget_waiting()
        if self._present is not None:
            results.append(self._present)
        for result in results:
            if not result.done():
                result.set_exception(error)
                result.exception()

    async def settle(self, timeout_seconds: float) -> None:
        """Wait until the operation that has begun is over; cancel it if that takes too long."""
        task = self._task
        if task is None or task is asyncio.current_task():
            return
        done, _ = await asyncio.wait({task}, timeout=timeout_seconds)
        if not done:
            task.cancel()
            await asyncio.wait({task})

    async def _work(self) -> None:
        try:
            while self._waiting:
                waiting = self._waiting.popleft()
                result = waiting.result
                if result.done():
                    waiting.forget()
                    continue
                self._present = result
                try:
                    value = await waiting.begin()
                except asyncio.CancelledError:
                    result.cancel()
                    task = asyncio.current_task()
                    if task is not None and task.cancelling():
                        raise
                    # The library cancelled something inside; the chain goes on.
                except Exception as error:
                    if result.done():
                        logger.debug("an operation whose caller had gone failed: %s", error)
                    else:
                        result.set_exception(error)
                else:
                    if not result.done():
                        result.set_result(value)
        finally:
            for waiting in self._waiting:
                waiting.result.cancel()
            self._forget_waiting()
            if self._present is not None:
                self._present.cancel()
            self._present = None
            self._task = None
            self._on_empty()

    def _forget_waiting(self) -> None:
        for waiting in self._waiting:
            waiting.forget()
        self._waiting.clear()

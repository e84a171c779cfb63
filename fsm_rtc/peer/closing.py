"""What a close leaves to be done, and the tasks that an object waits for at its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator
from typing import Any

logger = logging.getLogger("fsm_rtc.peer")


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs in this thread, or None."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Closing:
    """What is left to do of a close; await it, or leave it to itself.

    Args:
        work: what to do, once.
        name: its task's name.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        self._work = work
        self._name = name
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Do it in a task, unless no loop runs, or it is being done."""
        if running_loop() is not None:
            self._begun()

    def __await__(self) -> Generator[Any, None, None]:
        # Shielded: a caller who is cancelled leaves the closing to go on.
        yield from asyncio.shield(self._begun()).__await__()

    def _begun(self) -> asyncio.Task[None]:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work(), name=self._name)
        return self._task


class Tasks:
    """Tasks that run beside their owner, which waits for them at its end.

    Args:
        failed: what is logged of one that raised, before its error.
        name: what they are called.
    """

    def __init__(self, failed: str, name: str | None = None) -> None:
        self._failed = failed
        self._name = name
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin a task."""
        task = asyncio.get_running_loop().create_task(work, name=self._name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def cancel(self) -> None:
        """Cancel those that run."""
        for task in self._running:
            task.cancel()

    async def wait(self) -> None:
        """Wait until none runs."""
        while self._running:
            await asyncio.wait(set(self._running))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.warning("%s: %s", self._failed, str(error) or type(error).__name__, exc_info=error)

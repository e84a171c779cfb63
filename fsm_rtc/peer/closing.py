"""What a method that may be called without a running loop leaves to be done on one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any

__all__ = ["Closing", "running_loop"]


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
        yield from asyncio.shield(self._begun()).__await__()

    def _begun(self) -> asyncio.Task[None]:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work(), name=self._name)
        return self._task

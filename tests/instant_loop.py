"""A loop on which waiting takes no time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

P = ParamSpec("P")


class InstantSelector(selectors.DefaultSelector):
    """Never waits: when nothing is to be done, the time at which there is something has come."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everybody waits, for ever"
        self.now += max(0.0, timeout)
        return super().select(0)


class InstantLoop(asyncio.SelectorEventLoop):
    """A loop whose time is its own, so that an example always goes the same way."""

    def __init__(self) -> None:
        self._clock = InstantSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now

    def stand_still(self, seconds: float) -> None:
        """Let time pass in which nothing is done."""
        self._clock.now += seconds


def instantly(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test that runs on such a loop."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=InstantLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run

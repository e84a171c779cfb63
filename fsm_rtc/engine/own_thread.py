"""Objects that belong to the thread of their event loop, and say so when another one calls.

A machine steps where its event arrives, synchronously; two threads at once would tear it. So what changes something
checks first where it is called, and changes nothing if that is elsewhere.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from fsm_rtc.errors import WrongThreadError

__all__ = ["OwnThread", "on_own_thread"]

P = ParamSpec("P")
R = TypeVar("R")


class OwnThread:
    """The thread of the loop that ran when an object was made, or, if none did, when it was first used."""

    __slots__ = ("_thread",)

    def __init__(self) -> None:
        self._thread = _loop_thread()

    def check(self, what: str) -> None:
        """Say so if this is another thread.

        Args:
            what: the method that was called.

        Raises:
            WrongThreadError: it is.
        """
        if self._thread is None:
            self._thread = _loop_thread()
        elif threading.get_ident() != self._thread:
            raise WrongThreadError(
                f"{what} was called on another thread than its event loop's, and nothing was done; from there use "
                f"loop.call_soon_threadsafe, or asyncio.run_coroutine_threadsafe"
            )


class _Owned(Protocol):
    _own_thread: OwnThread


O = TypeVar("O", bound=_Owned)  # noqa: E741


def on_own_thread(method: Callable[Concatenate[O, P], R]) -> Callable[Concatenate[O, P], R]:
    """A method that raises `WrongThreadError` on any other thread than that of its object's loop."""

    @wraps(method)
    def checked(self: O, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self._own_thread.check(method.__qualname__)
        return method(self, *args, **kwargs)

    return checked


def _loop_thread() -> int | None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return None
    return threading.get_ident()

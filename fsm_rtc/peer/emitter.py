"""Events to callbacks that can't hurt: one that raises is logged, the others are called all the same."""

from __future__ import annotations

import logging
from collections.abc import Callable

from fsm_rtc.engine import doors

logger = logging.getLogger("fsm_rtc.peer")

Callback = Callable[..., object]


class Emitter:
    """Named events, each with its callbacks in the order in which they came.

    Args:
        names: the events there are.
    """

    __slots__ = ("_callbacks",)

    def __init__(self, *names: str) -> None:
        self._callbacks: dict[str, tuple[Callback, ...]] = dict.fromkeys(names, ())

    def on(self, event: str, callback: Callback) -> Callable[[], None]:
        """Call `callback` at each `event` until the returned function is called.

        Raises:
            ValueError: there is no such event.
            TypeError: the callback is none, or a coroutine function; start a task in a plain function instead.
        """
        if event not in tuple(self._callbacks):
            raise ValueError(f"there is no event {event!r}; there are {', '.join(sorted(self._callbacks))}")
        doors.callback(callback, f"the callback for {event!r}")
        self._callbacks[event] = (*self._callbacks[event], callback)

        def unsubscribe() -> None:
            self._callbacks[event] = tuple(other for other in self._callbacks[event] if other is not callback)

        return unsubscribe

    def listens(self, event: str) -> bool:
        """Whether somebody wants this event."""
        return bool(self._callbacks[event])

    def emit(self, event: str, *arguments: object) -> None:
        """Call everybody who wants this event."""
        for callback in self._callbacks[event]:
            try:
                callback(*arguments)
            except Exception:
                logger.exception("the callback %r for %r raised", callback, event)

    def clear(self) -> None:
        """Forget every callback."""
        for event in self._callbacks:
            self._callbacks[event] = ()

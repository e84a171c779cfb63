"""Media tracks of a store: those it sends, and those that came."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from fsm_rtc.engine import doors
from fsm_rtc.errors import InvalidAccessError
from fsm_rtc.peer.arguments import kind_of

__all__ = ["Tracks"]

logger = logging.getLogger("fsm_rtc.connection")


class Tracks:
    """The library's own track objects, kept and handed on.

    Attributes:
        local: what each new connection sends.
        remote: what the other side sends on the present connection.
    """

    def __init__(self) -> None:
        self.local: list[Any] = []
        self.remote: tuple[Any, ...] = ()
        self._callbacks: tuple[Callable[[Any], object], ...] = ()

    def check(self, track: Any) -> None:
        """Refuse what can't be sent, or is sent already.

        Raises:
            TypeError: it is no track.
            InvalidAccessError: it was added before.
        """
        kind_of(track)
        if any(one is track for one in self.local):
            raise InvalidAccessError("this track is being sent already; add each track once")

    def to_send(self) -> list[Any]:
        """The local tracks that a new connection sends: those that haven't ended, which are forgotten."""
        self.local = [one for one in self.local if getattr(one, "readyState", "live") != "ended"]
        return self.local

    def came(self, track: Any) -> None:
        """The other side's track is there."""
        self.remote = (*self.remote, track)
        for callback in self._callbacks:
            _call(callback, track)

    def on_track(self, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call `callback` with each track, also those that are there, until the returned function is called."""
        doors.callback(callback, "this callback")

        def call(track: Any) -> None:
            callback(track)

        self._callbacks = (*self._callbacks, call)
        for track in self.remote:
            _call(call, track)

        def unsubscribe() -> None:
            self._callbacks = tuple(one for one in self._callbacks if one is not call)

        return unsubscribe

    def forget_remote(self) -> None:
        """The connection that they came on is over."""
        self.remote = ()

    def forget(self) -> None:
        """Forget the tracks of both sides; callbacks stay."""
        self.local.clear()
        self.forget_remote()


def _call(callback: Callable[[Any], object], track: Any) -> None:
    try:
        callback(track)
    except Exception:
        logger.exception("a callback for tracks raised")

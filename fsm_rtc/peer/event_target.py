"""Events as aiortc's users know them: ``@pc.on("track")``, ``pc.once``, ``pc.remove_listener``.

A handler may be a coroutine function.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from pyee.asyncio import AsyncIOEventEmitter

from fsm_rtc.engine import doors
from fsm_rtc.errors import SpecificationError
from fsm_rtc.peer.rtc_errors import BadArgumentError

__all__ = ["EventTarget"]

logger = logging.getLogger("fsm_rtc.peer")


class EventTarget(AsyncIOEventEmitter):
    """An emitter whose handlers can't hurt: one that raises is logged, the others are called all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.on("error", _log)

    def _add_event_handler(self, event: str, k: Callable[..., Any], v: Callable[..., Any]) -> None:
        # Where pyee's on, once, add_listener and their decorators meet; it takes anything, and fails when it is called.
        doors.text(event, "the event", BadArgumentError)
        doors.callback(k, f"the handler of {event!r}", may_wait=True)
        super()._add_event_handler(event, k, v)


def _log(error: object = None) -> None:
    if isinstance(error, BaseException) and not isinstance(error, SpecificationError):
        logger.error("a handler of an event raised", exc_info=error)

"""Events as aiortc's users know them: ``@pc.on("track")``, ``pc.once``, ``pc.remove_listener``.

A handler may be a coroutine function.
"""

from __future__ import annotations

import logging

from pyee.asyncio import AsyncIOEventEmitter

from fsm_rtc.errors import SpecificationError

__all__ = ["EventTarget"]

logger = logging.getLogger("fsm_rtc.peer")


class EventTarget(AsyncIOEventEmitter):
    """An emitter whose handlers can't hurt: one that raises is logged, the others are called all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.on("error", _log)


def _log(error: object = None) -> None:
    if isinstance(error, BaseException) and not isinstance(error, SpecificationError):
        logger.error("a handler of an event raised", exc_info=error)

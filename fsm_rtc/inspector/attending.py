"""One page on one socket, whichever front end it has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from enum import IntEnum
from typing import Any

from fsm_rtc.inspector.feed import Feed, Viewer

__all__ = ["CloseCode", "attend"]


class CloseCode(IntEnum):
    """With which close code a page is let go. Source: the IANA's registry of WebSocket close codes."""

    ENDED = 1001
    """There is no more to come."""
    REFUSED = 1008
    """It may not look."""
    CROWDED = 1013
    """There are as many pages as there may be."""


async def attend(feed: Feed, send: Callable[[str], Awaitable[None]], gone: Coroutine[Any, Any, None]) -> CloseCode:
    """Send a page what the feed tells, until the feed ends or the page is gone; and say how to let it go.

    Args:
        feed: what it looks at.
        send: sends one text; raises if the socket is gone, and waits while it is full.
        gone: returns when the socket is gone.
    """
    if feed.is_crowded:
        gone.close()
        return CloseCode.CROWDED
    async with feed.viewer() as viewer:
        tasks = {
            asyncio.create_task(_send_all(viewer, send), name="fsm_rtc inspector page"),
            asyncio.create_task(gone, name="fsm_rtc inspector page's end"),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return CloseCode.ENDED


async def _send_all(viewer: Viewer, send: Callable[[str], Awaitable[None]]) -> None:
    with suppress(Exception):  # servers say in ways of their own that the socket is gone
        async for text in viewer:
            await send(text)

"""One page on one socket, whichever front end it has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from fsm_rtc.inspector.feed import Feed, Viewer

__all__ = ["attend"]


async def attend(feed: Feed, send: Callable[[str], Awaitable[None]], gone: Coroutine[Any, Any, None]) -> None:
    """Send a page what the feed tells, until the feed ends or the page is gone.

    Args:
        feed: what it looks at.
        send: sends one text; raises if the socket is gone, and waits while it is full.
        gone: returns when the socket is gone.
    """
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


async def _send_all(viewer: Viewer, send: Callable[[str], Awaitable[None]]) -> None:
    with suppress(Exception):  # servers say in ways of their own that the socket is gone
        async for text in viewer:
            await send(text)

"""Requests on standard input, replies on standard output, one JSON object a line; see ../peer.py."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

MAX_LINE_BYTES = 1 << 24

__all__ = ["run", "serve"]


def run(do: Callable[..., Awaitable[Any]]) -> None:
    """Answer until the input ends, and end at once: aiortc's decoder threads outlive a connection that is open."""
    asyncio.run(serve(do))
    os._exit(0)


async def serve(do: Callable[..., Awaitable[Any]]) -> None:
    """Answer by ``do(operation, **details)`` until the input ends. Operations may take their time, side by side."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with asyncio.TaskGroup() as answering:
        async for line in reader:
            answering.create_task(_answer(do, answers, json.loads(line)))


async def _answer(do: Callable[..., Awaitable[Any]], answers: Any, asked: dict[str, Any]) -> None:
    number, operation = asked.pop("id"), asked.pop("do")
    try:
        reply = {"id": number, "value": await do(operation, **asked)}
    except Exception:
        reply = {"id": number, "error": traceback.format_exc()}
    print(json.dumps(reply), file=answers, flush=True)

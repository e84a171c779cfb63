"""A relay as bare aiortc's users write it: whatever one says, the others hear. ``_recovery_relay.py PORT``."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from websockets.asyncio.server import broadcast, serve

SOCKETS: set[Any] = set()


async def relay(socket: Any) -> None:
    SOCKETS.add(socket)
    try:
        async for text in socket:
            broadcast(SOCKETS - {socket}, text)
    finally:
        SOCKETS.discard(socket)


async def main() -> None:
    async with serve(relay, "0.0.0.0", int(sys.argv[1])) as server:
        await server.serve_forever()


asyncio.run(main())

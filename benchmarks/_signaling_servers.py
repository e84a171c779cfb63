"""The servers that benchmarks/signaling.py measures, each in a process of its own.

``_signaling_servers.py bare|ours|bounded`` prints the port that it listens on, and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from fsm_rtc.signaling import Limits, Settings, SignalingServer

BACKLOG = 4096


async def bare() -> None:
    """A relay without checks: two on the same path, each gets what the other sends."""
    rooms: dict[str, list[ServerConnection]] = {}

    async def relay(socket: ServerConnection) -> None:
        room = rooms.setdefault(socket.request.path, [])  # type: ignore[union-attr]
        room.append(socket)
        try:
            async for message in socket:
                for other in room:
                    if other is not socket:
                        await other.send(message)
        except ConnectionClosed:
            pass
        finally:
            room.remove(socket)
            if not room:
                del rooms[socket.request.path]  # type: ignore[union-attr]

    async with serve(relay, "127.0.0.1", 0, compression=None, backlog=BACKLOG) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


async def ours() -> None:
    """A `SignalingServer` whose bounds the load doesn't reach."""
    await serve_ours(Limits(messages_per_second=1e6, burst=1_000_000, connections_per_address=100_000, rooms=100_000))


async def bounded() -> None:
    """A `SignalingServer` that is attacked: the hostile clients go beyond these bounds, the honest ones don't."""
    await serve_ours(Limits(messages_per_second=200, burst=40, handshake_seconds=0.5, grace_seconds=0.1, members=100))


async def serve_ours(limits: Limits) -> None:
    """Serve until the process is ended."""
    async with SignalingServer(settings=Settings(limits=limits)) as server:
        print(server.port, flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run({"bare": bare, "ours": ours, "bounded": bounded}[sys.argv[1]]())

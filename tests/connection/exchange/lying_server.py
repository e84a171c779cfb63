"""A signalling server that lies: a proxy in front of the real one, which does with each frame what it likes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from fsm_rtc.messages import Hello, decode
from tests.connection.exchange.server_attacks import Liar

__all__ = ["LyingServer"]


class LyingServer:
    """A proxy: the clients' sockets on one side, the real server's on the other.

    Args:
        upstream: the real server's address.
        liar: what it lies about.
    """

    def __init__(self, upstream: str, liar: Liar) -> None:
        self._upstream = upstream
        self.liar = liar
        self.seen: list[str] = []
        self._clients: set[ServerConnection] = set()
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(self._serve, "127.0.0.1", 0, close_timeout=1)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def _serve(self, client: ServerConnection) -> None:
        assert client.request is not None
        self.liar.room = client.request.path.strip("/")
        self._clients.add(client)
        async with connect(f"{self._upstream}{client.request.path}", close_timeout=1) as server:
            tasks = {
                asyncio.create_task(self._pass_on(client, server)),
                asyncio.create_task(self._lie(server, client)),
            }
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._clients.discard(client)

    async def _pass_on(self, client: ServerConnection, server: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in client:
                message = decode(frame)
                if isinstance(message, Hello):
                    self.liar.newcomer = message.introduction
                    self.liar.names[message.introduction.id] = message.introduction.name
                await server.send(frame)

    async def _lie(self, server: ClientConnection, client: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in server:
                assert isinstance(text, str)
                self.seen.append(text)
                for frame in await self.liar.frames(text):
                    await client.send(frame)
                back, self.liar.back = self.liar.back, []
                for frame in back:
                    for other in self._clients - {client}:
                        await other.send(frame)

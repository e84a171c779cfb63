"""A TCP proxy that cuts what runs through it, as a network does: without a word to either side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

__all__ = ["CuttingProxy", "proxied"]


class CuttingProxy:
    """Carries bytes between clients and one server.

    Attributes:
        port: where it listens.
        cuts: how many connections it has cut.
    """

    def __init__(self, server_port: int) -> None:
        self.port = 0
        self.cuts = 0
        self._server_port = server_port
        self._pairs: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []

    def __len__(self) -> int:
        """How many connections run through it."""
        return len(self._pairs)

    def cut(self, random: Random) -> None:
        """Cut one connection, if there is any."""
        if self._pairs:
            self._abort(self._pairs[random.randrange(len(self._pairs))])
            self.cuts += 1

    def cut_all(self) -> None:
        """Cut every connection."""
        for pair in tuple(self._pairs):
            self._abort(pair)
            self.cuts += 1

    def _abort(self, pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
        if pair in self._pairs:
            self._pairs.remove(pair)
        for writer in pair:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one client's bytes, either way."""
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, there)
        self._pairs.append(pair)
        carrying = {asyncio.create_task(carry(reader, there)), asyncio.create_task(carry(there_reader, writer))}
        await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
        self._abort(pair)
        await asyncio.wait(carrying)


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def proxied(server_port: int) -> AsyncIterator[CuttingProxy]:
    """A proxy in front of a server on this host, while the block runs."""
    proxy = CuttingProxy(server_port)
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        proxy.cut_all()
        await listening.wait_closed()

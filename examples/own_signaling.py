"""Signalling of your own: here a plain TCP stream, a line a message. A message queue or HTTP would do as well.

python examples/own_signaling.py
"""

from __future__ import annotations

import asyncio

from fsm_rtc import Connection, Identity, PipeChannel
from fsm_rtc.connection import Ended

READY_SECONDS = 20.0
LONGEST_LINE_BYTES = 300_000


def channel_over(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> PipeChannel:
    """What a `Connection` needs of the stream: a way to send a text, and a way to receive the next one."""

    async def send(text: str) -> None:
        writer.write(text.encode() + b"\n")
        await writer.drain()

    async def receive() -> bytes | None:
        return (await reader.readline()).rstrip() or None

    return PipeChannel(send, receive, room="kitchen")


async def bob(stream: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Greet back whoever greets, until the other side leaves."""
    async with Connection(channel_over(*stream), Identity.generate(), name="bob") as call:
        events = call.events()
        greeting = await anext(call.messages())
        await call.send(f"{greeting!r} yourself")
        async for event in events:
            if isinstance(event, Ended):
                print("bob: the call ended:", event.reason)
                break


async def alice(stream: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Greet, hear the answer, leave."""
    async with Connection(channel_over(*stream), Identity.generate(), name="alice") as call:
        await call.wait_for_ready(READY_SECONDS)
        await call.send("Hello")
        print("alice heard:", await anext(call.messages()))


async def main() -> None:
    """Connect two streams and make a call over them."""
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    async with await asyncio.start_server(
        lambda *stream: accepted.put_nowait(stream), "127.0.0.1", 0, limit=LONGEST_LINE_BYTES
    ) as server:
        here = await asyncio.open_connection(*server.sockets[0].getsockname(), limit=LONGEST_LINE_BYTES)
        there = await accepted.get()
        await asyncio.gather(alice(here), bob(there))
        for _, writer in (here, there):
            writer.close()
            await writer.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())

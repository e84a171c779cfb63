"""A peer connection of any stack, ours too, in a process of its own: one language for all of them.

One JSON object a line, a request ``{"id": 1, "do": "track", "kind": "audio"}`` and its reply ``{"id": 1, "value": …}``
or ``{"id": 1, "error": "…"}``. In a browser the same is a call of the page's function ``peer``. A peer judges nothing.

=========  =======================  ====================================================================================
new        servers?, policy?        close the connection, if there is one, and make another
channel                             make a data channel; one that the other side made is taken alike
track      kind                     add a track with a stream and something to see or hear in it
offer      restart?                 make an offer, of an ICE restart if asked for, and apply it; the description
answer                              likewise
rollback                            take the offer back
apply      description              apply the other side's
send       text                     send on the channel
look                                what stands: see `Look`
close                               close the connection
=========  =======================  ====================================================================================

A description is ``{"type": …, "sdp": …}`` with all candidates in it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from tests.end_to_end.browser_driver import Page

HANG_SECONDS = 45.0
"""Whoever waits longer than that waits for what doesn't come."""
LOOK_SECONDS = 0.05
MAX_LINE_BYTES = 1 << 24
ROOT = Path(__file__).parents[2]

Description = dict[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """What stands with a peer.

    Attributes:
        connection, signaling: the connection's states.
        channel: the channel's state; None without one.
        heard: the messages that have come, in order.
        received: by kind, for each remote track: how much has come. Of video the decoded frames, of audio the packets
            or decoded frames; from a stack without codecs packets in either case.
        pair: the ICE pair in use; ours tells it.
    """

    connection: str
    signaling: str
    channel: str | None
    heard: list[str]
    received: dict[str, list[int]]
    pair: str | None = None


class Transport(Protocol):
    """How a peer is asked."""

    async def ask(self, operation: str, **details: Any) -> Any: ...


class Peer:
    """A peer connection.

    Args:
        name: what it is called in failures.
        transport: how it is asked.
    """

    def __init__(self, name: str, transport: Transport) -> None:
        self.name = name
        self._transport = transport

    async def do(self, operation: str, **details: Any) -> Any:
        """Let it do something; what comes of it."""
        try:
            async with asyncio.timeout(HANG_SECONDS):
                return await self._transport.ask(operation, **details)
        except Exception as failed:
            failed.add_note(f"{self.name} was to do {operation} {str(details)[:200]}")
            raise

    async def look(self) -> Look:
        """What stands with it now."""
        return Look(**await self.do("look"))

    async def until(self, holds: Callable[[Look], bool]) -> Look:
        """Look until it holds; what was seen then."""
        look = await self.look()
        try:
            async with asyncio.timeout(HANG_SECONDS):
                while not holds(look):
                    await asyncio.sleep(LOOK_SECONDS)
                    look = await self.look()
        except TimeoutError as never:
            never.add_note(f"{self.name} was seen last: {look}")
            raise
        return look


async def exchange(offerer: Peer, answerer: Peer, *, restart: bool = False) -> tuple[Description, Description]:
    """An offer and its answer."""
    offer = await offerer.do("offer", restart=restart)
    await answerer.do("apply", description=offer)
    answer = await answerer.do("answer")
    await offerer.do("apply", description=answer)
    return offer, answer


class ProcessPeer:
    """A program that is asked on its standard input."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, command: Sequence[str], errors: Path) -> Self:
        """Start it; what it says on standard error goes to a file."""
        with errors.open("ab") as told:
            return cls(
                await asyncio.create_subprocess_exec(
                    *command, stdin=PIPE, stdout=PIPE, stderr=told, limit=MAX_LINE_BYTES, cwd=ROOT
                )
            )

    async def ask(self, operation: str, **details: Any) -> Any:
        assert self._process.stdin is not None
        number = next(self._numbers)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"id": number, "do": operation, **details}).encode() + b"\n")
        told = await reply
        if "error" in told:
            raise RuntimeError(told["error"])
        return told["value"]

    async def end(self) -> None:
        """End its input, and so it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(HANG_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            reply = self._replies.pop(told["id"])
            if not reply.done():
                reply.set_result(told)
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(RuntimeError("the program has ended"))


class PagePeer:
    """A page that is asked by its function ``peer``."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def ask(self, operation: str, **details: Any) -> Any:
        return await self._page.evaluate(f"peer({json.dumps({'do': operation, **details})})")

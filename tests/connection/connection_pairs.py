"""Pairs of connections in memory, over a channel that does what a test tells it to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fsm_rtc.connection.channel import LinkDown, LinkUp, SignalingEvent
from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.pipe import PipeChannel, memory_pipe
from fsm_rtc.errors import LinkDownError
from fsm_rtc.messages import Identity, Member
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.testing import FakeNetwork, FakePeerConnection

LIMIT_SECONDS = 60.0

REPEATED = ("taken_once", "closed")
"""By these a message is refused that is said again, since its acknowledgement took longer than a second: on a busy
machine that is no sign of anything."""

FIRST, SECOND = sorted((Identity.generate(), Identity.generate()), key=lambda one: one.id)
"""Two keys; the first one's side is polite."""


def refused_by(*calls: Any) -> Counter[str]:
    """What these refused, but for what was only said again."""
    every = sum((call.refused for call in calls), Counter[str]())
    return Counter({why: times for why, times in every.items() if why not in REPEATED})


class Tap:
    """A channel in front of another, with a tap: its link goes down and up, and it can fail.

    Args:
        inner: the channel behind it.
    """

    def __init__(self, inner: PipeChannel) -> None:
        self._inner = inner
        self._told: asyncio.Queue[SignalingEvent | Exception | None] = asyncio.Queue()
        self._is_up = True
        self.refuses: Exception | None = None
        self.refused = asyncio.Event()
        self.is_closed = False
        self._reading: asyncio.Task[None] | None = None

    @property
    def room(self) -> str:
        return self._inner.room

    async def open(self, me: Member) -> None:
        if self.refuses is not None:
            raise self.refuses
        await self._inner.open(me)

        async def read() -> None:
            async for event in self._inner.events():
                if self._is_up:
                    self._told.put_nowait(event)

        self._reading = asyncio.create_task(read())

    async def send(self, text: str) -> None:
        if not self._is_up:
            raise LinkDownError("down")
        if self.refuses is not None:
            self.refused.set()
            raise self.refuses
        await self._inner.send(text)

    async def events(self) -> AsyncIterator[SignalingEvent]:
        while (event := await self._told.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    async def aclose(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            await self._inner.aclose()
            if self._reading is not None:
                self._reading.cancel()
            self._told.put_nowait(None)

    def tell(self, event: SignalingEvent) -> None:
        """This happens."""
        self._told.put_nowait(event)

    def down(self, error: Exception | None = None, retry_seconds: float | None = 1.0) -> None:
        """The link is lost: what comes is lost too."""
        self._is_up = False
        self._told.put_nowait(LinkDown(error, retry_seconds))

    def up(self) -> None:
        """The link stands again."""
        self._is_up = True
        self._told.put_nowait(LinkUp())

    def fail(self, error: Exception) -> None:
        """Raise out of events."""
        self._told.put_nowait(error)


def connection(
    channel: Tap | PipeChannel, identity: Identity | None, network: FakeNetwork, **options: Any
) -> Connection:
    return Connection(
        channel,
        identity,
        configuration=Configuration(close_timeout_seconds=0.02),
        peer_connection_factory=partial(FakePeerConnection, network=network),
        **options,
    )


@asynccontextmanager
async def pair(*, signed: bool = True, **options: Any) -> AsyncIterator[tuple[Connection, Connection, Tap, Tap]]:
    """The polite and the impolite side, opened, and their channels."""
    network = FakeNetwork()
    taps = [Tap(channel) for channel in memory_pipe("kitchen")]
    keys = (FIRST, SECOND) if signed else (None, None)
    async with asyncio.timeout(LIMIT_SECONDS):
        async with (
            connection(taps[0], keys[0], network, name="alice", label="alice", **options) as polite,
            connection(taps[1], keys[1], network, name="bob", label="bob", **options) as impolite,
        ):
            yield polite, impolite, taps[0], taps[1]


async def ready(*calls: Connection) -> None:
    await asyncio.gather(*(call.wait_for_ready(LIMIT_SECONDS) for call in calls))

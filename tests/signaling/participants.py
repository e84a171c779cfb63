"""Who takes part in these tests: members with keys, a client of bare frames, servers that lie."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from fsm_rtc.connection.channel import LinkDown
from fsm_rtc.errors import SignalingError
from fsm_rtc.messages.identity import Identity
from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import (
    PROTOCOL,
    Challenge,
    Error,
    ErrorCode,
    Hello,
    MemberLeft,
    Message,
    Offer,
    Welcome,
    decode,
    encode,
)
from fsm_rtc.signaling.backoff import Backoff
from fsm_rtc.signaling.client import WebSocketSignaling
from fsm_rtc.signaling.limits import CLOSE_CODES, Limits
from fsm_rtc.signaling.server import SignalingServer
from fsm_rtc.signaling.service import Settings

ROOM = "kitchen"

PATIENCE_SECONDS = 60
"""A hang guard: what is awaited comes at once, or the test fails."""

E = TypeVar("E")

ANNA, BERT, CARL = (Identity.generate() for _ in range(3))


def offer(sender: Member, recipient: Member, payload: str = "v=0", sequence: int = 1) -> str:
    """A signed offer, as text."""
    message = Offer(
        room=sender.room,
        sender=sender.introduction.id,
        recipient=recipient.introduction.id,
        sender_session=sender.introduction.session,
        recipient_session=recipient.introduction.session,
        sequence=sequence,
        offer_id="o1",
        payload=payload,
        signature=b"",
    )
    return encode(sender.sign(message))


def hello_of(me: Member, nonce: bytes, **changes: object) -> str:
    """An answer to a challenge, right but for these fields."""
    hello = Hello(protocol=PROTOCOL, room=me.room, introduction=me.introduction, proof=me.prove(nonce))
    return encode(msgspec.structs.replace(hello, **changes))


def refusal(code: ErrorCode) -> tuple[str, int, str]:
    """What `Bare.end` gives for a refusal."""
    return code.value, CLOSE_CODES[code], code.value


class Bare:
    """A client that sends what it is told to, right or wrong."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def receive(self) -> Message:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return decode(await self.socket.recv())

    async def challenge(self) -> Challenge:
        message = await self.receive()
        assert isinstance(message, Challenge)
        return message

    async def send(self, frame: str | bytes) -> None:
        await self.socket.send(frame)

    async def hello(self, me: Member, room: str = ROOM) -> None:
        nonce = (await self.challenge()).nonce
        await self.send(
            encode(Hello(protocol=PROTOCOL, room=room, introduction=me.introduction, proof=me.prove(nonce)))
        )

    async def joined(self, me: Member) -> Welcome:
        await self.hello(me)
        message = await self.receive()
        assert isinstance(message, Welcome), message
        return message

    async def error(self) -> ErrorCode:
        """Read to the next error: its code."""
        while not isinstance(message := await self.receive(), Error):
            pass
        return message.code

    async def left(self) -> MemberLeft:
        """Read to the next one who left."""
        while not isinstance(message := await self.receive(), MemberLeft):
            pass
        return message

    async def end(self) -> tuple[str | None, int, str]:
        """Read to the end: the last error's code, the close code and its reason."""
        code: str | None = None
        while True:
            try:
                message = await self.receive()
            except ConnectionClosed:
                return code, self.socket.close_code or 0, self.socket.close_reason or ""
            if isinstance(message, Error):
                code = message.code.value


@asynccontextmanager
async def bare(server: SignalingServer, path: str = ROOM) -> AsyncIterator[Bare]:
    async with connect(f"{server.url}/{quote(path)}", close_timeout=1, max_size=None) as socket:
        yield Bare(socket)


@asynccontextmanager
async def scripted(handler: Callable[[ServerConnection], Awaitable[object]], port: int = 0) -> AsyncIterator[str]:
    """A server that does what a script says; the URL of a room on it."""

    async def handle(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await handler(socket)

    async with serve(handle, "127.0.0.1", port, close_timeout=1) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/{ROOM}"


async def welcome(socket: ServerConnection) -> Hello:
    """The handshake of a server that believes everything."""
    await socket.send(encode(Challenge(protocol=PROTOCOL, nonce=os.urandom(32))))
    hello = decode(await socket.recv())
    assert isinstance(hello, Hello)
    await socket.send(encode(Welcome(members=())))
    return hello


def server_of(**limits: float) -> SignalingServer:
    """A server with these limits."""
    return SignalingServer(settings=Settings(limits=Limits(**limits)))  # type: ignore[arg-type] # some are counts


def quick() -> Backoff:
    """A backoff that doesn't wait."""
    return Backoff(uniform=lambda low, high: 0.0)


@asynccontextmanager
async def joining(url: str, me: Member, backoff: Backoff | None = None) -> AsyncIterator[WebSocketSignaling]:
    """A channel that is open, until the block ends."""
    channel = WebSocketSignaling(url, backoff=backoff or quick())
    await channel.open(me)
    try:
        yield channel
    finally:
        await channel.aclose()


async def following(channel: WebSocketSignaling, kind: type[E]) -> E:
    """The channel's next event, which is of this kind."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        event = await anext(channel.events())
    assert isinstance(event, kind), event
    return event


def room_of(server: SignalingServer, room: str = ROOM) -> str:
    """The address of a room on a server."""
    return f"{server.url}/{room}"


async def code_of(channel: WebSocketSignaling) -> tuple[str | None, float | None]:
    """The code and the retry of the link's loss, which is the next event."""
    down = await following(channel, LinkDown)
    assert isinstance(down.error, SignalingError)
    return down.error.code, down.retry_seconds


async def remaining(channel: WebSocketSignaling) -> list[object]:
    """The channel's events until their end."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [event async for event in channel.events()]


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for what the server tells nobody."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.001)


def open_sockets() -> set[str]:
    """The process' open sockets."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            target = str(descriptor.readlink())
            if target.startswith("socket:"):
                found.add(target)
    return found

"""Clients that mean harm, in a process of their own: ``python -m tests.signaling.hostile_clients PORT``.

For each line ``COUNT AT_ONCE`` of its input it makes so many attacks, so many at once, and prints how often each kind
was made, as JSON. They come from 127.0.0.2, so that the bounds of one address are not those of honest clients.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from fsm_rtc.messages.identity import Identity
from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import PROTOCOL, Challenge, DeliveriesReceived, Hello, decode, encode
from tests.signaling.participants import hello_of, offer

__all__ = ["ATTACKS", "SLOW"]

ADDRESS = "127.0.0.2"
PATIENCE_SECONDS = 10
FLOOD = 200
ROOM = "kitchen"
CARL, DORA = Member(ROOM, Identity.generate()), Member(ROOM, Identity.generate())

Attack = Callable[[int, Random], Awaitable[None]]
ATTACKS: dict[str, Attack] = {}


def attack(one: Attack) -> Attack:
    ATTACKS[one.__name__] = one
    return one


async def raw(port: int, *pieces: bytes, reads: bool = True) -> None:
    """Send bytes over TCP, and cut the connection or read to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(ADDRESS, 0))
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if reads:
            await reader.read()
    finally:
        writer.transport.abort()


def socket_to(port: int, path: str = ROOM) -> Any:
    return connect(
        f"ws://127.0.0.1:{port}/{path}",
        local_addr=(ADDRESS, 0),
        compression=None,
        close_timeout=0.1,
        proxy=None,
        max_size=None,
    )


async def after_challenge(port: int, *frames: str | bytes, path: str = ROOM) -> None:
    """Send frames instead of a hello, and read to the end."""
    async with socket_to(port, path) as socket:
        await socket.recv()
        for frame in frames:
            await socket.send(frame)
        async for _ in socket:
            pass


async def joined(socket: ClientConnection, me: Member, **changes: Any) -> None:
    challenge = decode(await socket.recv())
    assert isinstance(challenge, Challenge)
    await socket.send(hello_of(me, challenge.nonce, **changes))
    await socket.recv()


async def after_welcome(port: int, *frames: str | bytes) -> None:
    """Join a room of one's own, and send frames."""
    me = Member(ROOM, Identity.generate())
    async with socket_to(port) as socket:
        await joined(socket, me)
        for frame in frames:
            await socket.send(frame)
        async for _ in socket:
            pass


@attack
async def half_open(port: int, random: Random) -> None:
    await raw(port, reads=False)


@attack
async def cut_in_the_request(port: int, random: Random) -> None:
    await raw(port, b"GET /kitchen HTTP/1.1\r\nHost: x\r\nUpg", reads=False)


@attack
async def no_http(port: int, random: Random) -> None:
    await raw(port, random.randbytes(200) + b"\r\n\r\n")


async def endless_header(port: int, random: Random) -> None:
    with suppress(OSError):
        await raw(port, b"GET / HTTP/1.1\r\n", *(b"x" * 8000 + b": y\r\n" for _ in range(20)))


async def dribbles_its_request(port: int, random: Random) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(ADDRESS, 0))
    try:
        for byte in b"GET /kitchen HTTP/1.1\r\n" * 1000:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0.01)
    finally:
        writer.transport.abort()


async def says_nothing(port: int, random: Random) -> None:
    await after_challenge(port)


SLOW = {one.__name__: one for one in (endless_header, dribbles_its_request, says_nothing)}
"""They last as long as the server bears them."""

SLOW_EVERY = 50


@attack
async def no_websocket(port: int, random: Random) -> None:
    await raw(port, b"GET /kitchen HTTP/1.1\r\nHost: x\r\n\r\n")


@attack
async def vanishes_before_hello(port: int, random: Random) -> None:
    async with socket_to(port) as socket:
        await socket.recv()
        socket.transport.abort()


@attack
async def garbage_for_hello(port: int, random: Random) -> None:
    await after_challenge(port, random.choice(["", "{}", "[]", "null", "x" * 1000, '{"type":"hello"}', "[" * 1000]))


@attack
async def binary_hello(port: int, random: Random) -> None:
    await after_challenge(port, random.randbytes(100))


@attack
async def oversized_hello(port: int, random: Random) -> None:
    await after_challenge(port, "x" * 300_000)


@attack
async def proof_of_another_challenge(port: int, random: Random) -> None:
    await after_challenge(port, hello_of(CARL, os.urandom(32)))


@attack
async def proof_of_another_key(port: int, random: Random) -> None:
    async with socket_to(port) as socket:
        nonce = decode(await socket.recv()).nonce  # type: ignore[union-attr]
        await socket.send(hello_of(CARL, nonce, proof=DORA.prove(nonce)))
        async for _ in socket:
            pass


@attack
async def no_key(port: int, random: Random) -> None:
    nobody = Member(ROOM)
    hello = Hello(protocol=PROTOCOL, room=ROOM, introduction=nobody.introduction, proof=b"")
    await after_challenge(port, encode(hello))


@attack
async def another_room(port: int, random: Random) -> None:
    await after_challenge(port, hello_of(CARL, os.urandom(32)), path="parlour")


@attack
async def huge_token(port: int, random: Random) -> None:
    await after_challenge(port, hello_of(CARL, os.urandom(32), token="x" * 4096))


@attack
async def resumes_what_never_was(port: int, random: Random) -> None:
    me = Member(ROOM, Identity.generate())
    async with socket_to(port) as socket:
        await joined(socket, me, resume=random.choice([0, 1, 10**9, 2**53 - 1]))


@attack
async def lies_about_what_it_received(port: int, random: Random) -> None:
    await after_welcome(port, encode(DeliveriesReceived(random.choice([2**53 - 1, 10_000]))))


@attack
async def speaks_for_another(port: int, random: Random) -> None:
    await after_welcome(port, offer(DORA, CARL))


@attack
async def floods(port: int, random: Random) -> None:
    me = Member(ROOM, Identity.generate())
    async with socket_to(port) as socket:
        await joined(socket, me)
        text = offer(me, CARL)
        for _ in range(FLOOD):
            await socket.send(text)
        async for _ in socket:
            pass


@attack
async def repeats_what_it_received(port: int, random: Random) -> None:
    await after_welcome(port, *([encode(DeliveriesReceived(0))] * FLOOD))


@attack
async def vanishes_in_the_room(port: int, random: Random) -> None:
    me = Member(ROOM, Identity.generate())
    async with socket_to(port) as socket:
        await joined(socket, me)
        socket.transport.abort()


async def one(number: int, port: int, random: Random, made: Counter[str]) -> None:
    slow, turn = (True, number // SLOW_EVERY) if number % SLOW_EVERY == 0 else (False, number)
    kinds = SLOW if slow else ATTACKS
    name = list(kinds)[turn % len(kinds)]
    with suppress(OSError, EOFError, WebSocketException):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await kinds[name](port, random)
    made[name] += 1


async def run(port: int) -> None:
    random = Random(0)
    while line := await asyncio.to_thread(sys.stdin.readline):
        count, at_once = map(int, line.split())
        numbers, made = iter(range(count)), Counter[str]()

        async def some(numbers: Any = numbers, made: Counter[str] = made) -> None:
            for number in numbers:
                await one(number, port, random, made)

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(some())
        print(json.dumps(made), flush=True)


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1])))

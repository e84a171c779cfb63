"""The load of benchmarks/signaling.py, in a process of its own: ``_signaling_load.py KIND PORT CLIENTS``.

It connects so many clients, in pairs, and prints ``ready``. For each number that it then reads it sends so many
messages, half each way, with a bounded window between each two, and prints ``done`` when all have arrived.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import broadcast

from fsm_rtc.messages.identity import Identity
from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import PROTOCOL, Challenge, DeliveriesReceived, Hello, Offer, Welcome, decode, encode

WINDOW = 16
ACKNOWLEDGE_EVERY = 32
PAYLOAD = "x" * 1000
CONNECTS_AT_ONCE = 50


@dataclass(eq=False)
class Client:
    """One end of a pair.

    Attributes:
        text: what it sends.
        is_load: whether a frame is one of those that are counted.
    """

    socket: ClientConnection
    text: str
    is_load: Callable[[str], bool]
    received: int = 0
    sent: int = 0


Connect = Callable[[int, int], Awaitable[tuple[Client, Client]]]


def socket_to(url: str) -> connect:
    return connect(url, compression=None, ping_interval=None, max_size=None, proxy=None, open_timeout=60)


async def bare(port: int, number: int) -> tuple[Client, Client]:
    first, second = [await socket_to(f"ws://127.0.0.1:{port}/room{number}") for _ in range(2)]
    text = encode(offer(Member(f"room{number}"), Member(f"room{number}")))
    return Client(first, text, lambda _: True), Client(second, text, lambda _: True)


async def ours(port: int, number: int) -> tuple[Client, Client]:
    members = [Member(f"room{number}", Identity.generate()) for _ in range(2)]
    sockets = []
    for member in members:
        socket = await socket_to(f"ws://127.0.0.1:{port}/room{number}")
        challenge = decode(await socket.recv())
        assert isinstance(challenge, Challenge)
        hello = Hello(PROTOCOL, member.room, member.introduction, member.prove(challenge.nonce))
        await socket.send(encode(hello))
        assert isinstance(decode(await socket.recv()), Welcome)
        sockets.append(socket)
    await sockets[0].recv()  # that the second joined
    texts = [encode(one.sign(offer(one, other))) for one, other in (members, members[::-1])]
    first, second = (
        Client(socket, text, lambda frame: frame.startswith('{"type":"offer"'))
        for socket, text in zip(sockets, texts, strict=True)
    )
    return first, second


async def peer_server(port: int, number: int) -> tuple[Client, Client]:
    names = f"a{number}", f"b{number}"
    clients = []
    for name, other in (names, names[::-1]):
        url = f"ws://127.0.0.1:{port}/peerjs?key=peerjs&id={name}&token=t&version=1.5.4"
        socket = await socket_to(url)
        assert json.loads(await socket.recv())["type"] == "OPEN"
        text = json.dumps({"type": "OFFER", "dst": other, "payload": {"sdp": PAYLOAD + "y" * 400}})
        clients.append(Client(socket, text, lambda frame: '"OFFER"' in frame))
    return clients[0], clients[1]


def offer(sender: Member, recipient: Member) -> Offer:
    mine, theirs = sender.introduction, recipient.introduction
    return Offer(sender.room, mine.id, theirs.id, mine.session, theirs.session, 1, "", PAYLOAD, b"")


async def read(client: Client, moved: asyncio.Event, *, acknowledges: bool) -> None:
    while True:
        frame = await client.socket.recv()
        if client.is_load(frame):  # type: ignore[arg-type]
            client.received += 1
            moved.set()
            if acknowledges and client.received % ACKNOWLEDGE_EVERY == 0:
                broadcast((client.socket,), encode(DeliveriesReceived(client.received)))


async def send(client: Client, other: Client, messages: int, moved: asyncio.Event) -> None:
    last = client.sent + messages
    while client.sent < last:
        while client.sent - other.received >= WINDOW:
            moved.clear()
            await moved.wait()
        client.sent += 1
        await client.socket.send(client.text)
    while other.received < last:
        moved.clear()
        await moved.wait()


KINDS: dict[str, Connect] = {"bare": bare, "ours": ours, "peer": peer_server}


async def run(kind: str, port: int, clients: int) -> None:
    pairs: list[tuple[Client, Client]] = []
    for begin in range(0, clients // 2, CONNECTS_AT_ONCE):
        numbers = range(begin, min(begin + CONNECTS_AT_ONCE, clients // 2))
        pairs += await asyncio.gather(*(KINDS[kind](port, number) for number in numbers))
    reading = []
    ways = []
    for first, second in pairs:
        for client, other in ((first, second), (second, first)):
            moved = asyncio.Event()
            reading.append(asyncio.create_task(read(other, moved, acknowledges=kind == "ours")))
            ways.append((client, other, moved))
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        each = int(line) // len(ways)
        await asyncio.gather(*(send(client, other, each, moved) for client, other, moved in ways))
        print("done", flush=True)
    for task in reading:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))

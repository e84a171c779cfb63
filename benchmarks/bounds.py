"""What attacks on a signalling server's bounds cost it: ``python benchmarks/bounds.py [--json] [--quick]``.

Each attack is made with so much effort, and with four times as much, on a server's process of its own. Measured is what
the server's memory grew by at its highest, which has to stay flat, and its processor time, which may grow as the effort
does and no faster: the exponent between the two is shown as the ratio.

The attackers are bare sockets: pings that nobody asked for, before the hello and behind it; a message in pieces without
end; long messages to a member that reads nothing; and members who come and go while another is away.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from _harness import Result, arguments, finish
from signaling import Server, python_server

from fsm_rtc.messages import Identity, Member
from fsm_rtc.messages.wire import decode
from tests.signaling.participants import offer
from tests.signaling.raw_frames import CONTINUATION, PING, TEXT, RawSocket, frame, raw_socket

ROOM = "kitchen"
MEGABYTE = 1_000_000
MOST_MEGABYTES = 24.0
"""One mailbox, one write buffer and what a process' allocator keeps besides."""
MOST_EXPONENT = 1.2
SOCKETS = 20
PATIENCE_SECONDS = 120

Attack = Callable[[int, int], Awaitable[None]]
"""An attack on a port, with so much effort."""


async def floods(port: int, data: bytes, sockets: int, *, joins: bool) -> None:
    """So many sockets, one after the other: each sends until it is cut off."""
    for _ in range(sockets):
        with suppress(OSError, EOFError):
            async with raw_socket(port, f"/{ROOM}") as socket:
                await socket.join(Member(ROOM, Identity.generate())) if joins else await socket.read()
                await socket.flood(data, 400 * MEGABYTE)


async def pings(port: int, effort: int) -> None:
    """Pings of a member that reads nothing."""
    await floods(port, frame(PING, b"x" * 125) * 2000, SOCKETS * effort, joins=True)


async def early_pings(port: int, effort: int) -> None:
    """Pings of a client that doesn't say who it is."""
    await floods(port, frame(PING, b"x" * 125) * 2000, SOCKETS * effort, joins=False)


async def pieces(port: int, effort: int) -> None:
    """A message without end."""
    data = frame(TEXT, b"{", fin=False) + frame(CONTINUATION, b" ", fin=False) * 20_000
    await floods(port, data, SOCKETS * effort, joins=True)


async def long_messages(port: int, effort: int) -> None:
    """Long messages to a member that reads nothing, at the rate that is allowed."""
    victim, sender = Member(ROOM, Identity.generate()), Member(ROOM, Identity.generate())
    async with raw_socket(port, f"/{ROOM}") as away, raw_socket(port, f"/{ROOM}") as socket:
        await away.join(victim)
        await socket.join(sender)
        text = frame(TEXT, offer(sender, victim, "x" * 200_000).encode())
        reading = asyncio.create_task(read_all(socket))
        for _ in range(25 * effort):
            socket.writer.write(text)
            await socket.writer.drain()
            await asyncio.sleep(0.025)
        reading.cancel()
        await asyncio.wait({reading})


async def read_all(socket: RawSocket) -> None:
    """Read what the server says, until it is gone."""
    with suppress(OSError, EOFError):
        while True:
            decode((await socket.read()).decode())


async def passers_by(port: int, effort: int) -> None:
    """Members who come and go, while another reads nothing of it."""
    async with raw_socket(port, f"/{ROOM}") as away:
        await away.join(Member(ROOM, Identity.generate()))
        for _ in range(200 * effort):
            async with raw_socket(port, f"/{ROOM}") as socket:
                await socket.join(Member(ROOM, Identity.generate()))


ATTACKS: dict[str, Attack] = {
    "pings of a member": pings,
    "pings before a hello": early_pings,
    "a message in pieces without end": pieces,
    "long messages to one who reads nothing": long_messages,
    "members who come and go": passers_by,
}


async def cost(server: Server, attack: Attack, effort: int) -> tuple[float, float]:
    """By how many bytes the server grew at its highest, and its processor seconds."""
    await attack(server.port, 1)  # what is loaded and kept by the first is no growth
    before, began = server.resident_bytes(), server.processor_seconds()
    most = before

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, server.resident_bytes())
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS * effort):
            await attack(server.port, effort)
    finally:
        watching.cancel()
        await asyncio.wait({watching})
    return most - before, server.processor_seconds() - began


def results_of(name: str, attack: Attack, effort: int) -> list[Result]:
    """The attack at this effort and at four times as much."""
    costs = []
    for times in (1, 4):
        with python_server("bounded") as server:
            costs.append(asyncio.run(cost(server, attack, times * effort)))
    (less_bytes, less_seconds), (more_bytes, more_seconds) = costs
    exponent = math.log(max(more_seconds, 0.01) / max(less_seconds, 0.01), 4)
    grown, grown_less = more_bytes / MEGABYTE, less_bytes / MEGABYTE
    return [
        Result(
            f"{name}, 4 times: server's growth, MB", grown, grown_less, None,
            f"≤ {MOST_MEGABYTES:g} MB", grown <= MOST_MEGABYTES,
        ),
        Result(
            f"{name}, 4 times: server's seconds, exponent as ratio", more_seconds, less_seconds, exponent,
            f"exponent ≤ {MOST_EXPONENT:g}", exponent <= MOST_EXPONENT,
        ),
    ]  # fmt: skip


def main() -> None:
    """Measure, print, leave."""
    options = arguments("What attacks on its bounds cost a signalling server.")
    effort = 1 if options.quick else 4
    finish([one for name, attack in ATTACKS.items() for one in results_of(name, attack, effort)], as_json=options.json)


if __name__ == "__main__":
    main()

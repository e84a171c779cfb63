"""How long a message of honest clients takes while hostile ones attack the server, for benchmarks/signaling.py."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from typing import Any

from _harness import Samples
from _signaling_load import ACKNOWLEDGE_EVERY, Client
from _signaling_load import ours as honest_pair

from fsm_rtc.messages.wire import DeliveriesReceived, encode

__all__ = ["AT_ONCE", "delays_of_honest_clients"]

AT_ONCE = 4
QUIET_SECONDS = 2.0
TICK_SECONDS = 0.01
ROOT = Path(__file__).parent.parent


async def delays_of_honest_clients(port: int, attacks: int, rounds: int) -> Samples:
    """The median seconds that a message takes under attack, and without one, of rounds in turn.

    Args:
        port: the server's.
        attacks: how many a round has.
        rounds: how many.
    """
    sender, recipient = await honest_pair(port, 0)
    hostile = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.signaling.hostile_clients",
        str(port),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert hostile.stdin is not None
    assert hostile.stdout is not None
    under_attack: list[float] = []
    undisturbed: list[float] = []
    try:
        for number in range(rounds + 1):
            hostile.stdin.write(f"{attacks} {AT_ONCE}\n".encode())
            attack = asyncio.ensure_future(hostile.stdout.readline())
            disturbed = [await delay(sender, recipient) async for _ in ticks_until(attack)]
            pause = asyncio.ensure_future(asyncio.sleep(QUIET_SECONDS))
            quiet = [await delay(sender, recipient) async for _ in ticks_until(pause)]
            if number:  # the first round loads the hostile clients' code
                under_attack.append(median(disturbed))
                undisturbed.append(median(quiet))
        return Samples(under_attack, undisturbed)
    finally:
        hostile.kill()
        await hostile.wait()


async def ticks_until(done: asyncio.Future[Any]) -> AsyncIterator[None]:
    """A tick every now and then, until it is done."""
    while not done.done():
        yield
        await asyncio.sleep(TICK_SECONDS)


async def delay(sender: Client, recipient: Client) -> float:
    """Seconds from one client through the server to the other."""
    began = time.perf_counter()
    await sender.socket.send(sender.text)
    while not recipient.is_load(await recipient.socket.recv()):  # type: ignore[arg-type]
        pass
    took = time.perf_counter() - began
    recipient.received += 1
    if recipient.received % ACKNOWLEDGE_EVERY == 0:
        await recipient.socket.send(encode(DeliveriesReceived(recipient.received)))
    return took

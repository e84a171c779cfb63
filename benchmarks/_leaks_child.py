"""One process of `leaks.py`: ``_leaks_child.py ours|cancelled|bare ROUNDS EVERY`` prints its memory as it goes.

A round is a pair that connects, sends a message across and closes; of ``cancelled``, one that is cancelled somewhere in
between. What is printed is a JSON list: the bytes in use after every so many rounds. With ``PYTHONMALLOC=malloc`` that
is all that Python and the C libraries have allocated, so it is exact: a page more or less of the process is not in it.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import sys
from collections.abc import Awaitable, Callable
from random import Random

from aiortc import RTCConfiguration, RTCPeerConnection

from fsm_rtc import Configuration, Connection, Identity
from fsm_rtc.connection.pipe import memory_pipe

__all__: list[str] = []

LIMIT_SECONDS = 30
LONGEST_CALL_TURNS = 400
"""In so many turns of the loop a call is over, more or less."""

IDENTITIES = Identity.generate(), Identity.generate()
LOOPBACK = Configuration(loopback=True)
RANDOM = Random(0)


async def ours() -> None:
    """A pair of our connections, over signalling in memory."""
    here, there = memory_pipe("kitchen")
    async with (
        Connection(here, IDENTITIES[0], configuration=LOOPBACK) as caller,
        Connection(there, IDENTITIES[1], configuration=LOOPBACK) as callee,
    ):
        heard = callee.messages()
        await asyncio.gather(caller.wait_for_ready(), callee.wait_for_ready())
        await caller.send("hello")
        if await anext(heard) != "hello":
            raise SystemExit("another message than the one that was sent")


async def cancelled() -> None:
    """The same, cancelled at a random turn of the loop."""
    call = asyncio.ensure_future(ours())
    for _ in range(RANDOM.randrange(LONGEST_CALL_TURNS)):
        if call.done():
            break
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait({call})
    if not call.cancelled():
        call.result()


async def bare() -> None:
    """A pair of aiortc's."""
    caller = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    callee = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    channel = caller.createDataChannel("secure-channel")
    channel.on("open", lambda: channel.send("hello"))
    callee.on("datachannel", lambda announced: announced.on("message", heard.set_result))
    await caller.setLocalDescription(await caller.createOffer())
    await callee.setRemoteDescription(caller.localDescription)
    await callee.setLocalDescription(await callee.createAnswer())
    await caller.setRemoteDescription(callee.localDescription)
    await heard
    await caller.close()
    await callee.close()


FIELDS = (
    *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
    *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
)


class Mallinfo2(ctypes.Structure):
    """What the C library's allocator has given out; see mallinfo(3)."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in FIELDS)


LIBRARY = ctypes.CDLL(None)
LIBRARY.mallinfo2.restype = Mallinfo2


def bytes_in_use() -> int:
    """What is allocated at this moment, by Python and by the C libraries, to the byte; garbage is collected first."""
    gc.collect()
    info = LIBRARY.mallinfo2()
    return int(info.uordblks + info.hblkhd)


async def measure(call: Callable[[], Awaitable[None]], rounds: int, every: int) -> list[int]:
    """The memory after every so many rounds; a round that hangs ends the benchmark."""
    figures = []
    for number in range(1, rounds + 1):
        await asyncio.wait_for(call(), LIMIT_SECONDS)
        if number % every == 0:
            await asyncio.sleep(0)
            figures.append(bytes_in_use())
    return figures


def main() -> None:
    """Measure and print."""
    kind, rounds, every = sys.argv[1:]
    call = {"ours": ours, "cancelled": cancelled, "bare": bare}[kind]
    print(json.dumps(asyncio.run(measure(call, int(rounds), int(every)))))


if __name__ == "__main__":
    main()

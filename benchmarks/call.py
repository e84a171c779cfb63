"""What a call costs, from nothing to an open channel: ``python benchmarks/call.py [--json] [--quick]``.

A pair of our peer connections against a bare aiortc pair, in turn in one process, both with the same exchange: a data
channel, an offer, an answer, no ICE servers. Most of the time of either is the network handshake of ICE, DTLS and SCTP.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable

from _harness import Samples, arguments, finish, ratio_of
from aiortc import RTCConfiguration, RTCPeerConnection

from fsm_rtc import PeerConnection

CALLS = 30
QUICK_CALLS = 10
LIMIT_SECONDS = 30


async def ours() -> float:
    """Seconds to an open channel on both sides, by fsm_rtc."""
    began = time.perf_counter()
    caller, callee = PeerConnection(label="caller"), PeerConnection(label="callee")
    opened, announced = asyncio.Event(), asyncio.Event()
    caller.create_data_channel("secure-channel").on("open", opened.set)
    callee.on("datachannel", lambda _: announced.set())
    await caller.set_local_description(await caller.create_offer())
    assert caller.local_description is not None
    await callee.set_remote_description(caller.local_description)
    await callee.set_local_description(await callee.create_answer())
    assert callee.local_description is not None
    await caller.set_remote_description(callee.local_description)
    await opened.wait()
    await announced.wait()
    seconds = time.perf_counter() - began
    await caller.close()
    await callee.close()
    return seconds


async def bare() -> float:
    """The same by aiortc alone."""
    began = time.perf_counter()
    caller = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    callee = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    opened, announced = asyncio.Event(), asyncio.Event()
    caller.createDataChannel("secure-channel").on("open", opened.set)
    callee.on("datachannel", lambda _: announced.set())
    await caller.setLocalDescription(await caller.createOffer())
    await callee.setRemoteDescription(caller.localDescription)
    await callee.setLocalDescription(await callee.createAnswer())
    await caller.setRemoteDescription(callee.localDescription)
    await opened.wait()
    await announced.wait()
    seconds = time.perf_counter() - began
    await caller.close()
    await callee.close()
    return seconds


async def timed(call: Callable[[], Awaitable[float]]) -> float:
    """One call; a call that hangs ends the benchmark."""
    gc.collect()
    return await asyncio.wait_for(call(), LIMIT_SECONDS)


async def measure(calls: int) -> Samples:
    """Calls of both kinds in turn, after one of each that doesn't count."""
    await timed(ours)
    await timed(bare)
    mine: list[float] = []
    peer: list[float] = []
    for number in range(calls):
        for call, times in ((ours, mine), (bare, peer)) if number % 2 else ((bare, peer), (ours, mine)):
            times.append(await timed(call))
    return Samples(mine, peer)


def main() -> None:
    """Measure, print, leave."""
    options = arguments("What a call costs, from nothing to an open channel.")
    samples = asyncio.run(measure(QUICK_CALLS if options.quick else CALLS))
    finish([ratio_of("a call to its open channel, ms", samples, scale=1e3, at_most=1.1)], as_json=options.json)


if __name__ == "__main__":
    main()

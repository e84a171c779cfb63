"""What a call and what grows cost in processor time: ``python benchmarks/cpu.py [--json] [--quick]``.

Each scenario is a function of `SCENARIOS`: it does the same with the drop-in for aiortc and with aiortc itself, in
turn, mostly at several sizes. A figure is the processor time of this process, as a median; its ratio is to bare
aiortc's, and the A/A ratio is aiortc's to itself. The exponent tells how the time grows with the size, fitted by least
squares: 1 is linear, 0 is flat. Garbage collection is off while time is taken: how long one takes depends on what else
the program holds. No server is asked, and the candidates have an address that nobody has (RFC 5737).
"""

from __future__ import annotations

import asyncio
import gc
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from statistics import median
from typing import Any

import aiortc
from _harness import Result, Samples, alternate, arguments, exponent, finish, ratio_of
from aiortc.sdp import candidate_from_sdp
from descriptions import DATA, HEAD, SECURE

import fsm_rtc.aiortc
from fsm_rtc import Connection
from fsm_rtc.connection.pipe import memory_pipe
from fsm_rtc.messages import Identity
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.sdp import BOUNDS

MOST_EXPONENT = 1.1
"""Of what may grow as its size does."""

FLAT_EXPONENT = 0.1
"""Of what may not grow."""

MORE = 20
"""So many candidates are given in a sample."""

MOST_IDLE_MS = 130

KEYS = [Identity.generate() for _ in range(2)]

OURS, BARE = fsm_rtc.aiortc.RTCPeerConnection, aiortc.RTCPeerConnection


@asynccontextmanager
async def connection(kind: type[Any]) -> AsyncIterator[Any]:
    """A connection without servers, closed in the end."""
    made = kind(aiortc.RTCConfiguration(iceServers=[]))
    try:
        yield made
    finally:
        await made.close()


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    """The processor's, until the work is done."""
    gc.collect()
    gc.disable()
    try:
        began = time.process_time()
        await work()
        return time.process_time() - began
    finally:
        gc.enable()


Sample = Callable[[type[Any], int], Coroutine[Any, Any, float]]
"""The seconds that this kind of connection takes at this size."""

Growth = Mapping[int, Samples]
"""Samples by size."""


def in_turn(sample: Sample, sizes: tuple[int, ...], rounds: int) -> Growth:
    """Samples of both, at each size; each has a loop of its own."""

    def sampler(kind: type[Any], size: int) -> Callable[[], float]:
        return lambda: asyncio.run(sample(kind, size))

    return {size: alternate(sampler(OURS, size), sampler(BARE, size), rounds) for size in sizes}


def results_of(name: str, growth: Growth, *, scale: float, at_most: float, most_exponent: float) -> list[Result]:
    """A result for each size, and one for how the time grows.

    Args:
        name: with ``{}`` where the size goes, and its unit.
        growth: the samples, by size.
        scale: turns seconds into that unit.
        at_most: the highest ratio.
        most_exponent: of the growth.
    """
    figures = [ratio_of(name.format(size), one, scale=scale, at_most=at_most) for size, one in growth.items()]
    ours = exponent(list(growth), [one.value for one in growth.values()])
    bare = exponent(list(growth), [one.against for one in growth.values()])
    budget = f"≤ {most_exponent}"
    return [*figures, Result(f"{name.format('…')}: exponent", ours, bare, None, budget, holds=ours <= most_exponent)]


def unreachable(description: Any) -> Any:
    """A description without candidates: nothing connects meanwhile, whose time would count."""
    sdp = re.sub(r"a=(candidate:.*|end-of-candidates)\r\n", "", description.sdp)
    return aiortc.RTCSessionDescription(sdp, description.type)


# The scenarios.


def second_offers(rounds: int) -> list[Result]:
    """An offer of a connection that has agreed on so many sections: it may need each of their numbers and codecs."""

    async def sample(kind: type[Any], sections: int) -> float:
        async with connection(kind) as one, connection(kind) as other:
            for _ in range(sections):
                one.addTransceiver("video")
            await one.setLocalDescription(await one.createOffer())
            await other.setRemoteDescription(unreachable(one.localDescription))
            await other.setLocalDescription(await other.createAnswer())
            await one.setRemoteDescription(unreachable(other.localDescription))
            return median([await seconds(one.createOffer) for _ in range(3)])

    growth = in_turn(sample, (10, 50, 100, 170), rounds)
    return results_of("second offer, {} sections, ms", growth, scale=1e3, at_most=2, most_exponent=MOST_EXPONENT)


def own_offers(rounds: int) -> list[Result]:
    """An offer of so many sections, made and applied: no bound of what comes from outside holds for it."""

    async def sample(kind: type[Any], sections: int) -> float:
        async with connection(kind) as one:
            for _ in range(sections):
                one.addTransceiver("video")

            async def offer() -> None:
                await one.setLocalDescription(await one.createOffer())

            return await seconds(offer)

    growth = in_turn(sample, (50, 100, 200, 2 * BOUNDS.sections), rounds)
    return results_of("own offer, {} sections, ms", growth, scale=1e3, at_most=1, most_exponent=MOST_EXPONENT)


def trickled_candidates(rounds: int) -> list[Result]:
    """One more candidate of the other side, with what it brings about at once, when so many are there."""

    async def sample(kind: type[Any], there: int) -> float:
        async with connection(kind) as one:
            await one.setRemoteDescription(aiortc.RTCSessionDescription(HEAD + SECURE + DATA, "offer"))
            await one.setLocalDescription(await one.createAnswer())

            async def add(first: int, count: int) -> None:
                for number in range(first, first + count):
                    candidate = candidate_from_sdp(f"{number} 1 udp {number} 192.0.2.1 {number} typ host")
                    candidate.sdpMid = "d"
                    await one.addIceCandidate(candidate)
                    for _ in range(3):  # the tasks that it begins
                        await asyncio.sleep(0)

            await add(1, there)
            return await seconds(lambda: add(there + 1, MORE)) / MORE

    few = in_turn(sample, (10,), rounds)[10]
    growth = in_turn(sample, (100, 300, 1000), rounds)
    return [
        # A price that doesn't grow: the table that is asked, the turn in the operations chain.
        ratio_of("candidate behind 10, us", few, scale=1e6, at_most=4),
        *results_of("candidate behind {}, us", growth, scale=1e6, at_most=1, most_exponent=FLAT_EXPONENT),
    ]


async def call_by_hand(kind: type[Any]) -> float:
    """A call over a data channel with a message there and back, and its end."""
    began = time.process_time()
    async with connection(kind) as one, connection(kind) as other:
        answered = asyncio.Event()
        channel = one.createDataChannel("chat")
        channel.on("open", lambda: channel.send("there"))
        channel.on("message", lambda _: answered.set())
        other.on("datachannel", lambda theirs: theirs.on("message", lambda _: theirs.send("and back")))
        await one.setLocalDescription(await one.createOffer())
        await other.setRemoteDescription(one.localDescription)
        await other.setLocalDescription(await other.createAnswer())
        await one.setRemoteDescription(other.localDescription)
        await answered.wait()
    return time.process_time() - began


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Connection, Connection]]:
    """Two signed `Connection` objects in one process, ready."""
    ends = zip(memory_pipe("kitchen"), KEYS, strict=True)
    one, other = (Connection(end, key, configuration=Configuration(ice_servers=())) for end, key in ends)
    async with one, other:
        await asyncio.gather(one.wait_for_ready(30), other.wait_for_ready(30))
        yield one, other


async def call_by_connections() -> float:
    """The same by two `Connection` objects, with signed messages between them."""
    began = time.process_time()
    async with connected() as (one, other):
        for sender, receiver in ((one, other), (other, one)):
            await sender.send("there, and back")
            await anext(aiter(receiver.messages()))
    return time.process_time() - began


def whole_calls(rounds: int) -> list[Result]:
    """A call from nothing to its end, both sides; the budgets are what holds today, 1.15 and 1.5 what is wanted."""

    def bare() -> float:
        return asyncio.run(call_by_hand(BARE))

    drop_in = alternate(lambda: asyncio.run(call_by_hand(OURS)), bare, 5 * rounds)
    signed = alternate(lambda: asyncio.run(call_by_connections()), bare, 5 * rounds)
    return [
        ratio_of("a call, the drop-in, ms", drop_in, scale=1e3, at_most=1.7),
        ratio_of("a call, two Connections, ms", signed, scale=1e3, at_most=3.4),
    ]


def idle_minute(rounds: int) -> list[Result]:
    """What two `Connection` objects take that have nothing to say, in a minute: signs of life, ICE's consent."""

    async def sample() -> float:
        async with connected():
            await asyncio.sleep(2)
            began = time.process_time()
            await asyncio.sleep(5 * rounds)
            return (time.process_time() - began) * 60 / (5 * rounds)

    milliseconds = asyncio.run(sample()) * 1e3
    budget = f"≤ {MOST_IDLE_MS}"
    return [Result("idle pair, ms a minute", milliseconds, None, None, budget, holds=milliseconds <= MOST_IDLE_MS)]


SCENARIOS = (second_offers, own_offers, trickled_candidates, whole_calls, idle_minute)


def main() -> None:
    """Measure, print, leave."""
    options = arguments("What a call and what grows cost in processor time.")
    rounds = 3 if options.quick else 9
    finish([one for scenario in SCENARIOS for one in scenario(rounds)], as_json=options.json)


if __name__ == "__main__":
    main()

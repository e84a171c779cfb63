"""What the tests of ICE do with a pair of transports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fsm_rtc.peer.ice import IceGatherer, IceTransport

LIMIT_SECONDS = 60

End = tuple[IceGatherer, IceTransport]


async def until(emitter: Any, event: str, holds: Callable[[], bool]) -> None:
    """Wait for an event after which it holds."""
    changed = asyncio.Event()
    handler = emitter.on(event, lambda *_: changed.set())
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not holds():
                changed.clear()
                await changed.wait()
    finally:
        if handler in emitter.listeners(event):
            emitter.remove_listener(event, handler)


async def introduce(one: End, other: End, *, end: bool = True) -> None:
    """Tell each side the other's candidates as they are found, and in the end that there are no more."""
    for (gatherer, _), (_, transport) in ((one, other), (other, one)):
        for candidate in gatherer.getLocalCandidates():
            await transport.addRemoteCandidate(candidate)
        if end:
            await transport.addRemoteCandidate(None)


async def connect(one: End, other: End) -> None:
    """Gather and connect; the first side controls."""
    one[1].iceGatherer.agent.ice_controlling = True
    await asyncio.gather(one[0].gather(), other[0].gather())
    await introduce(one, other)
    await start(one, other)


async def start(one: End, other: End) -> None:
    """Begin to check on both sides, and wait for what comes of it."""
    async with asyncio.timeout(LIMIT_SECONDS):
        await asyncio.gather(one[1].start(other[0].getLocalParameters()), other[1].start(one[0].getLocalParameters()))


async def begun(transport: IceTransport) -> None:
    """Wait until it looks for a way."""
    for _ in range(100):
        if transport.is_looking:
            return
        await asyncio.sleep(0)
    raise AssertionError("it doesn't begin")


def watch(transport: IceTransport) -> list[str]:
    """The states that it goes through from now on."""
    states: list[str] = []
    transport.on("statechange", lambda: states.append(transport.state))
    return states


def cut(transport: IceTransport) -> None:
    """Lose it without a goodbye: what it sends goes nowhere, what comes is not heard."""
    for protocol in transport.iceGatherer.agent._protocols:
        protocol.transport.close()

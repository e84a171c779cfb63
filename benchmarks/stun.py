"""What a server that doesn't answer costs a call: ``python benchmarks/stun.py [--json] [--quick]``.

A pair of `fsm_rtc.RTCPeerConnection`s that tell each other their candidates as they find them, with a STUN server that
never answers, and with a TURN server that never answers; the same with Chromium as the other side, if it is installed;
and without any server, against a bare aiortc pair in turn. Bare aiortc with such a server is measured once: each side
waits five seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from statistics import median

import aiortc
from _harness import Result, Samples, arguments, finish, ratio_of

from fsm_rtc import RTCConfiguration, RTCIceCandidate, RTCPeerConnection
from fsm_rtc.conformance.adapter import ProcessAdapter
from fsm_rtc.conformance.protocol import Operation, StackCandidate, StackDescription
from fsm_rtc.conformance.stacks import stack_named

CALLS = 30
QUICK_CALLS = 6
LIMIT_SECONDS = 60
OPEN_SECONDS = 0.2


@contextlib.contextmanager
def silent_server(scheme: str) -> Iterator[aiortc.RTCIceServer]:
    """A server that is there and never answers, on an address of this host that its sockets can reach."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("0.0.0.0", 0))
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with contextlib.closing(probe):
            probe.connect(("192.0.2.1", 9))
            host = probe.getsockname()[0]
        yield aiortc.RTCIceServer(f"{scheme}:{host}:{silent.getsockname()[1]}", "name", "secret")


def trickle(one: RTCPeerConnection, other: RTCPeerConnection) -> None:
    """Tell the other side each candidate once it can take it."""
    waiting: list[object] = []
    giving: set[asyncio.Task[None]] = set()

    def found(event: object) -> None:
        waiting.append(event.candidate)  # type: ignore[attr-defined]
        deliver()

    def deliver() -> None:
        while other.remoteDescription is not None and other.signalingState != "closed" and waiting:
            task = asyncio.ensure_future(give(waiting.pop(0)))
            giving.add(task)
            task.add_done_callback(giving.discard)

    async def give(candidate: object) -> None:
        if other.signalingState != "closed":
            await other.addIceCandidate(candidate)

    one.on("icecandidate", found)
    other.on("signalingstatechange", deliver)


async def ours(servers: list[aiortc.RTCIceServer]) -> float:
    """Seconds to an open channel on both sides, by fsm_rtc."""
    began = time.perf_counter()
    caller, callee = (RTCPeerConnection(RTCConfiguration(iceServers=servers)) for _ in range(2))
    trickle(caller, callee)
    trickle(callee, caller)
    opened, announced = asyncio.Event(), asyncio.Event()
    caller.createDataChannel("secure-channel").on("open", opened.set)
    callee.on("datachannel", lambda _: announced.set())
    await caller.setLocalDescription()
    await callee.setRemoteDescription(caller.localDescription)
    await callee.setLocalDescription()
    await caller.setRemoteDescription(callee.localDescription)
    await opened.wait()
    await announced.wait()
    seconds = time.perf_counter() - began
    await caller.close()
    await callee.close()
    return seconds


async def bare(servers: list[aiortc.RTCIceServer]) -> float:
    """The same by aiortc alone, which has no candidates to tell but those in its descriptions."""
    began = time.perf_counter()
    caller, callee = (aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=servers)) for _ in range(2))
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


class Chromium:
    """A browser that answers calls."""

    def __init__(self, adapter: ProcessAdapter) -> None:
        self._adapter = adapter

    async def answer(self, servers: list[aiortc.RTCIceServer]) -> float:
        """Seconds to an open channel of a call from fsm_rtc to the browser."""
        await self._ask("reset")
        await self._ask("new")
        began = time.perf_counter()
        caller = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        mine: asyncio.Queue[StackCandidate] = asyncio.Queue()
        caller.on("icecandidate", lambda event: mine.put_nowait(_told(event.candidate)))
        opened = asyncio.Event()
        caller.createDataChannel("secure-channel").on("open", opened.set)
        await caller.setLocalDescription()
        await self._ask("setRemoteDescription", description=_described(caller.localDescription))
        answer = await self._ask("createAnswer")
        await self._ask("setLocalDescription", description=StackDescription(answer["type"], answer["sdp"]))
        local = await self._ask("localDescription")
        await caller.setRemoteDescription(aiortc.RTCSessionDescription(local["sdp"], local["type"]))
        while not opened.is_set():
            while not mine.empty():
                await self._ask("addIceCandidate", candidate=mine.get_nowait())
            await asyncio.sleep(0.001)
        seconds = time.perf_counter() - began
        await caller.close()
        return seconds

    async def _ask(self, operation: str, **values: object) -> dict[str, str]:
        reply = await self._adapter.ask(Operation(operation, "browser", **values))  # type: ignore[arg-type]
        (result,) = reply.results
        assert result.error is None, result.error
        return result.value  # type: ignore[no-any-return]


def _told(candidate: RTCIceCandidate | None) -> StackCandidate:
    if candidate is None:
        return StackCandidate("")
    return StackCandidate(candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex, candidate.usernameFragment)


def _described(description: aiortc.RTCSessionDescription) -> StackDescription:
    return StackDescription(description.type, description.sdp)


async def timed(call: Awaitable[float]) -> float:
    """One call; a call that hangs ends the benchmark."""
    gc.collect()
    return await asyncio.wait_for(call, LIMIT_SECONDS)


async def alternating(calls: int) -> Samples:
    """Calls of both kinds in turn without a server, after one of each that doesn't count."""
    mine: list[float] = []
    peer: list[float] = []
    for number in range(calls + 1):
        for call, times in ((ours, mine), (bare, peer)) if number % 2 else ((bare, peer), (ours, mine)):
            seconds = await timed(call([]))
            if number:
                times.append(seconds)
    return Samples(mine, peer)


async def with_server(
    scheme: str, call: Callable[[list[aiortc.RTCIceServer]], Awaitable[float]], calls: int, name: str, peer: float
) -> Result:
    """Calls with a server that doesn't answer, against what bare aiortc took."""
    with silent_server(scheme) as server:
        seconds = median([await timed(call([server])) for _ in range(calls)])
    return Result(name, seconds * 1e3, peer * 1e3, seconds / peer, f"≤ {OPEN_SECONDS:g} s", seconds <= OPEN_SECONDS)


async def measure(calls: int, *, is_quick: bool) -> list[Result]:
    """All figures."""
    results = [ratio_of("a call without a server, ms", await alternating(calls), scale=1e3, at_most=1.1)]
    for scheme, what in (("stun", "STUN"), ("turn", "TURN")):
        peer = 10.0
        if not is_quick:
            with silent_server(scheme) as server:
                peer = await timed(bare([server]))
        results.append(await with_server(scheme, ours, calls, f"a call with a silent {what} server, ms", peer))
    chromium = stack_named("chromium")
    if chromium.version() is not None:
        adapter = ProcessAdapter(chromium.command)
        await adapter.start()
        try:
            answer = Chromium(adapter).answer
            await timed(answer([]))
            name = "a call to Chromium with a silent STUN server, ms"
            results.append(await with_server("stun", answer, calls, name, peer))
        finally:
            await adapter.aclose()
    return results


def main() -> None:
    """Measure, print, leave."""
    options = arguments("What a server that doesn't answer costs a call.")
    calls = QUICK_CALLS if options.quick else CALLS
    finish(asyncio.run(measure(calls, is_quick=options.quick)), as_json=options.json)


if __name__ == "__main__":
    main()

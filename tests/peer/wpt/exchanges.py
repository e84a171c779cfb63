"""What the ported tests share: calls, the exchange of descriptions and candidates, and waiting for what happens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import pytest

from fsm_rtc import RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from fsm_rtc.errors import InvalidStateError
from tests.peer.bare_aiortc import until_bare as until
from tests.peer.peers import LIMIT_SECONDS, turns
from tests.peer.wpt.conftest import MakeRtc

__all__ = ["until", "turns"]

Result = TypeVar("Result")

ROLLBACK = RTCSessionDescription(type="rollback")


# Waiting.


async def soon(awaitable: Awaitable[Result]) -> Result:
    """Wait for what must happen soon."""
    async with asyncio.timeout(LIMIT_SECONDS):
        return await awaitable


def upcoming(target: Any, event: str, read: Callable[[], Any] | None = None) -> asyncio.Future[Any]:
    """The next event's argument, or what is read when it happens."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def note(*arguments: Any) -> None:
        if not future.done():
            future.set_result(read() if read is not None else next(iter(arguments), None))

    target.once(event, note)
    return future


async def happens(target: Any, event: str) -> Any:
    """Wait for the next event; returns its argument."""
    return await soon(upcoming(target, event))


def watched(target: Any, event: str, read: Callable[[], Any] | None = None) -> list[Any]:
    """A list that gets each event's argument, or what is read when it happens."""
    seen: list[Any] = []

    def note(*arguments: Any) -> None:
        seen.append(read() if read is not None else next(iter(arguments), None))

    target.on(event, note)
    return seen


def signaling_states(pc: RTCPeerConnection) -> list[str]:
    """A list that gets each signalingState that an event tells of."""
    return watched(pc, "signalingstatechange", lambda: pc.signalingState)


# Calls.


async def called(call: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
    """Call an asynchronous method and go on when its first step is done, and nothing else."""
    task = asyncio.ensure_future(call)
    await asyncio.sleep(0)
    return task


def refuses_at_the_call(error: type[Exception], call: Coroutine[Any, Any, object]) -> None:
    """Assert that a method raises before it first suspends."""
    with pytest.raises(error):
        call.send(None)


async def has_empty_chain(pc: RTCPeerConnection) -> bool:
    """Whether no operation is chained: an impossible one is then refused at the call."""
    impossible = pc.createOffer() if pc.signalingState == "have-remote-offer" else pc.createAnswer()
    task = await called(impossible)
    is_refused = task.done()
    with suppress(InvalidStateError):
        await task
    return is_refused


# Descriptions.


def alike(one: Any, other: Any) -> bool:
    """Whether two descriptions say the same, candidates apart."""
    return bool(one.type == other.type and _without_addresses(one.sdp) == _without_addresses(other.sdp))


def _without_addresses(sdp: str) -> str:
    return re.sub(r"(?m)^(a=candidate|a=end-of|a=rtcp:|c=).*\n|(?<=^m=)(\w+) \d+", r"\2", sdp)


async def audio_offer(pc: RTCPeerConnection) -> Any:
    """An offer to receive audio."""
    pc.addTransceiver("audio", direction="recvonly")
    return await pc.createOffer()


async def video_offer(pc: RTCPeerConnection) -> Any:
    """An offer to receive video."""
    pc.addTransceiver("video", direction="recvonly")
    return await pc.createOffer()


async def channel_offer(pc: RTCPeerConnection) -> Any:
    """An offer of a data channel."""
    pc.createDataChannel("test")
    return await pc.createOffer()


async def answer_to(rtc: MakeRtc, offer: Any) -> Any:
    """The answer of somebody else."""
    somebody = rtc()
    await somebody.setRemoteDescription(offer)
    return await somebody.createAnswer()


async def exchange(offerer: RTCPeerConnection, answerer: RTCPeerConnection) -> None:
    """Offer and answer; the offerer is done last."""
    await offerer.setLocalDescription()
    await answerer.setRemoteDescription(offerer.localDescription)
    await answerer.setLocalDescription()
    await offerer.setRemoteDescription(answerer.localDescription)


def trickle(one: RTCPeerConnection, other: RTCPeerConnection) -> None:
    """Give each what the other finds, once it may take it."""
    for source, sink in ((one, other), (other, one)):
        _trickle_to(source, sink)


def _trickle_to(source: RTCPeerConnection, sink: RTCPeerConnection) -> None:
    async def give(event: Any) -> None:
        await until(sink, "signalingstatechange", lambda: sink.remoteDescription is not None)
        with suppress(InvalidStateError):
            await sink.addIceCandidate(event.candidate)

    source.on("icecandidate", give)


async def connected(*peers: RTCPeerConnection) -> None:
    """Wait until each is connected."""
    for pc in peers:
        await until(pc, "connectionstatechange", lambda pc=pc: pc.connectionState == "connected")  # type: ignore[misc]


async def channel_pair(
    one: RTCPeerConnection, other: RTCPeerConnection, **options: Any
) -> tuple[RTCDataChannel, RTCDataChannel]:
    """An open data channel, seen from both ends."""
    trickle(one, other)
    first = one.createDataChannel("test", **options)
    announced = upcoming(other, "datachannel")
    if options.get("negotiated"):
        second = other.createDataChannel("test", **options)
        await exchange(one, other)
    else:
        await exchange(one, other)
        second = (await soon(announced)).channel
    for channel in (first, second):
        await until(channel, "open", lambda channel=channel: channel.readyState == "open")  # type: ignore[misc]
    return first, second

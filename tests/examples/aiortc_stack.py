"""How one sequence is run with bare aiortc and with the drop-in, and what its steps are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiortc
from aiortc import RTCIceCandidate

from fsm_rtc import RTCConfiguration
from fsm_rtc import aiortc as drop_in

Case = Callable[["Stack"], Awaitable[str]]


class Stack:
    """Makes connections of one class, and closes them.

    Args:
        is_bare: whether the class is aiortc's own.
    """

    def __init__(self, *, is_bare: bool) -> None:
        self._is_bare = is_bare
        self._made: list[Any] = []

    def peer(self, *, channel: bool = True) -> Any:
        """A connection on loopback, with a data channel to negotiate or without."""
        peer: Any
        if self._is_bare:
            peer = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
        else:
            peer = drop_in.RTCPeerConnection(RTCConfiguration(iceServers=[], loopback=True))
        self._made.append(peer)
        if channel:
            peer.createDataChannel("chat")
        return peer

    async def close(self) -> None:
        """Close what was made."""
        for peer in self._made:
            await peer.close()


CASES: dict[str, Case] = {}


def case(sentence: str) -> Callable[[Case], Case]:
    """The row of this name; what it returns stands in the table."""

    def register(run: Case) -> Case:
        CASES[sentence] = run
        return run

    return register


async def outcome_of(run: Case, *, is_bare: bool) -> tuple[str, BaseException | None]:
    """What a row says of one class, and the error that was raised."""
    stack = Stack(is_bare=is_bare)
    try:
        return await run(stack), None
    except (Exception, asyncio.CancelledError) as error:
        return f"`{type(error).__name__}`", error
    finally:
        await stack.close()


# The steps of a sequence.

CANDIDATE = {
    "component": 1,
    "foundation": "0",
    "ip": "127.0.0.1",
    "port": 9,
    "priority": 1,
    "protocol": "udp",
    "type": "host",
}


def candidate(mid: str) -> Any:
    return RTCIceCandidate(sdpMid=mid, **CANDIDATE)  # type: ignore[arg-type]


def state(peer: Any) -> str:
    return f"accepted (`{peer.signalingState}`)"


async def offer_of(peer: Any) -> Any:
    await peer.setLocalDescription(await peer.createOffer())
    return peer.localDescription


async def answer_of(peer: Any, offer: Any) -> Any:
    await peer.setRemoteDescription(offer)
    await peer.setLocalDescription(await peer.createAnswer())
    return peer.localDescription


async def negotiated(stack: Stack) -> Any:
    offerer = stack.peer()
    await offerer.setRemoteDescription(await answer_of(stack.peer(channel=False), await offer_of(offerer)))
    return offerer


async def offered(stack: Stack) -> Any:
    peer = stack.peer()
    await peer.setRemoteDescription(await offer_of(stack.peer()))
    return peer


async def closed(stack: Stack) -> Any:
    peer = stack.peer()
    await peer.close()
    return peer

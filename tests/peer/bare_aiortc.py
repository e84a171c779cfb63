"""Bare aiortc, for what it does by itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from aiortc import RTCPeerConnection, RTCSessionDescription

from tests.peer.peers import LIMIT_SECONDS


async def until_bare(emitter: Any, event: str, condition: Callable[[], bool]) -> None:
    """Wait for aiortc's event, again and again, until the condition holds."""
    happened = asyncio.Event()

    def note(*_: object) -> None:
        happened.set()

    emitter.on(event, note)
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not condition():
                happened.clear()
                await happened.wait()
    finally:
        if note in emitter.listeners(event):
            emitter.remove_listener(event, note)


async def offer_of_bare(peer: RTCPeerConnection) -> RTCSessionDescription:
    """Make and apply an offer; return it as it is sent."""
    await peer.setLocalDescription(await peer.createOffer())
    return peer.localDescription


async def answer_of_bare(peer: RTCPeerConnection, offer: RTCSessionDescription) -> RTCSessionDescription:
    """Apply an offer, make and apply the answer; return it as it is sent."""
    await peer.setRemoteDescription(offer)
    await peer.setLocalDescription(await peer.createAnswer())
    return peer.localDescription


async def exchange_bare(offerer: RTCPeerConnection, answerer: RTCPeerConnection) -> None:
    """Offer and answer."""
    await offerer.setRemoteDescription(await answer_of_bare(answerer, await offer_of_bare(offerer)))


async def connected_bare(*peers: RTCPeerConnection) -> None:
    """Wait until each is connected."""
    for peer in peers:
        await until_bare(peer, "connectionstatechange", lambda peer=peer: peer.connectionState == "connected")  # type: ignore[misc]


def changed(description: RTCSessionDescription, pattern: str, replacement: str) -> RTCSessionDescription:
    """A description with something else in its SDP."""
    sdp, number = re.subn(pattern, replacement, description.sdp)
    assert number, f"nothing matches {pattern}"
    return RTCSessionDescription(sdp, description.type)


def without_candidates(sdp: str) -> str:
    """An SDP that leaves its candidates to be sent one by one."""
    return re.sub(r"a=(candidate:.*|end-of-candidates)\r\n", "", sdp)


def ufrag_of(sdp: str) -> str:
    """The first ICE user fragment."""
    found = re.search(r"a=ice-ufrag:(\S+)", sdp)
    assert found is not None
    return found[1]

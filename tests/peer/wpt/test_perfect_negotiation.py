"""Perfect negotiation: both sides run the same program, one of them polite."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fsm_rtc import RTCPeerConnection
from fsm_rtc.errors import InvalidStateError, OperationError
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import soon
from tests.peer.wpt.subtests import wpt

FILE = "RTCPeerConnection-perfect-negotiation.https.html"
STRESS = "RTCPeerConnection-perfect-negotiation-stress-glare.https.html"


class Side:
    """One of two who negotiate whenever they need to, each without a look at the other. Source: webrtc-pc,
    #perfect-negotiation-example."""

    def __init__(self, pc: RTCPeerConnection, *, is_polite: bool) -> None:
        self.pc = pc
        self.other: Side | None = None
        self._is_polite = is_polite
        self._is_offering = self._ignores = False
        self._inbox: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.at_rest = asyncio.Event()
        pc.on("negotiationneeded", self._offer)
        pc.on("icecandidate", lambda event: self._send("candidate", event.candidate))

    async def read(self) -> None:
        """Take what the other side sends, one message after the other."""
        while True:
            kind, content = await self._inbox.get()
            if kind == "candidate":
                await self._take_candidate(content)
            else:
                await self._take_description(content)
            self._look()

    async def _offer(self) -> None:
        self._is_offering = True
        try:
            await self.pc.setLocalDescription()
            self._send("description", self.pc.localDescription)
        finally:
            self._is_offering = False

    async def _take_description(self, description: Any) -> None:
        collides = description.type == "offer" and (self._is_offering or self.pc.signalingState != "stable")
        self._ignores = collides and not self._is_polite
        if self._ignores:
            return
        await self.pc.setRemoteDescription(description)
        if description.type == "offer":
            await self.pc.setLocalDescription()
            self._send("description", self.pc.localDescription)

    async def _take_candidate(self, candidate: Any) -> None:
        try:
            await self.pc.addIceCandidate(candidate)
        except (InvalidStateError, OperationError):
            if not self._ignores:
                raise

    def _send(self, kind: str, content: Any) -> None:
        assert self.other is not None
        self.other._inbox.put_nowait((kind, content))

    def _look(self) -> None:
        transceivers = self.pc.getTransceivers()
        negotiated = [one for one in transceivers if one.currentDirection is not None]
        if self.pc.signalingState == "stable" and len(negotiated) == len(transceivers) == self.wanted:
            self.at_rest.set()

    wanted = 0

    async def rests_with(self, number: int) -> None:
        """Wait until this many transceivers are negotiated."""
        self.wanted = number
        self.at_rest.clear()
        self._look()
        await soon(self.at_rest.wait())


def make_sides(rtc: MakeRtc) -> tuple[Side, Side]:
    """An impolite and a polite one."""
    one, other = Side(rtc(), is_polite=False), Side(rtc(), is_polite=True)
    one.other, other.other = other, one
    return one, other


@wpt(FILE, "Perfect negotiation setup connects")
@pytest.mark.parametrize("is_polite_first", [False, True])
async def test_each_may_begin_and_each_may_go_on(rtc: MakeRtc, is_polite_first: bool) -> None:
    sides = make_sides(rtc)
    first, second = sides[::-1] if is_polite_first else sides
    readers = [asyncio.create_task(side.read()) for side in sides]
    first.pc.addTransceiver("audio")
    await asyncio.gather(first.rests_with(1), second.rests_with(1))
    second.pc.addTransceiver("audio")
    await asyncio.gather(first.rests_with(2), second.rests_with(2))
    await stopped(readers)


@wpt(FILE, "Perfect negotiation glare")
async def test_both_may_offer_at_once(rtc: MakeRtc) -> None:
    one, other = make_sides(rtc)
    readers = [asyncio.create_task(side.read()) for side in (one, other)]
    for side in (one, other):
        side.pc.addTransceiver("video")
    await asyncio.gather(one.rests_with(2), other.rests_with(2))
    await stopped(readers)


@wpt(STRESS, "Perfect negotiation stress glare")
async def test_both_may_offer_at_once_again_and_again(rtc: MakeRtc) -> None:
    one, other = make_sides(rtc)
    readers = [asyncio.create_task(side.read()) for side in (one, other)]
    for number in range(1, 6):
        for side in (one, other):
            side.pc.addTransceiver("video")
        await asyncio.gather(one.rests_with(2 * number), other.rests_with(2 * number))
    await stopped(readers)


async def stopped(readers: list[asyncio.Task[None]]) -> None:
    """Stop reading; none has failed."""
    for reader in readers:
        assert not reader.done()
        reader.cancel()
    await asyncio.wait(readers)

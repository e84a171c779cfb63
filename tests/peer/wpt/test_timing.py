"""When descriptions and candidates show."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import answer_to, called, soon, until, upcoming, watched
from tests.peer.wpt.subtests import wpt

ATTRIBUTES = "RTCPeerConnection-description-attributes-timing.https.html"
CANDIDATES = "RTCPeerConnection-addIceCandidate-timing.https.html"


@wpt(ATTRIBUTES, "pendingLocalDescription is surfaced at the right time")
async def test_the_pending_local_description_shows_when_the_call_is_done(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await pc.createOffer()
    call = await called(pc.setLocalDescription(offer))
    assert pc.pendingLocalDescription is None
    await call
    assert pc.pendingLocalDescription is not None


@wpt(ATTRIBUTES, "pendingRemoteDescription is surfaced at the right time")
async def test_the_pending_remote_description_shows_when_the_call_is_done(rtc: MakeRtc) -> None:
    pc = rtc()
    call = await called(pc.setRemoteDescription(await rtc().createOffer()))
    assert pc.pendingRemoteDescription is None
    await call
    assert pc.pendingRemoteDescription is not None


@wpt(ATTRIBUTES, "currentLocalDescription is surfaced at the right time")
async def test_the_current_local_description_shows_when_the_call_is_done(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setRemoteDescription(await rtc().createOffer())
    call = await called(pc.setLocalDescription(await pc.createAnswer()))
    assert pc.currentLocalDescription is None
    await call
    assert pc.currentLocalDescription is not None


@wpt(ATTRIBUTES, "currentRemoteDescription is surfaced at the right time")
async def test_the_current_remote_description_shows_when_the_call_is_done(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await pc.createOffer()
    await pc.setLocalDescription(offer)
    call = await called(pc.setRemoteDescription(await answer_to(rtc, offer)))
    assert pc.currentRemoteDescription is None
    await call
    assert pc.currentRemoteDescription is not None


@wpt(
    CANDIDATES,
    "addIceCandidate and setLocalDescription are resolved in the correct order, as defined by the operations chain"
    " specification",
)
async def test_calls_return_in_the_order_of_the_chain(rtc: MakeRtc) -> None:
    caller, callee = rtc(), rtc()
    caller.addTransceiver("audio")
    found = upcoming(caller, "icecandidate")
    await caller.setLocalDescription()
    await callee.setRemoteDescription(caller.localDescription)
    candidate = (await soon(found)).candidate
    order: list[str] = []

    async def noted(name: str, call: Any) -> None:
        await call
        order.append(name)

    await asyncio.gather(
        noted("answer", callee.setLocalDescription()),
        noted("offer", callee.setLocalDescription()),
        noted("candidate", callee.addIceCandidate(candidate)),
    )
    assert order == ["answer", "offer", "candidate"]
    assert callee.signalingState == "have-local-offer"


@wpt(CANDIDATES, "onicecandidate fires after resolving setLocalDescription in offerer")
async def test_candidates_come_after_the_offer_is_set(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.addTransceiver("audio")
    order = watched(pc, "icecandidate", lambda: "candidate")
    await pc.setLocalDescription()
    order.append("set")
    await until(pc, "icecandidate", lambda: "candidate" in order)
    assert order[:2] == ["set", "candidate"]


@wpt(CANDIDATES, "onicecandidate fires after resolving setLocalDescription in answerer")
async def test_candidates_come_after_the_answer_is_set(rtc: MakeRtc) -> None:
    caller, callee = rtc(), rtc()
    caller.addTransceiver("audio")
    order = watched(callee, "icecandidate", lambda: "candidate")
    await callee.setRemoteDescription(await caller.createOffer())
    await callee.setLocalDescription(await callee.createAnswer())
    order.append("set")
    await until(callee, "icecandidate", lambda: "candidate" in order)
    assert order[:2] == ["set", "candidate"]

"""The operations chain: one operation at a time, in the order of the calls."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from fsm_rtc import RTCSessionDescription
from fsm_rtc.errors import InvalidStateError
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import (
    ROLLBACK,
    called,
    happens,
    has_empty_chain,
    refuses_at_the_call,
    signaling_states,
    soon,
    turns,
    until,
    upcoming,
    watched,
)
from tests.peer.wpt.subtests import wpt

FILE = "RTCPeerConnection-operations.https.html"


async def offered(rtc: MakeRtc, pc: Any) -> Any:
    """Let somebody offer video; returns a candidate of theirs."""
    somebody = rtc()
    somebody.addTransceiver("video")
    found = upcoming(somebody, "icecandidate")
    await somebody.setLocalDescription()
    await pc.setRemoteDescription(somebody.localDescription)
    return (await soon(found)).candidate


@wpt(FILE, "createOffer must detect InvalidStateError synchronously when chain is empty (prerequisite)")
async def test_an_offer_in_the_wrong_state_is_refused_at_the_call(rtc: MakeRtc) -> None:
    pc = rtc()
    await offered(rtc, pc)
    refuses_at_the_call(InvalidStateError, pc.createOffer())


@wpt(FILE, "createAnswer must detect InvalidStateError synchronously when chain is empty (prerequisite)")
async def test_an_answer_in_the_wrong_state_is_refused_at_the_call(rtc: MakeRtc) -> None:
    refuses_at_the_call(InvalidStateError, rtc().createAnswer())


@wpt(FILE, "SLD(rollback) must detect InvalidStateError synchronously when chain is empty")
async def test_a_rollback_of_nothing_is_refused_at_the_call(rtc: MakeRtc) -> None:
    refuses_at_the_call(InvalidStateError, rtc().setLocalDescription(ROLLBACK))


@wpt(FILE, "addIceCandidate must detect InvalidStateError synchronously when chain is empty")
async def test_a_candidate_without_a_remote_description_is_refused_at_the_call(rtc: MakeRtc) -> None:
    pc = rtc()
    refuses_at_the_call(InvalidStateError, pc.addIceCandidate())
    assert pc.remoteDescription is None


@wpt(FILE, "replaceTrack must detect InvalidStateError synchronously when chain is empty and transceiver is stopped")
async def test_a_track_of_a_stopped_transceiver_is_refused_at_the_call(rtc: MakeRtc) -> None:
    transceiver = rtc().addTransceiver("audio")
    transceiver.stop()
    with pytest.raises(InvalidStateError):
        transceiver.sender.replaceTrack(None)


@wpt(FILE, "isOperationsChainEmpty detects empty in stable")
async def test_the_chain_is_empty_at_first(rtc: MakeRtc) -> None:
    assert await has_empty_chain(rtc())


@wpt(FILE, "isOperationsChainEmpty detects empty in have-local-offer")
async def test_the_chain_is_empty_after_a_local_offer(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setLocalDescription(await pc.createOffer())
    assert await has_empty_chain(pc)


@wpt(FILE, "isOperationsChainEmpty detects empty in have-remote-offer")
async def test_the_chain_is_empty_after_a_remote_offer(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setRemoteDescription(await rtc().createOffer())
    assert await has_empty_chain(pc)


async def assert_chained(pc: Any, operation: Coroutine[Any, Any, object]) -> None:
    """Assert that the chain is not empty while an operation is under way, and is again when it is done."""
    assert await has_empty_chain(pc)
    call = asyncio.ensure_future(operation)
    assert not await has_empty_chain(pc)
    await call
    assert await has_empty_chain(pc)


@wpt(FILE, "createOffer uses operations chain")
async def test_creating_an_offer_is_chained(rtc: MakeRtc) -> None:
    pc = rtc()
    await assert_chained(pc, pc.createOffer())


@wpt(FILE, "createAnswer uses operations chain")
async def test_creating_an_answer_is_chained(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setRemoteDescription(await rtc().createOffer())
    await assert_chained(pc, pc.createAnswer())


@wpt(FILE, "setLocalDescription uses operations chain")
async def test_a_local_description_is_chained(rtc: MakeRtc) -> None:
    pc = rtc()
    await assert_chained(pc, pc.setLocalDescription(await pc.createOffer()))


@wpt(FILE, "setRemoteDescription uses operations chain")
async def test_a_remote_description_is_chained(rtc: MakeRtc) -> None:
    pc = rtc()
    await assert_chained(pc, pc.setRemoteDescription(await rtc().createOffer()))


@wpt(FILE, "addIceCandidate uses operations chain")
async def test_a_candidate_is_chained(rtc: MakeRtc) -> None:
    pc = rtc()
    candidate = await offered(rtc, pc)
    await assert_chained(pc, pc.addIceCandidate(candidate))


@wpt(FILE, "Firing of negotiationneeded does NOT use operations chain")
async def test_telling_of_a_need_is_not_chained(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.addTransceiver("audio")
    await happens(pc, "negotiationneeded")
    assert await has_empty_chain(pc)
    await turns()
    assert await has_empty_chain(pc)


@wpt(FILE, "Negotiationneeded only fires once operations chain is empty")
async def test_a_need_waits_for_the_chain(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("audio")
    one.addTransceiver("video")
    found = watched(one, "icecandidate")
    await one.setLocalDescription()
    await until(one, "icecandidate", lambda: found[-1:] != [] and found[-1].candidate is None)
    other.addTransceiver("video")
    await happens(other, "negotiationneeded")
    needs = watched(other, "negotiationneeded", lambda: other.signalingState)
    calls = [await called(other.setRemoteDescription(one.localDescription))]
    calls += [await called(other.addIceCandidate(event.candidate)) for event in found if event.candidate is not None]
    await other.setLocalDescription()
    assert needs == []
    await asyncio.gather(*calls)
    await turns()
    assert needs == ["stable"]


@wpt(FILE, "addIceCandidate chains onto SRD, fails before")
async def test_a_candidate_waits_for_the_description_that_was_called_for_first(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("video")
    found = upcoming(one, "icecandidate")
    await one.setLocalDescription()
    candidate = (await soon(found)).candidate
    with pytest.raises(InvalidStateError):
        await other.addIceCandidate(candidate)
    description = await called(other.setRemoteDescription(one.localDescription))
    await other.addIceCandidate(candidate)
    assert description.done()
    assert candidate.candidate in other.remoteDescription.sdp


@wpt(FILE, "Operations queue not vulnerable to recursion by chained negotiationneeded")
async def test_an_offer_may_cross_one_that_a_need_called_for(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await rtc().createOffer()
    pc.addTransceiver("video")
    await happens(pc, "negotiationneeded")
    call = await called(pc.setLocalDescription())
    await pc.setRemoteDescription(offer)
    await call
    assert pc.signalingState == "have-remote-offer"


@wpt(FILE, "Pack operations queue with implicit offer and answer")
async def test_operations_may_be_called_for_in_advance(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("video")
    await asyncio.gather(one.createOffer(), one.setLocalDescription(RTCSessionDescription(type="offer")))
    await asyncio.gather(
        other.setRemoteDescription(one.localDescription),
        other.createAnswer(),
        other.setLocalDescription(RTCSessionDescription(type="answer")),
    )
    await one.setRemoteDescription(other.localDescription)
    assert (one.signalingState, other.signalingState) == ("stable", "stable")


@wpt(FILE, "Negotiate solely by operations queue and signaling state")
async def test_states_alone_tell_how_far_a_negotiation_is(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("video")
    calls = [
        await called(one.createOffer()),
        await called(one.setLocalDescription(RTCSessionDescription(type="offer"))),
    ]
    await until(one, "signalingstatechange", lambda: one.signalingState == "have-local-offer")
    calls += [
        await called(other.setRemoteDescription(one.localDescription)),
        await called(other.createAnswer()),
        await called(other.setLocalDescription(RTCSessionDescription(type="answer"))),
    ]
    await happens(other, "signalingstatechange")
    await until(other, "signalingstatechange", lambda: other.signalingState == "stable")
    await one.setRemoteDescription(other.localDescription)
    await asyncio.gather(*calls)
    assert one.signalingState == "stable"


@wpt(
    "RTCPeerConnection-SLD-SRD-timing.https.html",
    "setLocalDescription and setRemoteDescription are not racy",
)
async def test_two_descriptions_called_for_at_once_are_applied_in_order(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    pc.addTransceiver("audio", direction="recvonly")
    offer = await pc.createOffer()
    await asyncio.gather(pc.setLocalDescription(offer), pc.setRemoteDescription(offer))
    assert states == ["have-local-offer", "stable", "have-remote-offer"]

"""setLocalDescription with an offer or an answer."""

from __future__ import annotations

import asyncio

import pytest
from aiortc.mediastreams import AudioStreamTrack

from fsm_rtc import RTCSessionDescription
from fsm_rtc.errors import InvalidModificationError
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import (
    ROLLBACK,
    alike,
    answer_to,
    audio_offer,
    called,
    channel_offer,
    exchange,
    signaling_states,
    soon,
    upcoming,
    video_offer,
    watched,
)
from tests.peer.wpt.subtests import wpt

BOTH = "RTCPeerConnection-setLocalDescription.html"
OFFER = "RTCPeerConnection-setLocalDescription-offer.html"
ANSWER = "RTCPeerConnection-setLocalDescription-answer.html"


@wpt(
    BOTH,
    "Calling createOffer() and setLocalDescription() again after one round of local-offer/remote-answer should succeed",
)
async def test_a_second_offer_is_pending_beside_the_current_first(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    first = await audio_offer(pc)
    await pc.setLocalDescription(first)
    await pc.setRemoteDescription(await answer_to(rtc, first))
    pc.createDataChannel("test")
    second = await video_offer(pc)
    await pc.setLocalDescription(second)
    assert alike(pc.localDescription, second)
    assert alike(pc.pendingLocalDescription, second)
    assert alike(pc.currentLocalDescription, first)
    assert states == ["have-local-offer", "stable", "have-local-offer"]


@wpt(BOTH, "Switching role from answerer to offerer after going back to stable state should succeed")
async def test_the_roles_may_be_exchanged_in_stable(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.createDataChannel("test")
    offer = await one.createOffer()
    assert one.localDescription is one.currentLocalDescription is one.pendingLocalDescription is None
    await exchange(one, other)
    assert alike(one.currentLocalDescription, offer)
    assert one.pendingLocalDescription is None
    other.addTrack(AudioStreamTrack())
    await other.setLocalDescription()
    await one.setRemoteDescription(other.localDescription)
    answer = await one.createAnswer()
    await one.setLocalDescription(answer)
    assert alike(one.localDescription, answer)
    assert alike(one.currentLocalDescription, answer)
    assert one.pendingLocalDescription is None


@wpt(BOTH, "onsignalingstatechange fires before setLocalDescription resolves")
async def test_the_event_comes_before_the_method_returns(rtc: MakeRtc) -> None:
    pc = rtc()
    order = watched(pc, "signalingstatechange", lambda: "event")
    await pc.setLocalDescription(await pc.createOffer())
    order.append("returned")
    assert order == ["event", "returned"]


@wpt(OFFER, "setLocalDescription with valid offer should succeed")
async def test_an_offer_is_pending(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    offer = await audio_offer(pc)
    await pc.setLocalDescription(offer)
    assert alike(pc.localDescription, offer)
    assert alike(pc.pendingLocalDescription, offer)
    assert pc.currentLocalDescription is None
    assert states == [pc.signalingState] == ["have-local-offer"]


@wpt(OFFER, "setLocalDescription with type offer and null sdp should use lastOffer generated from createOffer")
async def test_an_offer_without_sdp_is_the_one_created_last(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await audio_offer(pc)
    await pc.setLocalDescription(RTCSessionDescription(type="offer"))
    assert pc.signalingState == "have-local-offer"
    assert alike(pc.localDescription, offer)


@wpt(
    OFFER,
    "setLocalDescription() with offer not created by own createOffer() should reject with InvalidModificationError",
)
async def test_somebody_elses_offer_is_no_local_one(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await channel_offer(rtc())
    with pytest.raises(InvalidModificationError):
        await pc.setLocalDescription(offer)
    assert pc.signalingState == "stable"


@wpt(OFFER, "Set created offer other than last offer should reject with InvalidModificationError")
async def test_an_offer_before_the_last_one_is_refused(rtc: MakeRtc) -> None:
    pc = rtc()
    first = await audio_offer(pc)
    assert not alike(first, await video_offer(pc))
    with pytest.raises(InvalidModificationError):
        await pc.setLocalDescription(first)


@wpt(OFFER, "Creating and setting offer multiple times should succeed")
async def test_an_offer_takes_the_place_of_an_earlier_one_without_an_event(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    await pc.setLocalDescription(await audio_offer(pc))
    second = await video_offer(pc)
    await pc.setLocalDescription(second)
    assert alike(pc.pendingLocalDescription, second)
    assert pc.currentLocalDescription is None
    assert states == ["have-local-offer"]


@wpt(OFFER, "Setting previously generated offer after a call to createAnswer should work")
async def test_an_answer_created_since_does_not_outdate_an_offer(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await audio_offer(pc)
    await pc.setRemoteDescription(await video_offer(rtc()))
    await pc.createAnswer()
    await pc.setRemoteDescription(ROLLBACK)
    await pc.setLocalDescription(offer)
    assert pc.signalingState == "have-local-offer"


@wpt(OFFER, "Negotiation works when there has been a repeated setLocalDescription(offer)")
async def test_a_repeated_offer_negotiates_one_transceiver(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    await one.setLocalDescription(await audio_offer(one))
    await exchange(one, other)
    for pc in (one, other):
        assert [transceiver.receiver.track.kind for transceiver in pc.getTransceivers()] == ["audio"]


@wpt(OFFER, "setLocalDescription(offer) should update internal state with a queued task, in the right order")
async def test_an_offer_shows_after_the_call_and_before_the_event(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await audio_offer(pc)
    event = upcoming(pc, "signalingstatechange", lambda: (pc.signalingState, pc.pendingLocalDescription))
    call = await called(pc.setLocalDescription(offer))
    assert pc.signalingState == "stable"
    assert pc.pendingLocalDescription is None
    await soon(asyncio.wait({call, event}, return_when=asyncio.FIRST_COMPLETED))
    state, pending = event.result()
    assert state == "have-local-offer"
    assert alike(pending, offer)
    assert pc.currentLocalDescription is pc.pendingRemoteDescription is pc.currentRemoteDescription is None
    await call


@wpt(ANSWER, "setLocalDescription() with valid answer should succeed")
async def test_an_answer_makes_both_descriptions_current(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    offer = await video_offer(rtc())
    await pc.setRemoteDescription(offer)
    answer = await pc.createAnswer()
    await pc.setLocalDescription(answer)
    assert alike(pc.localDescription, answer)
    assert alike(pc.currentLocalDescription, answer)
    assert alike(pc.currentRemoteDescription, offer)
    assert pc.pendingLocalDescription is pc.pendingRemoteDescription is None
    assert states == ["have-remote-offer", "stable"]


@wpt(ANSWER, "setLocalDescription() with type answer and null sdp should use lastAnswer generated from createAnswer")
async def test_an_answer_without_sdp_is_the_one_created_last(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setRemoteDescription(await video_offer(rtc()))
    answer = await pc.createAnswer()
    await pc.setLocalDescription(RTCSessionDescription(type="answer"))
    assert pc.signalingState == "stable"
    assert alike(pc.currentLocalDescription, answer)


@wpt(
    ANSWER,
    "setLocalDescription() with answer not created by own createAnswer() should reject with InvalidModificationError",
)
async def test_somebody_elses_answer_is_no_local_one(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await video_offer(rtc())
    await pc.setRemoteDescription(offer)
    answer = await answer_to(rtc, offer)
    with pytest.raises(InvalidModificationError):
        await pc.setLocalDescription(answer)


@wpt(ANSWER, "Calling setLocalDescription(answer) from stable state should reject with InvalidModificationError")
async def test_an_answer_never_created_is_a_modification_before_it_is_a_wrong_state(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await pc.createOffer()
    with pytest.raises(InvalidModificationError):
        await pc.setLocalDescription(RTCSessionDescription(offer.sdp, "answer"))


@wpt(
    ANSWER,
    "Calling setLocalDescription(answer) from have-local-offer state should reject with InvalidModificationError",
)
async def test_an_answer_to_ones_own_offer_is_refused(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await pc.createOffer()
    await pc.setLocalDescription(offer)
    answer = await answer_to(rtc, offer)
    with pytest.raises(InvalidModificationError):
        await pc.setLocalDescription(answer)
    assert pc.signalingState == "have-local-offer"


@wpt(ANSWER, "Setting previously generated answer after a call to createOffer should work")
async def test_an_offer_created_since_does_not_outdate_an_answer(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await audio_offer(rtc())
    await pc.setRemoteDescription(offer)
    answer = await pc.createAnswer()
    await pc.setRemoteDescription(ROLLBACK)
    await video_offer(pc)
    await pc.setRemoteDescription(offer)
    await pc.setLocalDescription(answer)
    assert pc.signalingState == "stable"


@wpt(ANSWER, "setLocalDescription(answer) should update internal state with a queued task, in the right order")
async def test_an_answer_shows_after_the_call_and_before_the_event(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await audio_offer(rtc())
    await pc.setRemoteDescription(offer)
    answer = await pc.createAnswer()
    event = upcoming(pc, "signalingstatechange", lambda: (pc.signalingState, pc.currentLocalDescription))
    call = await called(pc.setLocalDescription(answer))
    assert pc.signalingState == "have-remote-offer"
    assert pc.currentLocalDescription is pc.currentRemoteDescription is pc.pendingLocalDescription is None
    await soon(asyncio.wait({call, event}, return_when=asyncio.FIRST_COMPLETED))
    state, current = event.result()
    assert state == "stable"
    assert alike(current, answer)
    assert alike(pc.currentRemoteDescription, offer)
    assert pc.pendingRemoteDescription is None
    await call

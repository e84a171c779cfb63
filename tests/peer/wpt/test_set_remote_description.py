"""setRemoteDescription with an offer or an answer."""

from __future__ import annotations

import asyncio

import pytest

from fsm_rtc import RTCSessionDescription
from fsm_rtc.errors import InvalidStateError, RTCError
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
)
from tests.peer.wpt.subtests import wpt

BOTH = "RTCPeerConnection-setRemoteDescription.html"
OFFER = "RTCPeerConnection-setRemoteDescription-offer.html"
ANSWER = "RTCPeerConnection-setRemoteDescription-answer.html"


@wpt(BOTH, "setRemoteDescription with invalid type and invalid SDP should reject with TypeError")
async def test_a_type_that_is_none_is_a_type_error(rtc: MakeRtc) -> None:
    with pytest.raises(TypeError):
        await rtc().setRemoteDescription(RTCSessionDescription("bogus", "bogus"))


@wpt(BOTH, "setRemoteDescription() with invalid SDP and stable state should reject with InvalidStateError")
async def test_the_wrong_state_goes_before_what_is_no_sdp(rtc: MakeRtc) -> None:
    with pytest.raises(InvalidStateError):
        await rtc().setRemoteDescription(RTCSessionDescription("invalid", "answer"))


@wpt(BOTH, "Calling setRemoteDescription() again after one round of remote-offer/local-answer should succeed")
async def test_a_second_offer_is_pending_beside_the_current_first(rtc: MakeRtc) -> None:
    pc, offerer = rtc(), rtc()
    first = await audio_offer(offerer)
    await exchange(offerer, pc)
    second = await video_offer(offerer)
    await offerer.setLocalDescription(second)
    await pc.setRemoteDescription(second)
    assert alike(pc.remoteDescription, second)
    assert alike(pc.pendingRemoteDescription, second)
    assert alike(pc.currentRemoteDescription, first)


@wpt(BOTH, "Switching role from offerer to answerer after going back to stable state should succeed")
async def test_the_roles_may_be_exchanged_in_stable(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    await audio_offer(one)
    await exchange(one, other)
    answer = one.remoteDescription
    await other.setLocalDescription()
    await one.setRemoteDescription(other.localDescription)
    assert one.remoteDescription.type == "offer"
    assert one.remoteDescription.sdp == one.pendingRemoteDescription.sdp
    assert alike(one.currentRemoteDescription, answer)


@wpt(OFFER, "setRemoteDescription with valid offer should succeed")
async def test_an_offer_is_pending(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    offer = await channel_offer(rtc())
    await pc.setRemoteDescription(offer)
    assert alike(pc.remoteDescription, offer)
    assert alike(pc.pendingRemoteDescription, offer)
    assert pc.currentRemoteDescription is None
    assert states == [pc.signalingState] == ["have-remote-offer"]


@wpt(OFFER, "setRemoteDescription multiple times should succeed")
async def test_an_offer_may_come_twice_and_is_told_of_once(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    offer = await channel_offer(rtc())
    await pc.setRemoteDescription(offer)
    await pc.setRemoteDescription(offer)
    assert alike(pc.pendingRemoteDescription, offer)
    assert states == ["have-remote-offer"]


@wpt(OFFER, "setRemoteDescription multiple times with different offer should succeed")
async def test_an_offer_takes_the_place_of_an_earlier_one_without_an_event(rtc: MakeRtc) -> None:
    offerer, pc = rtc(), rtc()
    states = signaling_states(pc)
    first = await channel_offer(offerer)
    await offerer.setLocalDescription(first)
    second = await audio_offer(offerer)
    assert not alike(first, second)
    await pc.setRemoteDescription(first)
    await pc.setRemoteDescription(second)
    assert alike(pc.pendingRemoteDescription, second)
    assert pc.currentRemoteDescription is None
    assert states == ["have-remote-offer"]


@wpt(OFFER, "setRemoteDescription(offer) with invalid SDP should reject with RTCError")
async def test_what_is_no_sdp_is_a_syntax_error(rtc: MakeRtc) -> None:
    pc = rtc()
    with pytest.raises(RTCError) as raised:
        await pc.setRemoteDescription(RTCSessionDescription("Invalid SDP", "offer"))
    assert raised.value.errorDetail == "sdp-syntax-error"
    assert pc.signalingState == "stable"


@wpt(OFFER, "setRemoteDescription(offer) from have-local-offer should roll back and succeed")
async def test_an_offer_takes_the_local_one_back(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setLocalDescription()
    await pc.setRemoteDescription(await rtc().createOffer())
    assert pc.signalingState == "have-remote-offer"
    assert pc.localDescription is None


@wpt(OFFER, "setRemoteDescription(offer) from have-local-offer fires signalingstatechange twice")
async def test_taking_the_local_offer_back_passes_stable(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setLocalDescription()
    offer = await rtc().createOffer()
    seen: list[tuple[str, bool, bool]] = []
    pc.on(
        "signalingstatechange",
        lambda: seen.append((pc.signalingState, bool(pc.pendingLocalDescription), bool(pc.pendingRemoteDescription))),
    )
    await pc.setRemoteDescription(offer)
    assert seen == [("stable", False, False), ("have-remote-offer", False, True)]


@wpt(OFFER, "setRemoteDescription(offer) in stable should update internal state with a queued task, in the right order")
async def test_an_offer_shows_after_the_call_and_before_the_event(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await audio_offer(rtc())
    event = upcoming(pc, "signalingstatechange", lambda: (pc.signalingState, pc.pendingRemoteDescription))
    call = await called(pc.setRemoteDescription(offer))
    assert pc.signalingState == "stable"
    assert pc.pendingRemoteDescription is pc.currentRemoteDescription is None
    await soon(asyncio.wait({call, event}, return_when=asyncio.FIRST_COMPLETED))
    state, pending = event.result()
    assert state == "have-remote-offer"
    assert alike(pending, offer)
    assert pc.currentRemoteDescription is None
    await call


@wpt(
    OFFER,
    "setRemoteDescription(offer) in have-local-offer should update internal state with a queued task, in the right"
    " order",
)
async def test_the_local_offer_is_there_until_it_is_taken_back_with_an_event(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setLocalDescription(await audio_offer(pc))
    offer = await audio_offer(rtc())
    event = upcoming(pc, "signalingstatechange", lambda: (pc.signalingState, pc.pendingLocalDescription))
    call = await called(pc.setRemoteDescription(offer))
    assert pc.signalingState == "have-local-offer"
    assert pc.pendingRemoteDescription is None
    assert pc.pendingLocalDescription.type == "offer"
    await soon(asyncio.wait({call, event}, return_when=asyncio.FIRST_COMPLETED))
    assert event.result() == ("stable", None)
    await call
    assert alike(pc.pendingRemoteDescription, offer)


@wpt(OFFER, "Naive rollback approach is not glare-proof (control)")
async def test_a_candidate_between_a_rollback_and_an_offer_is_refused(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setLocalDescription()
    offer = await rtc().createOffer()
    stable = upcoming(pc, "signalingstatechange")
    rollback = asyncio.ensure_future(pc.setLocalDescription(ROLLBACK))
    await soon(stable)
    candidate = await called(pc.addIceCandidate())
    taken = await called(pc.setRemoteDescription(offer))
    with pytest.raises(InvalidStateError):
        await candidate
    await asyncio.gather(rollback, taken)
    assert pc.signalingState == "have-remote-offer"


@wpt(OFFER, "setRemoteDescription(offer) from have-local-offer is glare-proof")
async def test_a_candidate_after_an_offer_that_rolls_back_is_taken(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setLocalDescription()
    offer = await rtc().createOffer()
    stable = upcoming(pc, "signalingstatechange", lambda: pc.signalingState)
    taken = asyncio.ensure_future(pc.setRemoteDescription(offer))
    assert await soon(stable) == "stable"
    await pc.addIceCandidate()
    await taken
    assert pc.signalingState == "have-remote-offer"


@wpt(OFFER, "setRemoteDescription(invalidOffer) from have-local-offer does not undo rollback")
async def test_an_offer_that_is_no_sdp_has_taken_the_local_one_back(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setLocalDescription()
    states = signaling_states(pc)
    with pytest.raises(RTCError):
        await pc.setRemoteDescription(RTCSessionDescription("Invalid SDP", "offer"))
    assert states == [pc.signalingState] == ["stable"]
    assert pc.pendingLocalDescription is pc.pendingRemoteDescription is None


@wpt(OFFER, "repeated sRD(offer) works")
async def test_a_repeated_offer_makes_one_transceiver(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("video")
    offer = await one.createOffer()
    for _ in range(2):
        await other.setRemoteDescription(offer)
        assert len(other.getTransceivers()) == 1
    await one.setLocalDescription(offer)
    await other.setLocalDescription()
    await one.setRemoteDescription(other.localDescription)
    assert one.signalingState == "stable"


@wpt(ANSWER, "setRemoteDescription() with valid state and answer should succeed")
async def test_an_answer_makes_both_descriptions_current(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    offer = await video_offer(pc)
    await pc.setLocalDescription(offer)
    answer = await answer_to(rtc, offer)
    await pc.setRemoteDescription(answer)
    assert alike(pc.currentLocalDescription, offer)
    assert alike(pc.currentRemoteDescription, answer)
    assert pc.pendingLocalDescription is pc.pendingRemoteDescription is None
    assert states == ["have-local-offer", "stable"]


@wpt(ANSWER, "Calling setRemoteDescription(answer) from stable state should reject with InvalidStateError")
async def test_an_answer_without_an_offer_is_refused(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await pc.createOffer()
    with pytest.raises(InvalidStateError):
        await pc.setRemoteDescription(RTCSessionDescription(offer.sdp, "answer"))


@wpt(ANSWER, "Calling setRemoteDescription(answer) from have-remote-offer state should reject with InvalidStateError")
async def test_an_answer_to_the_other_sides_own_offer_is_refused(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await channel_offer(rtc())
    await pc.setRemoteDescription(offer)
    answer = await answer_to(rtc, offer)
    with pytest.raises(InvalidStateError):
        await pc.setRemoteDescription(answer)
    assert pc.signalingState == "have-remote-offer"

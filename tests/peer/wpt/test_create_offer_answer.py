"""createOffer and createAnswer."""

from __future__ import annotations

import pytest

from fsm_rtc.errors import InvalidStateError
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import alike, called, channel_offer, refuses_at_the_call, video_offer
from tests.peer.wpt.subtests import wpt

OFFER = "RTCPeerConnection-createOffer.html"
ANSWER = "RTCPeerConnection-createAnswer.html"


@wpt(OFFER, "createOffer() with no argument from newly created RTCPeerConnection should succeed")
async def test_a_new_connection_has_an_offer_to_make(rtc: MakeRtc) -> None:
    offer = await rtc().createOffer()
    assert offer.type == "offer"
    assert offer.sdp.startswith("v=0\r\n")
    assert "m=" not in offer.sdp


@wpt(OFFER, "createOffer() and then setLocalDescription() should succeed")
async def test_an_offer_changes_nothing_before_it_is_set(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await video_offer(pc)
    assert pc.signalingState == "stable"
    assert pc.localDescription is None
    await pc.setLocalDescription(offer)
    assert alike(pc.pendingLocalDescription, offer)


@wpt(OFFER, "createOffer() after connection is closed should reject with InvalidStateError")
async def test_no_offer_once_closed(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.close()
    refuses_at_the_call(InvalidStateError, pc.createOffer())


@wpt(
    OFFER,
    "When media stream is added when createOffer() is running in parallel, the result offer should contain the new"
    " media stream",
)
async def test_an_offer_has_what_was_added_while_it_was_created(rtc: MakeRtc) -> None:
    pc = rtc()
    call = await called(pc.createOffer())
    pc.addTransceiver("audio")
    assert (await call).sdp.count("m=audio") == 1


@wpt(OFFER, "createOffer() should fail when signaling state is not stable or have-local-offer")
async def test_no_offer_while_theirs_is_pending(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setRemoteDescription(await video_offer(rtc()))
    with pytest.raises(InvalidStateError):
        await pc.createOffer()
    assert pc.signalingState == "have-remote-offer"


@wpt(ANSWER, "createAnswer() with null remoteDescription should reject with InvalidStateError")
async def test_no_answer_without_an_offer(rtc: MakeRtc) -> None:
    with pytest.raises(InvalidStateError):
        await rtc().createAnswer()


@wpt(ANSWER, "createAnswer() after setting remote description should succeed")
async def test_an_answer_has_a_section_for_each_one_offered(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setRemoteDescription(await video_offer(rtc()))
    answer = await pc.createAnswer()
    assert answer.type == "answer"
    assert answer.sdp.count("m=video") == answer.sdp.count("m=") == 1


@wpt(ANSWER, "createAnswer() when connection is closed reject with InvalidStateError")
async def test_no_answer_once_closed(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setRemoteDescription(await channel_offer(rtc()))
    await pc.close()
    refuses_at_the_call(InvalidStateError, pc.createAnswer())

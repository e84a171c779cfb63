"""Provisional answers, ours and the other side's."""

from __future__ import annotations

import pytest

from fsm_rtc import RTCSessionDescription
from fsm_rtc.errors import InvalidModificationError, InvalidStateError
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import alike, answer_to, signaling_states, video_offer
from tests.peer.wpt.subtests import wpt

LOCAL = "RTCPeerConnection-setLocalDescription-pranswer.html"
REMOTE = "RTCPeerConnection-setRemoteDescription-pranswer.html"


@wpt(LOCAL, "setLocalDescription(pranswer) from stable state should reject with InvalidStateError")
async def test_no_provisional_answer_without_an_offer(rtc: MakeRtc) -> None:
    """The page gives it an SDP that createAnswer never returned, which has become an InvalidModificationError since."""
    pc = rtc()
    offer = await pc.createOffer()
    with pytest.raises(InvalidStateError):
        await pc.setLocalDescription(RTCSessionDescription(type="pranswer"))
    with pytest.raises(InvalidModificationError):
        await pc.setLocalDescription(RTCSessionDescription(offer.sdp, "pranswer"))


@wpt(LOCAL, "setLocalDescription(pranswer) should succeed")
async def test_a_provisional_answer_of_ours_leaves_both_descriptions_pending(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    offer = await video_offer(rtc())
    await pc.setRemoteDescription(offer)
    provisional = RTCSessionDescription((await pc.createAnswer()).sdp, "pranswer")
    await pc.setLocalDescription(provisional)
    assert alike(pc.remoteDescription, offer)
    assert alike(pc.pendingRemoteDescription, offer)
    assert alike(pc.localDescription, provisional)
    assert alike(pc.pendingLocalDescription, provisional)
    assert pc.currentLocalDescription is pc.currentRemoteDescription is None
    assert states == ["have-remote-offer", "have-local-pranswer"]


@wpt(LOCAL, "setLocalDescription(pranswer) can be applied multiple times while still in have-local-pranswer")
async def test_a_provisional_answer_of_ours_may_be_repeated_without_an_event(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    await pc.setRemoteDescription(await video_offer(rtc()))
    provisional = RTCSessionDescription((await pc.createAnswer()).sdp, "pranswer")
    await pc.setLocalDescription(provisional)
    await pc.setLocalDescription(provisional)
    assert states == ["have-remote-offer", "have-local-pranswer"]


@wpt(LOCAL, "setLocalDescription(answer) from have-local-pranswer state should succeed")
async def test_our_final_answer_ends_the_provisional_one(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    offer = await video_offer(rtc())
    await pc.setRemoteDescription(offer)
    answer = await pc.createAnswer()
    await pc.setLocalDescription(RTCSessionDescription(answer.sdp, "pranswer"))
    await pc.setLocalDescription(answer)
    assert alike(pc.currentLocalDescription, answer)
    assert alike(pc.currentRemoteDescription, offer)
    assert pc.pendingLocalDescription is pc.pendingRemoteDescription is None
    assert states == ["have-remote-offer", "have-local-pranswer", "stable"]


@wpt(REMOTE, "setRemoteDescription(pranswer) from stable state should reject with InvalidStateError")
async def test_a_provisional_answer_to_nothing_is_refused(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await pc.createOffer()
    with pytest.raises(InvalidStateError):
        await pc.setRemoteDescription(RTCSessionDescription(offer.sdp, "pranswer"))


@wpt(REMOTE, "setRemoteDescription(pranswer) from have-local-offer state should succeed")
async def test_a_provisional_answer_of_theirs_leaves_both_descriptions_pending(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    offer = await video_offer(pc)
    await pc.setLocalDescription(offer)
    provisional = RTCSessionDescription((await answer_to(rtc, offer)).sdp, "pranswer")
    await pc.setRemoteDescription(provisional)
    assert alike(pc.localDescription, offer)
    assert alike(pc.pendingLocalDescription, offer)
    assert alike(pc.remoteDescription, provisional)
    assert alike(pc.pendingRemoteDescription, provisional)
    assert pc.currentLocalDescription is pc.currentRemoteDescription is None
    assert states == ["have-local-offer", "have-remote-pranswer"]


@wpt(REMOTE, "setRemoteDescription(pranswer) multiple times should succeed")
async def test_a_provisional_answer_of_theirs_may_be_repeated_without_an_event(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    offer = await video_offer(pc)
    await pc.setLocalDescription(offer)
    provisional = RTCSessionDescription((await answer_to(rtc, offer)).sdp, "pranswer")
    await pc.setRemoteDescription(provisional)
    await pc.setRemoteDescription(provisional)
    assert states == ["have-local-offer", "have-remote-pranswer"]


@wpt(REMOTE, "setRemoteDescription(answer) from have-remote-pranswer state should succeed")
async def test_their_final_answer_ends_the_provisional_one(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    offer = await video_offer(pc)
    await pc.setLocalDescription(offer)
    answer = await answer_to(rtc, offer)
    await pc.setRemoteDescription(RTCSessionDescription(answer.sdp, "pranswer"))
    await pc.setRemoteDescription(answer)
    assert alike(pc.currentLocalDescription, offer)
    assert alike(pc.currentRemoteDescription, answer)
    assert pc.pendingLocalDescription is pc.pendingRemoteDescription is None
    assert states == ["have-local-offer", "have-remote-pranswer", "stable"]

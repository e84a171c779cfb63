"""Rollback: what is taken back, and what may follow."""

from __future__ import annotations

import pytest
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from fsm_rtc import RTCSessionDescription
from fsm_rtc.errors import InvalidStateError
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import (
    ROLLBACK,
    audio_offer,
    called,
    channel_offer,
    exchange,
    happens,
    signaling_states,
    turns,
    watched,
)
from tests.peer.wpt.subtests import wpt

LOCAL = "RTCPeerConnection-setLocalDescription-rollback.html"
REMOTE = "RTCPeerConnection-setRemoteDescription-rollback.html"
INVALID = RTCSessionDescription("!<Invalid SDP Content>;", "rollback")


@wpt(LOCAL, "setLocalDescription(rollback) from have-local-offer state should reset back to stable state")
async def test_a_local_offer_can_be_taken_back(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    await pc.setLocalDescription()
    assert pc.localDescription is not None
    await pc.setLocalDescription(ROLLBACK)
    assert pc.localDescription is pc.pendingLocalDescription is pc.currentLocalDescription is None
    assert states == ["have-local-offer", "stable"]


@wpt(LOCAL, "setLocalDescription(rollback) from stable state should reject with InvalidStateError")
async def test_there_is_nothing_to_take_back_in_stable(rtc: MakeRtc) -> None:
    with pytest.raises(InvalidStateError):
        await rtc().setLocalDescription(ROLLBACK)


@wpt(LOCAL, "setLocalDescription(rollback) after setting answer description should reject with InvalidStateError")
async def test_an_answer_is_final(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setRemoteDescription(await audio_offer(rtc()))
    await pc.setLocalDescription()
    with pytest.raises(InvalidStateError):
        await pc.setLocalDescription(ROLLBACK)
    assert pc.currentLocalDescription.type == "answer"


@wpt(LOCAL, "setLocalDescription(rollback) should ignore invalid sdp content and succeed")
async def test_nobody_reads_the_sdp_of_a_local_rollback(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setLocalDescription()
    await pc.setLocalDescription(INVALID)
    assert pc.signalingState == "stable"


@wpt(LOCAL, "setLocalDescription(rollback) should update internal state with a queued tassk, in the right order")
async def test_the_local_offer_is_gone_after_the_call_and_before_the_event(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setLocalDescription(await audio_offer(pc))
    seen = watched(pc, "signalingstatechange", lambda: (pc.signalingState, pc.pendingLocalDescription))
    call = await called(pc.setLocalDescription(ROLLBACK))
    assert pc.signalingState == "have-local-offer"
    assert pc.pendingLocalDescription.sdp == pc.localDescription.sdp
    await call
    assert seen == [("stable", None)]


@wpt(REMOTE, "setRemoteDescription(rollback) in have-remote-offer state should revert to stable state")
async def test_a_remote_offer_can_be_taken_back(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    await pc.setRemoteDescription(await channel_offer(rtc()))
    assert pc.pendingRemoteDescription is not None
    await pc.setRemoteDescription(ROLLBACK)
    assert pc.remoteDescription is pc.pendingRemoteDescription is pc.currentRemoteDescription is None
    assert states == ["have-remote-offer", "stable"]


@wpt(REMOTE, "setRemoteDescription(rollback) from stable state should reject with InvalidStateError")
async def test_the_other_side_has_nothing_to_take_back_in_stable(rtc: MakeRtc) -> None:
    with pytest.raises(InvalidStateError):
        await rtc().setRemoteDescription(ROLLBACK)


@wpt(REMOTE, "setRemoteDescription(rollback) should ignore invalid sdp content and succeed")
async def test_nobody_reads_the_sdp_of_a_remote_rollback(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setRemoteDescription(await audio_offer(rtc()))
    await pc.setRemoteDescription(INVALID)
    assert pc.signalingState == "stable"


@wpt(
    REMOTE,
    "local offer created before setRemoteDescription(remote offer) then rollback should still be usable",
)
async def test_an_offer_created_before_outlives_a_rollback(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await audio_offer(pc)
    await pc.setRemoteDescription(await audio_offer(rtc()))
    await pc.setRemoteDescription(ROLLBACK)
    await pc.setLocalDescription(offer)
    assert pc.signalingState == "have-local-offer"


@wpt(
    REMOTE,
    "local offer created before setRemoteDescription(remote offer) with different transceiver level assignments"
    " then rollback should still be usable",
)
async def test_an_offer_created_before_outlives_a_rollback_of_other_sections(rtc: MakeRtc) -> None:
    pc, other = rtc(), rtc()
    pc.addTrack(VideoStreamTrack())
    offer = await pc.createOffer()
    for kind in ("audio", "video"):
        other.addTransceiver(kind, direction="recvonly")
    await pc.setRemoteDescription(await other.createOffer())
    await pc.setRemoteDescription(ROLLBACK)
    await pc.setLocalDescription(offer)
    assert pc.signalingState == "have-local-offer"


@wpt(
    REMOTE,
    "when using addTransceiver, implicit rollback of a local offer should visit stable state, but not fire"
    " negotiationneeded until we settle in stable",
)
async def test_glare_leaves_a_transceiver_to_be_negotiated_later(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    for pc in (one, other):
        pc.addTransceiver(AudioStreamTrack())
    await happens(one, "negotiationneeded")
    states = signaling_states(one)
    needs = watched(one, "negotiationneeded", lambda: one.signalingState)
    await one.setLocalDescription()
    await one.setRemoteDescription(await other.createOffer())
    await turns()
    assert needs == []
    await one.setLocalDescription()
    assert states == ["have-local-offer", "stable", "have-remote-offer", "stable"]
    await turns()
    assert needs == ["stable"]


@wpt(
    REMOTE,
    "when using addTrack, implicit rollback of a local offer should visit stable state, but not fire negotiationneeded",
)
async def test_glare_of_tracks_leaves_nothing_to_be_negotiated(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    for pc in (one, other):
        pc.addTrack(AudioStreamTrack())
    await happens(one, "negotiationneeded")
    states = signaling_states(one)
    needs = watched(one, "negotiationneeded")
    await one.setLocalDescription()
    await one.setRemoteDescription(await other.createOffer())
    await one.setLocalDescription()
    await turns()
    assert states == ["have-local-offer", "stable", "have-remote-offer", "stable"]
    assert needs == []


@wpt(
    REMOTE,
    "rollback of a remote offer to negotiated stable state should enable applying of a local offer",
)
async def test_after_a_remote_rollback_on_a_negotiated_connection_we_may_offer(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTrack(AudioStreamTrack())
    await exchange(one, other)
    one.addTrack(VideoStreamTrack())
    await one.setLocalDescription()
    other.addTrack(VideoStreamTrack())
    offer = await other.createOffer()
    await other.setRemoteDescription(one.pendingLocalDescription)
    await other.setRemoteDescription(ROLLBACK)
    assert len(other.getTransceivers()) == 2
    await other.setLocalDescription(offer)
    assert other.signalingState == "have-local-offer"


@wpt(
    REMOTE,
    "rollback of a local offer to negotiated stable state should enable applying of a remote offer",
)
async def test_after_a_local_rollback_on_a_negotiated_connection_they_may_offer(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTrack(AudioStreamTrack())
    await exchange(one, other)
    other.addTrack(VideoStreamTrack())
    await other.setLocalDescription()
    assert [transceiver.sender.transport is None for transceiver in other.getTransceivers()] == [False, False]
    await other.setLocalDescription(ROLLBACK)
    assert [transceiver.sender.transport is None for transceiver in other.getTransceivers()] == [False, True]
    one.addTrack(VideoStreamTrack())
    await one.setLocalDescription()
    await other.setRemoteDescription(one.pendingLocalDescription)
    assert other.signalingState == "have-remote-offer"


@wpt(REMOTE, "Implicit rollback with only a datachannel works")
async def test_glare_leaves_a_data_channel_to_be_negotiated_later(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("video")
    channel = other.createDataChannel("dummy")
    await other.setLocalDescription()
    await other.setRemoteDescription(await one.createOffer())
    assert other.signalingState == "have-remote-offer"
    await other.setLocalDescription()
    offer = await other.createOffer()
    await other.setLocalDescription(offer)
    assert channel.readyState == "connecting"
    assert "m=application" in offer.sdp

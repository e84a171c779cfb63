"""Rollback: transceivers, streams and gathering."""

from __future__ import annotations

import asyncio
from typing import Any

from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from fsm_rtc import MediaStream
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import ROLLBACK, answer_to, exchange, signaling_states, trickle, until, watched
from tests.peer.wpt.subtests import wpt

REMOTE = "RTCPeerConnection-setRemoteDescription-rollback.html"
TRANSCEIVER = "RTCPeerConnection-setDescription-transceiver.html"
GATHERING = "RTCPeerConnection-explicit-rollback-iceGatheringState.html"


async def offered_video(rtc: MakeRtc, pc: Any) -> None:
    """Let somebody offer a video track."""
    offerer = rtc()
    offerer.addTrack(VideoStreamTrack(), MediaStream())
    await pc.setRemoteDescription(await offerer.createOffer())
    assert len(pc.getTransceivers()) == 1


@wpt(REMOTE, "rollback of a remote offer should remove a transceiver")
async def test_a_transceiver_goes_with_the_offer_that_made_it(rtc: MakeRtc) -> None:
    pc = rtc()
    await offered_video(rtc, pc)
    await pc.setRemoteDescription(ROLLBACK)
    assert pc.getTransceivers() == []


@wpt(REMOTE, "rollback of a remote offer should remove touched transceiver")
async def test_a_transceiver_goes_though_its_track_was_replaced(rtc: MakeRtc) -> None:
    pc = rtc()
    await offered_video(rtc, pc)
    await pc.getTransceivers()[0].sender.replaceTrack(VideoStreamTrack())
    await pc.setRemoteDescription(ROLLBACK)
    assert pc.getTransceivers() == []


@wpt(REMOTE, "rollback of a remote offer should keep a transceiver")
async def test_a_transceiver_that_a_track_was_added_to_stays(rtc: MakeRtc) -> None:
    pc = rtc()
    await offered_video(rtc, pc)
    pc.addTrack(VideoStreamTrack())
    await pc.setRemoteDescription(ROLLBACK)
    (transceiver,) = pc.getTransceivers()
    assert transceiver.mid is transceiver.receiver.transport is None


@wpt(REMOTE, "rollback of a remote offer should keep a transceiver created by addtrack")
async def test_a_transceiver_that_was_there_before_stays(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.addTrack(VideoStreamTrack())
    await offered_video(rtc, pc)
    await pc.setRemoteDescription(ROLLBACK)
    (transceiver,) = pc.getTransceivers()
    assert transceiver.mid is transceiver.receiver.transport is None


@wpt(REMOTE, "rollback of a remote offer should keep a transceiver without tracks")
async def test_a_transceiver_stays_though_its_added_track_was_taken_away(rtc: MakeRtc) -> None:
    pc = rtc()
    await offered_video(rtc, pc)
    pc.addTrack(VideoStreamTrack())
    await pc.getTransceivers()[0].sender.replaceTrack(None)
    await pc.setRemoteDescription(ROLLBACK)
    assert len(pc.getTransceivers()) == 1


@wpt(REMOTE, "explicit rollback of local offer should remove transceivers and transport")
async def test_a_local_rollback_takes_the_transport_back(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.addTrack(VideoStreamTrack())
    states = signaling_states(pc)
    offer = await pc.createOffer()
    (transceiver,) = pc.getTransceivers()
    await pc.setLocalDescription(offer)
    assert transceiver.sender.transport is not None
    await pc.setLocalDescription(ROLLBACK)
    assert transceiver.mid is transceiver.sender.transport is None
    await pc.setLocalDescription(offer)
    assert pc.getTransceivers() == [transceiver]
    assert states == ["have-local-offer", "stable", "have-local-offer"]


@wpt(
    REMOTE,
    "rollback a local offer with audio direction change to negotiated stable state and then add video receiver",
)
async def test_a_rollback_keeps_the_wanted_direction(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTrack(AudioStreamTrack())
    await exchange(one, other)
    (transceiver,) = other.getTransceivers()
    assert transceiver.direction == "recvonly"
    other.addTrack(AudioStreamTrack())
    assert transceiver.direction == "sendrecv"
    await other.setLocalDescription()
    await other.setLocalDescription(ROLLBACK)
    assert other.getTransceivers() == [transceiver]
    assert transceiver.direction == "sendrecv"
    assert transceiver.receiver.transport is not None
    one.addTrack(VideoStreamTrack())
    await one.setLocalDescription()
    await other.setRemoteDescription(one.pendingLocalDescription)
    assert len(other.getTransceivers()) == 2


@wpt(REMOTE, "two transceivers with same mids")
async def test_a_mid_that_the_other_side_took_is_not_used_again(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    for pc in (one, other):
        pc.addTransceiver("video", direction="sendonly")
        await pc.setLocalDescription()
    (ours,) = one.getTransceivers()
    first = ours.mid
    assert first == other.getTransceivers()[0].mid
    await one.setRemoteDescription(other.pendingLocalDescription)
    assert [transceiver.mid for transceiver in one.getTransceivers()] == [None, first]
    await one.setLocalDescription()
    await one.setLocalDescription()
    assert ours.mid not in (None, first)


@wpt(REMOTE, "onremovetrack fires during remote rollback")
async def test_the_tracks_leave_their_stream(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    stream = MediaStream()
    for track in (AudioStreamTrack(), VideoStreamTrack()):
        one.addTrack(track, stream)
    tracks = watched(other, "track")
    await other.setRemoteDescription(await one.createOffer())
    theirs = tracks[0].streams[0]
    there = theirs.getTracks()
    removed = watched(theirs, "removetrack")
    await other.setRemoteDescription(ROLLBACK)
    assert len(there) == 2
    assert {track.id for track in removed} == {track.id for track in there}
    assert theirs.getTracks() == []


@wpt(REMOTE, "rollback of a remote offer with stream changes")
async def test_a_track_goes_back_to_the_stream_it_was_in(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTrack(AudioStreamTrack(), MediaStream())
    streams = watched(other, "track")
    await exchange(one, other)
    first = streams[0].streams[0]
    (track,) = first.getTracks()
    one.getTransceivers()[0].sender.setStreams(MediaStream())
    await other.setRemoteDescription(await one.createOffer())
    second = streams[1].streams[0]
    assert (first.getTracks(), second.getTracks()) == ([], [track])
    await other.setRemoteDescription(ROLLBACK)
    third = streams[2].streams[0]
    assert third.id == first.id
    assert (second.getTracks(), third.getTracks()) == ([], [track])


@wpt(REMOTE, "removeTrack() with a sender being rolled back does not crash or throw")
async def test_the_track_of_a_transceiver_that_goes_may_be_removed(rtc: MakeRtc) -> None:
    pc = rtc()
    await offered_video(rtc, pc)
    (transceiver,) = pc.getTransceivers()
    rollback = asyncio.ensure_future(pc.setRemoteDescription(ROLLBACK))
    pc.removeTrack(transceiver.sender)
    await rollback
    pc.removeTrack(transceiver.sender)
    assert pc.getTransceivers() == []


@wpt(TRANSCEIVER, "setLocalDescription(rollback) should unset transceiver.mid")
async def test_a_local_rollback_takes_the_mid_back(rtc: MakeRtc) -> None:
    pc = rtc()
    transceiver = pc.addTransceiver("audio")
    await pc.setLocalDescription()
    assert transceiver.mid is not None
    await pc.setLocalDescription(ROLLBACK)
    assert transceiver.mid is None


@wpt(TRANSCEIVER, "setLocalDescription(rollback) should only unset transceiver mids associated with current round")
async def test_a_local_rollback_leaves_what_was_negotiated_before(rtc: MakeRtc) -> None:
    pc = rtc()
    first = pc.addTransceiver("audio")
    await pc.setLocalDescription()
    await pc.setRemoteDescription(await answer_to(rtc, pc.localDescription))
    second = pc.addTransceiver("video")
    mid = first.mid
    await pc.setLocalDescription()
    assert None not in (mid, second.mid)
    await pc.setLocalDescription(ROLLBACK)
    assert (first.mid, second.mid) == (mid, None)


@wpt(TRANSCEIVER, "setRemoteDescription(rollback) should remove newly created transceiver from transceiver list")
async def test_a_transceiver_that_goes_loses_its_mid(rtc: MakeRtc) -> None:
    pc = rtc()
    await offered_video(rtc, pc)
    (transceiver,) = pc.getTransceivers()
    assert transceiver.mid is not None
    await pc.setRemoteDescription(ROLLBACK)
    assert transceiver.mid is None
    assert pc.getTransceivers() == []


@wpt(
    GATHERING,
    "rolling back an ICE restart when gathering is complete should not result in iceGatheringState changes",
)
async def test_taking_an_ice_restart_back_leaves_gathering_complete(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    one.addTransceiver("audio", direction="recvonly")
    await exchange(one, other)
    await until(one, "icegatheringstatechange", lambda: one.iceGatheringState == "complete")
    changes = watched(one, "icegatheringstatechange", lambda: one.iceGatheringState)
    await one.setLocalDescription(await one.createOffer(iceRestart=True))
    await until(one, "icegatheringstatechange", lambda: changes == ["gathering", "complete"])
    await one.setLocalDescription(ROLLBACK)
    await exchange(one, other)
    assert changes == ["gathering", "complete"]


@wpt(
    GATHERING,
    'setLocalDescription(rollback) of original offer should cause iceGatheringState to reach "new" when starting in'
    ' "complete"',
)
async def test_taking_the_first_offer_back_after_gathering_is_new(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.addTransceiver("audio", direction="recvonly")
    changes = watched(pc, "icegatheringstatechange", lambda: pc.iceGatheringState)
    await pc.setLocalDescription()
    await until(pc, "icegatheringstatechange", lambda: pc.iceGatheringState == "complete")
    await pc.setLocalDescription(ROLLBACK)
    await until(pc, "icegatheringstatechange", lambda: pc.iceGatheringState == "new")
    assert changes == ["gathering", "complete", "new"]


@wpt(
    GATHERING,
    'setLocalDescription(rollback) of original offer should cause iceGatheringState to reach "new" when starting in'
    ' "gathering"',
)
async def test_taking_the_first_offer_back_while_gathering_is_new(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.addTransceiver("audio", direction="recvonly")
    changes = watched(pc, "icegatheringstatechange", lambda: pc.iceGatheringState)
    await pc.setLocalDescription()
    await until(pc, "icegatheringstatechange", lambda: bool(changes))
    await pc.setLocalDescription(ROLLBACK)
    await until(pc, "icegatheringstatechange", lambda: pc.iceGatheringState == "new")
    assert changes in (["gathering", "new"], ["gathering", "complete", "new"])

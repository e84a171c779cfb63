"""The other side's track: muted until something comes and when nothing does, ended with its section or connection."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import Any

import pytest
from aiortc import RTCPeerConnection as BareConnection
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtcpByePacket

from fsm_rtc import Journal, MediaStream, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from fsm_rtc.media import SyntheticVideoTrack
from fsm_rtc.peer.jsep import receiver as receiving
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import connected, exchange, happens, soon, trickle, upcoming, watched


class Small(SyntheticVideoTrack):
    """Small pictures, so that a busy machine keeps up."""

    def __init__(self) -> None:
        super().__init__(64, 48)


async def call(one: RTCPeerConnection, other: RTCPeerConnection) -> Any:
    """Connects the two, of which the first sends a track; returns it as the other has it, live."""
    came = upcoming(other, "track")
    trickle(one, other)
    await exchange(one, other)
    track = (await soon(came)).track
    await live(track)
    return track


async def live(track: Any) -> None:
    if track.muted:
        await happens(track, "unmute")


async def muted(track: Any) -> None:
    if not track.muted:
        await happens(track, "mute")


async def frame_of(track: Any) -> Any:
    return await soon(track.recv())


async def test_packets_unmute_it_and_it_begins_muted(rtc: MakeRtc) -> None:
    one, other, track = rtc(), rtc(), Small()
    one.addTrack(track)
    came = upcoming(other, "track", lambda: [one.track.muted for one in other.getReceivers()])
    remote = await call(one, other)
    assert came.result() == [True]
    assert not remote.muted
    track.stop()


async def test_a_goodbye_mutes_it_and_packets_unmute_it(rtc: MakeRtc) -> None:
    one, other, track = rtc(), rtc(), Small()
    one.addTrack(track)
    remote = await call(one, other)
    told = watched(remote, "mute", lambda: "mute")
    watched_again = watched(remote, "unmute", lambda: "unmute")
    await one.getSenders()[0]._send_rtcp([RtcpByePacket(sources=[one.getSenders()[0]._ssrc])])
    await happens(remote, "unmute")
    assert (told, watched_again, remote.readyState) == (["mute"], ["unmute"], "live")
    assert await frame_of(remote)
    track.stop()


async def test_a_goodbye_of_another_source_changes_nothing(rtc: MakeRtc) -> None:
    one, other, track = rtc(), rtc(), Small()
    one.addTrack(track)
    remote = await call(one, other)
    await other.getReceivers()[0]._handle_rtcp_packet(RtcpByePacket(sources=[1, 2]))
    assert not remote.muted
    track.stop()


async def test_silence_mutes_it_and_the_next_packet_unmutes_it(rtc: MakeRtc) -> None:
    one, other, track = rtc(), rtc(), Small()
    sender = one.addTrack(track)
    remote = await call(one, other)
    await sender.replaceTrack(None)
    await muted(remote)
    assert remote.readyState == "live"
    await sender.replaceTrack(track)
    await live(remote)
    while not await frame_of(remote):
        pass
    track.stop()
    await muted(remote)


async def test_a_direction_that_sends_no_longer_mutes_it_and_another_one_brings_it_back(rtc: MakeRtc) -> None:
    one, other, track, stream = rtc(), rtc(), Small(), MediaStream("camera")
    one.addTrack(track, stream)
    came = upcoming(other, "track")
    remote = await call(one, other)
    (seen,) = (await came).streams
    events = watched(seen, "addtrack", lambda: "added")
    watched(remote, "mute", lambda: events.append("mute"))
    seen.on("removetrack", lambda gone: events.append(gone))
    one.getTransceivers()[0].direction = "inactive"
    again = upcoming(other, "track")
    await exchange(one, other)
    assert (remote.muted, remote.readyState, seen.getTracks()) == (True, "live", [])
    one.getTransceivers()[0].direction = "sendonly"
    await exchange(one, other)
    assert (await soon(again)).track is remote
    assert [event if isinstance(event, str) else "removed" for event in events] == ["mute", "removed", "added"]
    assert seen.getTracks() == [remote]
    await live(remote)
    track.stop()


async def test_a_rejected_section_ends_it(rtc: MakeRtc) -> None:
    one, other, track = rtc(), rtc(), Small()
    one.addTrack(track)
    remote = await call(one, other)
    ended = upcoming(remote, "ended")
    one.getTransceivers()[0].stop()
    await exchange(one, other)
    await soon(ended)
    assert remote.readyState == "ended"
    track.stop()


async def test_close_ends_it_at_the_call_and_wakes_all_who_wait(rtc: MakeRtc) -> None:
    one, other, track = rtc(), rtc(), Small()
    sender = one.addTrack(track)
    remote = await call(one, other)
    await sender.replaceTrack(None)
    waiting = [asyncio.ensure_future(_until_the_end(remote)) for _ in range(3)]
    await asyncio.sleep(0)
    closing = other.close()
    assert remote.readyState == "ended"
    await soon(asyncio.gather(*waiting))
    await closing
    with pytest.raises(MediaStreamError):
        await remote.recv()
    track.stop()


async def _until_the_end(track: Any) -> None:
    while True:
        try:
            await track.recv()
        except MediaStreamError:
            return


async def test_one_that_never_came_ends_with_close_too(rtc: MakeRtc) -> None:
    one = rtc()
    track = one.addTransceiver("audio").receiver.track
    waiting = asyncio.ensure_future(_until_the_end(track))
    await asyncio.sleep(0)
    await one.close()
    await soon(waiting)


async def test_the_other_sides_close_mutes_it_and_doesnt_end_it(rtc: MakeRtc) -> None:
    one, other, track = rtc(), rtc(), Small()
    one.addTrack(track)
    remote = await call(one, other)
    await one.close()
    await muted(remote)
    assert remote.readyState == "live"
    track.stop()


async def test_a_handler_that_raises_hurts_nobody(rtc: MakeRtc, caplog: pytest.LogCaptureFixture) -> None:
    one, other, track = rtc(), rtc(), Small()
    one.addTrack(track)

    def spoil(event: Any) -> None:
        for name in ("mute", "unmute", "ended"):
            event.track.on(name, lambda: 1 / 0)

    other.on("track", spoil)
    remote = await call(one, other)
    await frame_of(remote)
    with caplog.at_level(logging.CRITICAL):
        await other.close()
    assert remote.readyState == "ended"
    track.stop()


async def test_frames_that_nobody_reads_give_way_to_new_ones(rtc: MakeRtc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(receiving.WAITING_FRAMES, "video", 3)
    one, other, track = rtc(), rtc(), Small()
    one.addTrack(track)
    remote = await call(one, other)
    async with asyncio.timeout(20):
        while remote.missed < 5:  # noqa: ASYNC110 - nothing tells of a frame that nobody reads
            await asyncio.sleep(0.02)
    assert remote._queue.qsize() == 3
    track.stop()


@pytest.mark.parametrize("engine", ["compiled", "transitions"])
async def test_the_journal_tells_what_became_of_it(engine: str) -> None:
    journal, track = Journal(), Small()
    one = RTCPeerConnection(RTCConfiguration(loopback=True))
    other = RTCPeerConnection(RTCConfiguration(loopback=True), journal=journal, label="other", engine=engine)
    one.addTrack(track)
    remote = await call(one, other)
    await one.close()
    await muted(remote)
    await other.close()
    entries = [(entry.trigger, entry.target) for entry in journal.entries("other.track") if entry.accepted]
    assert entries[0] == ("on_packet", "live")
    assert entries[-1] == ("end", "ended")
    assert {target for _, target in entries} == {"live", "muted", "ended"}
    track.stop()


async def test_a_track_that_ended_is_no_machine_of_the_connection_any_more(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    for _ in range(3):
        transceiver = one.addTransceiver("audio")
        await exchange(one, other)
        transceiver.stop()
        await exchange(one, other)
    gc.collect()
    assert [label for label in other.peer.machines if ".track" in label] == []


# A fact of aiortc's.


async def test_bare_aiortc_ends_its_track_at_a_goodbye(rtc: MakeRtc) -> None:
    """The receiver's overrides are not needed any more when this fails."""
    one, other, track = rtc(), BareConnection(), Small()
    one.addTrack(track)
    offer = await one.createOffer()
    await other.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
    receiver: Any = other.getReceivers()[0]
    await other.setLocalDescription(await other.createAnswer())
    receiver._RTCRtpReceiver__decoder_thread = _Thread()
    await receiver._handle_rtcp_packet(RtcpByePacket(sources=[1]))
    assert receiver._RTCRtpReceiver__decoder_thread is None
    await other.close()


class _Thread:
    def join(self) -> None:
        return


# Streams.


def described(sdp: str, msid: str | None, ssrc_msid: str | None = None) -> RTCSessionDescription:
    """An offer whose one section says this of its streams."""
    lines = [line for line in sdp.splitlines() if not line.startswith(("a=msid:", "a=ssrc", "a=msid-semantic"))]
    lines += [f"a=msid:{value}" for value in (msid or "").split("|") if value]
    lines += ["a=ssrc:7 cname:x"] + ([f"a=ssrc:7 msid:{ssrc_msid}"] if ssrc_msid else [])
    return RTCSessionDescription("\r\n".join([*lines, ""]), "offer")


@pytest.mark.parametrize(
    ("msid", "ssrc_msid", "streams", "track_id"),
    [
        ("s t", None, ["s"], "t"),
        ("s t|s2 t", None, ["s", "s2"], "t"),
        ("s t|s t", None, ["s"], "t"),
        ("s", None, ["s"], None),
        ("- t", None, [], "t"),
        ("-", None, [], None),
        (None, "s t", ["s"], "t"),
        ("s t", "s2 t2", ["s"], "t"),
        (None, "- t", [], "t"),
        (None, None, [None], None),
    ],
)
async def test_the_streams_and_the_name_of_a_track_are_read(
    rtc: MakeRtc, msid: str | None, ssrc_msid: str | None, streams: list[str | None], track_id: str | None
) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("audio", direction="sendonly")
    came = upcoming(other, "track")
    await other.setRemoteDescription(described((await one.createOffer()).sdp, msid, ssrc_msid))
    event = await soon(came)
    assert [None if name is None else stream.id for stream, name in zip(event.streams, streams, strict=True)] == streams
    assert all(stream.getTracks() == [event.track] for stream in event.streams)
    if track_id is not None:
        assert event.track.id == track_id


async def test_all_tracks_without_a_name_are_of_one_stream_which_stays_the_same(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    for kind in ("audio", "video"):
        one.addTransceiver(kind, direction="sendonly")
    events = watched(other, "track")
    offer = described((await one.createOffer()).sdp, None)
    await other.setRemoteDescription(offer)
    assert len({id(stream) for event in events for stream in event.streams}) == 1
    (stream,) = events[0].streams
    assert [track.kind for track in stream.getTracks()] == ["audio", "video"]
    added = watched(stream, "addtrack")
    await other.setRemoteDescription(offer)
    assert (len(events), added) == (2, [])


async def test_a_second_track_of_a_stream_is_told_at_the_stream_before_the_connection(rtc: MakeRtc) -> None:
    one, other, stream = rtc(), rtc(), MediaStream("both")
    tracks = [Small(), Small()]
    one.addTrack(tracks[0], stream)
    first = upcoming(other, "track")
    trickle(one, other)
    await exchange(one, other)
    (seen,) = (await soon(first)).streams
    order: list[str] = []
    seen.on("addtrack", lambda track: order.append("addtrack"))
    other.on("track", lambda event: order.append("track"))
    one.addTrack(tracks[1], stream)
    await exchange(one, other)
    await connected(one, other)
    assert order == ["addtrack", "track"]
    assert len(seen.getTracks()) == 2
    for track in tracks:
        track.stop()

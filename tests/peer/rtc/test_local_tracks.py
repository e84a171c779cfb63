"""A local track belongs to its owner: what sends it may end, and another may send it, and the track lives."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import av
import pytest
from aiortc.contrib.media import MediaPlayer
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, MediaStreamTrack, VideoStreamTrack

from fsm_rtc import MediaStream, RTCConfiguration, RTCPeerConnection
from fsm_rtc import aiortc as dropin
from fsm_rtc.media import SyntheticVideoTrack, subscribe
from tests.media.numbered_tracks import picture, sound
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import connected, exchange, soon, trickle, upcoming


class Small(SyntheticVideoTrack):
    """Small pictures, so that a busy machine keeps up."""

    def __init__(self) -> None:
        super().__init__(64, 48)


KINDS: list[type[MediaStreamTrack]] = [Small, AudioStreamTrack]


async def call(rtc: MakeRtc, *tracks: MediaStreamTrack) -> tuple[RTCPeerConnection, RTCPeerConnection]:
    """Two that are connected; the first one sends the tracks."""
    one, other = rtc(), rtc()
    for track in tracks:
        one.addTrack(track)
    trickle(one, other)
    await exchange(one, other)
    await connected(one, other)
    return one, other


async def frame_of(peer: RTCPeerConnection, number: int = 0) -> Any:
    return await soon(peer.getReceivers()[number].track.recv())


@pytest.mark.parametrize("kind", KINDS)
async def test_a_track_outlives_its_calls_and_is_heard_in_each(rtc: MakeRtc, kind: type[MediaStreamTrack]) -> None:
    track = kind()
    ended: list[bool] = []
    track.on("ended", lambda: ended.append(True))
    for _ in range(2):
        one, other = await call(rtc, track)
        assert await frame_of(other)
        assert one.getSenders()[0].track is track
        await one.close()
        await other.close()
        assert one.getSenders() == [] or one.getSenders()[0].track is track
    assert (track.readyState, ended) == ("live", [])
    track.stop()
    assert ended == [True]


@pytest.mark.parametrize(
    "end", ["sender.stop", "transceiver.stop", "removeTrack", "replaceTrack", "close of the other", "rejection"]
)
async def test_no_end_of_a_sender_ends_its_track(rtc: MakeRtc, end: str) -> None:
    track = Small()
    one, other = await call(rtc, track)
    await frame_of(other)
    (sender,), (transceiver,) = one.getSenders(), one.getTransceivers()
    if end == "sender.stop":
        await sender.stop()
    elif end == "transceiver.stop":
        await transceiver.stop()
    elif end == "removeTrack":
        one.removeTrack(sender)
    elif end == "replaceTrack":
        await sender.replaceTrack(None)
    elif end == "close of the other":
        await other.close()
    else:
        other.getTransceivers()[0].stop()
        await exchange(other, one)
    await one.close()
    assert track.readyState == "live"
    frame: Any = await soon(subscribe(track).recv())
    assert frame.width == 64
    track.stop()


async def test_a_sender_shows_the_users_track_with_its_id_and_stream(rtc: MakeRtc) -> None:
    track, stream, one = Small(), MediaStream("camera"), rtc()
    sender = one.addTrack(track, stream)
    assert sender.track is track
    assert f"a=msid:camera {track.id}\r\n" in (await one.createOffer()).sdp
    replaced = Small()
    await sender.replaceTrack(replaced)
    assert sender.track is replaced
    await sender.replaceTrack(None)
    assert sender.track is None


async def test_one_track_to_three_gives_each_its_frames_and_one_that_leaves_takes_none_along(rtc: MakeRtc) -> None:
    track = Small()
    calls = [await call(rtc, track) for _ in range(3)]
    for _ in range(3):
        await asyncio.gather(*(frame_of(other) for _, other in calls))
    await calls[0][0].close()
    for _ in range(10):
        await asyncio.gather(*(frame_of(other) for _, other in calls[1:]))
    track.stop()


async def test_the_same_track_is_sent_twice_over_one_connection(rtc: MakeRtc) -> None:
    track, one, other = Small(), rtc(), rtc()
    for _ in range(2):
        one.addTransceiver(track)
    trickle(one, other)
    await exchange(one, other)
    await connected(one, other)
    await asyncio.gather(frame_of(other), frame_of(other, 1))
    assert [sender.track for sender in one.getSenders()] == [track, track]
    track.stop()


async def test_a_track_that_is_given_when_connected_and_one_that_takes_its_place_are_seen(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    transceiver = one.addTransceiver("video")
    trickle(one, other)
    await exchange(one, other)
    await connected(one, other)
    first, second = Small(), SyntheticVideoTrack(32, 32)
    await transceiver.sender.replaceTrack(first)
    before = await frame_of(other)
    await transceiver.sender.replaceTrack(None)
    await transceiver.sender.replaceTrack(second)
    frame = await frame_of(other)
    while frame.width != 32:
        assert frame.pts >= before.pts
        before, frame = frame, await frame_of(other)
    assert frame.pts > before.pts
    assert first.readyState == "live"
    for track in (first, second):
        track.stop()


async def test_a_track_that_ended_gives_way_to_another_one(rtc: MakeRtc) -> None:
    track = Small()
    one, other = await call(rtc, track)
    await frame_of(other)
    track.stop()
    assert one.getSenders()[0].track is track
    following = SyntheticVideoTrack(32, 32)
    await one.getSenders()[0].replaceTrack(following)
    while (await frame_of(other)).width != 32:
        pass
    following.stop()


class Raising(MediaStreamTrack):
    """Raises once, then goes on."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.kind = "video"
        self._error: Exception | None = error
        self._inner = Small()

    async def recv(self) -> Any:
        if self._error is not None:
            error, self._error = self._error, None
            await asyncio.sleep(0)
            raise error
        return await self._inner.recv()


@pytest.mark.parametrize("error", [RuntimeError("no"), MediaStreamError()])
async def test_a_sender_survives_a_track_that_raises(rtc: MakeRtc, error: Exception) -> None:
    raising = Raising(error)
    one, other = await call(rtc, raising)
    following = Small()
    await one.getSenders()[0].replaceTrack(following)
    assert await frame_of(other)
    following.stop()
    raising.stop()


class Strange(MediaStreamTrack):
    """Every other frame is one that no encoder takes."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self._number = 0

    async def recv(self) -> Any:
        await asyncio.sleep(0.02)
        self._number += 1
        if self.kind == "video":
            size = 63 if self._number % 2 else 64  # x264 refuses an odd size
            return picture(self._number, step=1800, width=size, height=size)
        return sound(self._number, form="u8" if self._number % 2 else "s16")


async def test_a_sender_survives_frames_that_can_not_be_encoded(rtc: MakeRtc, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    track = Strange("video")
    one, other = rtc(), rtc()
    transceiver = one.addTransceiver(track)
    h264 = [one for one in type(transceiver.sender).getCapabilities("video").codecs if one.name == "H264"]
    transceiver.setCodecPreferences(h264[:1])
    trickle(one, other)
    await exchange(one, other)
    await connected(one, other)
    assert (await frame_of(other)).width in (63, 64)
    track.stop()


@pytest.mark.parametrize("decode", [True, False])
async def test_a_file_is_sent_to_two_and_lives_until_its_end(rtc: MakeRtc, tmp_path: Path, decode: bool) -> None:
    path = tmp_path / "bars.webm"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libvpx", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(60):
            frame = picture(number, width=64, height=48)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    player = MediaPlayer(str(path), decode=decode, loop=True)
    track: Any = player.video
    calls = [await call(rtc, track) for _ in range(2 if decode else 1)]
    for _, other in calls:
        assert (await frame_of(other)).width == 64
    await calls[0][0].close()
    assert track.readyState == "live"
    track.stop()


async def test_a_remote_track_is_passed_on_to_two(rtc: MakeRtc) -> None:
    track = Small()
    _, middle = await call(rtc, track)
    remote = middle.getReceivers()[0].track
    calls = [await call(rtc, remote) for _ in range(2)]
    await asyncio.gather(*(frame_of(other) for _, other in calls))
    ended = upcoming(calls[0][1].getReceivers()[0].track, "ended")
    await middle.close()
    assert remote.readyState == "ended"
    assert not ended.done()
    track.stop()


async def test_nothing_is_left_when_the_call_is_closed_and_the_track_is_stopped() -> None:
    track = Small()
    before = asyncio.all_tasks()
    peers = [RTCPeerConnection(RTCConfiguration(loopback=True)) for _ in range(2)]
    peers[0].addTrack(track)
    trickle(*peers)
    await exchange(*peers)
    await connected(*peers)
    await frame_of(peers[1])
    await asyncio.gather(*(peer.close() for peer in peers))
    track.stop()
    await soon(asyncio.gather(*(asyncio.all_tasks() - before), return_exceptions=True))
    assert asyncio.all_tasks() == before


async def test_a_call_that_is_closed_at_once_leaves_the_track(rtc: MakeRtc) -> None:
    track, one = Small(), rtc()
    one.addTrack(track)
    await one.setLocalDescription()
    await one.close()
    assert track.readyState == "live"


@pytest.mark.parametrize("track", [object(), None, 7])
def test_what_is_no_track_is_refused_with_a_sentence(track: object) -> None:
    async def add() -> None:
        peer = RTCPeerConnection(RTCConfiguration(loopback=True))
        try:
            with pytest.raises(TypeError, match="MediaStreamTrack"):
                peer.addTrack(track)
        finally:
            await peer.close()

    asyncio.run(add())


async def test_the_drop_in_stops_the_track_as_aiortc_does() -> None:
    track = VideoStreamTrack()
    one, other = (dropin.RTCPeerConnection(RTCConfiguration(loopback=True)) for _ in range(2))
    sender = one.addTrack(track)
    came = upcoming(other, "track")
    await one.setLocalDescription(await one.createOffer())
    await other.setRemoteDescription(one.localDescription)
    await other.setLocalDescription(await other.createAnswer())
    await one.setRemoteDescription(other.localDescription)
    remote = await soon(came)
    await soon(remote.recv())
    ended = upcoming(remote, "ended")
    await one.close()
    assert [track.readyState, sender.track] == ["ended", None]
    await soon(ended)
    await other.close()

"""The synthetic video track."""

from __future__ import annotations

import asyncio

from fsm_rtc.media import SyntheticVideoTrack, count_frames


async def test_frames_have_the_asked_size_rising_times_and_changing_content() -> None:
    track = SyntheticVideoTrack(64, 48)
    frames = [await track.recv() for _ in range(4)]
    assert {(frame.width, frame.height, frame.format.name) for frame in frames} == {(64, 48, "yuv420p")}
    times = [frame.pts for frame in frames if frame.pts is not None]
    assert len(times) == 4
    assert times == sorted(set(times))
    assert len({bytes(frame.planes[0]) for frame in frames}) == 4
    track.stop()


async def test_the_picture_is_grey_with_a_light_bar_that_begins_again_at_the_left() -> None:
    track = SyntheticVideoTrack(32, 16)
    frames = [await track.recv() for _ in range(5)]
    lines = [bytes(frame.planes[0])[:32] for frame in frames]
    assert [line.find(b"\xd0") for line in lines] == [0, 8, 16, 24, 0]
    assert {len(line) - line.count(b"\xd0") - line.count(b"\x40") for line in lines} == {0}
    assert set(bytes(frames[0].planes[1])[:16]) == {0x80}
    track.stop()


async def test_counting_tells_each_frame_and_ends_when_the_track_does() -> None:
    track = SyntheticVideoTrack(32, 16)
    counts: list[int] = []

    def tell(number: int) -> None:
        counts.append(number)
        if number == 3:
            track.stop()

    async with asyncio.timeout(60):
        await count_frames(track, tell)
    assert counts == [1, 2, 3]


async def test_a_track_that_has_ended_has_no_frame() -> None:
    track = SyntheticVideoTrack()
    track.stop()
    counts: list[int] = []
    await count_frames(track, counts.append)
    assert counts == []

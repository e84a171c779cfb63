"""Frames for several readers: copies, how long one lasts, what waits for a reader that is slow."""

from __future__ import annotations

import fractions
from typing import Any

import pytest
from av import AudioFrame, VideoFrame

from fsm_rtc.media.frames import Copier, Pictures, RecentSound, seconds_of
from tests.media.numbered_tracks import packet, picture, sound

FORMATS = ["yuv420p", "yuvj420p", "rgb24", "bgra", "gray", "nv12", "yuv422p", "yuv444p"]


def planes(frame: Any) -> list[bytes]:
    return [bytes(plane) for plane in frame.planes]


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("form", FORMATS)
def test_a_copied_picture_has_the_pixels_and_the_time_and_a_header_of_its_own(form: str, deep: bool) -> None:
    frame = VideoFrame(128, 16, form)
    for number, plane in enumerate(frame.planes):
        plane.update(bytes([40 + number]) * plane.buffer_size)
    frame.pts, frame.time_base = 7, fractions.Fraction(1, 30)
    copied = Copier().copy(frame, deep=deep)
    assert isinstance(copied, VideoFrame)
    assert planes(copied) == planes(frame)
    assert (copied.pts, copied.time_base, copied.width, copied.height) == (7, frame.time_base, 128, 16)
    assert (copied.planes[0].buffer_ptr == frame.planes[0].buffer_ptr) is not deep
    copied.pts, copied.pict_type = 8, 1
    assert (frame.pts, int(frame.pict_type)) == (7, 0)


def test_a_picture_of_another_size_is_copied_by_the_same_copier() -> None:
    copier = Copier()
    assert [copier.copy(picture(0, width=size)).width for size in (16, 32, 16)] == [16, 32, 16]  # type: ignore[union-attr]


def test_a_picture_without_a_time_keeps_none() -> None:
    copied = Copier().copy(VideoFrame(16, 16, "yuv420p"))
    assert copied.pts is None


@pytest.mark.parametrize(("form", "layout"), [("s16", "mono"), ("s16", "stereo"), ("fltp", "stereo"), ("s16p", "5.1")])
def test_copied_sound_shares_nothing(form: str, layout: str) -> None:
    frame = AudioFrame(format=form, layout=layout, samples=480)
    for number, plane in enumerate(frame.planes):
        plane.update(bytes([number + 1]) * plane.buffer_size)
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 960, fractions.Fraction(1, 48_000)
    copied = Copier().copy(frame)
    assert isinstance(copied, AudioFrame)
    assert planes(copied) == planes(frame)
    assert (copied.samples, copied.sample_rate, copied.pts, copied.layout.name) == (480, 48_000, 960, layout)
    assert copied.planes[0].buffer_ptr != frame.planes[0].buffer_ptr


def test_sound_that_was_decoded_is_copied_though_its_planes_are_longer_than_its_samples() -> None:
    from aiortc.codecs.opus import OpusDecoder, OpusEncoder
    from aiortc.jitterbuffer import JitterFrame

    payloads, timestamp = OpusEncoder().encode(sound(0, layout="stereo"))
    (frame,) = OpusDecoder().decode(JitterFrame(data=payloads[0], timestamp=timestamp))
    assert isinstance(frame, AudioFrame)
    assert frame.planes[0].buffer_size > 960 * 4
    assert Copier().copy(frame).samples == 960  # type: ignore[union-attr]


def test_a_copied_packet_is_whole() -> None:
    copied = Copier().copy(packet(3, key=True))
    assert (bytes(copied), copied.pts, copied.dts, copied.is_keyframe) == (b"3", 9000, 9000, True)  # type: ignore[arg-type, union-attr]


def test_how_long_frames_last() -> None:
    assert seconds_of(sound(0, rate=8000), "audio") == pytest.approx(0.02)
    assert seconds_of(packet(0), "audio") == pytest.approx(0.02)
    assert seconds_of(picture(0), "video") == pytest.approx(1 / 30)


# What waits.


def numbers(buffer: Pictures) -> list[int]:
    return [int(buffer.pop().pts or 0) // 3000 for _ in range(len(buffer))]


def test_sound_of_200_ms_waits_however_long_a_frame_lasts() -> None:
    for rate, samples, waiting in ((48_000, 960, 10), (48_000, 480, 20), (8000, 160, 10), (48_000, 48_000, 1)):
        buffer = RecentSound()
        for number in range(30):
            buffer.put(sound(number, rate=rate, samples=samples))
        assert (len(buffer), buffer.missed) == (waiting, 30 - waiting)
        assert buffer.pop().pts == (30 - waiting) * samples


def test_pictures_wait_for_a_reader_that_was_late_once_and_the_newest_alone_for_one_that_is_slow() -> None:
    now = 0.0
    buffer = Pictures(lambda: now)
    for number in range(12):
        buffer.put(picture(number))
    assert (len(buffer), buffer.missed) == (12, 0)
    buffer.put(picture(12))
    assert (len(buffer), buffer.missed) == (1, 12)
    buffer.put(picture(13))
    assert (numbers(buffer), buffer.missed) == ([13], 13)
    buffer.awaited()
    buffer.put(picture(14))
    buffer.put(picture(15))
    assert numbers(buffer) == [14, 15]


def test_pictures_that_are_old_give_way_to_the_newest() -> None:
    now = 0.0
    buffer = Pictures(lambda: now)
    buffer.put(picture(0))
    buffer.put(picture(1))
    now = 0.3
    buffer.put(picture(2))
    assert buffer.pop().pts == 0
    now = 0.5
    assert (buffer.pop().pts, buffer.missed) == (6000, 1)


def test_packets_wait_until_there_are_too_many_and_begin_again_with_a_key_frame() -> None:
    buffer = Pictures()
    buffer.put(packet(0, key=True))
    for number in range(1, 60):
        buffer.put(packet(number))
    assert (len(buffer), buffer.missed) == (60, 0)
    buffer.put(packet(60))
    buffer.put(packet(61))
    assert (len(buffer), buffer.missed) == (0, 62)
    buffer.put(packet(62, key=True))
    buffer.put(packet(63))
    assert (numbers(buffer), buffer.missed) == ([62, 63], 62)


def test_a_key_frame_that_finds_too_many_before_it_is_the_first_that_waits() -> None:
    buffer = Pictures()
    for number in range(60):
        buffer.put(packet(number, key=number == 0))
    buffer.put(packet(60, key=True))
    assert (numbers(buffer), buffer.missed) == ([60], 60)

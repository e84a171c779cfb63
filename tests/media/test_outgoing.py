"""What a sender reads: the frames of whichever track is sent just now, alike and in one time."""

from __future__ import annotations

import asyncio
import fractions
from typing import Any

import pytest
from aiortc.codecs import get_encoder
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av import AudioFrame

from fsm_rtc.media.outgoing import OutgoingTrack
from tests.media.numbered_tracks import Ending, Fed, packet, picture, sound, turns


def asking(track: OutgoingTrack) -> asyncio.Task[Any]:
    return asyncio.ensure_future(track.recv())


async def sent(outgoing: OutgoingTrack, track: Fed, *frames: Any) -> list[Any]:
    """What the sender gets of each frame."""
    got = []
    for frame in frames:
        asked = asking(outgoing)
        await turns()
        track.feed(frame)
        got.append(await asked)
    return got


async def test_it_gives_the_frames_of_its_track_from_0_on_and_leaves_the_users_frames_as_they_are() -> None:
    track, outgoing = Fed(), OutgoingTrack("video")
    outgoing.use(track)
    frames = [picture(number) for number in (100, 101)]
    got = await sent(outgoing, track, *frames)
    assert [frame.pts for frame in got] == [0, 3000]
    assert [frame.pts for frame in frames] == [300_000, 303_000]
    track.stop()


async def test_another_track_takes_its_place_though_the_one_before_gives_nothing_and_time_never_goes_back() -> None:
    silent, track, outgoing = Fed(), Fed(), OutgoingTrack("video")
    outgoing.use(silent)
    (first,) = await sent(outgoing, silent, picture(500))
    asked = asking(outgoing)
    await turns()
    outgoing.use(track)
    await turns()
    track.feed(picture(0))
    second = await asked
    outgoing.use(None)
    asked = asking(outgoing)
    await turns()
    assert not asked.done()
    outgoing.use(silent)
    await turns()
    late = picture(3)
    late.pts, late.time_base = 3, fractions.Fraction(1, 30)
    silent.feed(late)
    third = await asked
    assert first.pts < second.pts < third.pts
    assert {frame.time_base for frame in (first, second, third)} == {fractions.Fraction(1, 90_000)}
    assert (silent.readyState, track.readyState) == ("live", "live")
    for one in (silent, track):
        one.stop()


async def test_a_track_that_ends_gives_no_frames_and_never_an_error_and_another_one_may_follow() -> None:
    outgoing, track = OutgoingTrack("video"), Fed()
    outgoing.use(Ending([picture(0)]))
    assert (await outgoing.recv()).pts == 0
    asked = asking(outgoing)
    await turns(50)
    assert not asked.done()
    outgoing.use(track)
    await turns()
    track.feed(picture(0))
    assert (await asked).pts > 0
    track.stop()
    asked = asking(outgoing)
    await turns()
    assert not asked.done()
    outgoing.stop()
    with pytest.raises(MediaStreamError):
        await asked


@pytest.mark.parametrize("track", [None, Fed])
async def test_stopping_it_wakes_who_waits_and_stops_no_track(track: type[Fed] | None) -> None:
    sent_track = track() if track is not None else None
    outgoing = OutgoingTrack("video")
    outgoing.use(sent_track)
    asked = asking(outgoing)
    await turns()
    outgoing.stop()
    with pytest.raises(MediaStreamError):
        await asked
    if sent_track is not None:
        assert sent_track.readyState == "live"
        sent_track.stop()


async def test_as_aiortcs_it_stops_the_track() -> None:
    track, outgoing = Fed(), OutgoingTrack("video", stops_track=True)
    outgoing.use(track)
    outgoing.stop()
    assert (track.readyState, outgoing.track) == ("ended", None)


async def test_a_track_that_raises_is_no_error_of_the_sender() -> None:
    track, outgoing = Fed(), OutgoingTrack("video")
    outgoing.use(track)
    asked = asking(outgoing)
    await turns()
    track.feed(RuntimeError("no"))
    await turns()
    assert not asked.done()
    outgoing.stop()
    with pytest.raises(MediaStreamError):
        await asked


async def test_what_is_missed_is_counted_over_all_of_its_tracks() -> None:
    one, other, outgoing = Fed(), Fed(), OutgoingTrack("video")
    for track in (one, other):
        outgoing.use(track)
        asked = asking(outgoing)
        await turns()
        track.feed(*map(picture, range(1)))
        await asked
        tap = outgoing._tap
        assert tap is not None
        for number in range(1, 14):
            tap.put(picture(number))
    assert outgoing.missed == 24
    outgoing.use(None)
    assert outgoing.missed == 24


async def test_a_packet_keeps_the_distance_of_its_two_times() -> None:
    track, outgoing = Fed(), OutgoingTrack("video")
    outgoing.use(track)
    first, second = packet(0, key=True), packet(1)
    first.pts, second.pts = 6000, 3000
    got = await sent(outgoing, track, first, second)
    assert [one.pts for one in got] == [6000, 3000]
    track.stop()


SOUNDS = [
    {"rate": 8000},
    {"rate": 48_000, "layout": "stereo"},
    {"rate": 44_100, "layout": "stereo", "form": "fltp", "samples": 1024},
    {"rate": 48_000, "layout": "5.1", "form": "s16p"},
    {"rate": 16_000, "form": "flt"},
]


@pytest.mark.parametrize("codec", [("opus", 48_000, 2), ("PCMU", 8000, 1), ("G722", 8000, 1)])
@pytest.mark.parametrize("first", SOUNDS)
@pytest.mark.parametrize("second", SOUNDS)
async def test_sound_of_any_form_after_sound_of_another_is_encoded_in_a_time_that_goes_on(
    first: dict[str, Any], second: dict[str, Any], codec: tuple[str, int, int]
) -> None:
    name, rate, channels = codec
    encoder = get_encoder(
        RTCRtpCodecParameters(mimeType=f"audio/{name}", clockRate=rate, channels=channels, payloadType=96)
    )
    outgoing, times = OutgoingTrack("audio"), []
    for form in (first, second, first):
        outgoing.use(Ending([sound(number, **form) for number in range(12)], "audio"))
        for _ in range(7):
            frame = await outgoing.recv()
            assert isinstance(frame, AudioFrame)
            payloads, timestamp = encoder.encode(frame)
            if payloads:
                times.append(timestamp)
    assert len(times) >= 6
    assert times == sorted(set(times))
    outgoing.stop()


@pytest.mark.parametrize("codec", [("opus", 48_000, 2), ("PCMU", 8000, 1), ("G722", 8000, 1)])
@pytest.mark.parametrize(("rate", "samples"), [(48_000, 1024), (44_100, 1024), (48_000, 24_000), (8000, 400)])
async def test_sound_in_frames_longer_than_a_packet_is_sent_whole_one_packet_at_a_time(
    rate: int, samples: int, codec: tuple[str, int, int]
) -> None:
    name, clock_rate, channels = codec
    encoder = get_encoder(
        RTCRtpCodecParameters(mimeType=f"audio/{name}", clockRate=clock_rate, channels=channels, payloadType=96)
    )
    outgoing, packets = OutgoingTrack("audio"), 0
    outgoing.use(Ending([sound(number, rate=rate, samples=samples) for number in range(3)], "audio"))
    gone = 0
    while gone < 3 * samples:
        frame = await outgoing.recv()
        assert isinstance(frame, AudioFrame)
        assert frame.pts == gone
        gone += frame.samples
        payloads, _ = encoder.encode(frame)
        assert len(payloads) <= 1
        packets += len(payloads)
    assert packets in range(int(gone / rate * 50) - 1, int(gone / rate * 50) + 1)
    outgoing.stop()


async def test_long_sound_without_a_time_keeps_what_it_says() -> None:
    loud = AudioFrame(format="s16", layout="stereo", samples=2000)
    loud.planes[0].update(bytes(number % 251 for number in range(8000)))
    loud.sample_rate = 48_000
    outgoing, said = OutgoingTrack("audio"), b""
    outgoing.use(Ending([loud], "audio"))
    for _ in range(3):
        frame = await outgoing.recv()
        assert isinstance(frame, AudioFrame)
        said += bytes(frame.planes[0])[: frame.samples * 4]
    assert said == bytes(number % 251 for number in range(8000))
    outgoing.stop()


async def test_sound_without_a_rate_is_left_out_and_spoils_nothing_for_what_follows() -> None:
    rateless, outgoing = AudioFrame(format="s16", layout="mono", samples=160), OutgoingTrack("audio")
    outgoing.use(Ending([rateless, sound(1), sound(2)], "audio"))
    frame = await outgoing.recv()
    assert isinstance(frame, AudioFrame)
    assert frame.sample_rate == 48_000
    outgoing.stop()


async def test_sound_that_can_not_be_converted_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    track, outgoing = Fed("audio"), OutgoingTrack("audio")
    outgoing.use(track)
    strange = AudioFrame(format="flt", layout="mono", samples=160)  # it has no rate
    asked = asking(outgoing)
    await turns()
    track.feed(strange, sound(1))
    assert isinstance(await asked, AudioFrame)
    track.stop()

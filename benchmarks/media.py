"""What the pump costs: ``python benchmarks/media.py [--json] [--quick]``.

One track to some readers, by subscriptions here and by aiortc's MediaRelay there, in turn: what a frame costs on its
way from recv() of the track to that of every reader, in seconds of the processor. MediaRelay gives all of them one
frame object, which encoders write into; here each has a frame of its own, and so it costs more, whatever the size of
the picture. Beside it stands what aiortc's VP8 encoder takes for the same picture: what a frame costs in a call.
"""

from __future__ import annotations

import asyncio
import fractions
import time
from collections.abc import Callable
from typing import Any

from _harness import Result, Samples, arguments, finish, ratio_of
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamTrack
from av import AudioFrame, VideoFrame

from fsm_rtc.media import subscribe

FRAMES = 300
QUICK_FRAMES = 60
ROUNDS = 10

Frame = AudioFrame | VideoFrame


class Given(MediaStreamTrack):
    """Gives frames that were made before, one when it is told to."""

    def __init__(self, frames: list[Frame], kind: str) -> None:
        super().__init__()
        self.kind = kind
        self._frames = iter(frames)
        self.goes_on = asyncio.Event()

    async def recv(self) -> Any:
        await self.goes_on.wait()
        self.goes_on.clear()
        return next(self._frames)


async def seconds_a_frame(frames: list[Frame], kind: str, readers: int, reading: Callable[[Any], Any]) -> float:
    """How long a frame takes to every reader."""
    track = Given(frames, kind)
    subscribed = [reading(track) for _ in range(readers)]
    took = 0.0
    for _ in frames:
        waiting = [asyncio.ensure_future(one.recv()) for one in subscribed]
        for _ in range(4):
            await asyncio.sleep(0)
        began = time.process_time()
        track.goes_on.set()
        await asyncio.gather(*waiting)
        took += time.process_time() - began
    track.stop()
    return took / len(frames)


def pictures(count: int, width: int, height: int) -> list[Frame]:
    """Pictures, 30 a second."""
    made: list[Frame] = []
    for number in range(count):
        frame = VideoFrame(width, height, "yuv420p")
        frame.pts, frame.time_base = number * 3000, fractions.Fraction(1, 90_000)
        made.append(frame)
    return made


def sounds(count: int) -> list[Frame]:
    """Stereo at 48 kHz, 20 ms each."""
    made: list[Frame] = []
    for number in range(count):
        frame = AudioFrame(format="s16", layout="stereo", samples=960)
        frame.sample_rate, frame.pts, frame.time_base = 48_000, number * 960, fractions.Fraction(1, 48_000)
        made.append(frame)
    return made


def measure(name: str, make: Callable[[int], list[Frame]], kind: str, readers: int, count: int) -> Result:
    """Ours and aiortc's, in turn."""
    ours, peer = [], []
    for _ in range(ROUNDS):
        relay = MediaRelay()
        ours.append(asyncio.run(seconds_a_frame(make(count), kind, readers, subscribe)))
        peer.append(asyncio.run(seconds_a_frame(make(count), kind, readers, relay.subscribe)))
    return ratio_of(f"{name}, {readers} readers, µs a frame", Samples(ours, peer), scale=1e6)


def encoding_seconds(width: int, height: int) -> float:
    """How long aiortc's VP8 encoder takes for a picture."""
    encoder = Vp8Encoder()
    frames = pictures(30, width, height)
    encoder.encode(frames[0])
    began = time.process_time()
    for frame in frames[1:]:
        encoder.encode(frame)
    return (time.process_time() - began) / (len(frames) - 1)


def main() -> None:
    """Measure, print, and end with 1 if a budget doesn't hold."""
    options = arguments("What the pump of a track costs.")
    count = QUICK_FRAMES if options.quick else FRAMES
    results = [
        measure("video 640x480", lambda count: pictures(count, 640, 480), "video", readers, count) for readers in (1, 3)
    ]
    results.append(measure("video 1920x1080", lambda count: pictures(count, 1920, 1080), "video", 3, 30))
    results += [measure("audio 20 ms", sounds, "audio", readers, count) for readers in (1, 3)]
    encoding = encoding_seconds(640, 480)
    alone = results[0].value / 1e6
    results.append(
        Result(
            "the pump of video 640x480, 1 reader, against encoding it once with VP8, µs",
            alone * 1e6,
            encoding * 1e6,
            alone / encoding,
            "≤ 0.1 ×",
            alone <= 0.1 * encoding,
        )
    )
    finish(results, as_json=options.json)


if __name__ == "__main__":
    main()

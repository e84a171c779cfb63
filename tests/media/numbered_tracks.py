"""Tracks to read from: each of another kind, with frames that are numbered."""

from __future__ import annotations

import asyncio
import fractions
from collections.abc import Iterable
from typing import Any

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, Packet, VideoFrame

VIDEO_UNIT = fractions.Fraction(1, 90_000)


def picture(number: int, *, step: int = 3000, width: int = 16, height: int = 16) -> VideoFrame:
    frame = VideoFrame(width, height, "yuv420p")
    frame.pts, frame.time_base = number * step, VIDEO_UNIT
    return frame


def sound(number: int, *, rate: int = 48_000, layout: str = "mono", form: str = "s16", samples: int = 0) -> AudioFrame:
    frame = AudioFrame(format=form, layout=layout, samples=samples or rate // 50)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate = rate
    frame.pts, frame.time_base = number * (samples or rate // 50), fractions.Fraction(1, rate)
    return frame


def packet(number: int, *, key: bool = False) -> Packet[Any]:
    made: Packet[Any] = Packet(b"%d" % number)
    made.pts = made.dts = number * 3000
    made.time_base = VIDEO_UNIT
    made.is_keyframe = key
    return made


class Fed(MediaStreamTrack):
    """Gives what a test feeds it, and counts who reads it at once."""

    def __init__(self, kind: str = "video") -> None:
        super().__init__()
        self.kind = kind
        self.frames: asyncio.Queue[Any] = asyncio.Queue()
        self.is_empty = asyncio.Event()
        self.taken = 0
        self.readers = 0
        self.most_readers = 0

    async def recv(self) -> Any:
        self.readers += 1
        self.most_readers = max(self.readers, self.most_readers)
        if self.frames.empty():
            self.is_empty.set()
        try:
            frame = await self.frames.get()
        finally:
            self.readers -= 1
        self.taken += 1
        if isinstance(frame, Exception):
            raise frame
        return frame

    def feed(self, *frames: Any) -> None:
        for frame in frames:
            self.frames.put_nowait(frame)


class AtOnce(MediaStreamTrack):
    """Gives frames as fast as it is asked, without ever waiting."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.given = 0

    async def recv(self) -> Any:
        self.given += 1
        return picture(self.given)


class NextTurn(AtOnce):
    """Gives frames as fast as it is asked, each in a turn of its own."""

    async def recv(self) -> Any:
        await asyncio.sleep(0)
        return await super().recv()


class Ending(MediaStreamTrack):
    """Gives some frames, then ends as a file does."""

    def __init__(self, frames: Iterable[Any], kind: str = "video") -> None:
        super().__init__()
        self.kind = kind
        self._frames = list(frames)

    async def recv(self) -> Any:
        await asyncio.sleep(0)
        if not self._frames:
            self.stop()
            raise MediaStreamError
        return self._frames.pop(0)


async def turns(count: int = 10) -> None:
    """Let everything that is ready happen."""
    for _ in range(count):
        await asyncio.sleep(0)

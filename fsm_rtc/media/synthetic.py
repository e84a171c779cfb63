"""A video track without a camera, for demonstrations and tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiortc import VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

__all__ = ["SyntheticVideoTrack", "count_frames"]


class SyntheticVideoTrack(VideoStreamTrack):
    """A grey picture with a light bar that moves one step a frame; 30 frames a second.

    Args:
        width: of a frame, in pixels; even.
        height: of a frame, in pixels; even.
    """

    def __init__(self, width: int = 320, height: int = 240) -> None:
        super().__init__()
        self._width = width
        self._height = height
        self._number = 0

    async def recv(self) -> VideoFrame:
        """The next frame, when its time has come."""
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame(self._width, self._height, "yuv420p")
        luma, *chroma = frame.planes
        bar = 8 * self._number % self._width
        line = bytearray(b"\x40") * luma.line_size
        line[bar : bar + 16] = b"\xd0" * len(line[bar : bar + 16])
        luma.update(bytes(line) * (luma.buffer_size // luma.line_size))
        for plane in chroma:
            plane.update(b"\x80" * plane.buffer_size)
        frame.pts = pts
        frame.time_base = time_base
        self._number += 1
        return frame


async def count_frames(track: Any, tell: Callable[[int], None]) -> None:
    """Receive a remote track's decoded frames until it ends; after each, call `tell` with how many there were."""
    frames = 0
    while True:
        try:
            await track.recv()
        except MediaStreamError:
            return
        frames += 1
        tell(frames)

"""Frames for several readers: a copy for each, how long one lasts, and how many wait for a reader that is slow.

Encoders write into the frames that they are given, and in threads: aiortc's VP8 and H.264 encoders set `pict_type`,
PyAV rescales `pts` and `time_base` in place, and each sender has a time of its own. So no two readers share a frame.
The pixels are only read; copies of a video frame share them by reference counting (FFmpeg's av_frame_ref, which PyAV
offers by way of a filter graph alone): 10 to 15 µs whatever the size, where copying 1920x1080 takes 300 to 700.
"""

from __future__ import annotations

import fractions
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from av import AudioFrame, Packet, VideoFrame
from av.filter import Graph

__all__ = ["LATE_SECONDS", "SOUND_SECONDS", "Buffer", "Copier", "Media", "buffer_for", "seconds_of"]

Media: TypeAlias = "AudioFrame | VideoFrame | Packet[Any]"
"""What a track's recv() gives."""

SOUND_SECONDS = 0.2
"""How much audio waits for a reader: ten packets of 20 ms, about what a jitter buffer makes up for."""

PICTURES = 12
LATE_SECONDS = 0.4
"""How many pictures wait for a reader that was late once, and how long. On a busy machine a frame of 640x480 takes
10 ms to encode, and now and then 300; a reader that is always slow has the newest picture alone."""

VIDEO_SECONDS = 1 / 30
AUDIO_FRAME_SECONDS = 0.02
PACKETS = 60
"""How many encoded pictures wait: two seconds of 30 a second. None can be left out but by waiting for a key frame."""

UNIT = fractions.Fraction(1, 90000)


class Copier:
    """Copies the frames of one track."""

    def __init__(self) -> None:
        self._form: tuple[int, int, str] | None = None
        self._graph: Graph | None = None

    def copy(self, frame: Media, *, deep: bool = False) -> Media:
        """A frame of one's own.

        Args:
            frame: what a track gave.
            deep: whether the pixels are copied too; audio and packets always are.
        """
        if isinstance(frame, VideoFrame):
            return self._video(frame, deep=deep)
        return _audio(frame) if isinstance(frame, AudioFrame) else _packet(frame)

    def _video(self, frame: VideoFrame, *, deep: bool) -> VideoFrame:
        form = (frame.width, frame.height, frame.format.name)
        if self._graph is None or form != self._form:
            graph = Graph()
            source = graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or UNIT
            )
            source.link_to(graph.add("buffersink"))
            graph.configure()
            self._form, self._graph = form, graph
        self._graph.vpush(frame)
        copied = self._graph.vpull()
        copied.pts = frame.pts
        if frame.time_base is not None:
            copied.time_base = frame.time_base
        if deep:
            copied.make_writable()
        return copied


def _audio(frame: AudioFrame) -> AudioFrame:
    copied = AudioFrame(format=frame.format, layout=frame.layout, samples=frame.samples)
    for target, plane in zip(copied.planes, frame.planes, strict=True):
        # A decoded frame's plane may be longer than its samples.
        target.update(bytes(memoryview(plane)[: target.buffer_size]))
    copied.sample_rate = frame.sample_rate
    copied.pts = frame.pts
    if frame.time_base is not None:
        copied.time_base = frame.time_base
    return copied


def _packet(packet: Packet[Any]) -> Packet[Any]:
    copied: Packet[Any] = Packet(bytes(packet))
    copied.pts, copied.dts, copied.duration = packet.pts, packet.dts, packet.duration
    copied.is_keyframe = packet.is_keyframe
    if packet.time_base is not None:
        copied.time_base = packet.time_base
    return copied


def seconds_of(frame: Media, kind: str) -> float:
    """How long a frame lasts; the usual time of its kind where it doesn't say."""
    if isinstance(frame, AudioFrame) and frame.samples and frame.sample_rate:
        return frame.samples / frame.sample_rate
    if not isinstance(frame, AudioFrame) and frame.duration and frame.time_base:
        return float(frame.duration * frame.time_base)
    return AUDIO_FRAME_SECONDS if kind == "audio" else VIDEO_SECONDS


class Buffer(Protocol):
    """What waits for one reader."""

    missed: int
    """How many frames came that the reader was too slow for."""

    def __len__(self) -> int: ...
    def put(self, frame: Media) -> None:
        """Let a frame wait, and give up what is too old."""

    def pop(self) -> Media:
        """The next one that waits."""

    def awaited(self) -> None:
        """The reader waits: it has taken everything in time."""


class RecentSound:
    """Audio, decoded or not: the newest 200 ms."""

    def __init__(self) -> None:
        self.missed = 0
        self._frames: deque[tuple[Media, float]] = deque()
        self._seconds = 0.0

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frame: Media) -> None:
        seconds = seconds_of(frame, "audio")
        self._frames.append((frame, seconds))
        self._seconds += seconds
        while len(self._frames) > 1 and self._seconds > SOUND_SECONDS + 1e-9:
            self.pop()
            self.missed += 1

    def pop(self) -> Media:
        frame, seconds = self._frames.popleft()
        self._seconds = self._seconds - seconds if self._frames else 0.0
        return frame

    def awaited(self) -> None:
        return


class Pictures:
    """Video: the last pictures for a reader that was late once, the newest alone for one that is slow.

    Encoded ones are another thing: a packet needs those before it, so after one that was left out nothing is of use up
    to the next key frame. Many of them may wait, and the first is a key frame.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.missed = 0
        self._clock = clock
        self._waiting: deque[tuple[Media, float]] = deque()
        self._room = PICTURES
        self._is_whole = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, frame: Media) -> None:
        if isinstance(frame, Packet):
            self._is_whole = len(self) < PACKETS and (self._is_whole or frame.is_keyframe)
            if not self._is_whole:
                self._give_up(len(self))
                self._is_whole = frame.is_keyframe
            if not self._is_whole:
                self.missed += 1
                return
        elif len(self) >= self._room:
            self._give_up(len(self))
            self._room = 1
        self._waiting.append((frame, self._clock()))

    def pop(self) -> Media:
        frame, came = self._waiting[0]
        if len(self) > 1 and not isinstance(frame, Packet) and self._clock() - came > LATE_SECONDS:
            self._give_up(len(self) - 1)
            self._room = 1
        return self._waiting.popleft()[0]

    def awaited(self) -> None:
        self._room = PICTURES

    def _give_up(self, count: int) -> None:
        self.missed += count
        for _ in range(count):
            self._waiting.popleft()


def buffer_for(kind: str) -> Buffer:
    """What waits for one reader of a track of this kind."""
    return RecentSound() if kind == "audio" else Pictures()

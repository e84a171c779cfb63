"""What a sender reads in the place of the track that it sends.

aiortc's sender reads one track in a task of its own. That task ends for good when the track's recv() raises, and stops
the track then; it takes no other track while a recv() waits; its encoders refuse sound that is not like the first. So
it is given one track for its whole life, that never raises and never ends by itself, and takes the frames of whichever
track the user sends just now. Without one, or with one that has ended, there are no frames.
"""

from __future__ import annotations

import asyncio
import fractions
import logging
import time

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, AudioResampler, FFmpegError, Packet

from fsm_rtc.errors import InvalidStateError
from fsm_rtc.media.frames import Media, seconds_of
from fsm_rtc.media.pump import Tap
from fsm_rtc.media.timeline import Timeline

__all__ = ["OutgoingTrack"]

logger = logging.getLogger("fsm_rtc.media")

VIDEO_RATE = 90_000

PACKET_RATE = 48_000

PACKETS_A_SECOND = 50
"""aiortc's encoders of sound fill packets of 20 ms."""


class OutgoingTrack(MediaStreamTrack):
    """The frames of the track that a sender sends just now, in the sender's time.

    Args:
        kind: ``audio`` or ``video``.
        stops_track: whether stopping this one stops the user's track, as aiortc's sender does.
    """

    def __init__(self, kind: str, *, stops_track: bool = False) -> None:
        super().__init__()
        self.kind = kind
        self._stops_track = stops_track
        self._track: MediaStreamTrack | None = None
        self._tap: Tap | None = None
        self._missed = 0
        self._changed = asyncio.Event()
        self._sound = Sound()
        self._ready: list[AudioFrame] = []
        self._timeline: Timeline | None = None

    @property
    def track(self) -> MediaStreamTrack | None:
        """The user's track, or None."""
        return self._track

    @property
    def missed(self) -> int:
        """How many frames came while the sender was not done with those before."""
        return self._missed + (self._tap.missed if self._tap is not None else 0)

    def use(self, track: MediaStreamTrack | None) -> None:
        """Send another track from now on, or none."""
        if track is self._track:
            return
        if self._tap is not None:
            self._missed += self._tap.missed
            self._tap.close()
        self._track = track
        self._tap = Tap(track) if track is not None else None
        self._ready.clear()
        if self._timeline is not None:
            self._timeline.break_off()
        self._changed.set()

    async def recv(self) -> Media:
        """The next frame, for as long as it takes.

        Raises:
            MediaStreamError: this one was stopped, which its sender does when it has ended.
        """
        while self.readyState == "live":
            if self._ready:
                return self._placed(self._ready.pop(0))
            frame = await self._take()
            if isinstance(frame, AudioFrame):
                self._ready += self._alike(frame)
            elif frame is not None:
                return self._placed(frame)
        raise MediaStreamError

    def stop(self) -> None:
        """The sender has ended."""
        track = self._track
        super().stop()
        if self._tap is not None:
            self._missed += self._tap.missed
            self._tap.close()
            self._tap = None
        self._changed.set()
        if self._stops_track and track is not None:
            self._track = None
            track.stop()

    async def _take(self) -> Media | None:
        """A frame of the present track; None if that has changed meanwhile."""
        self._changed.clear()
        if self._tap is not None:
            try:
                return await self._tap.take()
            except MediaStreamError:
                pass  # it has ended, or another one is sent
            except InvalidStateError as error:
                logger.warning("a track can't be sent: %s", error)
        if not self._changed.is_set():
            await self._changed.wait()
        return None

    def _alike(self, frame: AudioFrame) -> list[AudioFrame]:
        try:
            return [part for alike in self._sound.like_the_first(frame) for part in _parts(alike)]
        except (FFmpegError, ValueError) as error:
            logger.warning("a frame of %s can't be sent: %s", self.id, error)
            return []

    def _placed(self, frame: Media) -> Media:
        """The frame, in the sender's time."""
        if self._timeline is None:
            rate = frame.sample_rate if isinstance(frame, AudioFrame) else None
            self._timeline = Timeline(rate or (PACKET_RATE if self.kind == "audio" else VIDEO_RATE))
        rate, base = self._timeline.rate, frame.time_base
        # A packet's pts may go back for pictures that refer to later ones; its dts doesn't.
        own = frame.dts if isinstance(frame, Packet) and frame.dts is not None else frame.pts
        ticks = _ticks(own, base, rate)
        lasts = round(seconds_of(frame, self.kind) * rate) if self.kind == "audio" else 0
        placed = self._timeline.place(ticks, lasts, time.monotonic())
        later = _ticks(frame.pts, base, rate)
        frame.pts = placed + (later - ticks if later is not None and ticks is not None else 0)
        frame.time_base = fractions.Fraction(1, rate)
        return frame


def _ticks(time_of: int | None, base: fractions.Fraction | None, rate: int) -> int | None:
    return time_of * base.numerator * rate // base.denominator if time_of is not None and base else None


def _parts(frame: AudioFrame) -> list[AudioFrame]:
    """The same packed sound in equal parts of at most one packet: all packets of one frame get one RTP time from
    aiortc, and the other side takes them for pieces of one packet that it can't decode.
    """
    count = -(-frame.samples * PACKETS_A_SECOND // frame.sample_rate)
    if count <= 1:
        return [frame]
    whole = bytes(frame.planes[0])
    size = len(frame.layout.channels) * frame.format.bytes
    parts = []
    for number in range(count):
        begin, end = (frame.samples * place // count for place in (number, number + 1))
        part = AudioFrame(format=frame.format, layout=frame.layout, samples=end - begin)
        part.planes[0].update(whole[begin * size : end * size].ljust(part.planes[0].buffer_size, b"\0"))
        part.sample_rate = frame.sample_rate
        if frame.time_base is not None:
            part.time_base = frame.time_base
            part.pts = frame.pts + int(begin / (frame.sample_rate * frame.time_base)) if frame.pts is not None else None
        parts.append(part)
    return parts


class Sound:
    """Makes all sound of one sender like its first: aiortc's encoders take no other, and only 16 bit in one or two
    channels.
    """

    def __init__(self) -> None:
        self._target: tuple[str, str, int] | None = None
        self._from: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None

    def like_the_first(self, frame: AudioFrame) -> list[AudioFrame]:
        """The same sound, in frames that may be fewer or more.

        Raises:
            FFmpegError: it can't be converted.
            ValueError: the same.
        """
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._target is None:
            is_taken = frame.format.name == "s16" and frame.layout.name in ("mono", "stereo") and frame.sample_rate > 0
            self._target = form if is_taken else ("s16", "stereo", 48_000)
        if form == self._target:
            self._from = None
            return [frame]
        if self._resampler is None or form != self._from:
            name, layout, rate = self._target
            self._from, self._resampler = form, AudioResampler(format=name, layout=layout, rate=rate)
        return self._resampler.resample(frame)

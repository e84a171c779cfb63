"""The pump of a track: the only caller of its recv(), for every sender and subscriber that it has.

A track belongs to its owner. Whoever wants its frames takes them from a `Tap`, and leaving one stops nothing. It holds:

- One pump a track, kept at the track itself, so that a track that nobody knows any more takes its pump along: the pump
  knows its track weakly, and only a recv() that is under way holds it.
- One loop. A track whose loop is closed is read anew in the next one; two running loops at once are refused.
- The pump begins when the first frame is wanted, and reads on from then, whether or not somebody takes the frames:
  tracks that keep the wall clock (aiortc's own do) would else make up for a pause with a burst of old frames.
- A track that keeps no time, whose frames come faster than their own clock, would take the whole loop. It is read as
  its fastest reader asks, as aiortc would read it, or else at the pace of its frames' time; so is one whose recv()
  returns without waiting (a camera that blocks, a queue that is full).
- What comes is put into each tap's buffer at once; a slow reader misses frames, and slows nobody.
- A track ends by stop(), or by a MediaStreamError of its recv(). Another error is logged once and lets it fail: it is
  tried again when a reader asks again.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Callable
from contextlib import suppress
from weakref import WeakSet

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, FFmpegError, Packet, VideoFrame

from fsm_rtc.errors import InvalidStateError
from fsm_rtc.machines.track_source import TrackSource
from fsm_rtc.media.frames import Copier, Media, buffer_for, seconds_of

__all__ = ["KEPT_AT", "Pump", "Tap"]

logger = logging.getLogger("fsm_rtc.media")

KEPT_AT = "_fsm_rtc_pump"
"""The attribute of a track that keeps its pump. A dictionary of tracks would keep both alive: a recv() that waits holds
its track, the pump holds the recv()."""


class Pump:
    """Reads one track.

    Args:
        track: the track; it is known weakly.

    Attributes:
        source: whether the track is being read.
    """

    def __init__(self, track: MediaStreamTrack) -> None:
        self.source = TrackSource()
        self._kind = track.kind
        self._name = f"{track.kind} track {track.id}"
        self._loop = asyncio.get_running_loop()
        self._taps: WeakSet[Tap] = WeakSet()
        self._wanted = asyncio.Event()
        self._copier = Copier()
        self._pace = Pace(track.kind)
        self._last: Media | None = None
        self._missed_before = 0
        self._task: asyncio.Task[None] | None = None
        self._track = weakref.ref(track)
        track.on("ended", self._stopped)  # once() would make a cycle of the track

    @classmethod
    def of(cls, track: MediaStreamTrack) -> Pump:
        """A track's pump.

        Raises:
            InvalidStateError: another running loop reads the track.
        """
        pump: Pump | None = getattr(track, KEPT_AT, None)
        # A copied track has a copy of the attribute, and a track may outlive its loop.
        if pump is None or pump._track() is not track or pump._loop.is_closed():
            pump = cls(track)
            setattr(track, KEPT_AT, pump)
        elif pump._loop is not asyncio.get_running_loop():
            raise InvalidStateError(f"{pump._name} is read in another event loop; make one track for each loop")
        return pump

    def join(self, tap: Tap) -> None:
        """Let a tap have what comes from now on."""
        self._taps.add(tap)
        track = self._track()
        if track is None or track.readyState == "ended":
            self._end()
        elif not self.source.is_final:
            self.source.begin()
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run(), name=f"fsm_rtc pump of {self._name}")
                # A track that is dropped while its recv() waits takes all of this along; that is no mistake to log.
                self._task._log_destroy_pending = False  # type: ignore[attr-defined]
                self._track = weakref.ref(track, _cancel_later(self._loop, self._task))

    def leave(self, tap: Tap) -> None:
        """A tap wants no more."""
        if tap in self._taps:
            self._missed_before += tap.missed
            self._taps.discard(tap)

    @property
    def missed(self) -> int:
        """How many frames its readers were too slow for, all together."""
        return self._missed_before + sum(tap.missed for tap in self._taps)

    def want(self) -> None:
        """A reader has nothing to take."""
        self._wanted.set()

    async def _run(self) -> None:
        try:
            while True:
                turns: list[bool] = []
                self._loop.call_soon(turns.append, True)
                frame = await self._receive()
                self._deliver(frame)
                ahead = self._pace.ahead(frame, self._loop.time())
                if not turns:  # it didn't wait, and so nobody else had a turn
                    ahead = max(ahead, seconds_of(frame, self._kind))
                    await asyncio.sleep(0)
                del frame
                if ahead > 0:
                    await self._wait(ahead)
        except MediaStreamError:
            self._end()
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            self._failed(error)
        except Exception as error:
            self._failed(error)

    async def _wait(self, seconds: float) -> None:
        """Until a reader asks, or so long."""
        due = self._loop.call_later(seconds, self._wanted.set)
        try:
            await self._wanted.wait()
        finally:
            if due.when() > self._loop.time():
                self._pace.begin_anew()
            due.cancel()

    async def _receive(self) -> Media:
        """The next frame; while it is waited for, this coroutine and nobody else here holds the track."""
        track = self._track()
        if track is None or track.readyState == "ended":
            raise MediaStreamError
        frame = await track.recv()
        if not isinstance(frame, AudioFrame | VideoFrame | Packet):
            raise TypeError(f"its recv() gave a {type(frame).__name__}; give an av frame or packet")
        return frame

    def _deliver(self, frame: Media) -> None:
        self._wanted.clear()
        # A track that gives one frame again and again draws into it while encoders still read it.
        is_used_again, self._last = frame is self._last, frame
        for tap in self._taps:
            tap.put(self._copied(frame, deep=is_used_again))

    def _copied(self, frame: Media, *, deep: bool) -> Media:
        try:
            return self._copier.copy(frame, deep=deep)
        except (FFmpegError, ValueError) as error:  # pictures in a graphics card, for one
            logger.debug("%s: a frame could not be copied: %s", self._name, error)
            return frame

    def _failed(self, error: BaseException) -> None:
        logger.warning("%s failed: %s", self._name, str(error) or type(error).__name__, exc_info=error)
        self.source.on_failed()

    def _stopped(self) -> None:
        """Its owner stopped it, in whichever thread."""
        with suppress(RuntimeError):  # the loop is closed, and took the task along
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if self.source.is_final:
            return
        self.source.on_ended()
        self._last = None
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        for tap in self._taps:
            tap.wake()


def _cancel_later(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> Callable[[object], None]:
    """What to do when a track is gone, which may be noticed in any thread."""

    def cancel(_: object) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(task.cancel)

    return cancel


class Pace:
    """How far a track's frames are ahead of the clock.

    What a track is ahead now may be what it was behind before: that is the burst of a track that keeps time. A
    hundredth is forgiven, for no two clocks are the same.

    Args:
        kind: the track's.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._ahead = 0.0
        self._at: float | None = None
        self._now: float | None = None

    def ahead(self, frame: Media, now: float) -> float:
        """Seconds until the next frame is due, by the frames' own time; not above 0 if it is.

        Args:
            frame: what came.
            now: when, in seconds of the loop's clock.
        """
        step = seconds_of(frame, self._kind)
        at = float(frame.pts * frame.time_base) if frame.pts is not None and frame.time_base is not None else None
        if at is not None and self._at is not None and at > self._at:
            step = at - self._at
        if self._now is not None:
            self._ahead += step - 1.01 * (now - self._now)
        self._at, self._now = at, now
        return self._ahead

    def begin_anew(self) -> None:
        """A reader asked before the time, so it begins with the next frame."""
        self._ahead = 0.0
        self._now = None


class Tap:
    """Where one reader takes a track's frames.

    Args:
        track: the track; it is held for as long as the tap is open.
    """

    def __init__(self, track: MediaStreamTrack) -> None:
        self._track: MediaStreamTrack | None = track
        self._pump: Pump | None = None
        self._buffer = buffer_for(track.kind)
        self._filled = asyncio.Event()

    @property
    def missed(self) -> int:
        """How many frames came that the reader was too slow for."""
        return self._buffer.missed

    async def take(self) -> Media:
        """The next frame that came since the first one was asked for; cancelling it loses none.

        Raises:
            MediaStreamError: the track has ended and its last frame is taken, or the tap is closed.
            InvalidStateError: another running loop reads the track.
        """
        while self._track is not None:
            if len(self._buffer):
                return self._buffer.pop()
            self._buffer.awaited()
            self._filled.clear()
            pump = self._pump = Pump.of(self._track)
            pump.join(self)
            if pump.source.is_final:
                break
            pump.want()
            await self._filled.wait()
        raise MediaStreamError

    def close(self) -> None:
        """Take no more; who waits is told at once."""
        if self._pump is not None:
            self._pump.leave(self)
        self._track = self._pump = None
        self.wake()

    def put(self, frame: Media) -> None:
        """A frame came."""
        self._buffer.put(frame)
        self._filled.set()

    def wake(self) -> None:
        """Something has changed for who waits."""
        self._filled.set()

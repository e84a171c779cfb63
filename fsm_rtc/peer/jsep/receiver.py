"""RTCRtpReceiver and its track as webrtc-pc has them, over aiortc's receiver.

Whether the track is muted, live or ended is a table (`fsm_rtc.machines.remote_track`); the receiver tells it of
packets, goodbyes and silence. Source: webrtc-pc, #rtcrtpreceiver-interface, #mediastreamtrack-network-use.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from typing import Any

import aiortc
from aiortc.rtcrtpreceiver import RemoteStreamTrack

from fsm_rtc.engine import Accepted, Chart
from fsm_rtc.errors import Rejected
from fsm_rtc.machines.remote_track import RemoteTrackState, RemoteTrackStatus
from fsm_rtc.peer.jsep.private import adopt_remote_track
from fsm_rtc.peer.jsep.private_rtp import ObservedReceiver
from fsm_rtc.peer.jsep.transport import Transport
from fsm_rtc.peer.media_stream import MediaStream

__all__ = ["RTCRtpReceiver", "RemoteTrack", "transport_of"]

logger = logging.getLogger("fsm_rtc.peer")

SILENCE_SECONDS = 2.5
"""After how long without a packet a track is muted: libwebrtc's time for a way on which nothing is received. Opus sends
a packet every 400 ms in discontinuous transmission; RFC 3550's own time-out would take 25 s."""

WAITING_FRAMES = {"audio": 50, "video": 30}
"""How many decoded frames wait for a reader: about a second. aiortc keeps them all, 14 MB a second of a small video."""


class Frames(asyncio.Queue[Any]):
    """Decoded frames that wait; the oldest give way to new ones.

    Attributes:
        missed: how many gave way.
    """

    missed = 0

    async def put(self, item: Any) -> None:
        """Let a frame wait, or the end, which is None."""
        if self.full():
            self.get_nowait()
            self.missed += 1
        self.put_nowait(item)


class RemoteTrack(RemoteStreamTrack):
    """The other side's track.

    Events: ``mute``, ``unmute`` and ``ended``.

    Args:
        kind: ``audio`` or ``video``.
        id: what it is called; a random name if None.
        status: its status.
        waiting_frames: how many frames wait for who reads them; 0 for all.
    """

    def __init__(self, kind: str, id: str | None, status: RemoteTrackStatus, waiting_frames: int) -> None:  # noqa: A002 - aiortc's own name
        super().__init__(kind=kind, id=id or str(uuid.uuid4()))
        self.status = status
        self._queue: Frames = Frames(waiting_frames)
        self._is_named_here = id is None
        self.on("error", _log)
        status.observe(self._moved)

    @property
    def muted(self) -> bool:
        """Whether nothing of it comes just now: it is not sent, or not heard; after its end, for good."""
        return self.status.state is not RemoteTrackState.LIVE

    @property
    def missed(self) -> int:
        """How many frames came that nobody read within a second or so."""
        return self._queue.missed

    async def recv(self) -> Any:
        """The next decoded frame. Whoever calls this takes it from all others: see `fsm_rtc.media.subscribe`.

        Raises:
            MediaStreamError: the track has ended.
        """
        try:
            return await super().recv()
        finally:
            if self.readyState == "ended" and self._queue.empty():
                self._queue.put_nowait(None)  # for the next one who waits

    def stop(self) -> None:
        """End it. Who waits for a frame is told at once."""
        if not self.status.is_final:
            self.status.end()
            while not self._queue.empty():
                self._queue.get_nowait()
            self._queue.put_nowait(None)
        super().stop()

    def call(self, id: str) -> None:  # noqa: A002 - the track's own name for it
        """Call the track as the other side does, while nobody has seen it."""
        self._id = id

    def _moved(self, _: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
        if isinstance(outcome, Accepted) and outcome.target is RemoteTrackState.LIVE:
            self.emit("unmute")
        elif isinstance(outcome, Accepted) and outcome.target is RemoteTrackState.MUTED:
            self.emit("mute")


class RTCRtpReceiver(ObservedReceiver):
    """Receives a track, or could.

    Args:
        kind: ``audio`` or ``video``.
        path: the transport that it uses, or will.
        make_status: makes the status of its track.
        ends_with_sender: whether its track ends when the other side's sender does, as aiortc's; and keeps every frame.

    Attributes:
        streams: the streams that the other side says the track belongs to.
        path: the transport that it uses, or will.
        is_described: whether a description has its section.
    """

    def __init__(
        self,
        kind: str,
        path: Transport,
        make_status: Callable[[], RemoteTrackStatus] = RemoteTrackStatus,
        *,
        ends_with_sender: bool = False,
    ) -> None:
        super().__init__(kind, path.dtls, ends_with_sender=ends_with_sender)
        self.kind = kind
        self.path = path
        self.streams: tuple[MediaStream, ...] = ()
        self.is_described = False
        self._has_begun = False
        self._make_status = make_status
        self._waiting_frames = 0 if ends_with_sender else WAITING_FRAMES[kind]
        self._heard_at = 0.0
        self._listening: asyncio.TimerHandle | None = None

    @property
    def track(self) -> Any:
        """The RemoteTrack; None before there is one."""
        return super().track

    @property
    def transport(self) -> Any:
        """The RTCDtlsTransport; None until its section is described."""
        return transport_of(self)

    async def receive(self, parameters: Any) -> None:
        """Begin to receive, once."""
        self._has_begun = True
        await super().receive(parameters)

    async def getStats(self) -> aiortc.RTCStatsReport:
        """Statistics of what is received; nothing before there is a transport."""
        return await super().getStats() if self.transport is not None else aiortc.RTCStatsReport()

    def use(self, path: Transport) -> None:
        """Receive over another transport."""
        self.path = path
        self.setTransport(path.dtls)

    def name_track(self, id: str | None) -> None:  # noqa: A002 - the track's own name for it
        """Call the track as the other side does, while nobody has seen it."""
        if self.track is not None and id is not None:
            self.track.call(id)

    def make_track(self, id: str | None = None) -> None:  # noqa: A002 - the track's own name for it
        """Give it its one track, unless it has it."""
        if self.track is None:
            status = self._make_status()
            status.observe(self._track_moved)
            adopt_remote_track(self, RemoteTrack(self.kind, id, status, self._waiting_frames))

    # What it hears.

    def heard(self) -> None:
        loop = asyncio.get_running_loop()
        self._heard_at = loop.time()
        if self.track is not None and self.track.muted and not self.track.status.is_final:
            self.track.status.on_packet()

    def said_goodbye(self) -> None:
        self._mute("on_bye")

    def disconnected(self) -> None:
        self._mute("on_disconnected")

    def removed(self) -> None:
        """The other side's description says that it sends the track no longer."""
        self._mute("on_removed")

    def _mute(self, trigger: str) -> None:
        if self.track is not None and not self.track.muted:
            self.track.status.fire(trigger)

    def _track_moved(self, _: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
        if isinstance(outcome, Accepted) and self._listening is not None:
            self._listening.cancel()
            self._listening = None
        if isinstance(outcome, Accepted) and outcome.target is RemoteTrackState.LIVE:
            self._listen(SILENCE_SECONDS)

    def _listen(self, seconds: float) -> None:
        """Look after so long whether it is silent; while the track is muted or has ended nobody looks."""
        loop = asyncio.get_running_loop()
        self._listening = loop.call_later(seconds, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        rest = self._heard_at + SILENCE_SECONDS - loop.time()
        if rest > 0:
            self._listen(rest)
        else:
            self._mute("on_silence")


def transport_of(end: Any) -> Any:
    """The RTCDtlsTransport of a sender or receiver; None until its section is described."""
    # aiortc's own tasks read it too, and hang without: what has begun keeps it, stopped or not.
    is_there = end._has_begun or (end.path.is_visible and end.is_described)
    return end.path.dtls if is_there else None


def _log(error: object = None) -> None:
    if isinstance(error, BaseException):
        logger.error("a handler of a remote track's event raised", exc_info=error)

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

from fsm_rtc.machines import remote_track
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.peer.jsep.private import adopt_remote_track
from fsm_rtc.peer.jsep.private_rtp import ObservedReceiver
from fsm_rtc.peer.jsep.transport import Transport
from fsm_rtc.peer.machine_set import carry_out
from fsm_rtc.peer.w3c.media_stream import MediaStream

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

    def __init__(self, kind: str, id: str | None, status: remote_track.RemoteTrackStatus, waiting_frames: int) -> None:  # noqa: A002 - aiortc's own name
        super().__init__(kind=kind, id=id or str(uuid.uuid4()))
        self.status = status
        self._queue: Frames = Frames(waiting_frames)
        self.on("error", _log)
        emits = {
            remote_track.FireUnmute: lambda _: self.emit("unmute"),
            remote_track.FireMute: lambda _: self.emit("mute"),
        }
        carry_out(status, emits)

    @property
    def muted(self) -> bool:
        """Whether nothing of it comes just now: it is not sent, or not heard; after its end, for good."""
        return self.status.state in remote_track.UNHEARD

    missed = Forwarded[int]("_queue.missed")
    """How many frames came that nobody read within a second or so."""

    async def recv(self) -> Any:
        """The next decoded frame. Its caller takes it from all others: see `fsm_rtc.media.subscribe`.

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
        if self.status.permits("end"):
            self.status.end()
            while not self._queue.empty():
                self._queue.get_nowait()
            self._queue.put_nowait(None)
        super().stop()

    def call(self, id: str) -> None:  # noqa: A002 - the track's own name for it
        """Call the track as the other side does, while nobody has seen it."""
        self._id = id


class PathEnd:
    """What a sender and a receiver have in common: the transport that they use, which a description may change.

    Attributes:
        path: the transport that it uses, or will.
        is_described: whether a description has its section.
    """

    path: Transport
    is_described = False
    _has_begun = False

    @property
    def transport(self) -> Any:
        """The RTCDtlsTransport; None until its section is described."""
        # aiortc's own tasks read it too, and hang without: what has begun keeps it, stopped or not.
        is_there = self._has_begun or (self.path.is_visible and self.is_described)
        return self.path.dtls if is_there else None

    def use(self, path: Transport) -> None:
        """Use another transport."""
        self.path = path
        self.setTransport(path.dtls)  # type: ignore[attr-defined] # aiortc's, as the next

    async def getStats(self) -> aiortc.RTCStatsReport:
        """Statistics of what is sent or received; nothing before there is a transport."""
        return await super().getStats() if self.transport is not None else aiortc.RTCStatsReport()  # type: ignore[misc]


class RTCRtpReceiver(PathEnd, ObservedReceiver):
    """Receives a track, or could.

    Args:
        kind: ``audio`` or ``video``.
        path: the transport that it uses, or will.
        make_status: makes the status of its track.
        ends_with_sender: whether its track ends when the other side's sender does, as aiortc's; and keeps every frame.

    Attributes:
        streams: the streams that the other side says the track belongs to.
    """

    def __init__(
        self,
        kind: str,
        path: Transport,
        make_status: Callable[[], remote_track.RemoteTrackStatus] = remote_track.RemoteTrackStatus,
        *,
        ends_with_sender: bool = False,
    ) -> None:
        super().__init__(kind, path.dtls, ends_with_sender=ends_with_sender)
        self.kind = kind
        self.path = path
        self.streams: tuple[MediaStream, ...] = ()
        self._make_status = make_status
        self._waiting_frames = 0 if ends_with_sender else WAITING_FRAMES[kind]
        self._heard_at = 0.0

    @property
    def track(self) -> Any:
        """The RemoteTrack; None before there is one."""
        return super().track

    async def receive(self, parameters: Any) -> None:
        """Begin to receive, once."""
        self._has_begun = True
        await super().receive(parameters)

    def name_track(self, id: str | None) -> None:  # noqa: A002 - the track's own name for it
        """Call the track as the other side does, while nobody has seen it."""
        if self.track is not None and id is not None:
            self.track.call(id)

    def make_track(self, id: str | None = None) -> None:  # noqa: A002 - the track's own name for it
        """Give it its one track, unless it has it."""
        if self.track is None:
            status = self._make_status()
            carry_out(
                status,
                {
                    remote_track.Listen: lambda _: self._listen(SILENCE_SECONDS),
                    remote_track.ListenNoLonger: lambda _: self._listening.cancel(),
                },
            )
            adopt_remote_track(self, RemoteTrack(self.kind, id, status, self._waiting_frames))

    # What it hears.

    def heard(self) -> None:
        loop = asyncio.get_running_loop()
        self._heard_at = loop.time()
        if self.track is not None and self.track.status.permits("on_packet"):
            self.track.status.on_packet()

    def said_goodbye(self) -> None:
        self._mute("on_bye")

    def disconnected(self) -> None:
        self._mute("on_disconnected")

    def removed(self) -> None:
        """The other side's description says that it sends the track no longer."""
        self._mute("on_removed")

    def _mute(self, trigger: str) -> None:
        if self.track is not None and self.track.status.permits(trigger):
            self.track.status.fire(trigger)

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


def _log(error: object = None) -> None:
    if isinstance(error, BaseException):
        logger.error("a handler of a remote track's event raised", exc_info=error)

"""RTCRtpTransceiver, RTCRtpSender and RTCRtpReceiver as webrtc-pc has them, over aiortc's.

aiortc's do the media; here is what the specification keeps beside it: the direction that was negotiated, the one that
the last track event told of, streams, and stopping in two steps. Source: webrtc-pc, #rtcrtptransceiver-interface.
"""

from __future__ import annotations

import uuid
from collections.abc import Coroutine, Generator, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import aiortc

from fsm_rtc.errors import InvalidStateError
from fsm_rtc.media.outgoing import OutgoingTrack
from fsm_rtc.peer.directions import DIRECTIONS, sends, with_sending, without_sending
from fsm_rtc.peer.jsep.private import configure_rtp, enable_directions
from fsm_rtc.peer.jsep.private_rtp import SteadySender
from fsm_rtc.peer.jsep.receiver import RemoteTrack, RTCRtpReceiver
from fsm_rtc.peer.jsep.transport import Transport
from fsm_rtc.peer.profile import Profile

__all__ = ["Done", "RTCRtpReceiver", "RTCRtpSender", "RTCRtpTransceiver", "RemoteTrack"]


class Done:
    """What a method returns that the specification has as a plain one and aiortc as a coroutine: it may be awaited."""

    def __init__(self, rest: Any = None) -> None:
        self._rest = rest

    def __await__(self) -> Generator[Any, None, None]:
        if self._rest is not None:
            yield from self._rest.__await__()


class Owner(Protocol):
    """The session of a transceiver."""

    def transceiver_changed(self) -> None:
        """A negotiation may be needed."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> Any:
        """Let the session do the work and see it end."""


class RTCRtpSender(SteadySender):
    """Sends a track, or could. The track stays its owner's: nothing that ends here stops it.

    Args:
        track_or_kind: the track, or the kind of one that may come.
        path: the transport that it uses, or will.
        owner: the session.
        streams: the streams that the other side is told the track belongs to.
        stops_track: whether it stops its track when it ends, as aiortc's does.

    Attributes:
        streams: the streams that the other side is told the track belongs to.
        path: the transport that it uses, or will.
        is_described: whether a description has its section.
        is_stopped: whether its transceiver is stopped.
    """

    def __init__(
        self,
        track_or_kind: Any,
        path: Transport,
        owner: Owner,
        streams: Iterable[Any] = (),
        *,
        stops_track: bool = False,
    ) -> None:
        kind = track_or_kind if isinstance(track_or_kind, str) else track_or_kind.kind
        self._outgoing = OutgoingTrack(kind, stops_track=stops_track)
        super().__init__(kind, path.dtls)
        self._owner = owner
        self.path = path
        self.streams = tuple(streams)
        self.is_described = False
        self.is_stopped = False
        self._send(None if isinstance(track_or_kind, str) else track_or_kind)

    @property
    def track(self) -> Any:
        """The track that is sent, or None."""
        return self._outgoing.track

    @property
    def missed(self) -> int:
        """How many frames of its tracks came while it was not done with those before."""
        return self._outgoing.missed

    @property
    def transport(self) -> Any:
        """The RTCDtlsTransport; None until its section is described."""
        return self.path.dtls if self.path.is_visible and self.is_described else None

    def use(self, path: Transport) -> None:
        """Send over another transport."""
        self.path = path
        self.setTransport(path.dtls)

    def setStreams(self, *streams: Any) -> None:
        """Say which streams the track belongs to; the next offer tells the other side.

        Source: webrtc-pc, #dom-rtcrtpsender-setstreams.
        """
        self.streams = tuple(dict.fromkeys(streams))
        self._owner.transceiver_changed()

    def replaceTrack(self, track: Any) -> Done:  # type: ignore[override] # it may be awaited, as the specification has it
        """Send another track, or None, without negotiating. It is done at the call; the result may be awaited.

        Raises:
            TypeError: the track is of another kind.
            InvalidStateError: the transceiver is stopped.
        """
        if not hasattr(self, "path"):
            return Done()  # aiortc's constructor calls it
        if track is not None and track.kind != self.kind:
            raise TypeError(f"this sender sends {self.kind}; it can't take a track of kind {track.kind!r}")
        if self.is_stopped:
            raise InvalidStateError("this sender's transceiver is stopped; add the track to another one")
        self._send(track)
        return Done()

    def _send(self, track: Any) -> None:
        self._outgoing.use(track)
        self._read_from(self._outgoing)
        self._track_id = track.id if track is not None else str(uuid.uuid4())

    @property
    def stream_ids(self) -> list[str]:
        """What the streams are called."""
        return [stream.id for stream in self.streams]

    @property
    def msids(self) -> list[str]:
        """The values of the media section's msid attributes."""
        return [f"{stream} {self._track_id}" for stream in self.stream_ids or ["-"]]

    async def getStats(self) -> aiortc.RTCStatsReport:
        """Statistics of what is sent; nothing before there is a transport."""
        return await super().getStats() if self.transport is not None else aiortc.RTCStatsReport()


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What negotiation gives a transceiver, and a rollback takes back."""

    mid: str | None = None
    line: int | None = None
    current_direction: str | None = None
    fired_direction: str | None = None
    offered_direction: str | None = None
    codecs: tuple[Any, ...] = ()
    extensions: tuple[Any, ...] = ()
    streams: tuple[Any, ...] = ()


class RTCRtpTransceiver(aiortc.RTCRtpTransceiver):
    """A sender and a receiver that share a media section.

    Attributes:
        negotiated: what negotiation gave it.
        is_remote: whether the other side's offer made it, and no track was added to it since.
        is_from_track: whether addTrack made it, so that an offered section may take it.
        is_stopping: whether it was stopped here, which the other side may not know yet.
    """

    def __init__(
        self,
        sender: RTCRtpSender,
        receiver: RTCRtpReceiver,
        direction: str,
        profile: Profile,
        owner: Owner,
    ) -> None:
        super().__init__(kind=receiver.kind, sender=sender, receiver=receiver, direction=direction)
        self._sender = sender
        self._receiver = receiver
        configure_rtp(self)
        self.negotiated = Negotiated()
        self.is_remote = False
        self.is_from_track = False
        self.is_stopping = False
        self.wanted_direction = direction
        self._is_stopped = False
        self._has_sent = False
        self._profile = profile
        self._owner = owner
        if profile.early_tracks:
            receiver.make_track()
        self.set_negotiated(self.negotiated)

    @property
    def sender(self) -> RTCRtpSender:
        return self._sender

    @property
    def receiver(self) -> RTCRtpReceiver:
        return self._receiver

    @property
    def mid(self) -> str | None:
        return self.negotiated.mid

    @property
    def direction(self) -> str:
        """``sendrecv``, ``sendonly``, ``recvonly`` or ``inactive``, as it is wanted; ``stopped`` once it is."""
        return "stopped" if self.is_stopping and self._profile.stops_in_two_steps else self.wanted_direction

    @direction.setter
    def direction(self, direction: str) -> None:
        if direction not in DIRECTIONS:
            raise TypeError(f"a transceiver's direction is one of {', '.join(DIRECTIONS)}, not {direction!r}")
        if self.is_stopping:
            raise InvalidStateError("this transceiver is stopped; add another one")
        if direction != self.wanted_direction:
            self.wanted_direction = direction
            self._owner.transceiver_changed()

    @property
    def currentDirection(self) -> str | None:
        """The negotiated direction; None before there is one."""
        if self._is_stopped and self._profile.stops_in_two_steps:
            return "stopped"
        return self.negotiated.current_direction

    @property
    def stopped(self) -> bool:
        """Whether it is stopped, for both sides."""
        return self._is_stopped or (self.is_stopping and not self._profile.stops_in_two_steps)

    @property
    def takes_track(self) -> bool:
        """Whether addTrack may use it: it has no track, and never sent one. Source: #dom-rtcpeerconnection-addtrack."""
        return not self.is_stopping and self.sender.track is None and not self.has_sent

    @property
    def has_sent(self) -> bool:
        """Whether its sender was ever allowed to send."""
        return self._has_sent

    def attach(self, track: Any, streams: Iterable[Any]) -> None:
        """Send this track, added by addTrack."""
        self.sender.replaceTrack(track)
        self.sender.streams = tuple(streams)
        self.wanted_direction = with_sending(self.wanted_direction)
        self.is_remote = False
        self.is_from_track = True

    def stop(self) -> Done:  # type: ignore[override] # awaitable as aiortc's, done at the call as the specification's
        """Stop sending and receiving; the next negotiation tells the other side. The result may be awaited.

        Source: webrtc-pc, #dom-rtcrtptransceiver-stop.
        """
        if self.is_stopping:
            return Done()
        self.is_stopping = self.sender.is_stopped = True
        self._owner.transceiver_changed()
        return Done(self._owner.spawn(self.end_media()))

    async def end_media(self) -> None:
        """Stop the sender and the receiver."""
        if self.receiver.track is not None:
            self.receiver.track.stop()
        await self.receiver.stop()
        await self.sender.stop()

    @property
    def stopped_for_both(self) -> bool:
        """Whether the other side knows that it is stopped, or stopped it."""
        return self._is_stopped

    def set_stopped(self) -> None:
        """Both sides know that it is stopped."""
        self.is_stopping = self._is_stopped = self.sender.is_stopped = True

    def remove_sending(self) -> None:
        """Want to send no longer."""
        self.wanted_direction = without_sending(self.wanted_direction)

    def set_negotiated(self, negotiated: Negotiated) -> None:
        """Take what negotiation gives, or gives back."""
        if negotiated.current_direction != self.negotiated.current_direction:
            enable_directions(self, negotiated.current_direction)
            self._has_sent = self._has_sent or sends(negotiated.current_direction)
        self.negotiated = negotiated
        is_described = negotiated.mid is not None or self._profile.shows_transports_early
        self.sender.is_described = self.receiver.is_described = is_described

    def use(self, path: Transport) -> None:
        """Use another transport."""
        self.sender.use(path)
        self.receiver.use(path)

    def _get_mline_index(self) -> int | None:
        return self.negotiated.line

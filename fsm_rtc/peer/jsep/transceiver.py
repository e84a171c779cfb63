"""RTCRtpTransceiver, RTCRtpSender and RTCRtpReceiver as webrtc-pc has them, over aiortc's.

aiortc's do the media; here is what the specification keeps beside it: the direction that was negotiated, the one that
the last track event told of, streams, and stopping in two steps, whose machine says what is permitted then.
Source: webrtc-pc, #rtcrtptransceiver-interface.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import aiortc
from aiortc.codecs import is_rtx

from fsm_rtc.errors import InvalidStateError, Rejected
from fsm_rtc.machines.transceiver import Transceiver
from fsm_rtc.media.outgoing import OutgoingTrack
from fsm_rtc.peer.arguments import as_streams, is_list_with
from fsm_rtc.peer.closing import running_loop
from fsm_rtc.peer.directions import DIRECTIONS, sends, with_sending, without_sending
from fsm_rtc.peer.jsep.private import configure_rtp, enable_directions
from fsm_rtc.peer.jsep.private_rtp import SteadySender
from fsm_rtc.peer.jsep.receiver import RemoteTrack, RTCRtpReceiver, transport_of
from fsm_rtc.peer.jsep.transport import Transport
from fsm_rtc.peer.profile import Profile
from fsm_rtc.peer.rtc_errors import BadArgumentError, BadCodecError, argued, specified

__all__ = ["Done", "RTCRtpReceiver", "RTCRtpSender", "RTCRtpTransceiver", "RemoteTrack"]


class Done:
    """What a method returns that the specification has as a plain one and aiortc as a coroutine: it may be awaited."""

    def __init__(self, rest: Callable[[], Awaitable[None]] | None = None) -> None:
        self._rest = rest

    def __await__(self) -> Generator[Any, None, None]:
        if self._rest is not None:
            yield from self._rest().__await__()


class Owner(Protocol):
    """The session of a transceiver."""

    def transceiver_changed(self) -> None:
        """A negotiation may be needed."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
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
        status: its transceiver's machine.
    """

    def __init__(
        self,
        track_or_kind: Any,
        path: Transport,
        owner: Owner,
        status: Transceiver,
        streams: Iterable[Any] = (),
        *,
        stops_track: bool = False,
    ) -> None:
        self.status = status
        self._has_begun = False
        kind = track_or_kind if isinstance(track_or_kind, str) else track_or_kind.kind
        self._outgoing = OutgoingTrack(kind, stops_track=stops_track)
        super().__init__(kind, path.dtls)
        self._owner = owner
        self.path = path
        self.streams = tuple(streams)
        self.is_described = False
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
        return transport_of(self)

    def use(self, path: Transport) -> None:
        """Send over another transport."""
        self.path = path
        self.setTransport(path.dtls)

    async def send(self, parameters: Any) -> None:
        """Begin to send, once."""
        self._has_begun = True
        await super().send(parameters)

    def setStreams(self, *streams: Any) -> None:
        """Say which streams the track belongs to; the next offer tells the other side.

        Raises:
            InvalidStateError: the connection is closed.

        Source: webrtc-pc, #dom-rtcrtpsender-setstreams.
        """
        _demand(self.status, "set_streams", "this sender's connection is closed; make a new one")
        with argued():
            self.streams = as_streams(streams)
        self._owner.transceiver_changed()

    def replaceTrack(self, track: Any) -> Done:  # type: ignore[override] # it may be awaited, as the specification has it
        """Send another track, or None, without negotiating. It is done at the call; the result may be awaited.

        Raises:
            TypeError: the track is of another kind.
            InvalidStateError: the transceiver is stopped, or the connection is closed.
        """
        if not hasattr(self, "path"):
            return Done()  # aiortc's constructor calls it
        if track is not None and getattr(track, "kind", None) != self.kind:
            raise BadArgumentError(f"this sender sends {self.kind}; it can't take {_named(track)}")
        _demand(self.status, "replace_track", "this sender's transceiver is stopped; add the track to another one")
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
        status: the machine of its end.
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
        self.status = sender.status
        self.wanted_direction = direction
        self._ending: asyncio.Task[None] | None = None
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
            raise BadArgumentError(f"a transceiver's direction is one of {', '.join(DIRECTIONS)}, not {direction!r}")
        _demand(self.status, "set_direction", "this transceiver is stopped; add another one")
        if direction != self.wanted_direction:
            self.wanted_direction = direction
            self._owner.transceiver_changed()

    @property
    def described_direction(self) -> str:
        """The direction that a description begins with: stop() has made it ``inactive``."""
        return "inactive" if self.is_stopping else self.wanted_direction

    @property
    def currentDirection(self) -> str | None:
        """The negotiated direction; None before there is one."""
        if self.stopped_for_both and self._profile.stops_in_two_steps:
            return "stopped"
        return self.negotiated.current_direction

    @property
    def is_stopping(self) -> bool:
        """Whether it is stopped, which the other side may not know yet."""
        return not self.status.permits("replace_track")

    @property
    def stopped_for_both(self) -> bool:
        """Whether the other side knows that it is stopped, or stopped it; or the connection is closed."""
        return not self.status.permits("on_section_rejected")

    @property
    def stopped(self) -> bool:
        """Whether it is stopped, for both sides; with aiortc's habits, also for this side alone."""
        return self.stopped_for_both if self._profile.stops_in_two_steps else self.is_stopping

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

    def setCodecPreferences(self, codecs: list[Any]) -> None:
        """Use these codecs alone, in this order, in offers and answers from now on; an empty list takes it back.

        Raises:
            InvalidModificationError: one of them is none of this kind's capabilities, or they are all retransmissions.

        Source: webrtc-pc, #dom-rtcrtptransceiver-setcodecpreferences.
        """
        if not is_list_with("mimeType", codecs):
            raise BadArgumentError(
                f"codec preferences are a list of RTCRtpCodecCapability, not {type(codecs).__name__}; "
                "take them from getCapabilities"
            )
        if codecs and all(is_rtx(codec) for codec in codecs):
            raise BadCodecError("there is nothing to send but retransmissions; name the codecs that they belong to")
        try:
            super().setCodecPreferences(codecs)
        except ValueError:
            raise BadCodecError(
                f"this {self.kind} transceiver can't do one of these codecs; take them from getCapabilities"
            ) from None

    def stop(self) -> Done:  # type: ignore[override] # awaitable as aiortc's, done at the call as the specification's
        """Stop sending and receiving; the next negotiation tells the other side. The result may be awaited.

        Raises:
            InvalidStateError: the connection is closed, and it has not aiortc's habits.

        Source: webrtc-pc, #dom-rtcrtptransceiver-stop.
        """
        if self._profile.stops_in_two_steps or self.status.permits("stop"):
            was_active = not self.is_stopping
            _demand(self.status, "stop", "this transceiver's connection is closed, and the transceiver with it")
            if was_active:
                self.end()
                self._owner.transceiver_changed()
        return Done(self.end_media)

    def end(self) -> None:
        """Send and receive no longer, from now on; `end_media` frees what was needed for it."""
        enable_directions(self, "inactive")
        if self.receiver.track is not None:
            self.receiver.track.stop()
        # Without a loop nothing runs that had to be ended now; the session's close does the rest.
        if running_loop() is not None:
            self._begin_ending()

    def _begin_ending(self) -> asyncio.Task[None]:
        # Once: a second cancellation would hit aiortc's tasks in their goodbye, and it would wait for them for ever.
        if self._ending is None:
            self._ending = self._owner.spawn(self._end_media())
        return self._ending

    async def end_media(self) -> None:
        """Wait until the sender and the receiver are stopped."""
        await asyncio.shield(self._begin_ending())

    async def _end_media(self) -> None:
        await self.receiver.stop()
        await self.sender.stop()

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


def _named(track: Any) -> str:
    return f"a track of kind {track.kind!r}" if hasattr(track, "kind") else f"a {type(track).__name__}"


def _demand(status: Transceiver, trigger: str, advice: str) -> None:
    """Raise the specification's error, with this advice, if the machine doesn't permit it."""
    outcome = status.fire(trigger)
    if isinstance(outcome, Rejected):
        with specified():
            raise InvalidStateError(advice, rejected=outcome)

"""RTCRtpTransceiver and RTCRtpSender as webrtc-pc has them, over aiortc's; what descriptions do to remote tracks.

aiortc's do the media; here is what the specification keeps beside it: the direction that was negotiated, the one that
the last track event told of, streams, and stopping in two steps, whose machine says what is permitted then. What a
description brings about in the other side's tracks is told only when the description is in force (`RemoteTracks`).
Source: webrtc-pc, #rtcrtptransceiver-interface, #process-remote-track-addition and #process-remote-track-removal.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import aiortc
from aiortc.codecs import is_rtx

from fsm_rtc.errors import InvalidStateError, Rejected
from fsm_rtc.machines.transceiver import AskForNegotiation, EndMedia, Transceiver
from fsm_rtc.media.outgoing import OutgoingTrack
from fsm_rtc.peer.arguments import as_streams, is_list_with
from fsm_rtc.peer.backend import RTCTrackEvent
from fsm_rtc.peer.closing import running_loop
from fsm_rtc.peer.directions import DIRECTIONS, receives, sends, with_sending, without_sending
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.peer.jsep.private import configure_rtp, enable_directions
from fsm_rtc.peer.jsep.private_rtp import SteadySender
from fsm_rtc.peer.jsep.receiver import PathEnd, RTCRtpReceiver
from fsm_rtc.peer.jsep.transport import Transport
from fsm_rtc.peer.machine_set import carry_out
from fsm_rtc.peer.w3c.media_stream import MediaStream
from fsm_rtc.peer.w3c.profile import Profile
from fsm_rtc.peer.w3c.rtc_errors import BadArgumentError, BadCodecError, argued, specified


class MaybeAwaited:
    """What a method returns that the specification has as a plain one and aiortc as a coroutine: it may be awaited."""

    def __init__(self, rest: Callable[[], Awaitable[None]] | None = None) -> None:
        self._rest = rest

    def __await__(self) -> Generator[Any, None, None]:
        if self._rest is not None:
            yield from self._rest().__await__()


class TransceiverOwner(Protocol):
    """The media that a transceiver is part of."""

    def transceiver_changed(self) -> None:
        """A negotiation may be needed."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let the session do the work and see it end."""


class RTCRtpSender(PathEnd, SteadySender):
    """Sends a track, or could. The track stays its owner's: nothing that ends here stops it.

    Args:
        track_or_kind: the track, or the kind of one that may come.
        path: the transport that it uses, or will.
        owner: the session.
        streams: the streams that the other side is told the track belongs to.
        stops_track: whether it stops its track when it ends, as aiortc's does.

    Attributes:
        streams: the streams that the other side is told the track belongs to.
        status: its transceiver's machine.
    """

    def __init__(
        self,
        track_or_kind: Any,
        path: Transport,
        owner: TransceiverOwner,
        status: Transceiver,
        streams: Iterable[Any] = (),
        *,
        stops_track: bool = False,
    ) -> None:
        self.status = status
        kind = track_or_kind if isinstance(track_or_kind, str) else track_or_kind.kind
        self._outgoing = OutgoingTrack(kind, stops_track=stops_track)
        super().__init__(kind, path.dtls)
        self._owner = owner
        self.path = path
        self.streams = tuple(streams)
        self._send(None if isinstance(track_or_kind, str) else track_or_kind)

    track = Forwarded[Any]("_outgoing.track")
    """The track that is sent, or None."""

    missed = Forwarded[int]("_outgoing.missed")
    """How many frames of its tracks came while it was not done with those before."""

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

    def replaceTrack(self, track: Any) -> MaybeAwaited:  # type: ignore[override] # it may be awaited, as the specification has it
        """Send another track, or None, without negotiating. It is done at the call; the result may be awaited.

        Raises:
            TypeError: the track is of another kind.
            InvalidStateError: the transceiver is stopped, or the connection is closed.
        """
        if not hasattr(self, "path"):
            return MaybeAwaited()  # aiortc's constructor calls it
        if track is not None and getattr(track, "kind", None) != self.kind:
            raise BadArgumentError(f"this sender sends {self.kind}; it can't take {_named(track)}")
        _demand(self.status, "replace_track", "this sender's transceiver is stopped; add the track to another one")
        self._send(track)
        return MaybeAwaited()

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


@dataclass(frozen=True, slots=True)
class NegotiatedMedia:
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
        has_sent: whether its sender was ever allowed to send.
    """

    def __init__(
        self, sender: RTCRtpSender, receiver: RTCRtpReceiver, direction: str, profile: Profile, owner: TransceiverOwner
    ) -> None:
        super().__init__(kind=receiver.kind, sender=sender, receiver=receiver, direction=direction)
        self._sender = sender
        self._receiver = receiver
        configure_rtp(self)
        self._owner = owner
        self.negotiated = NegotiatedMedia()
        self.is_remote = False
        self.is_from_track = False
        self.status = sender.status
        ask = self._owner.transceiver_changed
        carry_out(self.status, {EndMedia: lambda _: self._end(), AskForNegotiation: lambda _: ask()})
        self.wanted_direction = direction
        self._ending: asyncio.Task[None] | None = None
        self.has_sent = False
        self._profile = profile
        if profile.early_tracks:
            receiver.make_track()
        self.set_negotiated(self.negotiated)

    sender = Forwarded[RTCRtpSender]("_sender")

    receiver = Forwarded[RTCRtpReceiver]("_receiver")

    mid = Forwarded[str | None]("negotiated.mid")

    line = Forwarded[int | None]("negotiated.line")
    """The index of its media section, or None."""

    path = Forwarded[Transport]("sender.path")
    """The transport that it uses."""

    @property
    def has_begun(self) -> bool:
        """Whether an answer has given it its transport, for good: aiortc's senders and receivers don't move later."""
        return self.negotiated.current_direction is not None

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
        return bool(self.status.permits("take_track")) and self.sender.track is None and not self.has_sent

    @property
    def takes_section(self) -> bool:
        """Whether a section may be given to it: it has none, and is not stopped."""
        return self.mid is None and bool(self.status.permits("take_section"))

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

    def stop(self) -> MaybeAwaited:  # type: ignore[override] # awaitable as aiortc's, done at the call as the specification's
        """Stop sending and receiving; the next negotiation tells the other side. The result may be awaited.

        Raises:
            InvalidStateError: the connection is closed, and it has not aiortc's habits.

        Source: webrtc-pc, #dom-rtcrtptransceiver-stop.
        """
        if self._profile.stops_in_two_steps or self.status.permits("stop"):
            _demand(self.status, "stop", "this transceiver's connection is closed, and the transceiver with it")
        return MaybeAwaited(self.end_media)

    def _end(self) -> None:
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

    def set_negotiated(self, negotiated: NegotiatedMedia) -> None:
        """Take what negotiation gives, or gives back."""
        if negotiated.current_direction != self.negotiated.current_direction:
            enable_directions(self, negotiated.current_direction)
            self.has_sent = self.has_sent or sends(negotiated.current_direction)
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


@dataclass(slots=True)
class RemoteTracks:
    """What a description changes in the other side's tracks.

    Attributes:
        events: the tracks that came.
        muted: the receivers of those that the other side sends no longer.
        added, removed: the streams that change, each with its track.
    """

    events: list[RTCTrackEvent] = field(default_factory=list)
    muted: list[RTCRtpReceiver] = field(default_factory=list)
    added: list[tuple[MediaStream, Any]] = field(default_factory=list)
    removed: list[tuple[MediaStream, Any]] = field(default_factory=list)

    def describe(
        self,
        transceiver: RTCRtpTransceiver,
        direction: str | None,
        streams: tuple[MediaStream, ...] = (),
        track_id: str | None = None,
    ) -> None:
        """Take what the other side's section says of a transceiver.

        Args:
            transceiver: of which transceiver.
            direction: as this side sees it; None if the section is gone.
            streams: the streams that it names.
            track_id: how it calls the track.
        """
        receiver = transceiver.receiver
        fired = transceiver.negotiated.fired_direction
        if receives(direction):
            receiver.make_track(track_id)
            before = len(self.added)
            self._set_streams(receiver, streams)
            if not receives(fired) or len(self.added) > before:
                self.events.append(RTCTrackEvent(receiver.track, receiver, transceiver, streams))
        elif receives(fired):
            self._set_streams(receiver, ())
            self.muted.append(receiver)
        transceiver.negotiated = replace(transceiver.negotiated, fired_direction=direction, streams=streams)

    def _set_streams(self, receiver: Any, streams: tuple[MediaStream, ...]) -> None:
        self.removed += [(stream, receiver.track) for stream in receiver.streams if stream not in streams]
        self.added += [(stream, receiver.track) for stream in streams if stream not in receiver.streams]
        receiver.streams = streams

    def apply(self) -> None:
        """Change the streams and the tracks, and tell of it: the streams first, as #set-description has it."""
        for receiver in self.muted:
            receiver.removed()
        for stream, track in self.removed:
            stream.removeTrack(track)
            stream.emit("removetrack", track)
        for stream, track in self.added:
            stream.addTrack(track)
            stream.emit("addtrack", track)

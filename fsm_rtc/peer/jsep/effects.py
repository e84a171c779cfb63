"""What applying a description brings about, told when the description is in force.

Source: webrtc-pc, #process-remote-track-addition and #process-remote-track-removal.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from fsm_rtc.peer.directions import receives
from fsm_rtc.peer.jsep.transceiver import RTCRtpTransceiver
from fsm_rtc.peer.media_stream import MediaStream
from fsm_rtc.peer.track_event import RTCTrackEvent

__all__ = ["RemoteTracks"]


@dataclass(slots=True)
class RemoteTracks:
    """What a description changes in the other side's tracks.

    Attributes:
        events: the tracks that came.
        muted: those that the other side sends no longer.
        added, removed: the streams that change, each with its track.
    """

    events: list[RTCTrackEvent] = field(default_factory=list)
    muted: list[Any] = field(default_factory=list)
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
            self.muted.append(receiver.track)
        transceiver.negotiated = replace(transceiver.negotiated, fired_direction=direction, streams=streams)

    def _set_streams(self, receiver: Any, streams: tuple[MediaStream, ...]) -> None:
        self.removed += [(stream, receiver.track) for stream in receiver.streams if stream not in streams]
        self.added += [(stream, receiver.track) for stream in streams if stream not in receiver.streams]
        receiver.streams = streams

    def apply(self) -> None:
        """Change the streams and the tracks, and tell of it."""
        for track in self.muted:
            track.set_muted(True)
        for stream, track in self.removed:
            stream.removeTrack(track)
            stream.emit("removetrack", track)
        told = {(id(stream), id(event.track)) for event in self.events for stream in event.streams}
        for stream, track in self.added:
            stream.addTrack(track)
            if (id(stream), id(track)) not in told:
                stream.emit("addtrack", track)

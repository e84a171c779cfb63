"""RTCTrackEvent: the other side's track is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["RTCTrackEvent"]


@dataclass(frozen=True, slots=True)
class RTCTrackEvent:
    """RTCTrackEvent.

    Attributes:
        track: the track.
        receiver: the RTCRtpReceiver that it comes from; None where the library has none.
        transceiver: the RTCRtpTransceiver; None where the library has none.
        streams: the MediaStreams that the other side says it belongs to.
    """

    track: Any
    receiver: Any = None
    transceiver: Any = None
    streams: tuple[Any, ...] = ()

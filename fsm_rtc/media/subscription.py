"""A user's own reading of a track that is also sent, recorded or watched by others."""

from __future__ import annotations

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from fsm_rtc.engine.doors import told
from fsm_rtc.media.frames import Media
from fsm_rtc.media.pump import KEPT_AT, Pump, Tap

__all__ = ["Subscription", "missed_frames", "subscribe"]


class Subscription(MediaStreamTrack):
    """A track that gives the frames of another one, and has an end of its own.

    Args:
        track: the other one, local or remote.
    """

    def __init__(self, track: MediaStreamTrack) -> None:
        super().__init__()
        self.kind = track.kind
        self._tap = Tap(track)

    @property
    def missed(self) -> int:
        """How many frames came that were taken too late: all but the newest of video, what is older than 200 ms of
        audio.
        """
        return self._tap.missed

    async def recv(self) -> Media:
        """The next frame, which nobody else has; those that came since the first call.

        Raises:
            MediaStreamError: the other track has ended, or this one was stopped.
        """
        try:
            return await self._tap.take()
        except MediaStreamError:
            self.stop()
            raise

    def stop(self) -> None:
        """Take no more; the other track lives on."""
        self._tap.close()
        super().stop()


def subscribe(track: MediaStreamTrack) -> Subscription:
    """Read a track beside those that it is sent to; aiortc's MediaRelay, without a relay to keep.

    Everybody who wants the frames of one track takes them by a subscription of their own: two who call its recv() get
    half of them each. Frames come from the first `recv()` on; who is slow misses some (`Subscription.missed`) and slows
    nobody. Stop the subscription when you have enough; it stops nothing else.

    Args:
        track: an aiortc MediaStreamTrack, local or remote, or a subscription.

    Raises:
        TypeError: it is no track.
    """
    if not hasattr(track, "kind") or not callable(getattr(track, "recv", None)):
        raise TypeError(f"track is {told(track)}; give a MediaStreamTrack")
    return Subscription(track)


def missed_frames(track: MediaStreamTrack) -> int:
    """How many frames of a track its readers were too slow for, senders and subscriptions, all together.

    Args:
        track: an aiortc MediaStreamTrack; one that nobody has read yet has missed none.
    """
    pump: Pump | None = getattr(track, KEPT_AT, None)
    return pump.missed if pump is not None else 0

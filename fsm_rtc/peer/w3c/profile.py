"""The two faces of one implementation: the specification to the letter, and the habits of aiortc's users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fsm_rtc.machines.ice import Ice, IceAiortc


@dataclass(frozen=True, slots=True)
class Profile:
    """Where aiortc's users rely on something that the specification doesn't have and that does no damage.

    Attributes:
        gathers_first: what setLocalDescription waits for, bounded by the configuration's limit: nothing, the host
            candidates, or all candidates.
        close_tells: whether one's own close() fires the state events.
        closes_with_peer: whether the connection closes when the other side has closed it.
        ice: the table of an ICE transport.
        shows_transports_early: whether `sctp` and the senders' transports are there before a description is applied.
        adopts_any_transceiver: whether an offered section takes any transceiver of its kind that has none yet, and not
            only one that addTrack made.
        needs_address: whether a host without any address to gather is an error at once.
        early_tracks: whether a receiver has its track from the beginning.
        stops_in_two_steps: whether a stopped transceiver counts as such only when the other side knows.
        plain_events: whether ``track`` and ``datachannel`` give the track and the channel themselves, and a track
            comes before the state has changed.
        tells_each_end: whether ``icecandidate`` tells the end of each section's candidates, before that of all.
        tracks_end_with_sender: whether a track that is sent is stopped when its sender ends, and one that comes ends
            when the other side's sender does; and whether one that comes keeps every frame until it is read.
        rtp_statistics_only: whether getStats gives aiortc's five types alone.
    """

    gathers_first: Literal["nothing", "hosts", "all"] = "nothing"
    close_tells: bool = False
    closes_with_peer: bool = False
    ice: type[Ice] = Ice
    shows_transports_early: bool = False
    adopts_any_transceiver: bool = False
    needs_address: bool = False
    early_tracks: bool = True
    stops_in_two_steps: bool = True
    plain_events: bool = False
    tells_each_end: bool = True
    tracks_end_with_sender: bool = False
    rtp_statistics_only: bool = False


SPECIFICATION = Profile()
"""webrtc-pc to the letter."""

CALLS = Profile(
    gathers_first="hosts", closes_with_peer=True, adopts_any_transceiver=True, needs_address=True, tells_each_end=False
)
"""For `Connection` and `ConnectionStore`: a description holds the host candidates, and a goodbye ends the call."""

AIORTC = Profile(
    gathers_first="all",
    close_tells=True,
    closes_with_peer=True,
    ice=IceAiortc,
    shows_transports_early=True,
    adopts_any_transceiver=True,
    early_tracks=False,
    stops_in_two_steps=False,
    plain_events=True,
    tells_each_end=False,
    tracks_end_with_sender=True,
    rtp_statistics_only=True,
)
"""As aiortc's users know it."""

"""The other side's track: whether media comes, might come again, or never will.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #mediastreamtrack-network-use: data unmutes a track, an RTCP BYE and
the other side's description mute it; #dom-rtcrtptransceiver-stop and #dom-rtcpeerconnection-close end it. That silence
mutes it is RFC 3550's time-out of a source (6.3.5), which the draft leaves to the user agent; how long it takes is the
receiver's to know. Left out: `enabled`, which aiortc's tracks don't have.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from fsm_rtc.engine import Chart, On, Row

__all__ = ["FireMute", "FireUnmute", "Listen", "ListenNoLonger", "UNHEARD", "RemoteTrackState", "RemoteTrackStatus"]


class RemoteTrackState(StrEnum):
    """Where the other side's track stands."""

    MUTED = "muted"
    LIVE = "live"
    ENDED = "ended"


MUTED, LIVE, ENDED = RemoteTrackState

UNHEARD = frozenset({MUTED, ENDED})
"""Where the track counts as muted: nothing of it comes, for now or for good."""


class FireMute:
    """Fire mute."""


class FireUnmute:
    """Fire unmute."""


class Listen:
    """Look whether the source falls silent."""


class ListenNoLonger:
    """Look no longer whether the source falls silent."""


class RemoteTrackStatus(Chart[RemoteTrackState, None]):
    """The other side's track."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #mediastreamtrack-network-use"
    initial = MUTED
    final = frozenset({ENDED})
    entry: ClassVar = {LIVE: (Listen, FireUnmute), MUTED: (FireMute,)}
    exit: ClassVar = {LIVE: (ListenNoLonger,)}

    on_packet = On(Row(MUTED, LIVE), cite="#mediastreamtrack-network-use, data on an RTP source")
    on_bye = On(Row(LIVE, MUTED), cite="#mediastreamtrack-network-use, an SSRC is removed due to reception of a BYE")
    on_silence = On(Row(LIVE, MUTED), cite="RFC 3550, 6.3.5: a source that is not heard any more times out")
    on_disconnected = On(Row(LIVE, MUTED), cite="#rtcdtlstransportstate-enum, closed by the other side")
    on_removed = On(Row(LIVE, MUTED), cite="#process-remote-track-removal, the other side's direction sends no longer")
    end = On(Row((MUTED, LIVE), ENDED), cite="#dom-rtcrtptransceiver-stop, a rejected section, or close()")

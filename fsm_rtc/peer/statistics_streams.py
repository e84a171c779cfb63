"""The statistics of RTP streams, with what they refer to: codecs and the tracks that are sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import aiortc
from aiortc.sdp import parameters_to_sdp
from aiortc.stats import RTCStats

from fsm_rtc.peer import statistics_private as private
from fsm_rtc.peer.statistics_ice import digest
from fsm_rtc.peer.statistics_transport import transport_id
from fsm_rtc.peer.statistics_types import (
    RTCCodecStats,
    RTCInboundRtpStreamStats,
    RTCMediaSourceStats,
    RTCOutboundRtpStreamStats,
    RTCRemoteInboundRtpStreamStats,
    RTCRemoteOutboundRtpStreamStats,
)

__all__ = ["other_statistics", "received_statistics", "rtp_statistics", "sent_statistics"]

_WIDENED: dict[str, Any] = {
    "inbound-rtp": RTCInboundRtpStreamStats,
    "outbound-rtp": RTCOutboundRtpStreamStats,
    "remote-inbound-rtp": RTCRemoteInboundRtpStreamStats,
    "remote-outbound-rtp": RTCRemoteOutboundRtpStreamStats,
}
"""The classes with the specification's further members, by type."""


def sent_statistics(
    transceiver: aiortc.RTCRtpTransceiver, rtp: Mapping[str, RTCStats], *, now: datetime
) -> Iterator[RTCStats]:
    """The statistics of what a transceiver's sender sends, and of what the other side tells of it.

    Args:
        transceiver: the sender's.
        rtp: aiortc's statistics.
        now: the time of the statistics.
    """
    sender = transceiver.sender
    sent = rtp.get(private.stream_id("outbound-rtp", sender))
    told = rtp.get(private.stream_id("remote-inbound-rtp", sender))
    transport = transport_id(sender.transport)
    if transport is None:
        return
    codec = _codec(private.sending_codec(sender), transport, now)
    source = _source(sender, now)
    common = {"transportId": transport, "codecId": codec and codec.id}
    if sent is not None:
        yield _widened(
            sent,
            **common,
            mid=transceiver.mid,
            mediaSourceId=source and source.id,
            remoteId=told and told.id,
        )
    if told is not None:
        yield _widened(told, **common, localId=sent and sent.id)
    if source is not None:
        yield source
    if codec is not None and (sent or told):
        yield codec


def received_statistics(
    transceiver: aiortc.RTCRtpTransceiver, rtp: Mapping[str, RTCStats], *, now: datetime
) -> Iterator[RTCStats]:
    """The statistics of what a transceiver's receiver receives, and of what the other side tells of it.

    Args:
        transceiver: the receiver's.
        rtp: aiortc's statistics.
        now: the time of the statistics.
    """
    receiver = transceiver.receiver
    received = rtp.get(private.stream_id("inbound-rtp", receiver))
    told = rtp.get(private.stream_id("remote-outbound-rtp", receiver))
    transport = transport_id(receiver.transport)
    if transport is None:
        return
    codec = _codec(private.receiving_codec(receiver), transport, now)
    common = {"transportId": transport, "codecId": codec and codec.id}
    if received is not None:
        yield _widened(
            received,
            **common,
            mid=transceiver.mid,
            trackIdentifier=getattr(receiver.track, "id", None),
            remoteId=told and told.id,
        )
    if told is not None:
        yield _widened(told, **common, localId=received and received.id)
    if codec is not None and (received or told):
        yield codec


def other_statistics(rtp: Mapping[str, RTCStats], report: Mapping[str, RTCStats]) -> Iterator[RTCStats]:
    """The statistics of streams that belong to none of the transceivers, as far as their transport is known.

    Args:
        rtp: aiortc's statistics.
        report: what is known by now.
    """
    for stats in rtp.values():
        if stats.type in _WIDENED and stats.id not in report and getattr(stats, "transportId", None) in report:
            yield _widened(stats)


def _widened(stats: RTCStats, **members: object) -> RTCStats:
    widened: RTCStats = _WIDENED[stats.type](**{**vars(stats), **members})
    return widened


def _source(sender: aiortc.RTCRtpSender, now: datetime) -> RTCMediaSourceStats | None:
    track: aiortc.MediaStreamTrack | None = getattr(sender, "track", None)
    if track is None:
        return None
    name = f"media-source_{digest(private.stream_id('media-source', sender), track.id)}"
    return RTCMediaSourceStats(timestamp=now, type="media-source", id=name, trackIdentifier=track.id, kind=track.kind)


def _codec(codec: aiortc.RTCRtpCodecParameters | None, transport: str, now: datetime) -> RTCCodecStats | None:
    if codec is None or codec.payloadType is None:
        return None
    line = parameters_to_sdp(codec.parameters) or None
    return RTCCodecStats(
        timestamp=now,
        type="codec",
        id=f"codec_{digest(transport, codec.payloadType, codec.mimeType, line)}",
        payloadType=codec.payloadType,
        transportId=transport,
        mimeType=codec.mimeType,
        clockRate=codec.clockRate,
        channels=codec.channels,
        sdpFmtpLine=line,
    )


async def rtp_statistics(transceivers: Sequence[aiortc.RTCRtpTransceiver]) -> aiortc.RTCStatsReport:
    """What the senders and receivers tell of themselves."""
    report = aiortc.RTCStatsReport()
    for transceiver in transceivers:
        for end in (transceiver.sender, transceiver.receiver):
            report.update(await end.getStats())
    return report

"""The statistics of a connection, as webrtc-stats has them, over aiortc's objects.

aiortc knows RTP streams and transports. Here they are joined by the codecs, tracks, certificates, candidates, candidate
pairs and data channels; every member whose name ends in `Id` is the id of an object in the same report.

Source: https://www.w3.org/TR/webrtc-stats/ and webrtc-pc, "The stats selection algorithm"
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from weakref import WeakKeyDictionary

import aiortc
from aiortc.stats import RTCStats, RTCStatsReport

from fsm_rtc.peer.statistics_streams import other_statistics, received_statistics, sent_statistics
from fsm_rtc.peer.statistics_transport import transport_statistics
from fsm_rtc.peer.statistics_types import (
    RTCDataChannelStats,
    RTCInboundRtpStreamStats,
    RTCMediaSourceStats,
    RTCOutboundRtpStreamStats,
    RTCPeerConnectionStats,
)

__all__ = ["report_of", "selected"]

_numbers = itertools.count(1)
_channel_numbers: WeakKeyDictionary[object, int] = WeakKeyDictionary()


def report_of(
    *,
    connection_id: str,
    transports: Sequence[aiortc.RTCDtlsTransport],
    sctp: aiortc.RTCSctpTransport | None,
    channels: Sequence[object],
    transceivers: Sequence[aiortc.RTCRtpTransceiver],
    rtp: RTCStatsReport,
    opened: int,
    closed: int,
    now: datetime,
) -> RTCStatsReport:
    """The statistics of a whole connection.

    Args:
        connection_id: a text that no other connection has.
        transports: the connection's DTLS transports. Those that the other arguments use are added.
        sctp: the transport of the data channels.
        channels: the data channels: objects with `label`, `protocol`, `id` and `readyState`, and with `messagesSent`,
            `bytesSent`, `messagesReceived` and `bytesReceived` if they count.
        transceivers: the connection's transceivers.
        rtp: what aiortc's senders and receivers return from getStats().
        opened: how many channels have ever been open.
        closed: how many of these are no longer.
        now: the time of the statistics.
    """
    report = RTCStatsReport()
    report.add(
        RTCPeerConnectionStats(
            timestamp=now,
            type="peer-connection",
            id=f"peer-connection_{connection_id}",
            dataChannelsOpened=opened,
            dataChannelsClosed=closed,
        )
    )
    used: list[aiortc.RTCDtlsTransport | None] = [
        end.transport for one in transceivers for end in (one.sender, one.receiver)
    ]
    below = [] if sctp is None else [sctp.transport]
    for dtls in dict.fromkeys([*transports, *below, *used]):
        if dtls is None:  # a transceiver that was never negotiated
            continue
        _add(report, transport_statistics(dtls, now=now))
    for transceiver in transceivers:
        _add(report, sent_statistics(transceiver, rtp, now=now))
        _add(report, received_statistics(transceiver, rtp, now=now))
    _add(report, list(other_statistics(rtp, report)))
    _add(report, (_channel(channel, now) for channel in channels))
    return report


def selected(report: RTCStatsReport, track: aiortc.MediaStreamTrack) -> RTCStatsReport:
    """The statistics of a sender's or receiver's track: its streams, and all that these refer to.

    Args:
        report: the statistics of the whole connection.
        track: the selector.

    Source: webrtc-pc, "The stats selection algorithm"
    """
    result = RTCStatsReport()
    waiting = [stats for stats in report.values() if _track_of(stats, report) == track.id]
    while waiting:
        stats = waiting.pop()
        if stats.id not in result:
            result.add(stats)
            waiting += [report[name] for name in _references(stats) if name in report]
    return result


def _add(report: RTCStatsReport, found: Iterable[RTCStats]) -> None:
    for stats in found:
        report.add(stats)


def _track_of(stats: RTCStats, report: RTCStatsReport) -> str | None:
    if isinstance(stats, RTCInboundRtpStreamStats):
        return stats.trackIdentifier
    if isinstance(stats, RTCOutboundRtpStreamStats):
        source = report.get(stats.mediaSourceId)
        return source.trackIdentifier if isinstance(source, RTCMediaSourceStats) else None
    return None


def _references(stats: RTCStats) -> Iterator[str]:
    # `trackId` of aiortc is no member of the specification, and refers to no object.
    return (value for name, value in vars(stats).items() if name.endswith("Id") and name != "trackId" and value)


def _channel(channel: object, now: datetime) -> RTCDataChannelStats:
    if channel not in _channel_numbers:
        _channel_numbers[channel] = next(_numbers)
    return RTCDataChannelStats(
        timestamp=now,
        type="data-channel",
        id=f"data-channel_{_channel_numbers[channel]}",
        state=getattr(channel, "readyState", "closed"),
        label=getattr(channel, "label", None),
        protocol=getattr(channel, "protocol", None),
        dataChannelIdentifier=getattr(channel, "id", None),
        messagesSent=getattr(channel, "messagesSent", None),
        bytesSent=getattr(channel, "bytesSent", None),
        messagesReceived=getattr(channel, "messagesReceived", None),
        bytesReceived=getattr(channel, "bytesReceived", None),
    )

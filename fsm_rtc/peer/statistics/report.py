"""The statistics of a connection, as webrtc-stats has them, over aiortc's objects.

aiortc knows RTP streams and transports. Here they are joined by the codecs, tracks, certificates, candidates, candidate
pairs and data channels; every member whose name ends in `Id` is the id of an object in the same report.

Source: https://www.w3.org/TR/webrtc-stats/ and webrtc-pc, "The stats selection algorithm"
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2s
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import aiortc
from aiortc.sdp import parameters_to_sdp
from aiortc.stats import RTCStats, RTCStatsReport
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from fsm_rtc.peer.jsep import private
from fsm_rtc.peer.statistics import types as stats_types

if TYPE_CHECKING:
    from aioice.candidate import Candidate
    from aioice.ice import Connection
    from cryptography.x509 import Certificate


def digest(*parts: object) -> str:
    """A short text that is the same for the same parts."""
    return blake2s(repr(parts).encode(), digest_size=8).hexdigest()


def _ice_statistics(
    dtls: aiortc.RTCDtlsTransport, transport: stats_types.RTCTransportStats, now: datetime
) -> list[RTCStats]:
    """The candidates and pairs beneath a DTLS transport, whose own statistics take what ICE says of itself.

    Args:
        dtls: the transport.
        transport: its statistics.
        now: the time of the statistics.
    """
    connection = private.ice_connection(dtls)
    if connection is None:
        return []
    changes = private.selected_pair_changes(dtls, connection)
    transport.iceLocalUsernameFragment, transport.selectedCandidatePairChanges = connection.local_username, changes
    seen, pairs = _Candidates(connection, transport.id, now), []
    selected = private.selected_pair(connection)
    for pair in private.candidate_pairs(connection):
        stats = stats_types.RTCIceCandidatePairStats(
            timestamp=now,
            type="candidate-pair",
            id="",
            transportId=transport.id,
            localCandidateId=seen.local(pair.local_candidate),
            remoteCandidateId=seen.remote(pair.remote_candidate),
            state=pair.state.name.lower().replace("_", "-"),
            nominated=pair is selected or pair.nominated,
        )
        stats.id = f"candidate-pair_{digest(stats.localCandidateId, stats.remoteCandidateId)}"
        if pair is selected:
            transport.selectedCandidatePairId = stats.id
            if changes == 1:
                stats.packetsSent, stats.packetsReceived = transport.packetsSent, transport.packetsReceived
                stats.bytesSent, stats.bytesReceived = transport.bytesSent, transport.bytesReceived
        pairs.append(stats)
    return [*seen, *pairs]


class _Candidates:
    """The candidates of a connection, each once."""

    def __init__(self, connection: Connection, transport_id: str, now: datetime) -> None:
        self._connection = connection
        self._transport_id = transport_id
        self._now = now
        self._found: dict[str, stats_types.RTCIceCandidateStats] = {}
        for candidate in connection.local_candidates:
            self.local(candidate)
        for candidate in connection.remote_candidates:
            self.remote(candidate)

    def __iter__(self) -> Iterator[stats_types.RTCIceCandidateStats]:
        return iter(self._found.values())

    def local(self, candidate: Candidate) -> str:
        """The id of a local candidate, which is now in the statistics."""
        fragment = self._connection.local_username
        # The same address may be a host candidate and, without a NAT, what a server saw.
        return self._add("local-candidate", candidate, fragment, candidate.type, candidate.foundation)

    def remote(self, candidate: Candidate) -> str:
        """The id of a remote candidate, which is now in the statistics."""
        # Type and foundation change when a candidate that showed in a check is signalled later.
        return self._add("remote-candidate", candidate, self._connection.remote_username)

    def _add(self, kind: str, candidate: Candidate, fragment: str | None, *distinct: str) -> str:
        address = private.candidate_address(candidate)
        generation = self._connection.local_username
        name = f"{kind}_{digest(self._transport_id, generation, candidate.transport, address, *distinct)}"
        unsignalled = kind == "remote-candidate" and candidate.type == "prflx"
        self._found[name] = stats_types.RTCIceCandidateStats(
            timestamp=self._now,
            type=kind,
            id=name,
            transportId=self._transport_id,
            candidateType=candidate.type,
            address=None if unsignalled else candidate.host,
            port=candidate.port,
            protocol=candidate.transport.lower(),
            priority=candidate.priority,
            foundation=candidate.foundation,
            relatedAddress=candidate.related_address,
            relatedPort=candidate.related_port,
            usernameFragment=None if unsignalled else fragment,
            tcpType=candidate.tcptype,
        )
        return name


_CIPHERS = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305": "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-SHA": "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "ECDHE-ECDSA-AES256-SHA": "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
}
"""IANA's names of the ciphers that aiortc allows below DTLS 1.3, by OpenSSL's; the later ones have one name."""

_PROFILES = {"SRTP_AES128_CM_SHA1_80": "SRTP_AES128_CM_HMAC_SHA1_80"}
"""IANA's names of SRTP profiles, where OpenSSL's differ."""


def transport_id(dtls: aiortc.RTCDtlsTransport | None) -> str | None:
    """The id of a transport's statistics, or None without a transport, or if they can't be had from this aiortc."""
    counters = None if dtls is None else private.transport_counters(dtls)
    return None if counters is None else counters.id


def transport_statistics(dtls: aiortc.RTCDtlsTransport, *, now: datetime) -> Iterator[RTCStats]:
    """The statistics of a transport, and of its certificates, candidates and candidate pairs.

    Args:
        dtls: the transport.
        now: the time of the statistics.
    """
    counters = private.transport_counters(dtls)
    if counters is None:
        return
    stats = stats_types.RTCTransportStats(**{**vars(counters), "timestamp": now})
    stats.iceState = dtls.transport.state
    beneath = _ice_statistics(dtls, stats, now)
    stats.dtlsRole = private.told_dtls_role(dtls)
    local, remote = private.local_certificate(dtls), None
    tls = private.handshake(dtls)
    if tls is not None:
        remote = tls.get_peer_certificate(as_cryptography=True)
        stats.tlsVersion = f"{tls.get_protocol_version():04X}"
        cipher = tls.get_cipher_name() or ""
        stats.dtlsCipher = cipher if cipher.startswith("TLS_") else _CIPHERS.get(cipher)
        profile = tls.get_selected_srtp_profile().decode()
        stats.srtpCipher = _PROFILES.get(profile, profile) or None
    if local is not None:
        yield (certificate := _certificate(local, now))
        stats.localCertificateId = certificate.id
    if remote is not None:
        yield (certificate := _certificate(remote, now))
        stats.remoteCertificateId = certificate.id
    yield stats
    yield from beneath


def _certificate(certificate: Certificate, now: datetime) -> stats_types.RTCCertificateStats:
    fingerprint = certificate.fingerprint(SHA256()).hex(":").upper()
    return stats_types.RTCCertificateStats(
        timestamp=now,
        type="certificate",
        id=f"certificate_{digest(fingerprint)}",
        fingerprint=fingerprint,
        fingerprintAlgorithm="sha-256",
        base64Certificate=base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(),
    )


_WIDENED: dict[str, Any] = {
    "inbound-rtp": stats_types.RTCInboundRtpStreamStats,
    "outbound-rtp": stats_types.RTCOutboundRtpStreamStats,
    "remote-inbound-rtp": stats_types.RTCRemoteInboundRtpStreamStats,
    "remote-outbound-rtp": stats_types.RTCRemoteOutboundRtpStreamStats,
}
"""The classes with the specification's further members, by type."""


def stream_statistics(
    transceiver: aiortc.RTCRtpTransceiver, rtp: Mapping[str, RTCStats], *, now: datetime
) -> Iterator[RTCStats]:
    """The statistics of what a transceiver sends and receives, and of what the other side tells of either.

    Args:
        transceiver: whose.
        rtp: aiortc's statistics.
        now: the time of the statistics.
    """
    sender, receiver, mid = transceiver.sender, transceiver.receiver, transceiver.mid
    source = _source(sender, now)
    sending, receiving = private.sending_codec(sender), private.receiving_codec(receiver)
    yield from _both_ways(
        sender, "outbound-rtp", "remote-inbound-rtp", sending, rtp, now, mid=mid, mediaSourceId=source and source.id
    )
    if source is not None and transport_id(sender.transport) is not None:
        yield source
    track = getattr(receiver.track, "id", None)
    yield from _both_ways(
        receiver, "inbound-rtp", "remote-outbound-rtp", receiving, rtp, now, mid=mid, trackIdentifier=track
    )


def _both_ways(
    end: Any,
    here: str,
    there: str,
    codec: aiortc.RTCRtpCodecParameters | None,
    rtp: Mapping[str, RTCStats],
    now: datetime,
    **members: object,
) -> Iterator[RTCStats]:
    """A sender's or receiver's stream as it is seen on this side, and on the other one."""
    own, told = rtp.get(private.stream_id(here, end)), rtp.get(private.stream_id(there, end))
    transport = transport_id(end.transport)
    if transport is None:
        return
    used = _codec(codec, transport, now)
    common = {"transportId": transport, "codecId": used and used.id}
    if own is not None:
        yield _widened(own, **common, **members, remoteId=told and told.id)
    if told is not None:
        yield _widened(told, **common, localId=own and own.id)
    if used is not None and (own or told):
        yield used


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


def _source(sender: aiortc.RTCRtpSender, now: datetime) -> stats_types.RTCMediaSourceStats | None:
    track: aiortc.MediaStreamTrack | None = getattr(sender, "track", None)
    if track is None:
        return None
    name = f"media-source_{digest(private.stream_id('media-source', sender), track.id)}"
    return stats_types.RTCMediaSourceStats(
        timestamp=now, type="media-source", id=name, trackIdentifier=track.id, kind=track.kind
    )


def _codec(
    codec: aiortc.RTCRtpCodecParameters | None, transport: str, now: datetime
) -> stats_types.RTCCodecStats | None:
    if codec is None or codec.payloadType is None:
        return None
    line = parameters_to_sdp(codec.parameters) or None
    return stats_types.RTCCodecStats(
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


COUNTED = ("messagesSent", "bytesSent", "messagesReceived", "bytesReceived")

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
        stats_types.RTCPeerConnectionStats(
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
        _add(report, stream_statistics(transceiver, rtp, now=now))
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
    if isinstance(stats, stats_types.RTCInboundRtpStreamStats):
        return stats.trackIdentifier
    if isinstance(stats, stats_types.RTCOutboundRtpStreamStats):
        source = report.get(stats.mediaSourceId)
        return source.trackIdentifier if isinstance(source, stats_types.RTCMediaSourceStats) else None
    return None


def _references(stats: RTCStats) -> Iterator[str]:
    # `trackId` of aiortc is no member of the specification, and refers to no object.
    return (value for name, value in vars(stats).items() if name.endswith("Id") and name != "trackId" and value)


def _channel(channel: object, now: datetime) -> stats_types.RTCDataChannelStats:
    if channel not in _channel_numbers:
        _channel_numbers[channel] = next(_numbers)
    return stats_types.RTCDataChannelStats(
        timestamp=now,
        type="data-channel",
        id=f"data-channel_{_channel_numbers[channel]}",
        state=getattr(channel, "readyState", "closed"),
        dataChannelIdentifier=getattr(channel, "id", None),
        **{name: getattr(channel, name, None) for name in ("label", "protocol", *COUNTED)},
    )

"""The statistics dictionaries of webrtc-stats that aiortc has no class for, or leaves members out of.

Each is one of aiortc's dataclasses with the members that can be known here. What isn't known is None, and `to_dict`
leaves it out, as the specification leaves out a member that doesn't exist.

Source: https://www.w3.org/TR/webrtc-stats/
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import aiortc
from aiortc.stats import RTCStats

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class StatMembers:
    """What all statistics objects share: their members as a dictionary."""

    def to_dict(self: DataclassInstance) -> dict[str, object]:
        """The members that exist, by their names in the specification."""
        members = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in members if value is not None}


@dataclass
class RTCCodecStats(StatMembers, RTCStats):
    """A codec that an RTP stream uses on a transport."""

    payloadType: int
    transportId: str
    mimeType: str
    clockRate: int | None = None
    channels: int | None = None
    sdpFmtpLine: str | None = None


@dataclass
class RTCMediaSourceStats(StatMembers, RTCStats):
    """The track that a sender sends."""

    trackIdentifier: str
    kind: str


@dataclass
class RTCPeerConnectionStats(StatMembers, RTCStats):
    """The connection as a whole."""

    dataChannelsOpened: int | None = None
    dataChannelsClosed: int | None = None


@dataclass
class RTCDataChannelStats(StatMembers, RTCStats):
    """A data channel; sizes are those of the payload, in bytes."""

    state: str
    label: str | None = None
    protocol: str | None = None
    dataChannelIdentifier: int | None = None
    messagesSent: int | None = None
    bytesSent: int | None = None
    messagesReceived: int | None = None
    bytesReceived: int | None = None


@dataclass
class RTCIceCandidateStats(StatMembers, RTCStats):
    """A local or a remote candidate.

    The address of a remote candidate that the application was never told, but that showed in a check, is left out.
    """

    transportId: str
    candidateType: str
    address: str | None = None
    port: int | None = None
    protocol: str | None = None
    priority: int | None = None
    foundation: str | None = None
    relatedAddress: str | None = None
    relatedPort: int | None = None
    usernameFragment: str | None = None
    tcpType: str | None = None


@dataclass
class RTCIceCandidatePairStats(StatMembers, RTCStats):
    """A candidate pair of the checklist.

    aioice measures no round trips and counts no checks, so those members don't exist. The traffic is known for a pair
    that carried all of its transport's.
    """

    transportId: str
    localCandidateId: str
    remoteCandidateId: str
    state: str
    nominated: bool | None = None
    packetsSent: int | None = None
    packetsReceived: int | None = None
    bytesSent: int | None = None
    bytesReceived: int | None = None


@dataclass
class RTCCertificateStats(StatMembers, RTCStats):
    """A certificate of either side."""

    fingerprint: str
    fingerprintAlgorithm: str
    base64Certificate: str


@dataclass
class RTCTransportStats(StatMembers, aiortc.RTCTransportStats):
    """A DTLS transport and the ICE transport below it."""

    iceLocalUsernameFragment: str | None = None
    iceState: str | None = None
    selectedCandidatePairId: str | None = None
    selectedCandidatePairChanges: int | None = None
    localCertificateId: str | None = None
    remoteCertificateId: str | None = None
    tlsVersion: str | None = None
    dtlsCipher: str | None = None
    dtlsRole: str | None = None
    srtpCipher: str | None = None


@dataclass
class RTCInboundRtpStreamStats(StatMembers, aiortc.RTCInboundRtpStreamStats):
    """A stream that is received."""

    trackIdentifier: str | None = None
    mid: str | None = None
    codecId: str | None = None
    remoteId: str | None = None


@dataclass
class RTCOutboundRtpStreamStats(StatMembers, aiortc.RTCOutboundRtpStreamStats):
    """A stream that is sent."""

    mid: str | None = None
    codecId: str | None = None
    mediaSourceId: str | None = None
    remoteId: str | None = None


@dataclass
class RTCRemoteInboundRtpStreamStats(StatMembers, aiortc.RTCRemoteInboundRtpStreamStats):
    """What the other side tells of a stream that it receives from here."""

    codecId: str | None = None
    localId: str | None = None


@dataclass
class RTCRemoteOutboundRtpStreamStats(StatMembers, aiortc.RTCRemoteOutboundRtpStreamStats):
    """What the other side tells of a stream that it sends here."""

    codecId: str | None = None
    localId: str | None = None

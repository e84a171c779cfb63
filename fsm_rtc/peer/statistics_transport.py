"""The statistics of a DTLS transport, of the certificates on both sides, and of what is below it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import aiortc
from aiortc.stats import RTCStats
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from fsm_rtc.peer import statistics_private as private
from fsm_rtc.peer.statistics_ice import digest, ice_statistics
from fsm_rtc.peer.statistics_types import RTCCertificateStats, RTCTransportStats

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

__all__ = ["transport_id", "transport_statistics"]

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
    ice = ice_statistics(dtls, counters, now=now)
    stats = RTCTransportStats(**{**vars(counters), "timestamp": now})
    stats.iceState = dtls.transport.state
    stats.iceLocalUsernameFragment = ice.username_fragment
    stats.selectedCandidatePairId = ice.selected_pair_id
    stats.selectedCandidatePairChanges = ice.changes
    stats.dtlsRole = private.dtls_role(dtls)
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
    yield from ice.candidates
    yield from ice.pairs


def _certificate(certificate: Certificate, now: datetime) -> RTCCertificateStats:
    fingerprint = certificate.fingerprint(SHA256()).hex(":").upper()
    return RTCCertificateStats(
        timestamp=now,
        type="certificate",
        id=f"certificate_{digest(fingerprint)}",
        fingerprint=fingerprint,
        fingerprintAlgorithm="sha-256",
        base64Certificate=base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(),
    )

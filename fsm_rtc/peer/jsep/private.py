"""The private parts of aiortc that the JSEP layer touches, and the version they were checked against.

Checked: aiortc 1.16.0. aiortc's own RTCPeerConnection sets the same parts in the same places, and offers no public way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiortc
from aiortc.rtcdtlstransport import X509_DIGEST_ALGORITHMS, RTCDtlsParameters, certificate_digest
from cryptography.x509 import Certificate
from OpenSSL import SSL

__all__ = [
    "CHECKED_VERSION",
    "CountedInBytes",
    "adopt_remote_track",
    "codec_preferences",
    "configure_rtp",
    "dtls_role",
    "enable_directions",
    "is_expected",
    "is_role_set",
    "send_alert",
    "set_controlling",
    "set_dtls_role",
    "unnumbered_channels",
    "verify_with",
    "warn_of_another_version",
]

logger = logging.getLogger("fsm_rtc.peer")

CHECKED_VERSION = "1.16"


def warn_of_another_version(version: str = aiortc.__version__) -> bool:
    """Warn, and say so, if aiortc is another one than the one that these parts were checked against."""
    differs = not version.startswith(f"{CHECKED_VERSION}.")
    if differs:
        logger.warning(
            "aiortc is %s; fsm_rtc was checked against %s: if calls fail, install aiortc~=%s.0",
            version,
            CHECKED_VERSION,
            CHECKED_VERSION,
        )
    return differs


class CountedInBytes(str):
    """A text whose length is that of its UTF-8.

    aiortc tells the length of a channel's label and protocol in characters, and the other side takes it for bytes; an
    aiortc there fails to decode what it cut off, and closes the connection.
    """

    __slots__ = ()

    def __len__(self) -> int:
        return len(self.encode())


def set_controlling(ice: aiortc.RTCIceTransport, is_controlling: bool) -> None:
    """Give an ICE transport its role, once."""
    ice._connection.ice_controlling = is_controlling
    ice._role_set = True


def is_role_set(ice: aiortc.RTCIceTransport) -> bool:
    """Whether an ICE transport has its role."""
    return ice._role_set


def dtls_role(dtls: aiortc.RTCDtlsTransport) -> str:
    """``auto``, ``client`` or ``server``."""
    return dtls._role


def set_dtls_role(dtls: aiortc.RTCDtlsTransport, role: str) -> None:
    """Give a DTLS transport its role; one that has begun keeps its own."""
    if dtls.state == "new":
        dtls._set_role(role)


def is_expected(certificate: Certificate, expected: RTCDtlsParameters) -> bool:
    """Whether a certificate has each fingerprint whose algorithm is known here, and one at least."""
    known = [one for one in expected.fingerprints if one.algorithm.lower() in X509_DIGEST_ALGORITHMS]
    return bool(known) and all(
        one.value.upper() == certificate_digest(certificate, one.algorithm.lower()) for one in known
    )


def verify_with(dtls: aiortc.RTCDtlsTransport, is_right: Callable[[Certificate], bool]) -> None:
    """Let the handshake that is about to begin go on only with a right certificate."""

    def verify(connection: object, certificate: Any, error: int, depth: int, preverified: int) -> bool:
        return depth > 0 or is_right(certificate.to_cryptography())

    if dtls._ssl is not None:
        dtls._ssl.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, verify)


async def send_alert(dtls: aiortc.RTCDtlsTransport) -> None:
    """Send what a failed handshake left to be sent: aiortc leaves it."""
    with suppress(ConnectionError):
        await dtls._write_ssl()


def enable_directions(transceiver: aiortc.RTCRtpTransceiver, direction: str | None) -> None:
    """Let the sender send and the receiver take what comes, as the direction says; neither if there is none."""
    transceiver._setCurrentDirection(direction or "inactive")


def adopt_remote_track(receiver: Any, track: Any) -> None:
    """Give a receiver its track."""
    receiver._track = track


def configure_rtp(transceiver: aiortc.RTCRtpTransceiver) -> None:
    """Tell a new transceiver's receiver in whose name it reports."""
    transceiver.receiver._set_rtcp_ssrc(transceiver.sender._ssrc)


def codec_preferences(transceiver: aiortc.RTCRtpTransceiver) -> list[Any]:
    """What setCodecPreferences was given."""
    return transceiver._preferred_codecs


def unnumbered_channels(sctp: aiortc.RTCSctpTransport) -> list[Any]:
    """The data channels that wait to be announced and have no stream yet, in the order in which they were made."""
    waiting = dict.fromkeys(channel for channel, _, _ in sctp._data_channel_queue)
    return [channel for channel in waiting if channel.id is None]

"""The private parts of aiortc that are touched here, and the versions they were checked against.

Checked: aiortc 1.16.0, aioice 0.13.0. The first half is what the JSEP layer sets: aiortc's own RTCPeerConnection sets
the same parts in the same places, and offers no public way. The second half is what statistics read: if another version
lacks a part, one warning names the statistics that are switched off, and the report goes without them. What of aiortc's
classes is overridden stands in `private_rtp` and `transport`, what of aioice's in `ice.private`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiortc
from aiortc.rtcdtlstransport import X509_DIGEST_ALGORITHMS, RTCDtlsFingerprint, RTCDtlsParameters, certificate_digest
from cryptography.x509 import Certificate
from OpenSSL import SSL

from fsm_rtc.peer.jsep.frame_buffer import FrameBuffer

if TYPE_CHECKING:
    from aioice.candidate import Candidate
    from aioice.ice import CandidatePair, Connection
    from cryptography.x509 import Certificate
    from OpenSSL.SSL import Connection as TlsConnection

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
    """Give an ICE transport its role, unless it has one."""
    if not ice._role_set:
        ice._connection.ice_controlling = is_controlling
        ice._role_set = True


def dtls_role(dtls: aiortc.RTCDtlsTransport) -> str:
    """``auto``, ``client`` or ``server``."""
    return dtls._role


def opposite_role(role: str) -> str:
    """The DTLS role of the other side; of one that has none yet, that of an answerer, which is the client."""
    return "server" if role == "client" else "client"


def set_dtls_role(dtls: aiortc.RTCDtlsTransport, role: str) -> None:
    """Give a DTLS transport its role; one that has begun keeps its own."""
    if dtls.state == "new":
        dtls._set_role(role)


def fingerprints_to_match(expected: RTCDtlsParameters) -> list[RTCDtlsFingerprint]:
    """Those of the best hash function that is known here: one of them is enough; a side with several certificates
    writes one for each. Source: RFC 8122, section 5.
    """
    order = list(X509_DIGEST_ALGORITHMS)
    known = [one for one in expected.fingerprints if one.algorithm.lower() in order]
    best = max((order.index(one.algorithm.lower()) for one in known), default=None)
    return [one for one in known if order.index(one.algorithm.lower()) == best]


def matches(certificate: Certificate, fingerprint: RTCDtlsFingerprint) -> bool:
    """Whether a certificate has this fingerprint, of a known hash function."""
    return fingerprint.value.upper() == certificate_digest(certificate, fingerprint.algorithm.lower())


def is_expected(certificate: Certificate, expected: RTCDtlsParameters) -> bool:
    """Whether a certificate has one of the fingerprints of the best hash function."""
    return any(matches(certificate, one) for one in fingerprints_to_match(expected))


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


_ABSENT = object()
_switched_off: set[str] = set()


def transport_counters(dtls: aiortc.RTCDtlsTransport) -> aiortc.RTCTransportStats | None:
    """aiortc's own statistics of a transport: id, counters, roles and states."""
    read = _part(dtls, "_get_stats", off="transports, and all that belongs to one")
    if read is None:
        return None
    found: aiortc.RTCTransportStats = next(iter(read().values()))
    return found


def ice_connection(dtls: aiortc.RTCDtlsTransport) -> Connection | None:
    """The aioice connection of a transport, or None if its checklist can't be read."""
    off = "candidates and candidate pairs"
    found: Connection | None = _part(dtls.transport, "_connection", off=off)
    for name in ("_check_list", "_nominated"):
        if found is not None and _part(found, name, off=off) is None:
            return None
    return found


def selected_pair(connection: Connection) -> CandidatePair | None:
    """The pair that carries what is sent."""
    return connection._nominated.get(1)


def candidate_pairs(connection: Connection) -> tuple[CandidatePair, ...]:
    """The checklist, and the selected pair if it was set without checks."""
    selected = selected_pair(connection)
    extra = () if selected is None or selected in connection._check_list else (selected,)
    return (*connection._check_list, *extra)


def selected_pair_changes(dtls: aiortc.RTCDtlsTransport, connection: Connection) -> int | None:
    """How often the selected pair changed, if it can be known.

    aioice selects a pair whenever its nomination succeeds. So none was selected before the first one, and while one
    alone is nominated it is the only one there ever was, as long as ICE has not restarted on another connection. A
    transport that counts by itself, in an attribute named like the member, is asked first.
    """
    ice = dtls.transport
    counted = getattr(ice, "selectedCandidatePairChanges", None)
    if isinstance(counted, int):
        return counted
    first = _part(ice, "_RTCIceTransport__iceGatherer", off="the changes of the selected pair, and its traffic")
    if first is None or getattr(first, "_connection", None) is not connection:
        return None
    succeeded = sum(pair.nominated and pair.state.name == "SUCCEEDED" for pair in candidate_pairs(connection))
    present = selected_pair(connection) is not None
    return succeeded if succeeded == present else None


def candidate_address(candidate: Candidate) -> tuple[str, int]:
    """The address and port that are used for a candidate, also behind an mDNS name: they never change."""
    return getattr(candidate, "_network_host", candidate.host), candidate.port


def told_dtls_role(dtls: aiortc.RTCDtlsTransport) -> str | None:
    """The RTCDtlsRole."""
    role = _part(dtls, "_role", off="the DTLS role")
    return "unknown" if role == "auto" else role


def handshake(dtls: aiortc.RTCDtlsTransport) -> TlsConnection | None:
    """OpenSSL's connection, once DTLS is negotiated."""
    found: TlsConnection | None = _part(dtls, "_ssl", off="the remote certificate, the DTLS version and the ciphers")
    return found if getattr(dtls, "encrypted", False) else None


def local_certificate(dtls: aiortc.RTCDtlsTransport) -> Certificate | None:
    """The certificate that a transport shows to the other side."""
    off = "the local certificate"
    certificate = _part(dtls, "_RTCDtlsTransport__local_certificate", off=off)
    found: Certificate | None = None if certificate is None else _part(certificate, "_cert", off=off)
    return found


def sending_codec(sender: aiortc.RTCRtpSender) -> aiortc.RTCRtpCodecParameters | None:
    """The codec that a sender encodes with: the argument of its running loop, the only place where aiortc keeps it."""
    task = _part(sender, "_RTCRtpSender__rtp_task", off="the codecs of what is sent")
    frame = getattr(task.get_coro(), "cr_frame", None) if isinstance(task, asyncio.Task) else None
    return None if frame is None else _codec(frame.f_locals.get("codec"))


def receiving_codec(receiver: aiortc.RTCRtpReceiver) -> aiortc.RTCRtpCodecParameters | None:
    """The codec of the packets that wait to be decoded; while none wait, the only one that is agreed."""
    off = "the codecs of what is received"
    codecs = _part(receiver, "_RTCRtpReceiver__codecs", off=off)
    waiting = _part(receiver, "_RTCRtpReceiver__jitter_buffer", off=off)
    if isinstance(waiting, FrameBuffer):
        heard = {waiting.payload_type}
    else:
        packets: Sequence[Any] = _part(waiting, "_packets", off=off) or ()
        heard = {packet.payload_type for packet in packets if packet is not None}
    if not codecs:
        return None
    used = heard & set(codecs)
    if not used:
        used = {number for number, codec in codecs.items() if codec.name.lower() != "rtx"}
    return _codec(codecs[used.pop()]) if len(used) == 1 else None


def stream_id(kind: str, owner: aiortc.RTCRtpSender | aiortc.RTCRtpReceiver) -> str:
    """The id that aiortc gives to the statistics of a sender's or receiver's stream.

    Args:
        kind: the type of the statistics.
        owner: the sender or receiver.
    """
    return f"{kind}_{id(owner)}"


def _codec(found: object) -> aiortc.RTCRtpCodecParameters | None:
    return found if isinstance(found, aiortc.RTCRtpCodecParameters) and found.payloadType is not None else None


def _part(owner: object, name: str, *, off: str) -> Any:
    found = getattr(owner, name, _ABSENT)
    if found is not _ABSENT:
        return found
    if off not in _switched_off:
        _switched_off.add(off)
        logger.warning("this aiortc or aioice is another one than 1.16 and 0.13: switched off in statistics: %s", off)
    return None

"""The private parts of aiortc and aioice that the statistics read, and the versions they were checked against.

Checked: aiortc 1.16.0, aioice 0.13.0. If another version lacks a part, one warning names the statistics that are
switched off, and the report goes without them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import aiortc

if TYPE_CHECKING:
    from aioice.candidate import Candidate
    from aioice.ice import CandidatePair, Connection
    from cryptography.x509 import Certificate
    from OpenSSL.SSL import Connection as TlsConnection

from fsm_rtc.peer.jsep.frame_buffer import FrameBuffer

__all__ = [
    "candidate_address",
    "candidate_pairs",
    "dtls_role",
    "handshake",
    "ice_connection",
    "local_certificate",
    "receiving_codec",
    "selected_pair",
    "selected_pair_changes",
    "sending_codec",
    "stream_id",
    "transport_counters",
]

logger = logging.getLogger("fsm_rtc.peer")

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


def dtls_role(dtls: aiortc.RTCDtlsTransport) -> str | None:
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

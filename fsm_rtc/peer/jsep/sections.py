"""The media sections of an offer or answer. Source: RFC 9429, sections 5.2 and 5.3; RFC 8841 for data channels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from aiortc import sdp
from aiortc.codecs import is_rtx
from aiortc.rtcdtlstransport import RTCDtlsParameters
from aiortc.rtcicetransport import RTCIceParameters
from aiortc.rtcrtpparameters import RTCRtpParameters

from fsm_rtc.peer.directions import sends
from fsm_rtc.peer.ice import IceGatherer
from fsm_rtc.peer.jsep.transceiver import RTCRtpTransceiver
from fsm_rtc.peer.jsep.transport import SctpTransport, Transport

__all__ = [
    "MSID_BREAK",
    "add_transport",
    "data_section",
    "is_rejected",
    "media_section",
    "rejected_section",
    "remote_msid",
    "remote_track_id",
    "stream_ids",
    "whole",
]

DISCARD_HOST = "0.0.0.0"  # noqa: S104 - not an address to bind, but SDP's word for none
DISCARD_PORT = 9

MSID_BREAK = "\r\na=msid:"
"""Between the streams of one section: aiortc's MediaDescription has room for one, and writes it as it is."""


def media_section(
    transceiver: RTCRtpTransceiver,
    *,
    mid: str,
    direction: str,
    codecs: Sequence[Any],
    extensions: Sequence[Any],
    cname: str,
) -> Any:
    """A section for audio or video, without its transport."""
    media = sdp.MediaDescription(
        kind=transceiver.kind,
        port=DISCARD_PORT,
        profile="UDP/TLS/RTP/SAVPF",
        fmt=[codec.payloadType for codec in codecs],
    )
    media.direction = direction
    media.rtp = RTCRtpParameters(codecs=list(codecs), headerExtensions=list(extensions), muxId=mid)
    media.rtcp_host = DISCARD_HOST
    media.rtcp_port = DISCARD_PORT
    media.rtcp_mux = True
    sender = transceiver.sender
    if sends(transceiver.described_direction):
        media.msid = MSID_BREAK.join(sender.msids)
    if sends(direction):
        media.ssrc = [sdp.SsrcDescription(ssrc=sender._ssrc, cname=cname)]
        if any(is_rtx(codec) for codec in codecs):
            media.ssrc.append(sdp.SsrcDescription(ssrc=sender._rtx_ssrc, cname=cname))
            media.ssrc_group = [sdp.GroupDescription(semantic="FID", items=[sender._ssrc, sender._rtx_ssrc])]
    return media


def data_section(sctp: SctpTransport, *, mid: str, is_legacy: bool) -> Any:
    """A section for data channels, without its transport.

    Args:
        sctp: the SCTP transport.
        mid: its identification.
        is_legacy: whether to write it as browsers of before 2019 do.
    """
    if is_legacy:
        media = sdp.MediaDescription(kind="application", port=DISCARD_PORT, profile="DTLS/SCTP", fmt=[sctp.port])
        media.sctpmap[sctp.port] = f"webrtc-datachannel {sctp._outbound_streams_count}"
    else:
        media = sdp.MediaDescription(
            kind="application", port=DISCARD_PORT, profile="UDP/DTLS/SCTP", fmt=["webrtc-datachannel"]
        )
        media.sctp_port = sctp.port
    media.rtp.muxId = mid
    media.sctpCapabilities = sctp.getCapabilities()
    return media


def rejected_section(like: Any) -> Any:
    """A section that rejects another one, or keeps its place.

    Args:
        like: an aiortc MediaDescription.
    """
    media = sdp.MediaDescription(kind=like.kind, port=0, profile=like.profile, fmt=list(like.fmt))
    media.host = DISCARD_HOST
    media.direction = "inactive" if like.kind in ("audio", "video") else None
    media.rtp.muxId = like.rtp.muxId
    media.ice = RTCIceParameters()
    return media


def add_transport(media: Any, path: Transport, gatherer: IceGatherer, role: str) -> None:
    """Write where the section is to be reached."""
    media.ice = gatherer.getLocalParameters()
    media.ice_options = "trickle"
    media.ice_candidates = gatherer.getLocalCandidates()
    media.ice_candidates_complete = gatherer.state == "completed"
    media.host, media.port = DISCARD_HOST, DISCARD_PORT
    if media.ice_candidates:
        media.host, media.port = media.ice_candidates[0].ip, media.ice_candidates[0].port
    media.dtls = RTCDtlsParameters(fingerprints=path.dtls.getLocalParameters().fingerprints, role=role)


def stream_ids(media: Any) -> list[str]:
    """The streams that a section names."""
    names = [msid.split(" ")[0] for msid in (remote_msid(media) or "").split(MSID_BREAK)]
    return [name for name in names if name not in ("", "-")]


def remote_msid(media: Any) -> str | None:
    """What the other side says of its track: its msid attribute, or, as browsers of before 2018 wrote, its source's.

    Source: RFC 8830, section 2; libwebrtc too looks at a source only where its section has none. None if neither has.
    """
    return media.msid or next((source.msid for source in media.ssrc if source.msid), None)


def remote_track_id(media: Any) -> str | None:
    """How the other side calls its track, or None if it doesn't say."""
    _, _, name = (remote_msid(media) or "").partition(MSID_BREAK)[0].partition(" ")
    return name.strip() or None


def is_rejected(media: Any) -> bool:
    """Whether a section of an aiortc description is rejected; `parsed` gives one that is only bundled a port."""
    return bool(media.port == 0)


def whole(sections: Iterable[Any], *, kind: str, session: str, version: int) -> str:
    """A description of these sections.

    Args:
        sections: aiortc MediaDescriptions, in order.
        kind: ``offer`` or ``answer``.
        session: the session's number.
        version: how often its description has changed.
    """
    description = sdp.SessionDescription()
    description.origin = f"- {session} {version} IN IP4 0.0.0.0"
    description.msid_semantic.append(sdp.GroupDescription(semantic="WMS", items=["*"]))
    description.type = kind
    description.media = list(sections)
    bundled: list[int | str] = [media.rtp.muxId for media in description.media if not is_rejected(media)]
    if bundled:
        description.group.append(sdp.GroupDescription(semantic="BUNDLE", items=bundled))
    return str(description)

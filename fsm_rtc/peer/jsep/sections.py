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
    "Section",
    "add_transport",
    "body_of",
    "data_section",
    "is_rejected",
    "media_section",
    "names_port",
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


class Section(sdp.MediaDescription):
    """A section that this side writes.

    Attributes:
        names_itself: whether it has an a=mid line; an answer has one where the offer has (RFC 9429, section 5.3.1).
    """

    names_itself = True

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.names_itself else text.replace(f"a=mid:{self.rtp.muxId}\r\n", "", 1)


def media_section(
    transceiver: RTCRtpTransceiver,
    *,
    mid: str,
    direction: str,
    codecs: Sequence[Any],
    extensions: Sequence[Any],
    cname: str,
    profile: str = "UDP/TLS/RTP/SAVPF",
) -> Any:
    """A section for audio or video, without its transport."""
    media = Section(
        kind=transceiver.kind,
        port=DISCARD_PORT,
        profile=profile,
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


def data_section(sctp: SctpTransport, *, mid: str, is_legacy: bool, profile: str = "") -> Any:
    """A section for data channels, without its transport.

    Args:
        sctp: the SCTP transport.
        mid: its identification.
        is_legacy: whether to write it as browsers of before 2019 do.
        profile: its transport protocol; the usual one if empty.
    """
    media: Any
    if is_legacy:
        media = Section("application", DISCARD_PORT, profile or "DTLS/SCTP", [sctp.port])
        media.sctpmap[sctp.port] = f"webrtc-datachannel {sctp._outbound_streams_count}"
    else:
        media = Section("application", DISCARD_PORT, profile or "UDP/DTLS/SCTP", ["webrtc-datachannel"])
        media.sctp_port = sctp.port
    media.rtp.muxId = mid
    media.sctpCapabilities = sctp.getCapabilities()
    return media


def names_port(media: Any) -> bool:
    """Whether a section for data channels has its SCTP port in its m= line, as browsers wrote before 2019."""
    return str(media.fmt[0]).isdigit()


def rejected_section(like: Any) -> Any:
    """A section that rejects another one, or keeps its place.

    Args:
        like: an aiortc MediaDescription.
    """
    media: Any = Section(kind=like.kind, port=0, profile=like.profile, fmt=list(like.fmt))
    media.host = DISCARD_HOST
    media.direction = "inactive" if like.kind in ("audio", "video") else None
    media.rtp.muxId = like.rtp.muxId
    media.ice = RTCIceParameters()
    return media


def add_transport(media: Any, path: Transport, gatherer: IceGatherer, role: str) -> None:
    """Write where the section is to be reached."""
    media.ice = gatherer.getLocalParameters()
    media.ice_options = "trickle"
    media.ice_candidates = list(gatherer.getLocalCandidates())
    media.ice_candidates_complete = gatherer.state == "completed"
    media.host, media.port = DISCARD_HOST, DISCARD_PORT
    if media.ice_candidates:
        media.host, media.port = media.ice_candidates[0].ip, media.ice_candidates[0].port
    media.dtls = RTCDtlsParameters(fingerprints=path.fingerprints, role=role)


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


def whole(sections: Iterable[Any], *, kind: str, groups: Iterable[Sequence[str]]) -> Any:
    """A description of these sections, as an aiortc SessionDescription.

    Args:
        sections: aiortc MediaDescriptions, in order.
        kind: ``offer`` or ``answer``.
        groups: the mids of each BUNDLE group.
    """
    description = sdp.SessionDescription()
    description.msid_semantic.append(sdp.GroupDescription(semantic="WMS", items=["*"]))
    description.type = kind
    description.media = list(sections)
    description.group += [sdp.GroupDescription(semantic="BUNDLE", items=list(mids)) for mids in groups]
    return description


def body_of(description: Any) -> str:
    """A description's text behind its o= line: what it says, whichever version it is."""
    text = str(description)
    return text[text.index("\r\ns=") + 2 :]

"""The media sections of an offer or answer: as this side writes them, and as aiortc's form of what was read.

What was read (`fsm_rtc.peer.sdp`) is refused here where aiortc's transports can't follow it.
Source: RFC 9429, sections 5.2 and 5.3; RFC 8841 for data channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from aiortc import rtcrtpparameters as rtp
from aiortc import sdp
from aiortc.codecs import CODECS, HEADER_EXTENSIONS, is_rtx
from aiortc.rtcdtlstransport import X509_DIGEST_ALGORITHMS, RTCDtlsFingerprint, RTCDtlsParameters
from aiortc.rtcicetransport import RTCIceCandidate, RTCIceParameters
from aiortc.rtcrtpparameters import RTCRtpParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities

from fsm_rtc.errors import InvalidAccessError, InvalidDescriptionError
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.directions import sends
from fsm_rtc.peer.ice import IceGatherer
from fsm_rtc.peer.jsep.transceiver import RTCRtpTransceiver
from fsm_rtc.peer.jsep.transport import SctpTransport, Transport
from fsm_rtc.peer.sdp import Section, read
from fsm_rtc.peer.sdp.checks import check_transports
from fsm_rtc.peer.sdp.model import ReadDescription, SdpCandidate

DISCARD_HOST = "0.0.0.0"  # noqa: S104 - not an address to bind, but SDP's word for none
DISCARD_PORT = 9

MSID_BREAK = "\r\na=msid:"
"""Between the streams of one section: aiortc's MediaDescription has room for one, and writes it is."""


class WrittenSection(sdp.MediaDescription):
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
    media = WrittenSection(
        kind=transceiver.kind, port=DISCARD_PORT, profile=profile, fmt=[codec.payloadType for codec in codecs]
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
        media = WrittenSection("application", DISCARD_PORT, profile or "DTLS/SCTP", [sctp.port])
        media.sctpmap[sctp.port] = f"webrtc-datachannel {sctp._outbound_streams_count}"
    else:
        media = WrittenSection("application", DISCARD_PORT, profile or "UDP/DTLS/SCTP", ["webrtc-datachannel"])
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
    media: Any = WrittenSection(kind=like.kind, port=0, profile=like.profile, fmt=list(like.fmt))
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


ROLES = {"actpass": "auto", "active": "client", "passive": "server"}

DEFAULT_SETUP = {"offer": "actpass", "pranswer": "active", "answer": "active"}
"""Of a description that says nothing, as libwebrtc takes it: an answerer is the client, as RFC 9429 wants it to be."""

DIGEST_CHARACTERS = {name: algorithm.digest_size * 3 - 1 for name, algorithm in X509_DIGEST_ALGORITHMS.items()}

FEEDBACK = {(one.type, one.parameter) for kind in CODECS.values() for codec in kind for one in codec.rtcpFeedback}
"""What aiortc can feed back, or is fed."""

EXTENSIONS = {one.uri for kind in HEADER_EXTENSIONS.values() for one in kind}
"""The header extensions that aiortc knows."""

MAX_PARAMETERS = 64
"""Of one fmtp line."""

OF_H264 = ("packetization-mode", "profile-level-id")
"""The parameters by which aiortc compares; it takes no None for their values."""

DEFAULT_MESSAGE_BYTES = 65536
"""Source: RFC 8841, section 6.1."""


def parsed(description: SessionDescription, mids: Sequence[str] | None = None) -> Any:
    """An aiortc SessionDescription.

    A section that takes its transport from the first of its bundle gets that one's ICE and DTLS parameters.

    Args:
        description: the other side's, which may have been read before.
        mids: how its sections are called, if not as it says itself.

    Raises:
        SdpSyntaxError: it is no SDP.
        InvalidDescriptionError: nobody could connect with it.
        InvalidAccessError: it contradicts itself, doesn't multiplex RTCP, or an answer leaves the DTLS role open.
    """
    found, what = read(description), f"this {description.type}"
    check_transports(found, what)
    result = sdp.SessionDescription()
    result.type = description.type
    result.group = [sdp.GroupDescription(semantic="BUNDLE", items=list(one)) for one in found.groups]
    result.msid_semantic = [sdp.GroupDescription(semantic="WMS", items=["*"])]
    first = found.first_of_each()
    has_data = False
    for section in found.sections:
        mid = mids[section.index] if mids is not None else section.mid or ""
        is_used = section.is_in_use and not (section.kind == "application" and has_data)
        media = _media(section, first.get(section.mid or "", section), found, mid, description.type if is_used else "")
        if is_used:
            _check(section, media, description.type, what)
            has_data = has_data or section.kind == "application"
        result.media.append(media)
    return result


def _media(section: Section, first: Section, found: ReadDescription, mid: str, kind: str) -> Any:
    """A section of a description of this kind in aiortc's form; without a kind it is as good as rejected."""
    media: Any = sdp.MediaDescription(section.kind, 0, section.proto, list(section.formats))
    media.rtp = rtp.RTCRtpParameters(muxId=mid)
    media.ice = RTCIceParameters(iceLite=found.is_lite)
    media.numbered = []
    media.names_itself = section.mid is not None
    if not kind:
        return media
    media.port = section.port or DISCARD_PORT
    media.direction = section.direction
    media.ice.usernameFragment, media.ice.password = section.ufrag or first.ufrag, section.password or first.password
    media.dtls = RTCDtlsParameters(
        fingerprints=[RTCDtlsFingerprint(*one) for one in section.fingerprints or first.fingerprints],
        role=ROLES[section.setup or first.setup or DEFAULT_SETUP[kind]],
    )
    media.ice_options = section.attributes.get("ice-options")
    media.ice_candidates = [as_aiortc_candidate(one) for one in section.candidates]
    media.ice_candidates_complete = section.is_complete
    if section.kind == "application":
        media.sctp_port = 5000 if section.sctp_port is None else section.sctp_port
        size = DEFAULT_MESSAGE_BYTES if section.max_message_size is None else section.max_message_size
        media.sctpCapabilities = RTCSctpCapabilities(maxMessageSize=size)
        return media
    media.rtcp_mux = "rtcp-mux" in section.attributes
    media.msid = MSID_BREAK.join(" ".join(filter(None, one)) for one in section.msids) or None
    media.rtp.codecs = _codecs(section)
    media.numbered = section.extensions
    media.rtp.headerExtensions = [
        rtp.RTCRtpHeaderExtensionParameters(id=one.id, uri=one.uri)
        for one in section.extensions
        if one.uri in EXTENSIONS
    ]
    media.ssrc = [sdp.SsrcDescription(ssrc=ssrc, **said) for ssrc, said in section.ssrcs.items()]
    media.ssrc_group = [sdp.GroupDescription(semantic, list(sources)) for semantic, sources in section.ssrc_groups]
    return media


def _codecs(section: Section) -> list[rtp.RTCRtpCodecParameters]:
    feedback: dict[int | None, list[rtp.RTCRtcpFeedback]] = {}
    for number, kind, parameter in dict.fromkeys(section.feedback):
        if (kind, parameter) in FEEDBACK:
            feedback.setdefault(number, []).append(rtp.RTCRtcpFeedback(kind, parameter))
    return [
        rtp.RTCRtpCodecParameters(
            mimeType=f"{section.kind}/{codec.name}",
            clockRate=codec.clock_rate,
            channels=codec.channels,
            payloadType=number,
            rtcpFeedback=[*feedback.get(number, ()), *feedback.get(None, ())],
            parameters=_parameters(section.parameters.get(number, "")),
        )
        for number, codec in section.codecs.items()
    ]


def _parameters(text: str) -> dict[str, Any]:
    """An fmtp line's pairs; what aiortc calculates with is a number, or isn't there. So is a name of H.264 alone."""
    result: dict[str, Any] = {}
    for pair in text.split(";", MAX_PARAMETERS)[:MAX_PARAMETERS]:
        name, equals, value = pair.strip(" ").partition("=")
        if name and name not in sdp.FMTP_INT_PARAMETERS and (equals or name not in OF_H264):
            result[name] = value if equals else None
        elif name and value.isascii() and value.isdigit() and len(value) <= 10:
            result[name] = int(value)
    return result


def as_aiortc_candidate(candidate: SdpCandidate) -> RTCIceCandidate:
    """A candidate in aiortc's form."""
    related_port = candidate.extensions.get("rport", "")
    is_port = related_port.isascii() and related_port.isdigit() and len(related_port) <= 5
    return RTCIceCandidate(
        component=candidate.component,
        foundation=candidate.foundation,
        ip=candidate.address,
        port=candidate.port,
        priority=candidate.priority,
        protocol=candidate.protocol,
        type=candidate.kind,
        relatedAddress=candidate.extensions.get("raddr"),
        relatedPort=int(related_port) if is_port else None,
        tcpType=candidate.extensions.get("tcptype"),
    )


def _check(section: Section, media: Any, kind: str, what: str) -> None:
    known = [one for one in media.dtls.fingerprints if one.algorithm in DIGEST_CHARACTERS]
    if not known:
        raise InvalidDescriptionError(
            f"{what} has no fingerprint of a hash function that is known here ({', '.join(DIGEST_CHARACTERS)}) in "
            f"media section {section.index}, {section.where()}; without one nothing can connect (RFC 8122, section 5)",
            detail="no fingerprint",
        )
    for one in known:
        if len(one.value) != DIGEST_CHARACTERS[one.algorithm]:
            raise InvalidDescriptionError(
                f"{what} has a {one.algorithm} fingerprint of the wrong length in media section {section.index}, "
                f"{section.where()}; pass it unchanged (RFC 8122, section 5)",
                detail="no fingerprint",
            )
    if kind in ("answer", "pranswer") and media.dtls.role not in ("client", "server"):
        raise InvalidAccessError(
            f"DTLS setup attribute must be 'active' or 'passive' for an answer; it is not in {section.where()} "
            "(RFC 8842, section 5.3)"
        )
    if media.kind in ("audio", "video") and not media.rtcp_mux:
        raise InvalidAccessError(
            f"RTCP mux is not enabled in {section.where()}: a=rtcp-mux is missing, and RTCP has no other way here "
            "(RFC 9429, section 4.1.1)"
        )
    tracks = {said["msid"] for said in section.ssrcs.values() if "msid" in said}
    if len(tracks) > 1:
        raise InvalidAccessError(
            f"{what} has {len(tracks)} tracks in one section, {section.where()}: Plan B is not read; let the other "
            "side use Unified Plan, a section for each track (RFC 9429)"
        )


def check_answer(answer: Any, offer: Any, found: ReadDescription) -> None:
    """Refuse an answer that is none to this offer.

    Args:
        answer: an aiortc SessionDescription.
        offer: the one that it should answer.
        found: what was read of the answer.

    Raises:
        InvalidAccessError: its sections differ in number, kind or identification, or its groups are no part of the
            offer's. Source: RFC 9143, section 7.3.
    """
    here, there = kinds_and_mids(answer.media), kinds_and_mids(offer.media)
    for section, (one, other) in zip(found.sections, zip(here, there, strict=False), strict=False):
        if one != other:
            raise InvalidAccessError(
                f"Media sections in answer do not match offer: {section.where()} is {one[0]} {one[1]!r}, and the offer "
                f"has {other[0]} {other[1]!r} there (RFC 3264, section 6)"
            )
    if len(here) != len(there):
        last = f", the last in {found.sections[-1].where()}" if found.sections else ""
        raise InvalidAccessError(
            f"Media sections in answer do not match offer: {len(here)}{last}, for {len(there)} (RFC 3264, section 6)"
        )
    offered = [set(group) for group in groups_of(offer)]
    for group in groups_of(answer):
        line = next(line for line, mids in zip(found.group_lines, found.groups, strict=True) if set(group) <= set(mids))
        whole = next((one for one in offered if set(group) <= one), None)
        if whole is None:
            raise InvalidAccessError(
                f"the answer's group in {line} is no part of one that was offered, or the second part of one "
                "(RFC 9143, section 7.3); pass the answer unchanged"
            )
        offered.remove(whole)


def kinds_and_mids(media: Sequence[Any]) -> list[tuple[str, str]]:
    """What an answer's sections must have in common with the offer's."""
    return [(one.kind, one.rtp.muxId) for one in media]


def groups_of(description: Any) -> list[list[str]]:
    """The mids of each BUNDLE group that are not rejected; one that nobody is left in is none."""
    live = {media.rtp.muxId for media in description.media if media.port != 0}
    groups = [group for group in description.group if group.semantic == "BUNDLE"]
    kept = [[str(mid) for mid in group.items if mid in live] for group in groups]
    return [mids for mids in kept if mids]

"""Starting media over a transport that is connected."""

from __future__ import annotations

from typing import Any

from aiortc.codecs import is_rtx
from aiortc.rtcrtpparameters import (
    RTCRtpDecodingParameters,
    RTCRtpReceiveParameters,
    RTCRtpRtxParameters,
    RTCRtpSendParameters,
)

from fsm_rtc.peer.directions import receives, sends
from fsm_rtc.peer.jsep.media import Media
from fsm_rtc.peer.jsep.slots import Slots
from fsm_rtc.peer.jsep.transceiver import RTCRtpTransceiver
from fsm_rtc.peer.jsep.transport import Transport

__all__ = ["start_media"]


async def start_media(media: Media, path: Transport, slots: Slots, cname: str) -> None:
    """Start what is negotiated on this transport and not started yet; aiortc starts each only once.

    Args:
        media: what there is.
        path: the transport.
        slots: what the descriptions say.
        cname: the canonical name of this side's media.
    """
    for transceiver in list(media.transceivers):
        # Asked anew for each: a transceiver may be stopped, or the connection closed, while another one starts.
        if transceiver.sender.path is not path or transceiver.is_stopping or not transceiver.negotiated.codecs:
            continue
        if sends(transceiver.negotiated.current_direction):
            await transceiver.sender.send(_send_parameters(transceiver, cname))
        if receives(transceiver.negotiated.current_direction):
            section = _section(slots.remote, transceiver.mid)
            if section is not None:
                await transceiver.receiver.receive(_receive_parameters(transceiver, section))
    sctp = media.sctp
    if sctp is not None and sctp.path is path and sctp.remote is not None and sctp.state != "closed":
        remote = sctp.remote
        await sctp.start(remote.sctpCapabilities, remote.sctp_port)


def _section(description: Any, mid: str | None) -> Any:
    return next((one for one in description.media if one.rtp.muxId == mid), None)


def _send_parameters(transceiver: RTCRtpTransceiver, cname: str) -> RTCRtpSendParameters:
    negotiated = transceiver.negotiated
    parameters = RTCRtpSendParameters(
        codecs=list(negotiated.codecs), headerExtensions=list(negotiated.extensions), muxId=negotiated.mid or ""
    )
    parameters.rtcp.cname = cname
    parameters.rtcp.ssrc = transceiver.sender._ssrc
    parameters.rtcp.mux = True
    return parameters


def _receive_parameters(transceiver: RTCRtpTransceiver, section: Any) -> RTCRtpReceiveParameters:
    negotiated = transceiver.negotiated
    parameters = RTCRtpReceiveParameters(
        codecs=list(negotiated.codecs),
        headerExtensions=list(negotiated.extensions),
        muxId=section.rtp.muxId,
        rtcp=section.rtp.rtcp,
    )
    encodings: dict[int, RTCRtpDecodingParameters] = {}
    for codec in negotiated.codecs if section.ssrc else ():
        if not is_rtx(codec):
            encodings[codec.payloadType] = RTCRtpDecodingParameters(
                ssrc=section.ssrc[0].ssrc, payloadType=codec.payloadType
            )
        elif codec.parameters.get("apt") in encodings and len(section.ssrc) == 2:
            encodings[codec.parameters["apt"]].rtx = RTCRtpRtxParameters(ssrc=section.ssrc[1].ssrc)
    parameters.encodings = list(encodings.values())
    return parameters

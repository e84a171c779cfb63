"""Offers of many sections: what is asked of all codecs is asked once, and what this side makes has no bound."""

from __future__ import annotations

import re
from unittest.mock import patch

import aiortc
import pytest

from fsm_rtc import RTCConfiguration, RTCPeerConnection
from fsm_rtc.peer.jsep import codecs
from fsm_rtc.peer.sdp import BOUNDS

pytestmark = pytest.mark.live

OTHERS = [
    "m=video 9 UDP/TLS/RTP/SAVPF 120 121 35 36",
    "c=IN IP4 0.0.0.0",
    "a=rtpmap:120 VP8/90000",
    "a=rtcp-fb:120 nack",
    "a=rtpmap:121 rtx/90000",
    "a=fmtp:121 apt=120",
    "a=rtpmap:35 H264/90000",
    "a=fmtp:35 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    "a=rtpmap:36 rtx/90000",
    "a=fmtp:36 apt=35",
]
"""How the other side's offer numbers codecs."""

SECURE = [
    "a=ice-ufrag:abcd",
    f"a=ice-pwd:{'p' * 22}",
    f"a=fingerprint:sha-256 {':'.join(['FA'] * 32)}",
    "a=setup:actpass",
    "a=rtcp-mux",
]


def offer(sections: int) -> aiortc.RTCSessionDescription:
    mids = [str(number) for number in range(sections)]
    head = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", f"a=group:BUNDLE {' '.join(mids)}"]
    lines = [*head, *(line for mid in mids for line in (*OTHERS, f"a=mid:{mid}", *SECURE))]
    return aiortc.RTCSessionDescription("".join(f"{line}\r\n" for line in lines), "offer")


def codec_lines(sdp: str) -> list[list[str]]:
    """Those of each section."""
    return [re.findall(r"(?:^|a=)((?:\w+ \d+ UDP|rtpmap|fmtp|rtcp-fb).*)\r", one) for one in sdp.split("m=")[1:]]


async def agreed(sections: int) -> RTCPeerConnection:
    peer = RTCPeerConnection(RTCConfiguration(loopback=True))
    await peer.setRemoteDescription(offer(sections))
    await peer.setLocalDescription(await peer.createAnswer())
    return peer


def h264(number: int, level: str) -> list[str]:
    return [
        f"rtpmap:{number} H264/90000",
        f"rtcp-fb:{number} nack",
        f"rtcp-fb:{number} nack pli",
        f"rtcp-fb:{number} goog-remb",
        f"fmtp:{number} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={level}",
    ]


VP8 = ["rtpmap:120 VP8/90000", "rtcp-fb:120 nack", "rtcp-fb:120 nack pli", "rtcp-fb:120 goog-remb"]
VIDEO = [
    "video 9 UDP/TLS/RTP/SAVPF 120 121 99 100 35 36",
    *VP8,
    *("rtpmap:121 rtx/90000", "fmtp:121 apt=120"),
    *h264(99, "42001f"),
    *("rtpmap:100 rtx/90000", "fmtp:100 apt=99"),
    *h264(35, "42e01f"),
    *("rtpmap:36 rtx/90000", "fmtp:36 apt=35"),
]
AUDIO = [
    "audio 9 UDP/TLS/RTP/SAVPF 96 9 0 8",
    *("rtpmap:96 opus/48000/2", "rtpmap:9 G722/8000", "rtpmap:0 PCMU/8000", "rtpmap:8 PCMA/8000"),
]


async def test_every_section_of_a_further_offer_has_the_numbers_that_were_agreed_on() -> None:
    peer = await agreed(2)
    peer.addTransceiver("video")
    capabilities = aiortc.RTCRtpSender.getCapabilities("video").codecs
    peer.addTransceiver("video").setCodecPreferences([one for one in capabilities if one.mimeType == "video/VP8"])
    peer.addTransceiver("audio")
    offered = codec_lines((await peer.createOffer()).sdp)
    assert offered == [VIDEO, VIDEO, VIDEO, ["video 9 UDP/TLS/RTP/SAVPF 120", *VP8], AUDIO]
    await peer.close()


async def test_codecs_are_keyed_once_for_what_each_section_agreed_on_and_once_for_each_kind() -> None:
    peer = await agreed(6)
    with patch.object(codecs, "_keyed", wraps=codecs._keyed) as keyed:
        await peer.createOffer()
    assert keyed.call_count == 6 + 2
    await peer.close()


async def test_an_offer_of_more_sections_than_are_read_from_outside_is_made_and_applied() -> None:
    peer = RTCPeerConnection(RTCConfiguration(loopback=True))
    for _ in range(BOUNDS.sections + 1):
        peer.addTransceiver("audio", "inactive")
    await peer.setLocalDescription(await peer.createOffer())
    assert peer.localDescription.sdp.count("m=audio") == BOUNDS.sections + 1
    await peer.close()

"""setCodecPreferences on either side. Source: webrtc-pc, #dom-rtcrtptransceiver-setcodecpreferences."""

from __future__ import annotations

import re
from typing import Any

import aiortc
import pytest

from fsm_rtc import RTCSessionDescription
from fsm_rtc.errors import InvalidModificationError
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import exchange


def capable(kind: str, *names: str) -> list[Any]:
    """The capabilities of these names."""
    codecs = aiortc.RTCRtpSender.getCapabilities(kind).codecs
    return [next(codec for codec in codecs if codec.name == name) for name in names]


def names_in(sdp: str) -> list[str]:
    """The codecs of the one section, in its order."""
    numbers = next(line for line in sdp.splitlines() if line.startswith("m=")).split()[3:]
    names = dict(line[9:].split("/")[0].split() for line in sdp.splitlines() if line.startswith("a=rtpmap:"))
    return [names[number] for number in numbers]


@pytest.mark.parametrize("preferred", [["PCMU"], ["PCMA", "opus"], ["PCMA", "PCMU", "opus"]])
@pytest.mark.parametrize("when", ["before the offer", "before the answer", "before both"])
async def test_the_answer_holds_what_the_answerer_prefers(rtc: MakeRtc, preferred: list[str], when: str) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("audio")
    await one.setLocalDescription()
    if when != "before the answer":
        other.addTrack(aiortc.mediastreams.AudioStreamTrack())
        first = capable("audio", *(["opus"] if when == "before both" else preferred))
        other.getTransceivers()[0].setCodecPreferences(first)
    await other.setRemoteDescription(one.localDescription)
    if when != "before the offer":
        other.getTransceivers()[0].setCodecPreferences(capable("audio", *preferred))
    answer = await other.createAnswer()
    assert names_in(answer.sdp) == preferred
    await other.setLocalDescription(answer)
    await one.setRemoteDescription(answer)
    assert [codec.name for codec in one.getTransceivers()[0].negotiated.codecs] == preferred
    assert [codec.name for codec in other.getTransceivers()[0].negotiated.codecs] == preferred


async def test_an_empty_list_takes_it_back(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("audio")
    await one.setLocalDescription()
    await other.setRemoteDescription(one.localDescription)
    default = names_in((await other.createAnswer()).sdp)
    transceiver = other.getTransceivers()[0]
    transceiver.setCodecPreferences(capable("audio", "PCMU"))
    assert names_in((await other.createAnswer()).sdp) == ["PCMU"]
    transceiver.setCodecPreferences([])
    assert names_in((await other.createAnswer()).sdp) == default


async def test_they_count_in_the_next_offer_and_answer_too(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("audio")
    await exchange(one, other)
    other.getTransceivers()[0].setCodecPreferences(capable("audio", "PCMA"))
    await exchange(one, other)
    assert names_in(other.localDescription.sdp) == ["PCMA"]
    await exchange(other, one)
    assert names_in(other.localDescription.sdp) == names_in(one.localDescription.sdp) == ["PCMA"]


async def test_what_it_has_not_is_refused(rtc: MakeRtc) -> None:
    transceiver = rtc().addTransceiver("video")
    rtx = [codec for codec in aiortc.RTCRtpSender.getCapabilities("video").codecs if codec.name == "rtx"]
    for wrong in (capable("audio", "opus"), rtx):
        with pytest.raises(InvalidModificationError) as caught:
            transceiver.setCodecPreferences(wrong)
        assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "parameters", ["packetization-mode", "profile-level-id;packetization-mode", ";packetization-mode;="]
)
async def test_a_parameter_of_h264_without_a_value_is_as_good_as_none(rtc: MakeRtc, parameters: str) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("video").setCodecPreferences(capable("video", "H264"))
    await one.setLocalDescription()
    sdp = re.sub(r"(a=fmtp:\d+) .*packetization-mode.*", rf"\1 {parameters}\r", one.localDescription.sdp)
    assert parameters in sdp
    await other.setRemoteDescription(RTCSessionDescription(type="offer", sdp=sdp))
    await other.setLocalDescription()
    assert "m=video 0 " in other.localDescription.sdp  # packets of mode 0, which aiortc can't send

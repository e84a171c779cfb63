"""Header extensions are numbered by URI: alike for all kinds, the same in every offer, here and in the browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import fsm_rtc.browser
from fsm_rtc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from fsm_rtc.peer.jsep.codecs import SESSION_NUMBERS, ExtensionNumbers

pytestmark = pytest.mark.live

KINDS = [["audio"], ["video"], ["audio", "video"], ["video", "audio"]]


def numbers(sdp: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, uri in re.findall(r"a=extmap:(\d+) (\S+)", sdp):
        assert found.setdefault(uri, int(number)) == int(number)
    return found


class Named:
    """An extension, as a description has it."""

    def __init__(self, id: int, uri: str) -> None:  # noqa: A002 - aiortc's own name
        self.id, self.uri = id, uri


async def offered(*kinds: str) -> str:
    peer = RTCPeerConnection(RTCConfiguration(loopback=True))
    for kind in kinds:
        peer.addTransceiver(kind)
    sdp = (await peer.createOffer()).sdp
    await peer.close()
    return str(sdp)


@pytest.mark.parametrize("kinds", KINDS)
async def test_an_offer_has_the_sessions_numbers_whatever_its_kinds(kinds: list[str]) -> None:
    found = numbers(await offered(*kinds))
    assert found == {uri: SESSION_NUMBERS[uri] for uri in found}
    assert len(found) >= 2


def test_the_browsers_module_begins_with_the_same_numbers() -> None:
    text = (Path(fsm_rtc.browser.__file__).parent / "extension_numbers.js").read_text()
    assert {uri: int(number) for uri, number in re.findall(r'\["(\S+)", (\d+)\]', text)} == SESSION_NUMBERS
    assert len(set(SESSION_NUMBERS.values())) == len(SESSION_NUMBERS)


def test_what_the_other_side_has_numbered_keeps_its_number_and_nothing_else_gets_it() -> None:
    known = ExtensionNumbers()
    mid, level = "urn:ietf:params:rtp-hdrext:sdes:mid", "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    known.learn([Named(3, mid), Named(12, "urn:example:other")])
    found: dict[str, Any] = {one.uri: one.id for one in known.offered("audio")}
    assert found[mid] == 3
    assert found[level] not in (3, 12)
    assert {one.uri: one.id for one in known.offered("audio")} == found
    assert {one.uri: one.id for one in known.offered("video")}[mid] == 3


async def test_they_stay_over_a_rollback_and_a_renegotiation() -> None:
    one, other = (RTCPeerConnection(RTCConfiguration(loopback=True)) for _ in range(2))
    try:
        one.addTransceiver("video")
        other.addTransceiver("audio")
        first, crossing = await one.createOffer(), await other.createOffer()
        await one.setLocalDescription(first)
        await one.setRemoteDescription(crossing)  # the implicit rollback
        await other.setLocalDescription(crossing)
        await one.setLocalDescription()
        await other.setRemoteDescription(RTCSessionDescription(one.localDescription.sdp, "answer"))
        later = numbers((await one.createOffer()).sdp)
        for sdp in (first.sdp, crossing.sdp, one.localDescription.sdp):
            assert {uri: later[uri] for uri in numbers(sdp)} == numbers(sdp)
    finally:
        await one.close()
        await other.close()

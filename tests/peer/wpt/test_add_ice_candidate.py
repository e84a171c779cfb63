"""addIceCandidate: what is a candidate, and where it goes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from fsm_rtc import RTCIceCandidate, RTCPeerConnection
from fsm_rtc.errors import InvalidStateError, OperationError
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import connected, exchange, refuses_at_the_call, until, watched
from tests.peer.wpt.subtests import wpt

FILE = "RTCPeerConnection-addIceCandidate.html"
SETUP = "RTCPeerConnection-addIceCandidate-connectionSetup.html"

HOST = "candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host"
OTHER_HOST = "candidate:2 1 udp 2113929470 203.0.113.100 10102 typ host"
NO_CANDIDATE = "(Invalid) candidate \r\n string"
END = "a=end-of-candidates"


@pytest_asyncio.fixture
async def pc(rtc: MakeRtc) -> RTCPeerConnection:
    """A connection with somebody's offer of audio and video, each section with a transport of its own."""
    somebody, pc = rtc(), rtc()
    somebody.addTransceiver("audio")
    somebody.addTransceiver("video")
    await pc.setRemoteDescription(await somebody.createOffer())
    return pc


def sections(pc: RTCPeerConnection) -> list[str]:
    """The SDP of each media section that the other side offers."""
    return str(pc.remoteDescription.sdp).split("\r\nm=")[1:]


def mids(pc: RTCPeerConnection) -> list[str]:
    """The mids of the sections."""
    return [_value(section, "a=mid:") for section in sections(pc)]


def ufrags(pc: RTCPeerConnection) -> list[str]:
    """The user fragments of the sections."""
    return [_value(section, "a=ice-ufrag:") for section in sections(pc)]


def _value(section: str, start: str) -> str:
    return next(line.removeprefix(start) for line in section.splitlines() if line.startswith(start))


def holders(pc: RTCPeerConnection, line: str) -> list[int]:
    """The indices of the sections that have this line."""
    return [index for index, section in enumerate(sections(pc)) if line in section.splitlines()]


@wpt(FILE, "Add ICE candidate before setting remote description should reject with InvalidStateError")
async def test_a_candidate_needs_a_remote_description(rtc: MakeRtc) -> None:
    with pytest.raises(InvalidStateError):
        await rtc().addIceCandidate(RTCIceCandidate(HOST, "0", 0, "ETEn"))


@wpt(FILE, "addIceCandidate(null) adds a=end-of-candidates to both m-sections")
@wpt(FILE, "addIceCandidate({}) adds a=end-of-candidates to both m-sections")
@wpt(
    FILE,
    'addIceCandidate({"candidate":"","sdpMid":null,"sdpMLineIndex":null}) adds a=end-of-candidates to both m-sections',
)
@pytest.mark.parametrize("end", [None, {}, {"candidate": "", "sdpMid": None, "sdpMLineIndex": None}])
async def test_the_end_of_candidates_is_every_sections(pc: RTCPeerConnection, end: Any) -> None:
    assert holders(pc, END) == []
    await pc.addIceCandidate(end)
    assert holders(pc, END) == [0, 1]


@wpt(FILE, "addIceCandidate({}) in stable should work, and add a=end-of-candidates to both m-sections")
async def test_the_end_of_candidates_may_come_in_stable(pc: RTCPeerConnection) -> None:
    await pc.setLocalDescription()
    await pc.addIceCandidate({})
    assert pc.signalingState == "stable"
    assert holders(pc, END) == [0, 1]


@wpt(
    FILE,
    "addIceCandidate({usernameFragment: usernameFragment1, sdpMid: sdpMid1}) should work, and add a=end-of-candidates"
    " to the first m-section",
)
async def test_the_end_of_candidates_may_be_one_mids(pc: RTCPeerConnection) -> None:
    await pc.addIceCandidate({"usernameFragment": ufrags(pc)[0], "sdpMid": mids(pc)[0]})
    assert holders(pc, END) == [0]


@wpt(
    FILE,
    "addIceCandidate({usernameFragment: usernameFragment2, sdpMLineIndex: 1}) should work, and add"
    " a=end-of-candidates to the first m-section",
)
async def test_the_end_of_candidates_may_be_one_lines(pc: RTCPeerConnection) -> None:
    await pc.addIceCandidate({"usernameFragment": ufrags(pc)[1], "sdpMLineIndex": 1})
    assert holders(pc, END) == [1]


@wpt(FILE, 'addIceCandidate({usernameFragment: "no such ufrag"}) should not work')
async def test_the_end_of_candidates_of_nobody_is_refused(pc: RTCPeerConnection) -> None:
    with pytest.raises(OperationError):
        await pc.addIceCandidate({"usernameFragment": "no such ufrag"})
    assert holders(pc, END) == []


@wpt(FILE, "Add ICE candidate after setting remote description should succeed")
async def test_a_dictionary_is_a_candidate(pc: RTCPeerConnection) -> None:
    await pc.addIceCandidate(
        {"candidate": HOST, "sdpMid": mids(pc)[0], "sdpMLineIndex": 0, "usernameFragment": ufrags(pc)[0]}
    )
    assert holders(pc, f"a={HOST}") == [0]


@wpt(FILE, "Add ICE candidate with RTCIceCandidate should succeed")
async def test_an_object_is_a_candidate(pc: RTCPeerConnection) -> None:
    await pc.addIceCandidate(RTCIceCandidate(HOST, mids(pc)[0], 0, ufrags(pc)[0]))
    assert holders(pc, f"a={HOST}") == [0]


@wpt(FILE, "Add candidate with only valid sdpMid should succeed")
async def test_the_mid_says_where_a_candidate_goes(pc: RTCPeerConnection) -> None:
    await pc.addIceCandidate({"candidate": HOST, "sdpMid": mids(pc)[1]})
    assert holders(pc, f"a={HOST}") == [1]


@wpt(FILE, "Add candidate with only valid sdpMLineIndex should succeed")
async def test_the_index_says_where_a_candidate_goes(pc: RTCPeerConnection) -> None:
    await pc.addIceCandidate({"candidate": HOST, "sdpMLineIndex": 1})
    assert holders(pc, f"a={HOST}") == [1]


@wpt(FILE, "Adding multiple candidates should add candidates to their corresponding media stream")
async def test_each_candidate_goes_to_its_section(pc: RTCPeerConnection) -> None:
    for index, text in enumerate((HOST, OTHER_HOST)):
        await pc.addIceCandidate(RTCIceCandidate(text, mids(pc)[index], index, ufrags(pc)[index]))
    assert (holders(pc, f"a={HOST}"), holders(pc, f"a={OTHER_HOST}")) == ([0], [1])


@wpt(FILE, "Add candidate for first media stream with null usernameFragment should add candidate to first media stream")
async def test_a_candidate_without_a_user_fragment_is_the_present_ones(pc: RTCPeerConnection) -> None:
    await pc.addIceCandidate(RTCIceCandidate(HOST, mids(pc)[0], 0))
    assert holders(pc, f"a={HOST}") == [0]


@wpt(FILE, "Add with empty candidate string (end of candidates) should succeed")
async def test_an_empty_candidate_ends_its_section(pc: RTCPeerConnection) -> None:
    for text in (HOST, ""):
        await pc.addIceCandidate(RTCIceCandidate(text, mids(pc)[0], 0, ufrags(pc)[0]))
    assert holders(pc, f"a={HOST}") == holders(pc, END) == [0]


@wpt(FILE, "Add candidate with both sdpMid and sdpMLineIndex manually set to null should reject with TypeError")
@wpt(FILE, "Add candidate with only valid candidate string should reject with TypeError")
@wpt(
    FILE,
    "Add candidate with invalid candidate string and both sdpMid and sdpMLineIndex null should reject with TypeError",
)
@pytest.mark.parametrize(
    "candidate",
    [
        {"candidate": HOST, "sdpMid": None, "sdpMLineIndex": None},
        {"candidate": HOST},
        {"candidate": NO_CANDIDATE, "sdpMid": None, "sdpMLineIndex": None},
    ],
)
async def test_a_candidate_of_no_section_is_a_type_error_at_the_call(pc: RTCPeerConnection, candidate: Any) -> None:
    refuses_at_the_call(TypeError, pc.addIceCandidate(candidate))


@wpt(FILE, "Add candidate with invalid sdpMid should reject with OperationError")
@wpt(FILE, "Add candidate with invalid sdpMLineIndex should reject with OperationError")
@wpt(FILE, "Add candidate with invalid usernameFragment should reject with OperationError")
@wpt(FILE, "Add candidate with invalid candidate string should reject with OperationError")
@pytest.mark.parametrize(
    "candidate",
    [
        {"candidate": HOST, "sdpMid": "invalid", "sdpMLineIndex": 0},
        {"candidate": HOST, "sdpMLineIndex": 2},
        {"candidate": HOST, "sdpMLineIndex": 0, "usernameFragment": "invalid"},
        {"candidate": NO_CANDIDATE, "sdpMLineIndex": 0},
    ],
)
async def test_a_candidate_that_fits_nowhere_is_refused(pc: RTCPeerConnection, candidate: Any) -> None:
    before = pc.remoteDescription.sdp
    with pytest.raises(OperationError):
        await pc.addIceCandidate(candidate)
    assert pc.remoteDescription.sdp == before


@wpt(FILE, "Invalid sdpMLineIndex should be ignored if valid sdpMid is provided")
async def test_the_mid_goes_before_the_index(pc: RTCPeerConnection) -> None:
    await pc.addIceCandidate(RTCIceCandidate(HOST, mids(pc)[0], 2))
    assert holders(pc, f"a={HOST}") == [0]


@wpt(SETUP, "Candidates are added dynamically; connection should work")
async def test_candidates_one_by_one_connect(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.createDataChannel("test")
    found = {pc: watched(pc, "icecandidate") for pc in (one, other)}
    await exchange(one, other)
    for pc, sink in ((one, other), (other, one)):
        await until(pc, "icegatheringstatechange", lambda pc=pc: pc.iceGatheringState == "complete")  # type: ignore[misc]
        for event in found[pc]:
            await sink.addIceCandidate(event.candidate)
    await connected(one, other)


@wpt(SETUP, "Candidates are added at PC1; connection should work")
@wpt(SETUP, "Candidates are added at PC2; connection should work")
@pytest.mark.parametrize("is_offerer", [True, False])
async def test_candidates_for_one_side_alone_connect_both(rtc: MakeRtc, is_offerer: bool) -> None:
    one, other = rtc(), rtc()
    one.createDataChannel("test")
    source, sink = (other, one) if is_offerer else (one, other)
    found = watched(source, "icecandidate")
    offer = await one.createOffer()
    await one.setLocalDescription(offer)
    await other.setRemoteDescription(offer)
    answer = await other.createAnswer()
    await other.setLocalDescription(answer)
    await one.setRemoteDescription(answer)
    await until(source, "icegatheringstatechange", lambda: source.iceGatheringState == "complete")
    await asyncio.gather(*(sink.addIceCandidate(event.candidate) for event in found))
    await connected(one, other)

"""Candidates that come one by one, many of them: each is read once, and what is there already isn't looked at again."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from fsm_rtc import RTCConfiguration, RTCIceCandidate, RTCPeerConnection, RTCSessionDescription
from fsm_rtc.peer.sdp import BOUNDS, checks, grammar

pytestmark = pytest.mark.live

HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-options:trickle\r\n"
SECURE = (
    f"a=ice-ufrag:abcd\r\na=ice-pwd:{'p' * 22}\r\na=fingerprint:sha-256 {':'.join(['FA'] * 32)}\r\n"
    "a=setup:actpass\r\na=rtcp-mux\r\n"
)


def sections(count: int) -> str:
    return "".join(f"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:{number}\r\n{SECURE}" for number in range(count))


def candidate(number: int) -> str:
    return f"candidate:{number} 1 udp {number} 192.0.2.1 {number} typ host"


async def described(sdp: str) -> RTCPeerConnection:
    peer = RTCPeerConnection(RTCConfiguration(loopback=True))
    await peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
    return peer


async def test_a_candidate_is_read_once() -> None:
    peer = await described(HEAD + sections(1))
    with patch.object(checks, "candidate_of", wraps=grammar.candidate_of) as read:
        await peer.addIceCandidate(RTCIceCandidate(candidate(1), "0"))
    assert read.call_count == 1
    await peer.close()


async def test_what_ends_every_sections_candidates_looks_for_the_sections_once() -> None:
    peer = await described(HEAD + f"a=group:BUNDLE {' '.join(map(str, range(20)))}\r\n" + sections(20))
    await peer.setLocalDescription(await peer.createAnswer())
    media = peer._backend.media
    with patch.object(media, "by_mid", wraps=media.by_mid) as look:
        await peer.addIceCandidate(None)
    assert look.call_count == 1
    await peer.close()


async def test_a_description_and_as_many_candidates_behind_it_as_are_taken_can_still_be_asked() -> None:
    there = BOUNDS.candidates // 2 + 1
    lines = "".join(f"a={candidate(number)}\r\n" for number in range(1, there + 1))
    peer = await described(HEAD + sections(1) + lines)
    for number in range(there + 1, 2 * there + 1):
        await peer.addIceCandidate(RTCIceCandidate(candidate(number), "0"))
    assert peer.remoteDescription.sdp.count("a=candidate:") == 2 * there > BOUNDS.candidates
    assert peer.canTrickleIceCandidates
    await peer.close()


async def test_the_description_has_the_candidates_where_they_belong() -> None:
    text = HEAD + sections(2)
    peer = await described(text)
    for number in (1, 2):
        await peer.addIceCandidate(RTCIceCandidate(candidate(number), "1"))
    await peer.addIceCandidate(None)
    end, lines = "a=end-of-candidates\r\n", f"a={candidate(1)}\r\na={candidate(2)}\r\n"
    before, first, second = text.split("a=ice-ufrag:")
    assert peer.remoteDescription.sdp == f"{before}{end}a=ice-ufrag:{first}{lines}{end}a=ice-ufrag:{second}"
    await peer.close()

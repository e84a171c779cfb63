"""Candidates, through a peer connection in memory: which are taken, and which are told."""

from __future__ import annotations

import pytest

from fsm_rtc.errors import (
    InvalidCandidateError,
    InvalidStateError,
    OperationError,
)
from fsm_rtc.peer import IceCandidate, SessionDescription
from tests.peer.conftest import MakeFake
from tests.peer.peers import offer_of

SDP = """v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
m=video 9 UDP/TLS/RTP/SAVPF 96
a=mid:0
a=ice-ufrag:away
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 AA
"""
OFFER = SessionDescription("offer", SDP)
ROLLBACK = SessionDescription("rollback")
CANDIDATE = "candidate:1 1 udp 1 192.0.2.7 4000 typ host"


async def test_a_candidate_without_a_section_is_a_type_error_at_once(make: MakeFake) -> None:
    peer = make()
    with pytest.raises(TypeError, match="sdp_mid or sdp_m_line_index"):
        await peer.add_ice_candidate(IceCandidate(CANDIDATE))
    await peer.close()
    with pytest.raises(TypeError):
        await peer.add_ice_candidate(IceCandidate(CANDIDATE))


async def test_a_candidate_before_the_remote_description_is_refused(make: MakeFake) -> None:
    peer = make()
    for candidate in (IceCandidate(CANDIDATE, "0"), IceCandidate("", "0"), None):
        with pytest.raises(InvalidStateError, match="set_remote_description first"):
            await peer.add_ice_candidate(candidate)
    assert peer.library.operations == []


@pytest.mark.parametrize("candidate", [IceCandidate(CANDIDATE, "9"), IceCandidate(CANDIDATE, None, 4)])
async def test_a_candidate_of_an_unknown_section_is_an_operation_error(make: MakeFake, candidate: IceCandidate) -> None:
    peer = make()
    await peer.set_remote_description(OFFER)
    with pytest.raises(OperationError, match="no media section"):
        await peer.add_ice_candidate(candidate)
    assert peer.library.remote_candidates == []


async def test_a_candidate_that_can_not_be_parsed_is_named(make: MakeFake) -> None:
    peer = make()
    await peer.set_remote_description(OFFER)
    with pytest.raises(InvalidCandidateError):
        await peer.add_ice_candidate(IceCandidate("candidate:garbage", "0"))


async def test_candidates_reach_the_library_with_both_mid_and_index_and_an_empty_one_ends_them(make: MakeFake) -> None:
    peer = make()
    await peer.set_remote_description(OFFER)
    await peer.add_ice_candidate(IceCandidate(CANDIDATE, "0"))
    await peer.add_ice_candidate(IceCandidate(CANDIDATE, None, 0))
    await peer.add_ice_candidate(IceCandidate("", "0"))
    await peer.add_ice_candidate(None)
    whole = IceCandidate(CANDIDATE, "0", 0)
    assert peer.library.remote_candidates == [whole, IceCandidate("", "0", 0), None]


async def test_the_found_candidates_are_told_once_each_and_then_their_end(make: MakeFake) -> None:
    peer = make()
    told: list[IceCandidate | None] = []
    peer.on("icecandidate", told.append)
    await offer_of(peer)
    assert len(told) == 2
    assert told == [*peer.local_candidates, None]
    assert isinstance(told[0], IceCandidate)
    assert told[0].sdp_mid == "0"
    await peer.set_local_description(ROLLBACK)
    await offer_of(peer)
    assert told == [*peer.local_candidates, None, None]

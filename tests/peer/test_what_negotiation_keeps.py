"""What a negotiation under way leaves as it is: how it was in stable, the generation in force, who is stopped."""

from __future__ import annotations

from typing import Any

import pytest
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from fsm_rtc import MediaStream, RTCPeerConnection
from fsm_rtc.peer import IceCandidate, SessionDescription
from tests.peer.conftest import MakeFake, MakeLive
from tests.peer.peers import answer_of, backend_of, connected, exchange, offer_of, until
from tests.peer.test_negotiator_candidates import CANDIDATE, OFFER, SDP

pytestmark = pytest.mark.live

ROLLBACK = SessionDescription("rollback")
RESTARTED = SessionDescription("offer", SDP.replace("a=ice-ufrag:away", "a=ice-ufrag:anew"))


async def offered(peer: Any, *tracks: Any, channel: str = "") -> Any:
    """An offer by somebody who sends these."""
    for track in tracks:
        peer.addTrack(track, MediaStream())
    if channel:
        peer.createDataChannel(channel)
    return await peer.createOffer()


async def test_a_rollback_behind_two_offers_is_as_it_was_before_the_first() -> None:
    peer, somebody = RTCPeerConnection(), RTCPeerConnection()
    await peer.setRemoteDescription(await offered(somebody, AudioStreamTrack()))
    await peer.setRemoteDescription(await offered(somebody, VideoStreamTrack()))
    assert [one.kind for one in peer.getTransceivers()] == ["audio", "video"]
    await peer.setRemoteDescription(ROLLBACK)
    assert peer.getTransceivers() == []
    await peer.close()
    await somebody.close()


async def test_a_rollback_behind_two_offers_of_ones_own_takes_the_mid_of_the_first_back() -> None:
    peer = RTCPeerConnection()
    transceiver = peer.addTransceiver("audio")
    for _ in range(2):
        await peer.setLocalDescription(await peer.createOffer())
    assert transceiver.mid is not None
    await peer.setLocalDescription(ROLLBACK)
    assert transceiver.mid is None
    await peer.close()


async def test_a_rollback_takes_the_data_sections_mid_back() -> None:
    peer, somebody = RTCPeerConnection(), RTCPeerConnection()
    peer.createDataChannel("chat")
    shown = [peer.sctp]
    await peer.setRemoteDescription(await offered(somebody, channel="chat"))
    shown.append(peer.sctp)
    await peer.setRemoteDescription(ROLLBACK)
    shown.append(peer.sctp)
    assert [one is not None for one in shown] == [False, True, False]
    offer = await offered(peer, AudioStreamTrack())
    assert offer.sdp.count("m=application") == 1
    await peer.setLocalDescription(offer)
    assert peer.sctp is not None
    await peer.close()
    await somebody.close()


async def test_a_candidate_of_the_generation_in_force_is_taken_during_a_restart(make: MakeFake) -> None:
    peer = make()
    await peer.set_remote_description(OFFER)
    await peer.set_local_description()
    await peer.set_remote_description(RESTARTED)
    for fragment in ("away", "anew"):
        await peer.add_ice_candidate(IceCandidate(CANDIDATE, "0", 0, fragment))
    assert [one and one.username_fragment for one in peer.library.remote_candidates] == ["away", "anew"]


async def test_a_candidate_of_the_generation_in_force_reaches_its_transport_during_a_restart(live: MakeLive) -> None:
    one, other = live("one"), live("other")
    one.create_data_channel("chat")
    await exchange(one, other)
    await connected(one, other)
    backend = backend_of(other)
    before: Any = backend.slots.current_remote
    fragment = before.media[0].ice.usernameFragment
    one.restart_ice()
    await other.set_remote_description(await offer_of(one))
    count = len(before.media[0].ice_candidates)
    await other.add_ice_candidate(IceCandidate(CANDIDATE, "0", 0, fragment))
    assert [one.ip for one in before.media[0].ice_candidates[count:]] == ["192.0.2.7"]
    pending: Any = backend.slots.pending_remote
    assert "192.0.2.7" not in [one.ip for one in pending.media[0].ice_candidates]


async def test_a_stopping_transceiver_takes_no_offered_section() -> None:
    peer, somebody = RTCPeerConnection(), RTCPeerConnection()
    peer.addTrack(AudioStreamTrack())
    stopping = peer.getTransceivers()[0]
    stopping.stop()
    peer.addTrack(AudioStreamTrack())
    waiting = peer.getTransceivers()[1]
    await peer.setRemoteDescription(await offered(somebody, AudioStreamTrack()))
    assert (stopping.mid, waiting.mid) == (None, "0")
    await peer.close()
    await somebody.close()


async def test_the_state_of_ice_is_told_before_that_of_the_connection(make: MakeFake) -> None:
    peer = make()
    told: list[tuple[str, str, str]] = []
    for event in ("iceconnectionstatechange", "connectionstatechange"):
        peer.on(
            event,
            lambda event=event: told.append((event, peer.ice_connection_state.value, peer.connection_state.value)),
        )
    peer.library.report("ice", "checking")
    assert told == [
        ("iceconnectionstatechange", "checking", "connecting"),
        ("connectionstatechange", "checking", "connecting"),
    ]


async def test_the_same_order_on_a_live_pair(live: MakeLive) -> None:
    one, other = live("one"), live("other")
    told: list[str] = []
    for event in ("iceconnectionstatechange", "connectionstatechange"):
        one.on(event, lambda event=event: told.append(event))
    one.create_data_channel("chat")
    await one.set_remote_description(await answer_of(other, await offer_of(one)))
    await until(one, "connectionstatechange", lambda: one.connection_state == "connected")
    assert told[:2] == ["iceconnectionstatechange", "connectionstatechange"]

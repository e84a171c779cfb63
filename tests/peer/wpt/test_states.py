"""iceGatheringState, iceConnectionState and connectionState."""

from __future__ import annotations

from typing import Any

import aiortc
import pytest
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import (
    ROLLBACK,
    audio_offer,
    connected,
    exchange,
    trickle,
    turns,
    until,
    watched,
)
from tests.peer.wpt.subtests import wpt

GATHERING = "RTCPeerConnection-iceGatheringState.html"
ICE = "RTCPeerConnection-iceConnectionState.https.html"
CONNECTION = "RTCPeerConnection-connectionState.https.html"

CONNECTED = ("connected", "completed")


@wpt(GATHERING, "Initial iceGatheringState should be new")
@wpt(ICE, "Initial iceConnectionState should be new")
@wpt(CONNECTION, "Initial connectionState should be new")
async def test_a_connection_is_new(rtc: MakeRtc) -> None:
    pc = rtc()
    assert {pc.iceGatheringState, pc.iceConnectionState, pc.connectionState} == {"new"}


@wpt(GATHERING, "iceGatheringState should eventually become complete after setLocalDescription")
async def test_a_local_offer_gathers(rtc: MakeRtc) -> None:
    pc = rtc()
    states = watched(pc, "icegatheringstatechange", lambda: pc.iceGatheringState)
    await pc.setLocalDescription(await audio_offer(pc))
    await until(pc, "icegatheringstatechange", lambda: pc.iceGatheringState == "complete")
    assert states == ["gathering", "complete"]


@wpt(GATHERING, "setLocalDescription(reoffer) with no new transports should not cause iceGatheringState to change")
async def test_an_offer_of_the_same_transports_gathers_nothing(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    await audio_offer(one)
    await exchange(one, other)
    for pc in (one, other):
        await until(pc, "icegatheringstatechange", lambda pc=pc: pc.iceGatheringState == "complete")  # type: ignore[misc]
    states = [watched(pc, "icegatheringstatechange") for pc in (one, other)]
    await one.setLocalDescription()
    await other.setLocalDescription()
    await connected(one, other)
    await turns()
    assert not any(states)


@wpt(GATHERING, "setLocalDescription() with no transports should not cause iceGatheringState to change")
async def test_an_empty_offer_gathers_nothing(rtc: MakeRtc) -> None:
    pc = rtc()
    states = watched(pc, "icegatheringstatechange")
    await pc.setLocalDescription()
    await turns()
    assert states == []
    assert pc.iceGatheringState == "new"


@wpt(GATHERING, "sRD does not cause ICE gathering state changes")
async def test_a_remote_offer_gathers_nothing(rtc: MakeRtc) -> None:
    pc = rtc()
    states = watched(pc, "icegatheringstatechange")
    offer = await audio_offer(rtc())
    for description in (offer, offer, ROLLBACK, offer):
        await pc.setRemoteDescription(description)
    await turns()
    assert states == []


@wpt(GATHERING, 'renegotiation that closes all transports should result in ICE gathering state "new"')
async def test_without_transports_gathering_is_new_again(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    await audio_offer(one)
    await exchange(one, other)
    for pc in (one, other):
        await until(pc, "icegatheringstatechange", lambda pc=pc: pc.iceGatheringState == "complete")  # type: ignore[misc]
    one.getTransceivers()[0].stop()
    await exchange(one, other)
    for pc in (one, other):
        assert pc.getTransceivers() == []
        assert pc.iceGatheringState == "new"


@wpt(GATHERING, "connection with one data channel should eventually have connected connection state")
async def test_the_connection_gathers_while_its_transport_does(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    one.createDataChannel("test")
    states = watched(
        other,
        "icegatheringstatechange",
        lambda: (other.iceGatheringState, other.sctp.transport.transport.gatheringState),
    )
    await exchange(one, other)
    await until(other, "icegatheringstatechange", lambda: other.iceGatheringState == "complete")
    assert states == [("gathering", "gathering"), ("complete", "complete")]


@wpt(
    ICE,
    "connection with one data channel should eventually have connected or completed connection state",
)
async def test_ice_is_connected_by_way_of_checking(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    one.createDataChannel("test")
    states = watched(one, "iceconnectionstatechange", lambda: one.iceConnectionState)
    await exchange(one, other)
    await until(one, "iceconnectionstatechange", lambda: one.iceConnectionState in CONNECTED)
    assert states[0] == "checking"
    assert states[1] in CONNECTED


@wpt(ICE, "connection with one data channel should eventually have connected connection state")
async def test_the_connection_is_in_the_state_of_its_ice_transport(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    one.createDataChannel("test")
    states = watched(
        one, "iceconnectionstatechange", lambda: (one.iceConnectionState, one.sctp.transport.transport.state)
    )
    await exchange(one, other)
    await until(one, "iceconnectionstatechange", lambda: one.iceConnectionState in CONNECTED)
    assert len(states) >= 2
    assert all(state == transport for state, transport in states)


@wpt(ICE, "connection with audio track should eventually have connected connection state")
@wpt(ICE, "connection with audio and video tracks should eventually have connected connection state")
@pytest.mark.parametrize("kinds", [[AudioStreamTrack], [AudioStreamTrack, VideoStreamTrack]])
async def test_ice_connects_for_tracks(rtc: MakeRtc, kinds: list[Any]) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    for kind in kinds:
        one.addTrack(kind())
    await exchange(one, other)
    for pc in (one, other):
        await until(pc, "iceconnectionstatechange", lambda pc=pc: pc.iceConnectionState in CONNECTED)  # type: ignore[misc]


@wpt(ICE, "ICE can connect in a recvonly usecase")
async def test_ice_connects_for_one_who_only_receives(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    transceiver = one.addTransceiver("audio", direction="recvonly")
    other.addTrack(AudioStreamTrack())
    await exchange(one, other)
    assert one.getTransceivers() == [transceiver]
    assert transceiver.currentDirection == "recvonly"
    await until(one, "iceconnectionstatechange", lambda: one.iceConnectionState in CONNECTED)


@wpt(ICE, "iceConnectionState changes at the right time, with bundle policy balanced")
@wpt(ICE, "iceConnectionState changes at the right time, with bundle policy max-bundle")
@wpt(ICE, "iceConnectionState changes at the right time, with bundle policy max-compat")
@pytest.mark.parametrize("policy", list(aiortc.RTCBundlePolicy))
async def test_ice_connects_under_each_bundle_policy(rtc: MakeRtc, policy: aiortc.RTCBundlePolicy) -> None:
    one, other = rtc(bundlePolicy=policy), rtc()
    trickle(one, other)
    for track in (AudioStreamTrack(), VideoStreamTrack()):
        one.addTrack(track)
    one.createDataChannel("test")
    await exchange(one, other)
    await until(one, "iceconnectionstatechange", lambda: one.iceConnectionState in CONNECTED)
    transports = {id(transceiver.sender.transport) for transceiver in one.getTransceivers()}
    assert transports == {id(one.sctp.transport)}
    assert one.sctp.transport.transport.state == one.iceConnectionState


@wpt(CONNECTION, "connection with one data channel should eventually have connected connection state")
@wpt(CONNECTION, "connection with one data channel should eventually have transports in connected state")
async def test_the_connection_is_connected_with_its_transports(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    one.createDataChannel("test")
    states = watched(
        one,
        "connectionstatechange",
        lambda: (one.connectionState, one.sctp.transport.state, one.sctp.transport.transport.state),
    )
    await exchange(one, other)
    await connected(one)
    assert [state for state, _, _ in states] == ["connecting", "connected"]
    assert states[-1][1] == "connected"
    assert states[-1][2] in CONNECTED


@wpt(CONNECTION, "connectionState remains new when not adding remote ice candidates")
async def test_without_candidates_ice_stays_new(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTrack(AudioStreamTrack())
    offer = await one.createOffer()
    await one.setLocalDescription(offer)
    await other.setRemoteDescription(offer)
    answer = await other.createAnswer()
    await other.setLocalDescription(answer)
    await one.setRemoteDescription(answer)
    await turns()
    assert (one.iceConnectionState, other.iceConnectionState) == ("new", "new")


@wpt(CONNECTION, "connectionState transitions to connected via connecting")
async def test_the_connection_of_a_track_is_connected_by_way_of_connecting(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    one.addTrack(AudioStreamTrack())
    states = watched(one, "connectionstatechange", lambda: one.connectionState)
    await exchange(one, other)
    await connected(one)
    assert states == ["connecting", "connected"]

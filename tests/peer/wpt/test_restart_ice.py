"""restartIce: new credentials with the next offer, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fsm_rtc import RTCPeerConnection
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import ROLLBACK, connected, exchange, happens, trickle, turns, until, watched
from tests.peer.wpt.subtests import wpt

FILE = "RTCPeerConnection-restartIce.https.html"
GATHERING = "RTCPeerConnection-iceGatheringState.html"
PERFECT = " (perfect negotiation)"


def ufrag(pc: RTCPeerConnection) -> str:
    """The user fragment of a local description."""
    found = re.search(r"a=ice-ufrag:(\S+)", pc.localDescription.sdp)
    assert found is not None
    return found[1]


def ufrags(*peers: RTCPeerConnection) -> list[str]:
    """Each one's user fragment."""
    return [ufrag(pc) for pc in peers]


async def negotiated(rtc: MakeRtc) -> tuple[RTCPeerConnection, RTCPeerConnection]:
    """Two with a transceiver that is negotiated, and no need left."""
    one, other = rtc(), rtc()
    one.addTransceiver("audio")
    await happens(one, "negotiationneeded")
    await exchange(one, other)
    await turns()
    return one, other


async def explicit_exchange(offerer: Any, answerer: Any) -> None:
    """Offer and answer, created by their own methods."""
    await offerer.setLocalDescription(await offerer.createOffer())
    await answerer.setRemoteDescription(offerer.localDescription)
    await answerer.setLocalDescription(await answerer.createAnswer())
    await offerer.setRemoteDescription(answerer.localDescription)


async def assert_restarts(one: RTCPeerConnection, other: RTCPeerConnection) -> None:
    """Assert that the next exchange has new credentials, and leaves no need."""
    before = ufrags(one, other)
    needs = watched(one, "negotiationneeded")
    await exchange(one, other)
    assert not set(ufrags(one, other)) & set(before)
    await turns()
    assert needs == []


@wpt(FILE, "restartIce() does not trigger negotiation ahead of initial negotiation")
async def test_there_is_nothing_to_restart_before_the_first_negotiation(rtc: MakeRtc) -> None:
    pc = rtc()
    needs = watched(pc, "negotiationneeded")
    pc.restartIce()
    await turns()
    assert needs == []
    pc.addTransceiver("audio")
    await until(pc, "negotiationneeded", lambda: bool(needs))
    await turns()
    assert len(needs) == 1


@wpt(FILE, "restartIce() has no effect on initial negotiation")
async def test_the_first_negotiation_is_all_the_restart_there_is(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("audio")
    await happens(one, "negotiationneeded")
    one.restartIce()
    needs = watched(one, "negotiationneeded")
    await exchange(one, other)
    await turns()
    assert needs == []


@wpt(FILE, "restartIce() fires negotiationneeded after initial negotiation")
async def test_a_restart_needs_a_negotiation(rtc: MakeRtc) -> None:
    one, _ = await negotiated(rtc)
    one.restartIce()
    await happens(one, "negotiationneeded")


@wpt(FILE, "restartIce() causes fresh ufrags")
@wpt(FILE, "restartIce() causes fresh ufrags" + PERFECT)
@pytest.mark.parametrize("negotiate", [explicit_exchange, exchange])
async def test_only_a_restart_has_new_credentials(rtc: MakeRtc, negotiate: Any) -> None:
    one, other = await negotiated(rtc)
    first = ufrags(one, other)
    await negotiate(one, other)
    assert ufrags(one, other) == first
    one.restartIce()
    await happens(one, "negotiationneeded")
    await negotiate(one, other)
    second = ufrags(one, other)
    assert not set(first) & set(second)
    await negotiate(one, other)
    assert ufrags(one, other) == second


@wpt(FILE, "restartIce() retains dtls transports")
async def test_a_restart_keeps_the_dtls_transports(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    for kind in ("video", "audio"):
        one.addTransceiver(kind)
    await exchange(one, other)
    before = [transceiver.sender.transport for transceiver in one.getTransceivers()]
    await connected(one, other)
    one.restartIce()
    await happens(one, "negotiationneeded")
    await exchange(one, other)
    after = [transceiver.sender.transport for transceiver in one.getTransceivers()]
    assert None not in before
    assert [new is old for new, old in zip(after, before, strict=True)] == [True, True]
    await connected(one, other)


@wpt(FILE, "restartIce() works in have-local-offer")
async def test_a_restart_asked_for_while_offering_comes_with_the_offer_after(rtc: MakeRtc) -> None:
    one, other = await negotiated(rtc)
    before = ufrags(one, other)
    await one.setLocalDescription()
    one.restartIce()
    await other.setRemoteDescription(one.localDescription)
    await other.setLocalDescription()
    needs = watched(one, "negotiationneeded")
    await one.setRemoteDescription(other.localDescription)
    assert ufrags(one, other) == before
    await until(one, "negotiationneeded", lambda: bool(needs))
    await assert_restarts(one, other)


@wpt(FILE, "restartIce() works in initial have-local-offer")
async def test_a_restart_may_be_asked_for_during_the_first_offer(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("audio")
    await happens(one, "negotiationneeded")
    await one.setLocalDescription()
    one.restartIce()
    await other.setRemoteDescription(one.localDescription)
    await other.setLocalDescription()
    needs = watched(one, "negotiationneeded")
    await one.setRemoteDescription(other.localDescription)
    await until(one, "negotiationneeded", lambda: bool(needs))
    await assert_restarts(one, other)


@wpt(FILE, "restartIce() works in have-remote-offer")
async def test_a_restart_asked_for_while_answering_comes_with_the_next_offer(rtc: MakeRtc) -> None:
    one, other = await negotiated(rtc)
    before = ufrags(one, other)
    await other.setLocalDescription()
    await one.setRemoteDescription(other.localDescription)
    one.restartIce()
    needs = watched(one, "negotiationneeded")
    await one.setLocalDescription()
    await other.setRemoteDescription(one.localDescription)
    assert ufrags(one, other) == before
    await until(one, "negotiationneeded", lambda: bool(needs))
    await assert_restarts(one, other)


@wpt(FILE, "restartIce() does nothing in initial have-remote-offer")
async def test_there_is_nothing_to_restart_during_the_first_remote_offer(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    other.addTransceiver("audio")
    needs = watched(one, "negotiationneeded")
    await other.setLocalDescription()
    await one.setRemoteDescription(other.localDescription)
    one.restartIce()
    await one.setLocalDescription()
    await other.setRemoteDescription(one.localDescription)
    await turns()
    assert needs == []


@wpt(FILE, "restartIce() survives remote offer")
async def test_an_offer_of_the_other_side_does_not_meet_the_need(rtc: MakeRtc) -> None:
    one, other = await negotiated(rtc)
    before = ufrags(one, other)
    one.restartIce()
    await happens(one, "negotiationneeded")
    needs = watched(one, "negotiationneeded")
    await exchange(other, one)
    assert ufrags(one, other) == before
    await until(one, "negotiationneeded", lambda: bool(needs))
    await assert_restarts(one, other)


@wpt(FILE, "restartIce() is satisfied by remote ICE restart")
async def test_a_restart_of_the_other_side_meets_the_need(rtc: MakeRtc) -> None:
    one, other = await negotiated(rtc)
    before = ufrags(one, other)
    one.restartIce()
    await happens(one, "negotiationneeded")
    needs = watched(one, "negotiationneeded")
    other.restartIce()
    await exchange(other, one)
    assert not set(ufrags(one, other)) & set(before)
    await turns()
    assert needs == []


@wpt(FILE, "restartIce() trumps {iceRestart: false}")
async def test_an_offer_restarts_though_its_options_do_not(rtc: MakeRtc) -> None:
    one, other = await negotiated(rtc)
    before = ufrag(one)
    one.restartIce()
    await happens(one, "negotiationneeded")
    await one.setLocalDescription(await one.createOffer(iceRestart=False))
    await other.setRemoteDescription(one.localDescription)
    assert ufrag(one) != before


@wpt(FILE, "restartIce() survives rollback")
async def test_a_restart_taken_back_is_needed_again(rtc: MakeRtc) -> None:
    one, other = await negotiated(rtc)
    before = ufrags(one, other)
    one.restartIce()
    await happens(one, "negotiationneeded")
    await one.setLocalDescription()
    assert ufrag(one) != before[0]
    needs = watched(one, "negotiationneeded")
    await one.setLocalDescription(ROLLBACK)
    assert ufrags(one, other) == before
    await until(one, "negotiationneeded", lambda: bool(needs))
    await assert_restarts(one, other)


@wpt(
    GATHERING,
    'setLocalDescription(reoffer) with a new transport should cause iceGatheringState to go to "checking" and then'
    ' "complete"',
)
async def test_a_restart_gathers_again(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTransceiver("audio", direction="recvonly")
    await exchange(one, other)
    await until(one, "icegatheringstatechange", lambda: one.iceGatheringState == "complete")
    states = watched(one, "icegatheringstatechange", lambda: one.iceGatheringState)
    await one.setLocalDescription(await one.createOffer(iceRestart=True))
    await until(one, "icegatheringstatechange", lambda: len(states) == 2)
    assert states == ["gathering", "complete"]

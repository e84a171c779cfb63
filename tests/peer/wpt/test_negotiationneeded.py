"""negotiationneeded: what raises it, and when."""

from __future__ import annotations

import pytest
from aiortc.mediastreams import AudioStreamTrack

from fsm_rtc import MediaStream
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import (
    answer_to,
    audio_offer,
    called,
    exchange,
    happens,
    soon,
    turns,
    until,
    upcoming,
    watched,
)
from tests.peer.wpt.subtests import wpt

FILE = "RTCPeerConnection-onnegotiationneeded.html"


@wpt(FILE, "Creating first data channel should fire negotiationneeded event")
async def test_the_first_data_channel_needs_a_negotiation(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.createDataChannel("test")
    await happens(pc, "negotiationneeded")


@wpt(FILE, "addTransceiver() should fire negotiationneeded event")
async def test_a_transceiver_needs_a_negotiation(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.addTransceiver("audio")
    await happens(pc, "negotiationneeded")


@wpt(FILE, "addTrack should cause negotiationneeded to fire")
async def test_a_track_needs_a_negotiation(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.addTrack(AudioStreamTrack())
    await happens(pc, "negotiationneeded")


@wpt(FILE, "calling createDataChannel twice should fire negotiationneeded event once")
@wpt(FILE, "Calling addTransceiver() twice should fire negotiationneeded event once")
@wpt(FILE, "Calling both addTransceiver() and createDataChannel() should fire negotiationneeded event once")
@pytest.mark.parametrize(("first", "second"), [("data", "data"), ("audio", "video"), ("data", "video")])
async def test_a_need_that_is_known_is_told_once(rtc: MakeRtc, first: str, second: str) -> None:
    pc = rtc()
    needs = watched(pc, "negotiationneeded")
    for kind in (first, second):
        if kind == "data":
            pc.createDataChannel("test")
        else:
            pc.addTransceiver(kind)
        await until(pc, "negotiationneeded", lambda: bool(needs))
        await turns()
    assert len(needs) == 1


@wpt(FILE, "negotiationneeded event should not fire if signaling state is not stable")
async def test_a_need_is_not_told_while_an_offer_is_pending(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setLocalDescription(await audio_offer(pc))
    await turns()
    needs = watched(pc, "negotiationneeded")
    pc.createDataChannel("test")
    await turns()
    assert pc.signalingState == "have-local-offer"
    assert needs == []


@wpt(
    FILE,
    "negotiationneeded event should fire only after signaling state goes back to stable after setRemoteDescription",
)
async def test_a_need_is_told_in_a_task_after_the_remote_answer(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.addTransceiver("audio")
    await happens(pc, "negotiationneeded")
    offer = await pc.createOffer()
    await pc.setLocalDescription(offer)
    needs = watched(pc, "negotiationneeded", lambda: pc.signalingState)
    pc.createDataChannel("test")
    await pc.setRemoteDescription(await answer_to(rtc, offer))
    assert needs == []
    await happens(pc, "negotiationneeded")
    assert needs == ["stable"]


@wpt(
    FILE,
    "negotiationneeded event should fire only after signaling state goes back to stable after setLocalDescription",
)
async def test_a_need_is_told_in_a_task_after_the_local_answer(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.addTransceiver("audio")
    await happens(pc, "negotiationneeded")
    needs = watched(pc, "negotiationneeded", lambda: pc.signalingState)
    await pc.setRemoteDescription(await rtc().createOffer())
    pc.createDataChannel("test")
    await pc.setLocalDescription()
    assert needs == []
    await happens(pc, "negotiationneeded")
    assert needs == ["stable"]


@wpt(
    FILE,
    "negotiationneeded event should fire only after signalingstatechange event fires from setRemoteDescription",
)
async def test_a_need_is_told_after_the_state_of_the_remote_answer(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.addTransceiver("audio")
    await happens(pc, "negotiationneeded")
    offer = await pc.createOffer()
    await pc.setLocalDescription(offer)
    order = watched(pc, "negotiationneeded", lambda: "needed")
    pc.on("signalingstatechange", lambda: order.append(pc.signalingState))
    pc.createDataChannel("test")
    await pc.setRemoteDescription(await answer_to(rtc, offer))
    await until(pc, "negotiationneeded", lambda: "needed" in order)
    assert order == ["stable", "needed"]


@wpt(
    FILE,
    "negotiationneeded event should fire only after signalingstatechange event fires from setLocalDescription",
)
async def test_a_need_is_told_after_the_state_of_the_local_answer(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.addTransceiver("audio")
    await happens(pc, "negotiationneeded")
    await pc.setRemoteDescription(await rtc().createOffer())
    order = watched(pc, "negotiationneeded", lambda: "needed")
    pc.on("signalingstatechange", lambda: order.append(pc.signalingState))
    pc.createDataChannel("test")
    await pc.setLocalDescription()
    await until(pc, "negotiationneeded", lambda: "needed" in order)
    assert order == ["stable", "needed"]


@wpt(FILE, "removeTrack should cause negotiationneeded to fire on the caller")
async def test_a_removed_track_of_the_offerer_needs_a_negotiation(rtc: MakeRtc) -> None:
    pc, other = rtc(), rtc()
    sender = pc.addTrack(AudioStreamTrack())
    await happens(pc, "negotiationneeded")
    needs = watched(pc, "negotiationneeded")
    await exchange(pc, other)
    await turns()
    assert needs == []
    pc.removeTrack(sender)
    await happens(pc, "negotiationneeded")


@wpt(FILE, "removeTrack should cause negotiationneeded to fire on the callee")
async def test_a_removed_track_of_the_answerer_needs_a_negotiation(rtc: MakeRtc) -> None:
    pc = rtc()
    sender = pc.addTrack(AudioStreamTrack())
    await happens(pc, "negotiationneeded")
    await pc.setRemoteDescription(await audio_offer(rtc()))
    answer = await pc.createAnswer()
    need = upcoming(pc, "negotiationneeded")
    call = await called(pc.setLocalDescription(answer))
    pc.removeTrack(sender)
    await soon(need)
    await call
    assert pc.signalingState == "stable"


@wpt(FILE, "Updating the direction of the transceiver should cause negotiationneeded to fire")
async def test_another_direction_needs_a_negotiation(rtc: MakeRtc) -> None:
    pc = rtc()
    transceiver = pc.addTransceiver("audio", direction="sendrecv")
    await exchange(pc, rtc())
    await turns()
    need = upcoming(pc, "negotiationneeded")
    transceiver.direction = "recvonly"
    await soon(need)


@wpt(FILE, "Calling setStreams should cause negotiationneeded to fire")
async def test_other_streams_need_a_negotiation(rtc: MakeRtc) -> None:
    pc = rtc()
    transceiver = pc.addTransceiver("audio", direction="sendrecv")
    await exchange(pc, rtc())
    await turns()
    need = upcoming(pc, "negotiationneeded")
    transceiver.sender.setStreams(MediaStream())
    await soon(need)


@wpt(FILE, "Adding two transceivers, one at a time, results in the expected number of negotiationneeded events")
async def test_each_need_is_told_and_met(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    needs = watched(one, "negotiationneeded")

    async def negotiate() -> None:
        await exchange(one, other)

    one.on("negotiationneeded", negotiate)
    for number, kind in enumerate(("video", "audio"), start=1):
        one.addTransceiver(kind)
        await until(one, "signalingstatechange", lambda: one.signalingState == "have-local-offer")
        await until(one, "signalingstatechange", lambda: one.signalingState == "stable")
        await turns()
        assert len(needs) == number


@wpt(
    "RTCPeerConnection-restartIce-onnegotiationneeded.https.html",
    "Negotiation needed when returning to stable does not fire too early",
)
async def test_a_restart_asked_for_while_offering_is_needed_in_stable(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.addTransceiver("audio")
    await pc.setLocalDescription()
    await turns()
    pc.restartIce()
    needs = watched(pc, "negotiationneeded", lambda: pc.signalingState)
    await pc.setRemoteDescription(await answer_to(rtc, pc.localDescription))
    await until(pc, "negotiationneeded", lambda: bool(needs))
    assert needs == ["stable"]

"""Transceivers and transports, as descriptions make and change them."""

from __future__ import annotations

import asyncio
from typing import Any

import aiortc
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from fsm_rtc import RTCSessionDescription
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import (
    audio_offer,
    channel_offer,
    connected,
    exchange,
    soon,
    trickle,
    until,
    upcoming,
    watched,
)
from tests.peer.wpt.subtests import wpt

FILE = "RTCPeerConnection-setDescription-transceiver.html"
SIGNALING = "RTCPeerConnection-onsignalingstatechanged.https.html"
SCTP = "RTCSctpTransport-constructor.html"
SCTP_EVENTS = "RTCSctpTransport-events.html"
DTLS = "RTCDtlsTransport-state.html"


@wpt(FILE, "setLocalDescription(offer) with m= section should assign mid to corresponding transceiver")
async def test_an_offer_gives_a_transceiver_its_mid_when_it_is_set(rtc: MakeRtc) -> None:
    pc = rtc()
    transceiver = pc.addTransceiver("audio")
    offer = await pc.createOffer()
    assert transceiver.mid is None
    await pc.setLocalDescription(offer)
    assert f"\r\na=mid:{transceiver.mid}\r\n" in offer.sdp


@wpt(
    FILE,
    "setRemoteDescription(offer) with m= section and no existing transceiver should create corresponding transceiver",
)
async def test_an_offer_makes_a_transceiver_of_the_same_mid(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    ours = one.addTransceiver("audio")
    assert other.getTransceivers() == []
    offer = await one.createOffer()
    await asyncio.gather(one.setLocalDescription(offer), other.setRemoteDescription(offer))
    (theirs,) = other.getTransceivers()
    assert theirs.mid == ours.mid is not None


@wpt(FILE, "setRemoteDescription should set transceiver inactive if its corresponding m section is rejected")
async def test_a_rejected_section_stops_its_transceiver(rtc: MakeRtc) -> None:
    """The page of 2021 says ``inactive``; an answer has stopped such a transceiver since: #set-description."""
    one, other = rtc(), rtc()
    transceiver = one.addTransceiver("audio")
    await one.setLocalDescription()
    await other.setRemoteDescription(one.localDescription)
    answer = await other.createAnswer()
    rejecting = RTCSessionDescription(answer.sdp.replace("m=audio 9", "m=audio 0"), "answer")
    await one.setRemoteDescription(rejecting)
    assert transceiver.currentDirection == "stopped"
    assert one.getTransceivers() == []


@wpt(SIGNALING, "Negotiation methods fire signalingstatechange events")
async def test_the_direction_is_agreed_before_the_state_is_told(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.addTrack(VideoStreamTrack())
    await one.setLocalDescription()
    seen = watched(
        other, "signalingstatechange", lambda: (other.signalingState, other.getTransceivers()[0].currentDirection)
    )
    await other.setRemoteDescription(one.localDescription)
    await other.setLocalDescription()
    assert seen == [("have-remote-offer", None), ("stable", "recvonly")]


@wpt(SIGNALING, "signalingstatechange is the first event to fire")
async def test_the_state_is_told_before_the_tracks(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    other.addTransceiver("video")
    order = watched(one, "track", lambda: "track")
    one.on("signalingstatechange", lambda: order.append(one.signalingState))
    await one.setRemoteDescription(await other.createOffer())
    assert order == ["have-remote-offer", "track"]


@wpt(SCTP, "setRemoteDescription() with answer not containing data media should not initialize pc.sctp")
@wpt(SCTP, "setLocalDescription() with answer not containing data media should not initialize pc.sctp")
async def test_there_is_no_sctp_transport_without_a_data_section(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    assert one.sctp is None
    await audio_offer(one)
    await exchange(one, other)
    assert (one.sctp, other.sctp) == (None, None)


@wpt(SCTP, "setRemoteDescription() with answer containing data media should initialize pc.sctp")
@wpt(SCTP, "setLocalDescription() with answer containing data media should initialize pc.sctp")
async def test_an_answer_with_a_data_section_has_an_sctp_transport(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    await channel_offer(one)
    await exchange(one, other)
    for sctp in (one.sctp, other.sctp):
        assert isinstance(sctp, aiortc.RTCSctpTransport)
        assert isinstance(sctp.transport, aiortc.RTCDtlsTransport)
        assert sctp.state == "connecting"


@wpt(SCTP_EVENTS, "SctpTransport objects are created at appropriate times")
async def test_an_offer_with_a_data_section_has_an_sctp_transport_once_it_is_set(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    offer = await channel_offer(one)
    assert (one.sctp, other.sctp) == (None, None)
    await one.setLocalDescription(offer)
    assert one.sctp is not None
    await other.setRemoteDescription(offer)
    assert other.sctp is not None


@wpt(SCTP_EVENTS, "SctpTransport reaches connected and closed state")
async def test_sctp_connects_and_is_closed_with_the_other_side(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    one.createDataChannel("")
    await exchange(one, other)
    transports = (one.sctp, other.sctp)
    for state in ("connected", "closed"):
        for sctp in transports:
            await until(sctp, "statechange", lambda sctp=sctp, state=state: sctp.state == state)  # type: ignore[misc]
        if state == "connected":
            await one.close()


async def sending_pair(rtc: MakeRtc) -> tuple[Any, Any, list[Any]]:
    """Two connected by an audio track, and their DTLS transports."""
    one, other = rtc(), rtc()
    trickle(one, other)
    one.addTrack(AudioStreamTrack())
    await exchange(one, other)
    await connected(one, other)
    return one, other, [pc.getTransceivers()[0].sender.transport for pc in (one, other)]


@wpt(DTLS, "DTLS transport goes to connected state")
async def test_dtls_is_connected_on_both_sides(rtc: MakeRtc) -> None:
    _, _, transports = await sending_pair(rtc)
    assert [transport.state for transport in transports] == ["connected", "connected"]


@wpt(DTLS, "close() causes the local transport to close immediately")
async def test_dtls_is_closed_at_the_call(rtc: MakeRtc) -> None:
    one, _, transports = await sending_pair(rtc)
    closing = one.close()
    assert transports[0].state == "closed"
    await closing


@wpt(DTLS, "close() causes the other end's DTLS transport to close")
async def test_dtls_is_closed_with_the_other_side(rtc: MakeRtc) -> None:
    one, _, transports = await sending_pair(rtc)
    await one.close()
    await until(transports[1], "statechange", lambda: transports[1].state == "closed")


@wpt(DTLS, "stop bundled transceiver retains dtls transport state")
async def test_a_stopped_transceiver_leaves_the_transport_it_shared(rtc: MakeRtc) -> None:
    """The page lets its sender go at once; it goes when both sides know: #dom-peerconnection-getsenders."""
    one, other = (rtc(bundlePolicy=aiortc.RTCBundlePolicy.MAX_BUNDLE) for _ in range(2))
    trickle(one, other)
    video, audio = (one.addTransceiver(kind) for kind in ("video", "audio"))
    await exchange(one, other)
    assert video.sender.transport is video.receiver.transport is audio.sender.transport
    await connected(one, other)
    ended = upcoming(video.receiver.track, "ended")
    video.stop()
    await soon(ended)
    await exchange(one, other)
    assert one.getSenders() == [audio.sender]
    assert one.getReceivers() == [audio.receiver]
    assert audio.sender.transport.state == "connected"


@wpt("RTCIceTransport.html", "Two connected iceTransports should has matching local/remote candidates returned")
async def test_the_ice_transports_of_two_connections_mirror_each_other(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    one.createDataChannel("")
    await exchange(one, other)
    await connected(one, other)
    offering, answering = one.sctp.transport.transport, other.sctp.transport.transport
    ours, theirs = offering.getSelectedCandidatePair(), answering.getSelectedCandidatePair()
    assert (ours.local.port, ours.remote.port) == (theirs.remote.port, theirs.local.port)
    assert (offering.role, answering.role) == ("controlling", "controlled")

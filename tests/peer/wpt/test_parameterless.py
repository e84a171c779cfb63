"""setLocalDescription without a description."""

from __future__ import annotations

import pytest

from fsm_rtc.errors import InvalidStateError
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import refuses_at_the_call, signaling_states, soon, upcoming
from tests.peer.wpt.subtests import wpt

FILE = "RTCPeerConnection-setLocalDescription-parameterless.https.html"


@wpt(FILE, "Parameterless SLD() in 'stable' goes to 'have-local-offer'")
async def test_in_stable_it_offers(rtc: MakeRtc) -> None:
    pc = rtc()
    states = signaling_states(pc)
    await pc.setLocalDescription()
    assert states == [pc.signalingState] == ["have-local-offer"]


@wpt(FILE, "Parameterless SLD() in 'stable' sets pendingLocalDescription")
async def test_the_offer_it_makes_is_pending(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setLocalDescription()
    assert pc.pendingLocalDescription.type == "offer"


@wpt(FILE, "Parameterless SLD() in 'stable' assigns transceiver.mid")
async def test_the_offer_it_makes_names_the_transceivers(rtc: MakeRtc) -> None:
    pc = rtc()
    transceiver = pc.addTransceiver("audio")
    assert transceiver.mid is None
    await pc.setLocalDescription()
    assert transceiver.mid is not None


@wpt(FILE, "Parameterless SLD() in 'have-remote-offer' goes to 'stable'")
async def test_with_an_offer_there_it_answers(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setRemoteDescription(await rtc().createOffer())
    event = upcoming(pc, "signalingstatechange")
    await pc.setLocalDescription()
    await soon(event)
    assert pc.signalingState == "stable"


@wpt(FILE, "Parameterless SLD() in 'have-remote-offer' sets currentLocalDescription")
async def test_the_answer_it_makes_is_current(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setRemoteDescription(await rtc().createOffer())
    await pc.setLocalDescription()
    assert pc.currentLocalDescription.type == "answer"


@wpt(FILE, "Parameterless SLD() in 'have-remote-offer' sets transceiver.currentDirection")
async def test_the_answer_it_makes_negotiates_the_direction(rtc: MakeRtc) -> None:
    offerer, answerer = rtc(), rtc()
    offerer.addTransceiver("audio")
    track = upcoming(answerer, "track")
    await answerer.setRemoteDescription(await offerer.createOffer())
    transceiver = (await soon(track)).transceiver
    await answerer.setLocalDescription()
    assert transceiver.currentDirection == "recvonly"


@wpt(FILE, "Parameterless SLD() uses [[LastCreatedOffer]] if it is still valid")
async def test_it_takes_the_offer_that_is_there(rtc: MakeRtc) -> None:
    pc = rtc()
    offer = await pc.createOffer()
    await pc.setLocalDescription()
    assert pc.pendingLocalDescription.sdp == offer.sdp


@wpt(FILE, "Parameterless SLD() uses [[LastCreatedAnswer]] if it is still valid")
async def test_it_takes_the_answer_that_is_there(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.setRemoteDescription(await rtc().createOffer())
    answer = await pc.createAnswer()
    await pc.setLocalDescription()
    assert pc.currentLocalDescription.sdp == answer.sdp


@wpt(FILE, "Parameterless SLD() rejects with InvalidStateError if already closed")
async def test_it_is_refused_once_closed(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.close()
    refuses_at_the_call(InvalidStateError, pc.setLocalDescription())


@wpt(FILE, "Parameterless SLD() in a full O/A exchange succeeds")
async def test_it_makes_both_halves_of_an_exchange(rtc: MakeRtc) -> None:
    offerer, answerer = rtc(), rtc()
    await offerer.setLocalDescription()
    await answerer.setRemoteDescription(offerer.pendingLocalDescription)
    await answerer.setLocalDescription()
    await offerer.setRemoteDescription(answerer.currentLocalDescription)
    assert (offerer.signalingState, answerer.signalingState) == ("stable", "stable")


@wpt(FILE, "Parameterless SRD() rejects with TypeError.")
async def test_a_remote_description_has_no_default(rtc: MakeRtc) -> None:
    with pytest.raises(TypeError):
        await rtc().setRemoteDescription(None)

"""Who catches the specification's error, aiortc's, or the built-in one catches the same exception."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiortc
import pytest
from aiortc import exceptions

from fsm_rtc import RTCPeerConnection, RTCSessionDescription, errors
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import channel_offer

Wrong = Callable[[RTCPeerConnection], Awaitable[Any]]


async def answers_nothing(pc: RTCPeerConnection) -> None:
    await pc.createAnswer()


async def takes_garbage(pc: RTCPeerConnection) -> None:
    await pc.setRemoteDescription(RTCSessionDescription(sdp="garbage", type="offer"))


async def takes_no_type(pc: RTCPeerConnection) -> None:
    await pc.setRemoteDescription(RTCSessionDescription(sdp="", type=None))


async def changes_what_it_created(pc: RTCPeerConnection) -> None:
    offer = await channel_offer(pc)
    await pc.setLocalDescription(RTCSessionDescription(sdp=offer.sdp.replace("actpass", "active"), type="offer"))


async def adds_a_track_twice(pc: RTCPeerConnection) -> None:
    track = aiortc.mediastreams.AudioStreamTrack()
    pc.addTrack(track)
    pc.addTrack(track)


async def removes_a_strangers_sender(pc: RTCPeerConnection) -> None:
    pc.removeTrack(object())


async def adds_an_unknown_kind(pc: RTCPeerConnection) -> None:
    pc.addTransceiver("smell")


async def contradicts_itself(pc: RTCPeerConnection) -> None:
    pc.createDataChannel("chat", maxRetransmits=1, maxPacketLifeTime=1)


async def takes_a_taken_id(pc: RTCPeerConnection) -> None:
    for _ in range(2):
        pc.createDataChannel("chat", negotiated=True, id=7)


async def adds_a_candidate_without_a_section(pc: RTCPeerConnection) -> None:
    await pc.addIceCandidate({"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host"})


async def is_closed(pc: RTCPeerConnection) -> None:
    await pc.close()
    pc.createDataChannel("chat")


async def asks_for_a_stranger_s_statistics(pc: RTCPeerConnection) -> None:
    await pc.getStats(aiortc.mediastreams.AudioStreamTrack())


@pytest.mark.parametrize(
    ("wrong", "classes"),
    [
        (answers_nothing, (errors.InvalidStateError, exceptions.InvalidStateError)),
        (takes_garbage, (errors.RTCError, exceptions.OperationError)),
        (takes_no_type, (TypeError, ValueError)),
        (changes_what_it_created, (errors.InvalidModificationError,)),
        (adds_a_track_twice, (errors.InvalidAccessError, exceptions.InvalidAccessError)),
        (removes_a_strangers_sender, (errors.InvalidAccessError, exceptions.InvalidAccessError)),
        (adds_an_unknown_kind, (TypeError, exceptions.InternalError)),
        (contradicts_itself, (TypeError, ValueError)),
        (takes_a_taken_id, (errors.OperationError, exceptions.OperationError)),
        (adds_a_candidate_without_a_section, (TypeError, ValueError)),
        (is_closed, (errors.InvalidStateError, exceptions.InvalidStateError)),
        (asks_for_a_stranger_s_statistics, (errors.InvalidAccessError, exceptions.InvalidAccessError)),
    ],
)
async def test_an_error_is_of_each_class_that_its_callers_catch(
    rtc: MakeRtc, wrong: Wrong, classes: tuple[type[Exception], ...]
) -> None:
    with pytest.raises(classes[0]) as caught:
        await wrong(rtc())
    assert [one for one in classes if not isinstance(caught.value, one)] == []


async def test_a_refusal_has_aiortcs_text_and_the_tables_sentence_as_a_note(rtc: MakeRtc) -> None:
    with pytest.raises(errors.InvalidStateError) as caught:
        await rtc().createAnswer()
    assert str(caught.value) == 'Cannot create answer in signaling state "stable"'
    assert "create_offer" in "\n".join(caught.value.__notes__)
    assert caught.value.rejected is not None

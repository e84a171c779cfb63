"""What wrtc alone of the stacks in Python has: all descriptions, restarts, rollback, all events."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fsm_rtc.conformance.protocol import Operation, StackCandidate, StackDescription, Verdict
from tests.conformance.adapter_conversation import Talk, installed

pytestmark = pytest.mark.live


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    async with Talk(*installed("wrtc").command) as talk:
        yield talk


async def test_the_current_and_pending_descriptions_are_told_by_their_types(talk: Talk) -> None:
    await talk.do("a", "new")
    await talk.do("a", "createDataChannel", label="chat")
    offered = await talk.do("a", "setLocalDescription")
    assert offered.states is not None
    assert (offered.states.currentLocalDescription, offered.states.pendingLocalDescription) == (None, "offer")
    assert (offered.states.currentRemoteDescription, offered.states.pendingRemoteDescription) == (None, None)
    back = await talk.do("a", "setLocalDescription", description=StackDescription("rollback"))
    assert back.states is not None
    assert (back.states.signalingState, back.states.pendingLocalDescription) == ("stable", None)


async def test_negotiation_is_needed_after_a_restart(talk: Talk) -> None:
    await talk.connect()
    reply = await talk.ask(Operation("restartIce", "a"))
    assert [(one.on, one.event) for one in reply.events] == [("a", "negotiationneeded")]


async def test_an_operation_in_flight_when_its_connection_is_closed_never_settles(talk: Talk) -> None:
    await talk.do("a", "new")
    both = (Operation("createOffer", "a"), Operation("close", "a"))
    reply = await talk.ask(*both, limit_seconds=0.2)
    assert [one.verdict for one in reply.results] == [Verdict.PENDING, Verdict.FULFILLED]


async def test_a_candidate_is_given_with_exactly_its_members(talk: Talk) -> None:
    await talk.ask(Operation("new", "a"), Operation("new", "b"))
    await talk.do("a", "createDataChannel", label="chat")
    await talk.do("b", "setRemoteDescription", description=await talk.described("a", "createOffer"))
    line = "candidate:1 1 udp 2122194687 127.0.0.1 9 typ host"
    expected = {
        StackCandidate(line): "TypeError",
        StackCandidate(line, sdpMid="0"): None,
        StackCandidate(line, sdpMLineIndex=0): None,
        StackCandidate(line, sdpMid="nothing"): "OperationError",
        StackCandidate(line, sdpMid="0", usernameFragment="nobody"): "OperationError",
        StackCandidate("", sdpMid="0"): None,
        StackCandidate(""): None,
    }
    seen = {one: (await talk.do("b", "addIceCandidate", candidate=one)).error for one in expected}
    assert {one: error.name if error is not None else None for one, error in seen.items()} == expected


async def test_what_an_operation_causes_is_in_its_own_reply(talk: Talk) -> None:
    await talk.do("a", "new")
    for operation, caused in (
        (Operation("createDataChannel", "a", label="chat"), ["negotiationneeded"]),
        (Operation("closeChannel", "a", label="chat"), ["close"]),
        (Operation("close", "a"), []),
    ):
        reply = await talk.ask(operation)
        late = await talk.ask(Operation("look", wait_seconds=0.05))
        assert [one.event for one in reply.events] == caused
        assert late.events == ()

"""The adapters of the stacks in Python, each as a process of its own that speaks the protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from fsm_rtc.conformance.protocol import Event, Operation, StackDescription, StackHello, Verdict
from fsm_rtc.conformance.stacks import KnownStack
from tests.conformance.adapter_conversation import Talk, installed, python

pytestmark = pytest.mark.live

GARBAGE = StackDescription("offer", "this is no SDP")

LOUD = """
import os
import {module} as adapter

class Loud(adapter.{stack}):
    def new(self, happened):
        print("a library prints")
        os.write(1, b"a library in C prints\\n")
        return super().new(happened)

adapter.serve(Loud())
"""

NEVER = """
import asyncio
import {module} as adapter


class Endless(adapter.{stack}):
    def new(self, happened):
        peer = super().new(happened)
        peer.create_offer = lambda: asyncio.get_running_loop().create_future()
        return peer

adapter.serve(Endless())
"""


def written(code: str, stack: KnownStack) -> str:
    """A variant of the adapter of that stack."""
    kind = {"aiortc": "Aiortc", "fsm_rtc": "Own", "wrtc": "Wrtc"}[stack.name]
    return code.format(module=stack.command[-1], stack=kind)


@pytest.fixture(params=["aiortc", "fsm_rtc", "wrtc"])
def stack(request: pytest.FixtureRequest) -> KnownStack:
    return installed(request.param)


@pytest.fixture
async def talk(stack: KnownStack) -> AsyncIterator[Talk]:
    async with Talk(*stack.command) as talk:
        yield talk


async def hello(talk: Talk) -> StackHello:
    return msgspec.convert((await talk.do("", "hello")).value, StackHello)


async def test_hello_tells_the_stack_and_its_installed_version(talk: Talk, stack: KnownStack) -> None:
    said = await hello(talk)
    assert (said.protocol, said.name, said.version) == (1, stack.name, stack.version())


async def test_a_new_connection_has_the_first_states(talk: Talk) -> None:
    reply = await talk.ask(Operation("new", "a"))
    states = reply.states["a"]
    assert (states.signalingState, states.iceGatheringState) == ("stable", "new")
    assert (states.iceConnectionState, states.connectionState) == ("new", "new")
    assert (states.ice, states.dtls, states.sctp, states.channels) == ((), (), None, {})
    assert reply.events == ()


async def test_a_channel_is_connecting_before_there_is_a_connection(talk: Talk) -> None:
    await talk.do("a", "new")
    made = await talk.do("a", "createDataChannel", label="chat")
    assert made.verdict is Verdict.FULFILLED
    assert made.states is not None
    assert made.states.channels == {"chat": "connecting"}


async def test_the_events_of_an_offer_come_in_order_with_the_states_that_their_handlers_see(talk: Talk) -> None:
    await talk.do("a", "new")
    await talk.do("a", "createDataChannel", label="chat")
    offer = await talk.described("a", "createOffer")
    result = await talk.do("a", "setLocalDescription", description=offer)
    await talk.gathered("a")
    assert result.verdict is Verdict.FULFILLED
    assert result.states is not None
    assert result.states.signalingState == "have-local-offer"
    assert 0 < result.after <= len(talk.events)
    signaling = [one.states.signalingState for one in talk.events if one.event == "signalingstatechange"]
    gathering = [one.states.iceGatheringState for one in talk.events if one.event == "icegatheringstatechange"]
    assert signaling == ["have-local-offer"]
    assert gathering == ["gathering", "complete"]


async def test_what_the_api_lacks_is_inexpressible_and_nothing_else(talk: Talk) -> None:
    lacks = (await hello(talk)).lacks
    await talk.ask(Operation("new", "a"))
    for operation, lacking in (("restartIce", "restartIce"), ("setLocalDescription", "setLocalDescription(none)")):
        result = await talk.do("a", operation)
        assert (result.verdict is Verdict.INEXPRESSIBLE) == (lacking in lacks), operation
    states = (await talk.ask(Operation("look"))).states["a"]
    for attribute in ("currentLocalDescription", "pendingRemoteDescription"):
        assert (getattr(states, attribute) is msgspec.UNSET) == (f"attribute {attribute}" in lacks)


async def test_two_connections_connect_and_a_message_arrives(talk: Talk) -> None:
    await talk.connect()
    states = (await talk.ask(Operation("look"))).states
    for one in states.values():
        assert (one.signalingState, one.dtls, one.sctp) == ("stable", ("connected",), "connected")
        assert one.ice in (("connected",), ("completed",))
    assert (await talk.do("a", "send", label="chat", data="hello")).verdict is Verdict.FULFILLED
    await talk.look_until(wanted=lambda _: _messages(talk.events))
    assert _messages(talk.events) == [("b", "chat", "hello")]
    assert [one.label for one in talk.events if one.event == "datachannel"] == ["chat"]
    assert [one.on for one in talk.events if one.event == "open" and one.on == "a"] == ["a"]


def _messages(events: list[Event]) -> list[tuple[str, str, str]]:
    return [(one.on, one.label, one.data) for one in events if one.event == "message"]


@pytest.mark.parametrize("stack", ["fsm_rtc", "wrtc"], indirect=True)  # aiortc doesn't tell its candidates
async def test_candidates_that_were_told_connect_when_they_are_added(talk: Talk) -> None:
    await talk.ask(Operation("new", "a"), Operation("new", "b"))
    await talk.do("a", "createDataChannel", label="chat")
    offer = await talk.described("a", "createOffer")
    await talk.do("b", "setRemoteDescription", description=offer)
    await talk.do("a", "setLocalDescription", description=offer)
    answer = await talk.described("b", "createAnswer")
    await talk.do("a", "setRemoteDescription", description=answer)
    await talk.do("b", "setLocalDescription", description=answer)
    for on in ("a", "b"):
        await talk.gathered(on)
    assert [one.candidate is None for one in talk.events if one.event == "icecandidate" and one.on == "a"][-1]
    for one in list(talk.events):
        if one.candidate is not None:
            assert one.candidate.sdpMid == "0" or one.candidate.sdpMLineIndex == 0
            added = await talk.do("b" if one.on == "a" else "a", "addIceCandidate", candidate=one.candidate)
            assert added.verdict is Verdict.FULFILLED
    await talk.look_until(wanted=lambda states: all(one.connectionState == "connected" for one in states.values()))


async def test_a_track_is_announced_with_its_kind(talk: Talk) -> None:
    await talk.ask(Operation("new", "a"), Operation("new", "b"))
    assert (await talk.do("a", "addTransceiver", kind="audio")).verdict is Verdict.FULFILLED
    await talk.do("a", "setLocalDescription", description=await talk.described("a", "createOffer"))
    reply = await talk.ask(Operation("setRemoteDescription", "b", description=await talk.gathered("a")))
    assert [(one.event, one.kind) for one in reply.events if one.event == "track"] == [("track", "audio")]


async def test_both_sides_see_a_channel_close(talk: Talk) -> None:
    await talk.connect()
    assert (await talk.do("a", "closeChannel", label="chat")).verdict is Verdict.FULFILLED
    await talk.look_until(wanted=lambda states: all(one.channels["chat"] == "closed" for one in states.values()))
    assert sorted(one.on for one in talk.events if one.event == "close") == ["a", "b"]


async def test_a_refusal_has_the_specifications_name(talk: Talk) -> None:
    await talk.do("a", "new")
    offer = await talk.described("a", "createOffer")
    refused = await talk.do("a", "setRemoteDescription", description=StackDescription("answer", offer.sdp))
    assert refused.verdict is Verdict.REJECTED
    assert refused.error is not None
    assert refused.error.name == "InvalidStateError"


async def test_a_bad_description_has_the_specifications_error(talk: Talk, stack: KnownStack) -> None:
    await talk.do("a", "new")
    result = await talk.do("a", "setRemoteDescription", description=GARBAGE)
    if stack.name == "aiortc":
        assert result.verdict is Verdict.FULFILLED, "aiortc takes any text for an offer without media"
    else:
        assert result.error is not None
        assert (result.verdict, result.error.name) == (Verdict.REJECTED, "OperationError")


async def test_operations_of_one_request_are_not_awaited_in_between(talk: Talk) -> None:
    await talk.do("a", "new")
    await talk.do("a", "createDataChannel", label="chat")
    both = (Operation("createOffer", "a"), Operation("close", "a"))
    reply = await talk.ask(*both, limit_seconds=0.2)
    offered, closed = reply.results
    assert offered.verdict in (Verdict.PENDING, Verdict.REJECTED, Verdict.FULFILLED)
    assert closed.verdict is Verdict.FULFILLED
    assert reply.states["a"].signalingState == "closed"
    assert reply.states["a"].connectionState == "closed"


async def test_a_promise_that_never_settles_is_pending_and_the_next_request_goes_on(stack: KnownStack) -> None:
    async with Talk(*python(written(NEVER, stack))) as talk:
        await talk.do("a", "new")
        reply = await talk.ask(Operation("createOffer", "a"), Operation("localDescription", "a"), limit_seconds=0.05)
        assert [one.verdict for one in reply.results] == [Verdict.PENDING, Verdict.FULFILLED]
        assert (await talk.do("a", "createDataChannel", label="chat")).verdict is Verdict.FULFILLED


async def test_a_reset_mutes_the_connections_before_it(talk: Talk) -> None:
    await talk.connect()
    reply = await talk.ask(Operation("reset"), Operation("new", "a"), Operation("look", wait_seconds=0.3))
    assert reply.events == ()
    assert reply.states.keys() == {"a"}
    assert reply.states["a"].signalingState == "stable"
    await talk.do("a", "createDataChannel", label="other")
    after = await talk.ask(Operation("look", wait_seconds=0.1))
    assert after.states["a"].channels == {"other": "connecting"}
    assert all(one.on == "a" and "chat" not in one.states.channels for one in after.events)


async def test_a_closed_connection_refuses(talk: Talk) -> None:
    await talk.connect()
    reply = await talk.ask(Operation("close", "a"))
    assert reply.states["a"].signalingState == "closed"
    refused = await talk.do("a", "createOffer")
    assert refused.error is not None
    assert (refused.verdict, refused.error.name) == (Verdict.REJECTED, "InvalidStateError")


@pytest.mark.parametrize("operation", [Operation("dance", "a"), Operation("createOffer", "nobody")])
async def test_what_does_not_exist_is_inexpressible(talk: Talk, operation: Operation) -> None:
    await talk.do("a", "new")
    assert (await talk.ask(operation)).results[0].verdict is Verdict.INEXPRESSIBLE


async def test_it_ends_when_its_input_ends(talk: Talk) -> None:
    await talk.connect()
    assert await talk.end() == 0


async def test_what_the_library_prints_goes_to_standard_error(stack: KnownStack) -> None:
    async with Talk(*python(written(LOUD, stack))) as talk:
        assert (await talk.do("a", "new")).verdict is Verdict.FULFILLED
        assert (await talk.do("a", "createDataChannel", label="chat")).verdict is Verdict.FULFILLED

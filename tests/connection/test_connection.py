"""Connection: what a program sees of a call over signalling. Peer connections in memory."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from fsm_rtc.connection.channel import PeerJoined
from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.events import (
    ConnectionEvent,
    Ended,
    GaveUp,
    Joined,
    Left,
    LossReason,
    Negotiated,
    PeerLost,
    Ready,
    Recovered,
    Refused,
    SignalingStatusChanged,
)
from fsm_rtc.connection.pipe import PipeChannel, memory_pipe
from fsm_rtc.connection.recovery.policy import NO_RECOVERY
from fsm_rtc.connection.streams import StreamReader
from fsm_rtc.errors import (
    ChannelClosedError,
    ConnectionFailedError,
    ConnectTimeoutError,
    OperationError,
    SignalingError,
)
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.recovery import RecoveryState
from fsm_rtc.messages import Allowlist, EndCode, Identity, Member
from fsm_rtc.testing import FakeNetwork, FakePeerConnection, FakeTrack
from tests.connection.connection_pairs import FIRST, SECOND, Tap, connection, pair, ready, refused_by


def library(call: Connection) -> FakePeerConnection:
    assert isinstance(call.peer_connection, FakePeerConnection)
    return call.peer_connection


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("engine", ["compiled", "transitions"])
async def test_two_sides_find_each_other_and_talk(signed: bool, engine: str) -> None:
    async with pair(signed=signed, engine=engine) as (alice, bob, *_):
        await ready(alice, bob)
        heard = alice.messages(), bob.messages()
        await alice.send("from alice")
        await bob.send(b"from bob")
        assert [await anext(heard[1]), await anext(heard[0])] == ["from alice", b"from bob"]
        assert alice.peer is not None
        assert (alice.peer.name, alice.peer.id) == ("bob", bob.me.id)
        assert refused_by(alice, bob) == {}


async def test_the_events_tell_the_story() -> None:
    async with pair() as (alice, bob, *_):
        events = alice.events()
        await ready(alice, bob)
        await bob.aclose("enough")
        story = []
        async for event in events:
            story.append(event)
            if isinstance(event, Ended):
                break
        kinds = [type(event) for event in story]
        assert [kind for kind in kinds if kind in (Joined, Negotiated, Ready, Ended)] == [
            *(Joined, Negotiated, Ready, Ended)
        ]
        assert isinstance(story[0], SignalingStatusChanged)
        assert story[-1] == Ended("enough", by_peer=True, code=EndCode.CLOSED)


async def test_when_the_other_side_leaves_the_next_one_is_waited_for() -> None:
    async with pair() as (alice, bob, here, _):
        await ready(alice, bob)
        await bob.aclose()
        with pytest.raises(ConnectionFailedError, match="the other side ended the call: closed"):
            await alice.wait_for_ready(1)
        assert alice.peer_connection is None
        here.tell(PeerJoined(Member("kitchen", Identity.generate(), "carol").introduction))
        events = alice.events()
        assert isinstance(await anext(events), Joined)
        assert alice.exchange_state in (ExchangeState.IDLE, ExchangeState.MAKING_OFFER)


async def test_who_is_not_trusted_is_refused_and_told_so() -> None:
    network = FakeNetwork()
    here, there = memory_pipe("kitchen")
    async with (
        connection(here, FIRST, network, trust=Allowlist([])) as alice,
        connection(there, SECOND, network) as bob,
    ):
        events = alice.events()
        with pytest.raises(ConnectionFailedError, match="does not trust this key"):
            await bob.wait_for_ready(5)
        refused = [event async for event in _until(events, Refused)][-1]
        assert isinstance(refused, Refused)
        assert refused.rejected.guard == "trusted"
        with pytest.raises(ConnectTimeoutError, match="nobody to talk to has joined; refused: trusted"):
            await alice.wait_for_ready(0.01)


async def _until(events: StreamReader[ConnectionEvent], kind: type) -> AsyncIterator[ConnectionEvent]:
    async for event in events:
        yield event
        if isinstance(event, kind):
            return


async def test_a_failed_operation_ends_the_call_and_both_know_why() -> None:
    network = FakeNetwork()

    def failing(*arguments: object, **options: object) -> FakePeerConnection:
        made = FakePeerConnection(*arguments, network=network, **options)  # type: ignore[arg-type]
        made.library.fail_next("set_remote_description", OperationError("no room for that"))
        return made

    here, there = memory_pipe("kitchen")
    async with (
        Connection(here, FIRST, peer_connection_factory=failing) as alice,
        connection(there, SECOND, network) as bob,
    ):
        with pytest.raises(ConnectionFailedError, match="no room for that") as caught:
            await alice.wait_for_ready(5)
        assert isinstance(caught.value.__cause__, OperationError)
        with pytest.raises(ConnectionFailedError, match="the other side ended the call: OperationError: no room"):
            await bob.wait_for_ready(5)


async def test_a_link_that_goes_and_comes_in_the_middle_of_an_exchange_costs_nothing_but_time() -> None:
    network = FakeNetwork()
    here, there = (Tap(channel) for channel in memory_pipe("kitchen"))
    async with connection(here, FIRST, network) as alice, connection(there, SECOND, network) as bob:
        statuses = alice.events()
        here.down(SignalingError("cut"), 0.5)
        there.down(SignalingError("cut"), 0.5)
        async for event in statuses:
            if isinstance(event, SignalingStatusChanged) and event.error is not None:
                assert (event.status, event.retry_seconds) == ("Error", 0.5)
                break
        here.up()
        there.up()
        await here._inner._introduce()
        await there._inner._introduce()
        await ready(alice, bob)


async def test_signalling_that_is_given_up_is_told_to_who_waits() -> None:
    here = Tap(memory_pipe("kitchen")[0])
    async with connection(here, FIRST, FakeNetwork()) as alice:
        here.down(SignalingError("the room is closed", code="bad_hello"), None)
        with pytest.raises(ConnectionFailedError, match="the room is closed"):
            await alice.wait_for_ready(5)


async def test_a_channel_that_cannot_be_opened_raises_and_leaves_nothing() -> None:
    channel = Tap(memory_pipe("kitchen")[0])
    channel.refuses = SignalingError("no such room")
    with pytest.raises(SignalingError, match="no such room"):
        async with connection(channel, FIRST, FakeNetwork()):
            raise AssertionError("it must not open")
    assert channel.is_closed
    assert len(asyncio.all_tasks()) == 1


async def test_a_channel_that_fails_is_told_and_the_call_closes_in_order(caplog: pytest.LogCaptureFixture) -> None:
    async with pair() as (alice, bob, here, _):
        await ready(alice, bob)
        events = alice.events()
        here.fail(RuntimeError("out of order"))
        async for event in events:
            if isinstance(event, SignalingStatusChanged):
                assert str(event.error) == "out of order"
                break
    assert "out of order" in caplog.text


async def test_sending_over_a_failing_channel_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with pair() as (alice, bob, here, _):
        await ready(alice, bob)
        here.refuses = RuntimeError("out of paper")
        alice.negotiate()
        await here.refused.wait()
        here.refuses = None
    assert "out of paper" in caplog.text


async def test_a_peer_that_left_the_signalling_is_told_and_the_call_goes_on() -> None:
    from fsm_rtc.connection.channel import PeerLeft

    async with pair() as (alice, bob, here, _):
        await ready(alice, bob)
        events = alice.events()
        here.tell(PeerLeft(bob.me.id, bob.me.session))
        assert isinstance(await anext(events), Left)
        assert alice.is_ready


async def test_a_new_session_of_the_peer_begins_the_call_anew() -> None:
    network = FakeNetwork()
    way, way_back = asyncio.Queue[str](), asyncio.Queue[str]()
    async with connection(PipeChannel(way.put, way_back.get, "kitchen"), FIRST, network) as alice:
        async with connection(PipeChannel(way_back.put, way.get, "kitchen"), SECOND, network) as bob:
            await ready(alice, bob)
            before = alice.peer_connection
        async with connection(PipeChannel(way_back.put, way.get, "kitchen"), SECOND, network) as bob:
            await bob.wait_for_ready(5)
            await alice.wait_for_ready(5)
            assert alice.peer_connection is not before
            assert alice.peer is not None
            assert alice.peer.session == bob.me.session


async def test_a_forged_introduction_of_the_peer_changes_nothing_in_a_running_call() -> None:
    async with pair() as (alice, bob, here, _):
        await ready(alice, bob)
        before, machines, events = alice.peer_connection, len(alice.machines), alice.events()
        genuine = Member("kitchen", SECOND, "bob").introduction
        forged = [
            replace(genuine, signature=b""),
            replace(genuine, name="robert"),
            replace(genuine, session="another"),
            replace(genuine, public_key=FIRST.public_key),
            Member("cellar", SECOND, "bob").introduction,
        ]
        for number in range(500):
            here.tell(PeerJoined(forged[number % len(forged)]))
        for _ in range(500):
            assert isinstance(await anext(events), Refused)
        assert alice.is_ready
        assert alice.peer_connection is before
        assert len(alice.machines) == machines
        assert alice.refused["introduced_itself"] == 500
        await alice.send("still here")
        assert await anext(bob.messages()) == "still here"


async def test_a_peer_connection_that_closes_by_itself_is_replaced() -> None:
    async with pair() as (alice, bob, *_):
        await ready(alice, bob)
        events = alice.events()
        library(alice).library.lose()
        told = [event async for event in _until(events, Recovered)]
        assert PeerLost(LossReason.CONNECTION_CLOSED) in told or PeerLost(LossReason.CHANNEL_CLOSED) in told
        await ready(alice, bob)
        heard = bob.messages()
        await alice.send("here again")
        assert await anext(heard) == "here again"


async def test_where_no_attempt_is_left_it_ends_the_call() -> None:
    async with pair(recovery=NO_RECOVERY) as (alice, bob, *_):
        await ready(alice, bob)
        events = alice.events()
        library(alice).library.lose()
        told = [event async for event in _until(events, Ended)]
        before, ended = told[-2:]
        assert isinstance(before, GaveUp)
        assert isinstance(ended, Ended)
        assert before.reason == ended.reason
        assert alice.peer_connection is None
        assert alice.recovery_state is RecoveryState.GAVE_UP


async def test_what_is_added_in_the_middle_of_a_call_is_negotiated_by_itself() -> None:
    async with pair() as (alice, bob, *_):
        await ready(alice, bob)
        arrived = asyncio.Event()
        bob.on_track(lambda track: arrived.set() if track.kind == "audio" else None)
        alice.add_track(FakeTrack("audio"))
        await arrived.wait()
        assert library(alice).generation == library(bob).generation == 1


async def test_before_there_is_a_channel_nothing_can_be_sent() -> None:
    async with connection(memory_pipe("kitchen")[0], FIRST, FakeNetwork()) as alice:
        with pytest.raises(ChannelClosedError, match="wait_for_ready"):
            await alice.send("too early")


async def test_waiting_says_how_far_it_came() -> None:
    async with connection(memory_pipe("kitchen")[0], FIRST, FakeNetwork()) as alice:
        with pytest.raises(ConnectTimeoutError, match=r"nobody to talk to has joined\. Start the other side"):
            await alice.wait_for_ready(0.01)
    with pytest.raises(ConnectionFailedError, match="make a new one"):
        await alice.wait_for_ready(1)
    with pytest.raises(SignalingError, match="make a new one"):
        await alice.open()


async def test_closing_twice_and_by_a_cancelled_caller_closes_once_and_whole() -> None:
    async with pair() as (alice, bob, *_):
        await ready(alice, bob)
        messages, events = alice.messages(), alice.events()
        closing = asyncio.create_task(alice.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        await alice.aclose()
        await alice.aclose()
        assert [message async for message in messages] == []
        assert [event.reason async for event in events if isinstance(event, Ended)] == ["closed"]
        assert alice.peer_connection is None
        assert alice.signaling_status == "Disconnected"


@pytest.mark.parametrize("turns", range(0, 40, 3))
async def test_cancelled_at_any_turn_nothing_is_left(turns: int) -> None:
    async def call() -> None:
        async with pair() as (alice, bob, *_):
            await ready(alice, bob)
            await alice.send("hello")
            await anext(bob.messages())

    task = asyncio.create_task(call())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        await asyncio.wait(left, timeout=1)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_fifty_calls_leave_nothing_behind() -> None:
    for _ in range(50):
        async with pair() as (alice, bob, *_):
            await ready(alice, bob)
    gc.collect()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert sum(isinstance(one, Connection) for one in gc.get_objects()) <= 2


def test_its_name_shows_where_it_stands() -> None:
    async def shown() -> str:
        return repr(connection(memory_pipe("kitchen")[0], FIRST, FakeNetwork()))

    assert asyncio.run(shown()) == "<Connection Disconnected, idle, not there>"

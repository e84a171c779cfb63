"""Waiting for a snapshot."""

import asyncio

import pytest

from fsm_rtc.errors import ConnectTimeoutError, InvalidStateError
from fsm_rtc.testing import FakeTrack
from tests.store.store_pairs import LIMIT_SECONDS, World, connect, turns


async def test_a_state_that_is_there_already_is_returned_at_once(world: World) -> None:
    store = world.side().store
    assert await store.wait_until(lambda state: True, 0) is store.snapshot


async def test_a_state_that_passes_quickly_is_not_missed(world: World) -> None:
    store = world.side().store
    waiting = asyncio.create_task(store.wait_until(lambda state: state.connection_id == "a", LIMIT_SECONDS))
    await turns(3)
    store.set_connection_id("a")
    store.set_connection_id("b")
    assert (await waiting).connection_id == "a"


async def test_a_timeout_says_how_far_it_came(world: World) -> None:
    side = world.side()
    with pytest.raises(ConnectTimeoutError, match="no peer connection"):
        await side.store.wait_for_connected(0.001)
    await side.store.create_offer()
    with pytest.raises(ConnectTimeoutError, match=r"0\.001 s; status 'new'.*'have-local-offer'.*'connecting'"):
        await side.store.wait_for_connected(0.001)
    assert issubclass(ConnectTimeoutError, TimeoutError)


async def test_what_the_predicate_raises_is_raised(world: World) -> None:
    store = world.side().store
    with pytest.raises(ZeroDivisionError):
        await store.wait_until(lambda state: bool(1 / 0), LIMIT_SECONDS)


async def test_connected_means_that_the_agreed_channel_is_open_on_this_side_too(world: World) -> None:
    offerer, answerer = world.pair()
    waits = [asyncio.create_task(side.store.wait_for_connected(LIMIT_SECONDS)) for side in (offerer, answerer)]
    await connect(offerer, answerer)
    for wait in waits:
        channel = (await wait).data_channel
        assert channel is not None, "this side had no channel yet"
        assert channel.ready_state == "open"


async def test_a_cancelled_wait_leaves_no_subscriber(world: World) -> None:
    store = world.side().store
    waiting = asyncio.create_task(store.wait_until(lambda state: False, LIMIT_SECONDS))
    await turns(3)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert store._subscriptions._subscriptions == ()


async def test_a_connection_that_is_closed_while_it_is_awaited_ends_the_wait(world: World) -> None:
    side = world.side()
    waiting = asyncio.create_task(side.store.wait_for_connected(LIMIT_SECONDS))
    await turns(3)
    await side.store.create_offer()
    await side.store.close_connection()
    with pytest.raises(InvalidStateError, match="closed before"):
        await waiting


async def test_after_a_closed_connection_the_next_one_can_be_awaited(world: World) -> None:
    offerer, answerer = await world.connected()
    await offerer.store.close_connection()
    await answerer.store.wait_until(lambda state: state.peer_connection_status == "closed", LIMIT_SECONDS)
    waiting = asyncio.create_task(answerer.store.wait_for_connected(LIMIT_SECONDS))
    await connect(offerer, answerer)
    assert (await waiting).peer_connection_status == "connected"


async def test_a_call_without_a_data_channel_is_connected_without_one(world: World) -> None:
    caller, answerer = world.pair()
    caller.store.add_track(FakeTrack("audio"))
    connection = caller.store.create_peer_connection()
    await connection.set_local_description(await connection.create_offer())
    assert connection.local_description is not None
    answer = await answerer.store.process_offer(connection.local_description)
    await caller.store.process_answer(answer)
    state = await answerer.store.wait_for_connected(LIMIT_SECONDS)
    assert state.data_channel is None

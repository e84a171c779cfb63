"""Two stores over aiortc, on 127.0.0.1: no network is needed."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fsm_rtc.engine import Journal
from fsm_rtc.errors import InvalidStateError
from fsm_rtc.peer import Configuration, IceCandidate
from fsm_rtc.store import ConnectionStore, chat_text

pytestmark = pytest.mark.live

LOOPBACK = Configuration(loopback=True)
LIMIT_SECONDS = 60.0


@pytest_asyncio.fixture(params=["compiled", "transitions"])
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[tuple[ConnectionStore, ConnectionStore]]:
    before = asyncio.all_tasks()
    async with (
        ConnectionStore(LOOPBACK, engine=request.param, label="offerer", journal=Journal()) as offerer,
        ConnectionStore(LOOPBACK, engine=request.param, label="answerer", journal=Journal()) as answerer,
    ):
        yield offerer, answerer
    left = {task.get_name() for task in asyncio.all_tasks() - before if task is not asyncio.current_task()}
    assert not [name for name in left if "fsm_rtc" in name]


async def connect(offerer: ConnectionStore, answerer: ConnectionStore) -> None:
    answer = await answerer.process_offer(await offerer.create_offer())
    await offerer.process_answer(answer)
    await offerer.wait_for_connected(LIMIT_SECONDS)
    await answerer.wait_for_connected(LIMIT_SECONDS)


async def test_two_stores_connect_chat_and_the_close_is_seen(stores: tuple[ConnectionStore, ConnectionStore]) -> None:
    offerer, answerer = stores
    statuses: list[str] = []
    offerer.subscribe(statuses.append, lambda state: state.peer_connection_status.value)
    await connect(offerer, answerer)
    here, there = offerer.messages(), answerer.messages()
    offerer.send_chat("Hello peer!")
    answerer.send_chat("Hello yourself")
    async with asyncio.timeout(LIMIT_SECONDS):
        assert chat_text(await anext(there)) == "Hello peer!"
        assert chat_text(await anext(here)) == "Hello yourself"
    await offerer.close_connection()
    await answerer.wait_until(lambda state: state.peer_connection_status == "closed", LIMIT_SECONDS)
    assert [message async for message in there] == []
    assert statuses == ["Disconnected", "new", "connecting", "connected", "Disconnected"]


async def test_the_documented_example_works_as_it_stands(stores: tuple[ConnectionStore, ConnectionStore]) -> None:
    offerer, answerer = stores
    offerer.subscribe(
        lambda state: (
            state.data_channel.send(json.dumps({"type": "chat", "message": "Hello peer!"}))
            if state.data_channel and state.data_channel.ready_state == "open"
            else None
        )
    )
    heard = answerer.messages()
    await connect(offerer, answerer)
    async with asyncio.timeout(LIMIT_SECONDS):
        assert chat_text(await anext(heard)) == "Hello peer!"


async def test_fact_07_early_candidates_connect_an_offer_that_has_none(
    stores: tuple[ConnectionStore, ConnectionStore],
) -> None:
    offerer, answerer = stores
    offer = await offerer.create_offer()
    bare = "\r\n".join(line for line in offer.sdp.splitlines() if "candidate" not in line) + "\r\n"
    for candidate in offerer.snapshot.ice_candidates:
        await answerer.add_ice_candidate(candidate.to_dict())
    await answerer.add_ice_candidate(None)
    answer = await answerer.process_offer({"type": "offer", "sdp": bare})
    assert answerer.snapshot.error is None
    await offerer.process_answer(answer)
    await answerer.wait_for_connected(LIMIT_SECONDS)


async def test_a_close_while_connecting_ends_what_is_under_way(
    stores: tuple[ConnectionStore, ConnectionStore],
) -> None:
    offerer, answerer = stores
    offer = await offerer.create_offer()
    call = asyncio.create_task(answerer.process_offer(offer))
    await asyncio.sleep(0)
    await answerer.close_connection()
    with pytest.raises(InvalidStateError):
        await call
    await connect(offerer, answerer)


async def test_a_second_call_on_the_same_stores(stores: tuple[ConnectionStore, ConnectionStore]) -> None:
    offerer, answerer = stores
    await connect(offerer, answerer)
    await answerer.close_connection()
    await offerer.wait_until(lambda state: state.peer_connection_status == "closed", LIMIT_SECONDS)
    await connect(answerer, offerer)
    assert answerer.peer_status.generation == offerer.peer_status.generation == 2


async def test_a_wrong_candidate_is_a_named_error(stores: tuple[ConnectionStore, ConnectionStore]) -> None:
    offerer, answerer = stores
    await connect(offerer, answerer)
    with pytest.raises(ValueError, match="candidate"):
        await offerer.add_ice_candidate(IceCandidate("candidate:not one", "0", 0))

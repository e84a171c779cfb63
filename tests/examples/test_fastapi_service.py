"""The example of a service answers a real call by HTTP, and refuses a bad one with its reason."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from examples.fastapi_service import create_app
from fsm_rtc import Configuration, ConnectionStore
from fsm_rtc.store import chat_text

CONNECT_SECONDS = 20.0


@pytest.fixture
async def app() -> AsyncIterator[FastAPI]:
    app = create_app(Configuration())
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://service") as client:
        yield client


async def test_a_call_is_answered_and_its_messages_come_back(app: FastAPI, client: AsyncClient) -> None:
    async with ConnectionStore(Configuration()) as caller:
        response = await client.post("/calls", json=(await caller.create_offer()).to_dict())
        assert response.status_code == 200
        await caller.process_answer(response.json())
        await caller.wait_for_connected(CONNECT_SECONDS)
        assert (await client.get("/calls")).json() == 1

        caller.send_chat("anybody there?")
        async for message in caller.messages():
            assert chat_text(message) == "anybody there?"
            break

    await app.state.calls.all_over()
    assert (await client.get("/calls")).json() == 0


async def test_the_service_hangs_up_when_it_ends(client: AsyncClient, app: FastAPI) -> None:
    async with ConnectionStore(Configuration()) as caller:
        response = await client.post("/calls", json=(await caller.create_offer()).to_dict())
        await caller.process_answer(response.json())
        await caller.wait_for_connected(CONNECT_SECONDS)
        await app.state.calls.hang_up()
        assert len(app.state.calls) == 0
        await caller.wait_until(lambda state: state.peer_connection_status == "closed", CONNECT_SECONDS)


async def test_an_offer_that_is_none_is_refused_with_the_reason(client: AsyncClient) -> None:
    response = await client.post("/calls", json={"type": "offer", "sdp": "v=0"})
    assert response.status_code == 400
    assert response.json()["detail"]
    assert (await client.get("/calls")).json() == 0

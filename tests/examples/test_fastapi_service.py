"""The example of a service answers a real call by HTTP, and refuses a bad one with its reason."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from httpx import ASGITransport, AsyncClient

from examples.fastapi_service import create_app
from fsm_rtc import ConnectionStore, SessionDescription

CONNECT_SECONDS = 20.0


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    app = create_app()
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app=app), base_url="http://service") as client,
    ):
        yield client


async def test_a_call_is_answered_and_its_messages_come_back(client: AsyncClient) -> None:
    caller = ConnectionStore()
    response = await client.post("/calls", json=(await caller.create_offer()).to_dict())
    assert response.status_code == 200
    await caller.process_answer(SessionDescription.from_dict(response.json()))
    await caller.wait_for_connected(CONNECT_SECONDS)
    assert (await client.get("/calls")).json() == 1

    caller.send_chat("anybody there?")
    async for message in caller.messages():
        assert json.loads(message)["message"] == "anybody there?"
        break
    await caller.close_connection()


async def test_an_offer_that_is_none_is_refused_with_the_reason(client: AsyncClient) -> None:
    response = await client.post("/calls", json={"type": "offer", "sdp": "v=0"})
    assert response.status_code == 400
    assert response.json()["detail"]
    assert (await client.get("/calls")).json() == 0

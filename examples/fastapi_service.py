"""A service that takes calls: an offer by HTTP POST is answered, and every chat message is sent back.

pip install fastapi uvicorn
uvicorn examples.fastapi_service:app

curl -X POST localhost:8000/calls -H 'content-type: application/json' -d '{"type": "offer", "sdp": "v=0 …"}'
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from fsm_rtc import Configuration, ConnectionStore, FsmRtcError


class Offer(BaseModel):
    """What the caller posts, as a browser's `JSON.stringify(pc.localDescription)` has it."""

    type: Literal["offer"]
    sdp: str


class Answer(BaseModel):
    """What the caller gets back, for `setRemoteDescription`."""

    type: Literal["answer"]
    sdp: str


class Calls:
    """The calls that are going on: a store and a task each."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    async def take(self, offer: Offer) -> Answer:
        """Answer an offer, and send back what its caller says until the caller leaves."""
        store = ConnectionStore(self._configuration)
        try:
            answer = await store.process_offer(offer.model_dump())
        except FsmRtcError:
            await store.close_connection()
            raise
        task = asyncio.create_task(_echo(store))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Answer(type="answer", sdp=answer.sdp)

    async def all_over(self) -> None:
        """Wait until every caller has left."""
        await asyncio.gather(*self._tasks)

    async def hang_up(self) -> None:
        """End all calls."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _echo(store: ConnectionStore) -> None:
    async with store:
        async for message in store.messages():
            store.send(message)


def create_app(configuration: Configuration | None = None) -> FastAPI:
    """The service; its calls end with it."""
    calls = Calls(configuration or Configuration())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await calls.hang_up()

    app = FastAPI(title="A service that takes calls", lifespan=lifespan)
    app.state.calls = calls

    @app.post("/calls")
    async def take_call(offer: Offer) -> Answer:
        try:
            return await calls.take(offer)
        except FsmRtcError as error:
            raise HTTPException(status_code=400, detail=str(error)) from error

    @app.get("/calls")
    async def count_calls() -> int:
        return len(calls)

    return app


app = create_app()

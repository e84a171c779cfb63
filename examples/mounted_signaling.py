"""A FastAPI service that has signalling of its own, lets in whom it knows, and hands out tokens for its rooms.

pip install 'fsm-rtc[server]' fastapi 'uvicorn[standard]'
uvicorn examples.mounted_signaling:app --port 8765

    curl -X POST http://127.0.0.1:8765/rooms/kitchen/token
    fsm-rtc join ws://127.0.0.1:8765/signaling/kitchen --token TOKEN
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from fsm_rtc.signaling import Settings, SignalingApp
from fsm_rtc.signaling.access import JoinTokens, join_token

SECRET = os.environ.get("FSM_RTC_TOKEN_SECRET") or secrets.token_urlsafe(32)

signaling = SignalingApp(Settings(access=JoinTokens(SECRET)))


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Tell every client when the service ends; a mounted application isn't told by itself."""
    yield
    await signaling.aclose()


app = FastAPI(lifespan=lifespan)
app.mount("/signaling", signaling)


@app.post("/rooms/{room}/token")
async def token_for(room: str) -> dict[str, str]:
    """A token for ten minutes; in earnest for who is logged in, and may enter that room."""
    return {"token": join_token(SECRET, f"signaling/{room}")}

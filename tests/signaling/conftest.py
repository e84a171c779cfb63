"""A server on loopback, and two who join it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fsm_rtc.messages.signing import Member
from fsm_rtc.signaling.server import SignalingServer
from tests.signaling.participants import ANNA, BERT, ROOM


@pytest_asyncio.fixture
async def server() -> AsyncIterator[SignalingServer]:
    async with SignalingServer() as server:
        yield server


@pytest.fixture
def anna() -> Member:
    return Member(ROOM, ANNA, "anna")


@pytest.fixture
def bert() -> Member:
    return Member(ROOM, BERT, "bert")

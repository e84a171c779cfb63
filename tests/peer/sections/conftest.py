"""Connections of which nothing may be left in the end: no task, no warning."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from fsm_rtc import RTCConfiguration, RTCPeerConnection
from fsm_rtc.aiortc import RTCPeerConnection as DropIn

Make = Callable[[], Any]

PROFILES = {"specification": RTCPeerConnection, "drop-in": DropIn}


@pytest.fixture(params=sorted(PROFILES))
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["max-bundle", "max-compat"])
def policy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture
async def make(profile: str, policy: str, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Make]:
    """Makes connections on loopback of one profile; in the end each is closed, and nothing is left of it."""
    made: list[Any] = []
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))

    def make_one() -> Any:
        configuration = RTCConfiguration(iceServers=[], bundlePolicy=policy, loopback=True)  # type: ignore[arg-type]
        peer = PROFILES[profile](configuration)
        made.append(peer)
        return peer

    before = asyncio.all_tasks()
    yield make_one
    for peer in made:
        await peer.close()
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    # Who reads a track belongs to the track, which its owner may still have, and goes with it.
    assert {task for task in left if not task.get_name().startswith("fsm_rtc pump of")} == set()
    assert unhandled == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []

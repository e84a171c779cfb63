"""Peers in memory, by each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from fsm_rtc.engine import Journal
from fsm_rtc.peer import Configuration
from fsm_rtc.testing import FakeNetwork, FakePeerConnection

MakeFake = Callable[..., FakePeerConnection]


@pytest.fixture(params=["compiled", "transitions"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest_asyncio.fixture
async def make(engine: str, journal: Journal) -> AsyncIterator[MakeFake]:
    """Makes peers in memory that share a network and a journal; closes them in the end."""
    made: list[FakePeerConnection] = []
    network = FakeNetwork()

    def make_fake(label: str = "peer", *, media: bool = True, close_timeout_seconds: float = 5.0) -> FakePeerConnection:
        peer = FakePeerConnection(
            Configuration(close_timeout_seconds=close_timeout_seconds),
            network=network,
            engine=engine,
            journal=journal,
            label=label,
        )
        if media:
            peer.add_transceiver("video")
        made.append(peer)
        return peer

    yield make_fake
    for peer in made:
        peer.library.release()
        await peer.close()

"""A world of stores, by each engine."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.store.store_pairs import World


@pytest_asyncio.fixture(params=["compiled", "transitions"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    made = World(engine=request.param)
    yield made
    await made.close()

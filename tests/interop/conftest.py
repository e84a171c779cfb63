"""Other stacks, each in one process for its module, and connections of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fsm_rtc.conformance.adapter import ProcessAdapter
from tests.conformance.talk import installed
from tests.interop.foreign import Foreign, Ours


@pytest_asyncio.fixture
async def ours() -> AsyncIterator[Ours]:
    side = Ours()
    yield side
    await side.pc.close()


@pytest_asyncio.fixture
async def theirs(request: pytest.FixtureRequest) -> AsyncIterator[Foreign]:
    """A connection of the stack that the test names."""
    adapter = ProcessAdapter(installed(request.param).command)
    await adapter.start()
    foreign = Foreign(adapter)
    await foreign.begin()
    yield foreign
    await adapter.aclose()

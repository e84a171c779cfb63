"""Ours with other stacks, each on a host of its own with a router in between: the table of docs/interop.md.

Each test is a column of the table; a row is a stack and who makes the first offer.
"""

from __future__ import annotations

import pytest

from tests.interop.calls import Calls
from tests.interop.peer import Peer

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_data(calls: Calls) -> None:
    async with calls.standing() as call:
        await call.talks()


async def test_audio(calls: Calls) -> None:
    async with calls.standing() as call:
        await call.flows("audio")


async def test_video(calls: Calls) -> None:
    async with calls.standing() as call:
        await call.flows("video")


async def test_track_added_later(calls: Calls) -> None:
    async with calls.standing() as call:
        await call.adds_a_track("video")


async def test_restart_by_us(calls: Calls, ours: Peer) -> None:
    async with calls.standing() as call:
        await call.restarts(ours)


async def test_restart_by_them(calls: Calls, theirs: Peer) -> None:
    async with calls.standing() as call:
        await call.restarts(theirs)


async def test_rollback_by_us(calls: Calls, ours: Peer) -> None:
    async with calls.standing() as call:
        await call.takes_back(ours)


async def test_rollback_by_them(calls: Calls, theirs: Peer) -> None:
    async with calls.standing() as call:
        await call.takes_back(theirs)


async def test_glare(calls: Calls, ours: Peer) -> None:
    async with calls.standing() as call:
        await call.glares(ours)


async def test_close_by_us(calls: Calls, ours: Peer) -> None:
    async with calls.last() as call:
        await call.closes(ours)


async def test_close_by_them(calls: Calls, theirs: Peer) -> None:
    async with calls.last() as call:
        await call.closes(theirs)

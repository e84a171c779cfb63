"""A live call goes on being negotiated: tracks added by both sides in the middle of it, on real peer connections."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from fsm_rtc import Configuration, Connection, Identity
from fsm_rtc.connection.events import Negotiated
from fsm_rtc.connection.pipe import memory_pipe
from fsm_rtc.media import SyntheticVideoTrack, count_frames

pytestmark = pytest.mark.live

LOOPBACK = Configuration(loopback=True)
LIMIT_SECONDS = 60.0


async def test_tracks_added_by_both_sides_at_once_reach_the_other_on_the_same_peer_connection() -> None:
    nobody_caught: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: nobody_caught.append(context))
    here, there = memory_pipe("kitchen")
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        Connection(here, Identity.generate(), configuration=LOOPBACK) as alice,
        Connection(there, Identity.generate(), configuration=LOOPBACK) as bob,
    ):
        await asyncio.gather(alice.wait_for_ready(), bob.wait_for_ready())
        before = (alice.peer_connection, bob.peer_connection)
        counting: list[asyncio.Task[None]] = []
        seen = [asyncio.Event(), asyncio.Event()]
        for call, has_seen in zip((alice, bob), seen, strict=True):

            def watch(track: Any, has_seen: asyncio.Event = has_seen) -> None:
                counting.append(asyncio.create_task(count_frames(track, lambda _: has_seen.set())))

            call.on_track(watch)
        alice.add_track(SyntheticVideoTrack())
        bob.add_track(SyntheticVideoTrack())
        await asyncio.gather(*(one.wait() for one in seen))
        assert (alice.peer_connection, bob.peer_connection) == before
        for one in counting:
            one.cancel()
        await asyncio.gather(*counting, return_exceptions=True)
    gc.collect()
    assert nobody_caught == []


async def test_a_track_that_was_there_before_the_call_needs_no_second_offer_of_the_side_that_begins() -> None:
    here, there = memory_pipe("kitchen")
    sides = sorted((Identity.generate(), Identity.generate()), key=lambda one: one.id)
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        Connection(here, sides[0], configuration=LOOPBACK) as polite,
        Connection(there, sides[1], configuration=LOOPBACK) as impolite,
    ):
        events = polite.events()
        impolite.add_track(SyntheticVideoTrack())
        await asyncio.gather(polite.wait_for_ready(), impolite.wait_for_ready())
        assert [track.kind for track in polite.remote_tracks] == ["video"]
        await polite.aclose()
        agreed = [event.offer_id async for event in events if isinstance(event, Negotiated)]
        assert agreed == [f"{impolite.me.session}.1"]

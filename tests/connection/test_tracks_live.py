"""One track of one's own through everything that ends a peer connection, on real ones: the media is back each time."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError

from fsm_rtc import (
    AnyPeer,
    Configuration,
    Connection,
    ConnectionStore,
    Identity,
    InvalidAccessError,
    SignalingServer,
    WebSocketSignaling,
)
from fsm_rtc.connection.pipe import memory_pipe
from fsm_rtc.media import SyntheticVideoTrack, subscribe
from tests.connection.connection_pairs import FIRST, SECOND
from tests.memory_signaling import MemorySignaling
from tests.room.mesh import connections_of, whole
from tests.room.test_room_live import room_over

pytestmark = pytest.mark.live

LIMIT_SECONDS = 60.0
LOOPBACK = Configuration(loopback=True)


def camera() -> SyntheticVideoTrack:
    return SyntheticVideoTrack(64, 48)


class Viewer:
    """Counts the frames of each track of the other side that comes."""

    def __init__(self, call: Any) -> None:
        self.frames: list[int] = []
        self._more = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        call.on_track(lambda track: self._tasks.append(asyncio.create_task(self._watch(track))))

    async def _watch(self, track: Any) -> None:
        place = len(self.frames)
        self.frames.append(0)
        while True:
            try:
                await track.recv()
            except MediaStreamError:
                return
            self.frames[place] += 1
            self._more.set()

    async def sees(self, place: int, count: int = 5) -> None:
        """Wait until it has seen so many frames more of its last track, which is at least that of this number."""
        before = sum(self.frames[place:])
        while sum(self.frames[place:]) < before + count:
            self._more.clear()
            await self._more.wait()

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.mark.parametrize("kind", [camera, AudioStreamTrack])
async def test_a_track_is_in_the_second_call_and_the_third(kind: Any) -> None:
    track = kind()
    async with asyncio.timeout(LIMIT_SECONDS), SignalingServer() as server:
        url = f"{server.url}/kitchen"
        async with Connection(
            WebSocketSignaling(url), Identity.generate(), trust=AnyPeer(), configuration=LOOPBACK
        ) as me:
            me.add_track(track)
            for _ in range(3):
                async with Connection(
                    WebSocketSignaling(url), Identity.generate(), trust=AnyPeer(), configuration=LOOPBACK
                ) as peer:
                    viewer = Viewer(peer)
                    await viewer.sees(0)
                    await viewer.end()
                assert track.readyState == "live"
    assert track.readyState == "live"
    track.stop()


@pytest.mark.parametrize("closer", [0, 1])
async def test_media_of_both_sides_is_back_on_a_new_peer_connection(closer: int) -> None:
    here, there = memory_pipe("kitchen")
    tracks = [camera(), camera()]
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        Connection(here, FIRST, configuration=LOOPBACK) as alice,
        Connection(there, SECOND, configuration=LOOPBACK) as bob,
    ):
        calls = (alice, bob)
        viewers = [Viewer(call) for call in calls]
        for call, track in zip(calls, tracks, strict=True):
            call.add_track(track)
        await asyncio.gather(*(viewer.sees(0) for viewer in viewers))
        before = [len(viewer.frames) for viewer in viewers]
        connection = calls[closer].peer_connection
        assert connection is not None
        await connection.close()
        await asyncio.gather(*(viewer.sees(place) for viewer, place in zip(viewers, before, strict=True)))
        assert calls[closer].peer_connection is not connection
        for viewer in viewers:
            await viewer.end()
    assert [track.readyState for track in tracks] == ["live", "live"]
    for track in tracks:
        track.stop()


async def test_media_of_both_sides_is_back_after_a_kill_with_persistence(tmp_path: Path) -> None:
    track = camera()
    SECOND.save(tmp_path / "key")
    async with asyncio.timeout(LIMIT_SECONDS), SignalingServer() as server:
        url = f"{server.url}/kitchen"

        async def start() -> Process:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.connection.saving.restarted_camera",
                url,
                tmp_path / "key",
                tmp_path,
                stdout=PIPE,
            )

        async with Connection(WebSocketSignaling(url), FIRST, configuration=LOOPBACK) as survivor:
            survivor.add_track(track)
            viewer = Viewer(survivor)
            program = await start()
            try:
                for _ in range(3):
                    place = len(viewer.frames)
                    assert program.stdout is not None
                    assert await program.stdout.readline() == b"seen\n"
                    await viewer.sees(max(0, place - 1))
                    place = len(viewer.frames)
                    program.kill()
                    await program.wait()
                    program = await start()
                    await viewer.sees(place)
            finally:
                program.kill()
                await program.wait()
                await viewer.end()
    assert track.readyState == "live"
    track.stop()


async def test_those_who_stay_in_a_room_see_one_track_on_when_one_leaves() -> None:
    signaling, track = MemorySignaling(), camera()
    async with asyncio.timeout(LIMIT_SECONDS), AsyncExitStack() as stack:
        show, *rooms = [
            await stack.enter_async_context(room_over(signaling.channel(), name)) for name in ("robot", "a", "b", "c")
        ]
        await whole(show, *rooms)
        for connection in show.peers.values():
            connection.add_track(track)
        viewers = [Viewer(room.peers[show.me.id]) for room in rooms]
        await asyncio.gather(*(viewer.sees(0) for viewer in viewers))
        await rooms[0].aclose()
        await asyncio.gather(*(viewer.sees(0, 20) for viewer in viewers[1:]))
        for viewer in viewers:
            await viewer.end()
    assert track.readyState == "live"
    assert connections_of(show) == {}
    track.stop()


async def test_a_store_sends_its_track_on_every_connection_until_it_has_ended() -> None:
    track = camera()
    offerer, answerer = (ConnectionStore(configuration=LOOPBACK) for _ in range(2))
    viewer = Viewer(answerer)
    async with asyncio.timeout(LIMIT_SECONDS):
        offerer.add_track(track)
        for number in range(3):
            offer = await offerer.create_offer()
            answer = await answerer.process_offer(offer)
            await offerer.process_answer(answer)
            if number == 2:
                assert answerer.remote_tracks == ()
                break
            await viewer.sees(number)
            await offerer.close_connection()
            await answerer.close_connection()
            assert track.readyState == "live"
            if number == 1:
                track.stop()
        await viewer.end()
        await offerer.close_connection()
        await answerer.close_connection()


async def test_a_track_is_added_once_also_while_nobody_is_there() -> None:
    here, _ = memory_pipe("kitchen")
    async with Connection(here, FIRST, configuration=LOOPBACK) as call:
        track = camera()
        call.add_track(track)
        with pytest.raises(InvalidAccessError, match="once"):
            call.add_track(track)
        with pytest.raises(TypeError, match="MediaStreamTrack"):
            call.add_track("camera")


async def test_a_user_may_watch_the_own_track_beside_the_call() -> None:
    here, there = memory_pipe("kitchen")
    track = camera()
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        Connection(here, FIRST, configuration=LOOPBACK) as alice,
        Connection(there, SECOND, configuration=LOOPBACK) as bob,
    ):
        alice.add_track(track)
        viewer, own = Viewer(bob), subscribe(track)
        await viewer.sees(0)
        for _ in range(5):
            await own.recv()
        own.stop()
        await viewer.sees(0)
        await viewer.end()
    track.stop()

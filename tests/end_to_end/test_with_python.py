"""Calls between real browsers and this package."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

import fsm_rtc
from fsm_rtc.connection.delivery.messages import chat_message, chat_text
from fsm_rtc.engine import Journal
from fsm_rtc.engine.journal import Entry, Record
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.room.room import Room
from fsm_rtc.signaling import SignalingServer
from tests.end_to_end.browser_driver import Browsers, Page
from tests.end_to_end.pages import FORGE, IS_CALM, ROOM, address, decodes, enter, is_alone, sees, server

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS = ["chrome", "firefox"]
LIMIT_SECONDS = 60.0

REMOTE_FRAGMENT = "[...fsmRtcRoom.peers.values()][0].connection.remoteDescription.sdp.match(/ice-ufrag:(\\S+)/)[1]"


@asynccontextmanager
async def python(here: SignalingServer, journal: Journal | None = None) -> AsyncIterator[Room]:
    """This package's side, in the room."""
    async with fsm_rtc.join(
        f"ws://127.0.0.1:{here.port}/{ROOM}",
        name="python",
        configuration=Configuration(ice_servers=()),
        journal=journal,
    ) as room:
        yield room


async def first_of(room: Room) -> fsm_rtc.Connection:
    """The first who is connected."""
    async with asyncio.timeout(LIMIT_SECONDS):
        async for connection in room.connections():
            await connection.wait_for_ready()
            return connection
    raise AssertionError("the room has ended")


async def says(page: Page, connection: fsm_rtc.Connection, text: str) -> None:
    """Type a message into the page, and wait until it came to the connection."""
    heard = connection.messages()
    await page.type("#text", text)
    await page.press("Enter")
    async with asyncio.timeout(LIMIT_SECONDS):
        while chat_text(await anext(heard)) != text:
            pass


async def is_told(page: Page, connection: fsm_rtc.Connection, text: str) -> None:
    """Say something to the page, and wait until it shows it."""
    await connection.send(chat_message(text))
    await page.until(f"[...document.querySelectorAll('.said .text')].some((one) => one.textContent === '{text}')")


@pytest.mark.parametrize("kind", KINDS)
async def test_frames_are_decoded_on_both_sides_and_words_come_over(browsers: Browsers, kind: str) -> None:
    async with (
        server() as here,
        python(here) as room,
        browsers.pages((kind, address(here, "ann", media=True))) as (ann,),
    ):
        connection = await first_of(room)
        tracks: asyncio.Queue[Any] = asyncio.Queue()
        connection.on_track(tracks.put_nowait)
        connection.add_track(VideoStreamTrack())
        connection.add_track(AudioStreamTrack())
        await sees(ann, "python")
        await decodes(ann)
        async with asyncio.timeout(LIMIT_SECONDS):
            while (track := await tracks.get()).kind != "video":
                pass
            pictures: set[bytes] = set()
            while len(pictures) < 5:
                pictures.add(bytes((await track.recv()).planes[0]))
        await says(ann, connection, "hello python")
        await is_told(ann, connection, "hello ann")
        assert await ann.told() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_python_restarts_ice_and_the_page_negotiates(browsers: Browsers, kind: str) -> None:
    async with server() as here, python(here) as room, browsers.pages((kind, address(here, "ann"))) as (ann,):
        connection = await first_of(room)
        before = connection.peer_connection
        assert before is not None
        for _ in range(3):
            ufrag = await ann.evaluate(REMOTE_FRAGMENT)
            before.restart_ice()
            connection.negotiate()
            await ann.until(f"{REMOTE_FRAGMENT} !== '{ufrag}'")
            await ann.until(IS_CALM)
            await ann.evaluate("[...fsmRtcRoom.peers.values()].forEach((peer) => peer.negotiate())")
            await ann.until(IS_CALM)
        await says(ann, connection, "another path")
        await is_told(ann, connection, "the same call")
        assert connection.peer_connection is before


@pytest.mark.parametrize("kind", KINDS)
async def test_restarts_and_offers_that_meet_end_in_a_call(browsers: Browsers, kind: str) -> None:
    async with server() as here, python(here) as room, browsers.pages((kind, address(here, "ann"))) as (ann,):
        connection = await first_of(room)
        for _ in range(5):
            if connection.peer_connection is not None:
                connection.peer_connection.restart_ice()
            connection.negotiate()
            await ann.evaluate("[...fsmRtcRoom.peers.values()].forEach((peer) => peer.negotiate())")
        await ann.until(IS_CALM)
        await connection.wait_for_ready(LIMIT_SECONDS)
        await is_told(ann, connection, "still here")


@pytest.mark.parametrize("kind", KINDS)
async def test_python_leaves_and_comes_back(browsers: Browsers, kind: str) -> None:
    async with server() as here, browsers.pages((kind, address(here, "ann"))) as (ann,):
        for _ in range(3):
            async with python(here) as room:
                await is_told(ann, await first_of(room), "here")
            await is_alone(ann)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_page_that_is_closed_or_loaded_anew_is_noticed(browsers: Browsers, kind: str) -> None:
    async with server() as here, python(here) as room, browsers.pages((kind, address(here, "ann"))) as (ann,):
        connections = room.connections()
        first = await anext(connections)
        await first.wait_for_ready(LIMIT_SECONDS)
        await ann.reload()
        async with asyncio.timeout(LIMIT_SECONDS):
            async for _ in first.messages():
                pass
        await enter(ann)
        async with asyncio.timeout(LIMIT_SECONDS):
            second = await anext(connections)
            await second.wait_for_ready()
        await is_told(ann, second, "you are back")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_forged_description_is_refused_with_the_reason(browsers: Browsers, kind: str) -> None:
    journal, refused = Journal(), asyncio.Event()

    def look(record: Record) -> None:
        if isinstance(record, Entry) and record.guard == "signed_by_the_peer":
            refused.set()

    journal.subscribe(look)
    async with (
        server() as here,
        python(here, journal) as room,
        browsers.pages((kind, address(here, "eve", join=""))) as (eve,),
    ):
        connections = room.connections()
        await eve.evaluate(FORGE)
        async with asyncio.timeout(LIMIT_SECONDS):
            connection = await anext(connections)
            await refused.wait()
        assert connection.refused["signed_by_the_peer"] > 0
        assert not connection.is_ready

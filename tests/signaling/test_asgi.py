"""The ASGI application under a real uvicorn: alone, and mounted in Starlette and FastAPI."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from websockets.asyncio.client import connect

from fsm_rtc.connection.channel import LinkDown, LinkUp, MessageReceived, PeerJoined, PeerLeft
from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import ErrorCode, MemberLeft
from fsm_rtc.signaling import Limits, Settings
from fsm_rtc.signaling.asgi import SignalingApp
from tests.signaling.cutting_proxy import proxied
from tests.signaling.participants import (
    ANNA,
    BERT,
    CARL,
    PATIENCE_SECONDS,
    ROOM,
    Bare,
    following,
    joining,
    offer,
    refusal,
)

pytestmark = pytest.mark.live


def limited(**limits: Any) -> SignalingApp:
    return SignalingApp(Settings(limits=Limits(**limits)))


def in_fastapi(signaling: SignalingApp) -> Any:
    app = FastAPI()
    app.mount("/signaling", signaling)
    return app


def in_starlette(signaling: SignalingApp) -> Any:
    return Starlette(routes=[Mount("/signaling", signaling)])


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[int]:
    """The port of a uvicorn that serves an application."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", ws="websockets-sansio", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task


@asynccontextmanager
async def bare_at(port: int, path: str = ROOM) -> AsyncIterator[Bare]:
    async with connect(f"ws://127.0.0.1:{port}/{quote(path)}", close_timeout=1, max_size=None) as client:
        yield Bare(client)


@pytest.mark.parametrize(
    ("mounted", "prefix"),
    [(lambda app: app, ""), (in_fastapi, "signaling/"), (in_starlette, "signaling/")],
    ids=["alone", "FastAPI", "Starlette"],
)
@pytest.mark.parametrize("room", [ROOM, "küche/🎥 1"])
async def test_two_find_each_other_and_talk(mounted: Callable[[SignalingApp], Any], prefix: str, room: str) -> None:
    anna, bert = Member(prefix + room, ANNA), Member(prefix + room, BERT)
    async with serving(mounted(SignalingApp())) as port:
        url = f"ws://127.0.0.1:{port}/{prefix}{quote(room)}"
        async with joining(url, anna) as one:
            assert await following(one, LinkUp) == LinkUp()
            async with joining(url, bert) as other:
                assert await following(other, LinkUp) == LinkUp((anna.introduction,))
                assert await following(one, PeerJoined) == PeerJoined(bert.introduction)
                for number in range(100):
                    await one.send(text := offer(anna, bert, str(number)))
                    assert await following(other, MessageReceived) == MessageReceived(text)
            await following(one, PeerLeft)


async def test_a_session_goes_on_over_another_socket(anna: Member, bert: Member) -> None:
    async with (
        serving(limited(messages_per_second=1e6)) as port,
        proxied(port) as proxy,
        joining(f"ws://127.0.0.1:{proxy.port}/{ROOM}", anna) as away,
    ):
        await following(away, LinkUp)
        async with joining(f"ws://127.0.0.1:{port}/{ROOM}", bert) as here:
            await following(here, LinkUp)
            await following(away, PeerJoined)
            proxy.cut_all()
            texts = [offer(bert, anna, str(number)) for number in range(20)]
            for text in texts:
                await here.send(text)
            await following(away, LinkDown)
            assert (await following(away, LinkUp)).resumed
            assert [(await following(away, MessageReceived)).frame for _ in texts] == texts


async def test_a_refusal_has_its_error_and_its_close_code(anna: Member, bert: Member) -> None:
    carl = Member(ROOM, CARL)
    async with (
        serving(limited(members=2, connections_per_address=3)) as port,
        bare_at(port) as one,
        bare_at(port) as other,
    ):
        await one.joined(anna)
        await other.joined(bert)
        async with bare_at(port) as third:
            await third.hello(carl)
            async with bare_at(port) as fourth:
                assert await fourth.end() == refusal(ErrorCode.TOO_MANY_CONNECTIONS)
            assert await third.end() == refusal(ErrorCode.ROOM_FULL)
        async with bare_at(port) as third:
            await third.challenge()
            await third.send(b"\x00")
            assert await third.end() == refusal(ErrorCode.BAD_MESSAGE)


async def test_who_reads_nothing_is_given_up_and_holds_up_nobody(anna: Member, bert: Member) -> None:
    app = limited(stall_seconds=0.2, messages_per_second=1e6, grace_seconds=0.1)
    async with serving(app) as port, bare_at(port) as slow, bare_at(port) as busy:
        await slow.joined(bert)
        await busy.joined(anna)
        slow.socket.transport.pause_reading()
        text = offer(anna, bert, "x" * 200_000)
        heard = asyncio.create_task(busy.error())
        while not heard.done():
            await busy.send(text)
            await asyncio.sleep(0)
        assert await heard == ErrorCode.RECIPIENT_FULL
        slow.socket.transport.abort()
        assert await busy.left() == MemberLeft(id=bert.introduction.id, session=bert.introduction.session)


async def test_it_answers_http_behind_its_mount() -> None:
    def get(url: str) -> tuple[int, str, bytes]:
        with urlopen(url, timeout=PATIENCE_SECONDS) as answer:
            return answer.status, answer.headers["content-type"], answer.read()

    async with serving(in_fastapi(SignalingApp())) as port:
        base = f"http://127.0.0.1:{port}/signaling"
        assert await asyncio.to_thread(get, f"{base}/healthz") == (200, "text/plain; charset=utf-8", b"ok\n")
        _, _, metrics = await asyncio.to_thread(get, f"{base}/metrics")
        assert b"fsm_rtc_signaling_rooms 0.0" in metrics
        _, _, greeting = await asyncio.to_thread(get, f"{base}/")
        assert b"signalling server" in greeting


async def test_the_end_of_its_server_is_told(anna: Member) -> None:
    app = SignalingApp()
    async with serving(app) as port, bare_at(port) as client:
        await client.joined(anna)
        await app.aclose()
        assert await client.end() == refusal(ErrorCode.SHUTTING_DOWN)
    assert app.service.link_count == 0


async def test_nothing_is_left_of_clients_that_vanish(anna: Member) -> None:
    app = limited(grace_seconds=0.01)
    async with serving(app) as port:
        for _ in range(10):
            async with bare_at(port) as client:
                await client.joined(anna)
                client.socket.transport.abort()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while app.service.link_count or app.service.hub.member_count:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.001)
    names = [task.get_name() for task in asyncio.all_tasks()]
    assert [name for name in names if name.startswith("signalling")] == []

"""The inspector as an ASGI application, under a real uvicorn: alone, and mounted in Starlette and FastAPI."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fsm_rtc.engine import Journal
from fsm_rtc.inspector import InspectorApp, InspectorError, feed
from tests.inspector.test_server import PAGE, TOKEN, get
from tests.inspector.watched_machines import PATIENCE_SECONDS, Follower, journal_of, listeners, page_at, received

pytestmark = pytest.mark.live


def in_fastapi(inspector: InspectorApp) -> Any:
    app = FastAPI()
    app.mount("/inspector", inspector)
    return app


def in_starlette(inspector: InspectorApp) -> Any:
    return Starlette(routes=[Mount("/inspector", inspector)])


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """The address of a uvicorn that serves an application."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", ws="websockets-sansio", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        server.should_exit = True
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task


@pytest.mark.parametrize(
    ("mounted", "prefix"),
    [(lambda app: app, ""), (in_fastapi, "inspector/"), (in_starlette, "inspector/")],
    ids=["alone", "FastAPI", "Starlette"],
)
async def test_a_page_follows_a_journal(mounted: Callable[[InspectorApp], Any], prefix: str) -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    inspector = InspectorApp(journal, token=TOKEN)
    async with serving(mounted(inspector)) as url:
        assert (await get(url, f"/{prefix}"))[2] == (PAGE / "index.html").read_text()
        assert (await get(url, f"/{prefix}page.js"))[2] == (PAGE / "page.js").read_text()
        assert (await get(url, f"/{prefix}journal.jsonl"))[0] == 401
        assert (await get(url, f"/{prefix}journal.jsonl", {"Authorization": f"Bearer {TOKEN}"}))[0] == 200
        async with page_at(url + prefix, TOKEN) as page:
            follower = Follower()
            follower.take(await received(page))
            link.on_connected()
            follower.take(await received(page))
            assert follower.states == {"offerer.signaling_link": "Connected"}
            assert page.subprotocol == "fsm-rtc-inspector"
            looking = [task for task in asyncio.all_tasks() if task.get_name() == "fsm_rtc inspector feed"]
        await asyncio.wait(looking)
        assert listeners(journal) == 0


async def test_the_address_without_its_last_slash_leads_to_the_page() -> None:
    async with serving(in_starlette(InspectorApp(Journal(), token=None))) as url:
        status, headers, _ = await get(url, "/inspector")
    assert (status, headers["location"]) == (307, f"{url}inspector/")


@pytest.mark.parametrize("token", [None, "not-the-token-it-wants"])
async def test_without_the_token_there_is_no_socket(token: str | None) -> None:
    async with serving(InspectorApp(Journal(), token=TOKEN)) as url:
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            async with page_at(url, token) as page:
                await received(page)


@pytest.mark.parametrize(
    "options",
    [
        {"origin": "https://attacker.example"},
        {"subprotocols": None},
        {"additional_headers": {"X-Forwarded-For": "::1"}},
    ],
)
async def test_nor_for_anybody_but_its_own_page(options: dict[str, Any]) -> None:
    async with serving(InspectorApp(Journal(), token=None)) as url:
        with pytest.raises(InvalidStatus):
            async with page_at(url, **options):
                pass
        with pytest.raises(InvalidStatus):
            async with page_at(url + "elsewhere/"):
                pass


async def test_its_pages_are_told_when_it_ends() -> None:
    inspector = InspectorApp(Journal(), token=None)
    async with serving(inspector) as url, page_at(url) as page:
        await received(page)
        await inspector.aclose()
        await page.wait_closed()
        assert page.protocol.close_code == 1001


async def test_one_page_too_many_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_VIEWERS", 1)
    inspector = InspectorApp(Journal(), token=None)
    async with serving(inspector) as url, page_at(url) as page:
        await received(page)
        async with page_at(url) as crowded:
            with pytest.raises(ConnectionClosed) as closed:
                await received(crowded)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013


async def test_an_open_page_does_not_keep_the_server_from_ending() -> None:
    async with serving(InspectorApp(Journal(), token=None)) as url, page_at(url) as page:
        await received(page)


def test_a_short_token_is_refused() -> None:
    with pytest.raises(InspectorError, match="16 or more"):
        InspectorApp(Journal(), token="short")


# What no server would tell, as a server would.


async def answered(inspector: InspectorApp, **scope: Any) -> tuple[int, bytes]:
    told: list[Any] = []

    async def send(event: Any) -> None:
        told.append(event)

    async def receive() -> Any:
        return {"type": "http.request"}

    whole = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"127.0.0.1:8000")], **scope}
    await inspector(whole, receive, send)
    return told[0]["status"], told[1]["body"]


HERE: Any = {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000)}


@pytest.mark.parametrize(
    "ends",
    [
        {"client": ("192.0.2.1", 1), "server": ("127.0.0.1", 8000)},
        {"client": ("127.0.0.1", 1), "server": ("192.0.2.2", 8000)},
        {"client": None, "server": ("/run/app.sock", None)},
        {},
    ],
)
async def test_without_a_token_only_this_host_may_look(ends: dict[str, Any]) -> None:
    assert (await answered(InspectorApp(Journal(), token=None), **HERE))[0] == 200
    assert (await answered(InspectorApp(Journal(), token=None), **ends))[0] == 403
    assert (await answered(InspectorApp(Journal(), token=TOKEN), **ends))[0] == 200


async def test_nor_does_anybody_else_get_a_socket() -> None:
    told: list[Any] = []

    async def send(event: Any) -> None:
        told.append(event)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    here = {"type": "websocket", "path": "/feed", "headers": [(b"host", b"127.0.0.1:8000")]}
    scope = {**here, **HERE, "client": ("192.0.2.1", 1), "subprotocols": ["fsm-rtc-inspector"]}
    await InspectorApp(Journal(), token=None)(scope, receive, send)
    assert told == [{"type": "websocket.close", "code": 1008}]


async def test_it_only_shows() -> None:
    inspector = InspectorApp(Journal(), token=None)
    assert (await answered(inspector, method="POST", **HERE))[0] == 405
    assert await answered(inspector, method="HEAD", **HERE) == (200, b"")

"""What browsers get from the server."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest

from fsm_rtc.browser import assets
from fsm_rtc.signaling import Settings, SignalingServer
from fsm_rtc.signaling.asgi import SignalingApp

pytestmark = pytest.mark.live


def test_whatever_the_files_ask_for_is_there() -> None:
    files = assets()
    for path, asset in files.items():
        text = asset.body.decode()
        asked = re.findall(r'(?:src|href)="([^":]+)"', text) if path == "/" else []
        asked += re.findall(r'^(?:import|export) .*?from "([^"]+)";', text, re.M)
        for name in asked:
            folder = path.rpartition("/")[0]
            while name.startswith("../"):
                folder, name = folder.rpartition("/")[0], name[3:]
            assert f"{folder}/{name.removeprefix('./')}" in files, f"{path} asks for {name}"


def test_the_page_lets_each_module_be_loaded_at_once() -> None:
    files = assets()
    preloaded = re.findall(r'<link rel="modulepreload" href="([^"]+)">', files["/"].body.decode())
    assert [f"/{path}" for path in preloaded] == [path for path in files if path.endswith(".js")]


def client_of(server: SignalingServer) -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, base_url=f"http://127.0.0.1:{server.port}")


async def test_the_server_gives_the_page_where_it_was_asked_to() -> None:
    settings = Settings(page=True)
    async with (
        asyncio.timeout(20),
        SignalingServer("127.0.0.1", 0, settings) as server,
        client_of(server) as client,
    ):
        for path, asset in assets().items():
            answer = await client.get(path)
            assert answer.status_code == 200
            assert answer.content == asset.body
            assert answer.headers["content-type"] == asset.media_type
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self';")
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert (await client.get("/?room=kitchen")).text == assets()["/"].body.decode()
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/_fsm_rtc/none.js")).status_code == 426
        assert (await client.get("/_fsm_rtc/../service.py")).status_code == 426


async def test_the_server_gives_no_page_by_itself() -> None:
    async with asyncio.timeout(20), SignalingServer("127.0.0.1", 0) as server, client_of(server) as client:
        answer = await client.get("/")
        assert answer.headers["content-type"].startswith("text/plain")
        assert (await client.get("/_fsm_rtc/fsm_rtc.js")).status_code == 426


@pytest.mark.parametrize("path", ["/", "/_fsm_rtc/fsm_rtc.js"])
async def test_the_mounted_application_gives_the_page(path: str) -> None:
    transport = httpx.ASGITransport(app=SignalingApp(Settings(page=True)))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        answer = await client.get(path)
    assert answer.content == assets()[path].body
    assert "content-security-policy" in answer.headers

"""What browsers get from the server."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest

from fsm_rtc.browser import assets
from fsm_rtc.signaling import Settings, SignalingServer
from fsm_rtc.signaling.asgi import SignalingApp


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


async def got(port: int, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"http://127.0.0.1:{port}{path}")


async def test_the_server_gives_the_page_where_it_was_asked_to() -> None:
    async with asyncio.timeout(20), SignalingServer("127.0.0.1", 0, Settings(page=True)) as server:
        for path, asset in assets().items():
            answer = await got(server.port, path)
            assert answer.status_code == 200
            assert answer.content == asset.body
            assert answer.headers["content-type"] == asset.media_type
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self';")
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert (await got(server.port, "/?room=kitchen")).text == assets()["/"].body.decode()
        assert (await got(server.port, "/healthz")).status_code == 200
        assert (await got(server.port, "/_fsm_rtc/none.js")).status_code == 426
        assert (await got(server.port, "/_fsm_rtc/../service.py")).status_code == 426


async def test_the_server_gives_no_page_by_itself() -> None:
    async with asyncio.timeout(20), SignalingServer("127.0.0.1", 0) as server:
        answer = await got(server.port, "/")
        assert answer.headers["content-type"].startswith("text/plain")
        assert (await got(server.port, "/_fsm_rtc/fsm_rtc.js")).status_code == 426


@pytest.mark.parametrize("path", ["/", "/_fsm_rtc/fsm_rtc.js"])
async def test_the_mounted_application_gives_the_page(path: str) -> None:
    transport = httpx.ASGITransport(app=SignalingApp(Settings(page=True)))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        answer = await client.get(path)
    assert answer.content == assets()[path].body
    assert "content-security-policy" in answer.headers

"""docs/inspector.md: its programs run as they stand there, and what it names is there."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

import fsm_rtc.store.connection_store as lifecycle
from fsm_rtc import Configuration
from fsm_rtc.inspector import feed, index
from fsm_rtc.machines.signaling_link import SignalingLink
from tests.inspector.test_asgi import serving
from tests.inspector.watched_machines import PATIENCE_SECONDS, page_at, received

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = ROOT / "docs" / "inspector.md"
TEXT = DOCUMENT.read_text()
OWN_PORT, MOUNTED = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


async def test_the_one_on_its_own_port_shows_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "DEFAULT_CONFIGURATION", Configuration(loopback=True))
    said: asyncio.Queue[str] = asyncio.Queue()
    program: dict[str, Any] = {"__name__": "inspected", "print": said.put_nowait}
    exec(compile(OWN_PORT, str(DOCUMENT), "exec"), program)
    async with asyncio.timeout(PATIENCE_SECONDS):
        main = asyncio.create_task(program["main"]())
        async with page_at(await said.get()) as page:
            labels: set[str] = set()
            while "kitchen.negotiation" not in labels:
                labels |= {row[1] for row in (await received(page))["machines"]}
        main.cancel()
        await asyncio.wait({main})


async def test_the_mounted_one_shows_the_journal() -> None:
    program: dict[str, Any] = {"__name__": "mounted"}
    exec(compile(MOUNTED, str(DOCUMENT), "exec"), program)
    assert isinstance(program["app"], FastAPI)
    program["journal"].watch(SignalingLink(), "alice.signaling_link")
    async with serving(program["app"]) as url, page_at(f"{url}inspector/", "change-me-change-me") as page:
        assert [row[1] for row in (await received(page))["machines"]] == ["alice.signaling_link"]


def test_its_bounds_are_those_of_the_code() -> None:
    model = (ROOT / "fsm_rtc" / "inspector" / "page" / "model.js").read_text()
    assert f"the latest {feed.HISTORY:,} records" in TEXT
    assert f"up to {index.MAX_CONNECTIONS:,} connections" in TEXT.replace("\n", " ")
    assert "MOST_RECORDS = 100_000" in model
    assert "the page keeps 100,000 records" in TEXT.replace("\n", " ")


def test_its_picture_is_there_and_small() -> None:
    for name in re.findall(r"!\[.*?\]\((.*?)\)", TEXT):
        assert 0 < (DOCUMENT.parent / name).stat().st_size <= 200_000

"""The inspector beside a demo: what the peers tell is shown, as long as it was asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect

from fsm_rtc.cli import demo_page
from fsm_rtc.cli.demo_call import DemoCall
from fsm_rtc.cli.demo_page import DemoPage
from fsm_rtc.engine import Started
from fsm_rtc.engine.journal import line_of
from fsm_rtc.machines.signaling_link import SignalingLink

pytestmark = pytest.mark.live

RECORD = line_of(Started(0.1, "offerer.signaling_link", "SignalingLink", SignalingLink.chart.digest, 0, "Disconnected"))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were opened in the browser."""
    addresses: list[str] = []

    def opens(address: str) -> bool:
        addresses.append(address)
        return True

    monkeypatch.setattr("webbrowser.open", opens)
    return addresses


async def test_what_the_peers_tell_is_shown_and_passed_on(opened: list[str]) -> None:
    heard: list[tuple[str, Any]] = []
    call = DemoCall((), False, lambda role, message: heard.append((role, message)))
    async with DemoPage(stays=False, err=True).beside(call):
        call.observe("offerer", {"record": RECORD})
        call.observe("offerer", {"phase": "connected"})
        address = opened[0].replace("http:", "ws:") + "feed"
        async with connect(address, subprotocols=["fsm-rtc-inspector"]) as socket:  # type: ignore[list-item]
            machines = json.loads(await socket.recv())["machines"]
    assert [row[1] for row in machines] == ["offerer.signaling_link"]
    assert heard == [("offerer", {"record": RECORD}), ("offerer", {"phase": "connected"})]


async def test_without_seconds_it_stays_until_it_is_told_to_go(
    opened: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served: list[bool] = []

    @contextmanager
    def stopped(stop: Callable[[], None]) -> Iterator[None]:
        async def look() -> None:
            async with connect(
                opened[0].replace("http:", "ws:") + "feed",
                subprotocols=["fsm-rtc-inspector"],  # type: ignore[list-item]
            ) as socket:
                served.append(bool(await socket.recv()))
            stop()

        task = asyncio.create_task(look())
        yield
        assert task.done()

    monkeypatch.setattr(demo_page, "calls_when_stopped", stopped)
    async with DemoPage(stays=True, err=True).beside(DemoCall((), False)):
        pass
    assert served == [True]
    assert "the call is over; the page is there until Ctrl-C" in capsys.readouterr().err

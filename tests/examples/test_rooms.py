"""docs/rooms.md: its program runs as it stands there, for as many as there are."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import fsm_rtc
from fsm_rtc import Configuration, SignalingServer

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "rooms.md"
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)

LIMIT_SECONDS = 60.0


async def test_three_people_greet_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    at_home = partial(fsm_rtc.join, configuration=Configuration(loopback=True))
    monkeypatch.setattr(fsm_rtc, "join", at_home)
    said: asyncio.Queue[str] = asyncio.Queue()
    program: dict[str, Any] = {"__name__": "rooms", "print": said.put_nowait}
    exec(compile(PROGRAM, str(DOCUMENT), "exec"), program)
    async with asyncio.timeout(LIMIT_SECONDS), SignalingServer() as server:
        names = ("alice", "bob", "carol")
        people = [asyncio.create_task(program["chat"](f"{server.url}/kitchen", name)) for name in names]
        heard = sorted([await said.get() for _ in range(6)])
        for person in people:
            person.cancel()
        await asyncio.gather(*people, return_exceptions=True)
    assert heard == sorted(f"{one}: hello {other}" for one in names for other in names if one != other)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_it_names_what_there_is() -> None:
    from fsm_rtc import room

    names = set(re.findall(r"`(Peer[A-Z]\w+)`", DOCUMENT.read_text()))
    assert names == {"PeerArrived", "PeerEvent", "PeerGone"}
    assert names <= set(room.__all__)

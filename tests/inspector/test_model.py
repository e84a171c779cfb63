"""What the page knows by what it was told: its model, in Chromium and without the page's eyes."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from _chromium import Page, chromium, is_installed

from fsm_rtc.engine import Journal
from fsm_rtc.inspector import serve_inspector

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not is_installed() and not os.environ.get("CI"), reason="needs Chromium: install the package chromium"
    ),
]

CHART = {
    "name": "Door",
    "about": "A door.",
    "initial": "closed",
    "final": ["gone"],
    "boxes": {},
    "allowed": {},
    "sentences": {},
}


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with serve_inspector(Journal()) as inspector, chromium() as page:
        await page.open(inspector.url)
        await page.until("document.querySelector('#link')?.dataset.state === 'open'")
        await page.value("import('./model.js').then((module) => { window.M = module; window.model = new M.Model(); })")
        yield page


def machine(number: int, label: str, state: str = "closed", last: Any = None) -> list[Any]:
    return [number, label, label.partition(".")[0], "Door", "0" * 16, 0, state, 0, 0, last]


def accepted(number: int, time: float, trigger: str, source: str, target: str) -> list[Any]:
    return [number, time, 0, trigger, source, target, []]


def rejected(number: int, time: float, trigger: str, state: str) -> list[Any]:
    return [number, time, 0, trigger, state, None, None, "no row", None]


def message(kind: str, first: int, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "first": first, "name": "", "live": True, "charts": {}, "machines": [], **fields}


async def told(page: Page, *messages: dict[str, Any]) -> None:
    for one in messages:
        await page.value(f"model.take({json.dumps(one)}).length")


async def at(page: Page, number: int, seq: float | None) -> Any:
    """The state and the last edge's trigger of a machine at a place; None for the end."""
    place = "Infinity" if seq is None else seq
    told = "({ state, edge }) => JSON.stringify([state, edge && edge.trigger])"
    return json.loads(await page.value(f"({told})(model.machines.get({number}).at({place}))"))


FRONT = machine(1, "house.front")
STARTED = [1, 1.0, 0, None, None, "closed"]


async def test_a_machine_is_where_its_last_event_before_led(page: Page) -> None:
    rows = [STARTED, accepted(1, 2.0, "open", "closed", "open"), rejected(1, 3.0, "lock", "open")]
    await told(page, message("snapshot", 10, machines=[machine(1, "house.front", "open")], records=rows))
    assert [await at(page, 1, seq) for seq in (9, 10, 11, 12, None)] == [
        [None, None],
        ["closed", None],
        ["open", "open"],
        ["open", "open"],
        ["open", "open"],
    ]


async def test_before_the_first_event_that_is_kept_it_is_where_that_began(page: Page) -> None:
    rows = [accepted(1, 2.0, "open", "closed", "open")]
    await told(page, message("snapshot", 10, machines=[machine(1, "house.front", "open")], records=rows))
    assert await at(page, 1, 3) == ["closed", None]


async def test_of_a_machine_whose_events_are_not_kept_the_last_is_known(page: Page) -> None:
    last = accepted(1, 2.0, "open", "closed", "open")
    await told(page, message("snapshot", 10, machines=[machine(1, "house.front", "open", last)], records=[]))
    assert await at(page, 1, None) == ["open", "open"]


async def test_behind_a_gap_every_machine_is_where_it_is(page: Page) -> None:
    back = machine(2, "house.back")
    await told(
        page, message("snapshot", 0, machines=[FRONT, back], records=[STARTED, [2, 1.5, 0, None, None, "closed"]])
    )
    last = accepted(1, 9.0, "slam", "open", "closed")
    new = machine(3, "house.side", "open", accepted(3, 8.0, "open", "closed", "open"))
    gap = message("missed", 50, missed=48, machines=[machine(1, "house.front", "closed", last), back, new])
    await told(page, gap, message("changes", 50, records=[accepted(2, 9.5, "open", "closed", "open")], gone=[]))
    assert [await at(page, number, None) for number in (1, 2, 3)] == [
        ["closed", "slam"],
        ["open", "open"],
        ["open", "open"],
    ]
    assert await page.value("model.missed") == 48
    seqs = await page.value("model.connections.get('house').records.map((record) => record.seq)")
    times = await page.value("model.connections.get('house').records.map((record) => record.time)")
    assert seqs == sorted(set(seqs))
    assert times == sorted(times)


async def test_a_connection_is_over_when_every_machine_that_can_end_has_ended(page: Page) -> None:
    charts = {"0" * 16: CHART}
    both = [FRONT, machine(2, "house.back", "gone")]
    await told(page, message("snapshot", 0, charts=charts, machines=both, records=[]))
    assert await page.value("model.isOver(model.connections.get('house'))") is False
    await told(page, message("changes", 0, records=[accepted(1, 1.0, "burn", "closed", "gone")], gone=[]))
    assert await page.value("model.isOver(model.connections.get('house'))") is True


async def test_rejections_are_news_but_not_those_of_the_snapshot(page: Page) -> None:
    refused = rejected(1, 2.0, "lock", "closed")
    snapshot = json.dumps(message("snapshot", 0, machines=[FRONT], records=[STARTED, refused]))
    assert await page.value(f"model.take({snapshot}).length") == 0
    changes = json.dumps(message("changes", 2, records=[refused, STARTED], gone=[]))
    assert await page.value(f"model.take({changes}).length") == 1
    assert await page.value("model.connections.get('house').rejected") == 1


async def test_what_is_gone_is_forgotten(page: Page) -> None:
    await told(page, message("snapshot", 0, machines=[FRONT], records=[STARTED]))
    await told(page, message("changes", 1, machines=[machine(2, "shed.door")], gone=["house"], records=[STARTED]))
    assert await page.value("[...model.connections.keys()]") == ["shed"]
    assert await page.value("model.kept") == 0


async def test_of_very_many_records_the_oldest_are_dropped(page: Page) -> None:
    await told(page, message("snapshot", 0, machines=[FRONT], records=[STARTED]))
    rows = [
        accepted(1, number, *(("close", "open", "closed") if number % 2 else ("open", "closed", "open")))
        for number in range(10_000)
    ]
    await page.value(f"window.rows = {json.dumps(rows)}, 1")
    for batch in range(11):
        fields = f"type: 'changes', first: {1 + batch * 10_000}, charts: {{}}, machines: [], gone: [], records: rows"
        await page.value(f"model.take({{ {fields} }}).length")
    kept = await page.value("model.kept")
    assert 90_000 <= kept <= 100_000
    assert await page.value("model.connections.get('house').records.length") == kept
    assert await page.value("model.machines.get(1).records.length") == kept
    assert await at(page, 1, None) == ["closed", "close"]

"""The page in Chromium: what it shows of a live call and of a finished one, and how it is used."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from _chromium import Page, chromium, is_installed

from fsm_rtc import Configuration, ConnectionStore
from fsm_rtc.engine import Chart, Journal, On, Row
from fsm_rtc.inspector import Feed, Inspector, RecordLog, serve_inspector
from fsm_rtc.inspector.access import Gate
from fsm_rtc.inspector.charts import ChartBook
from fsm_rtc.machines.signaling_link import SignalingLink, SignalingStatus
from fsm_rtc.messages import read_journal
from tests.inspector.watched_machines import Ticks, journal_of, rejecting

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not is_installed() and not os.environ.get("CI"), reason="needs Chromium: install the package chromium"
    ),
]

LIT = "document.querySelector('.card .lit title')?.textContent"
TAKEN = "document.querySelector('.card .taken title')?.textContent"
STATE = "document.querySelector('.card .state').textContent"


def words_of(element: str) -> str:
    return f"document.querySelector('{element}')?.textContent"


@asynccontextmanager
async def page_of(inspector: Inspector) -> AsyncIterator[Page]:
    """The inspector's page, which has come to the feed and complains of nothing."""
    async with inspector, chromium() as page:
        await page.open(inspector.url)
        await page.until("document.querySelector('#link')?.dataset.state.match(/open|finished/)")
        yield page
        assert page.errors == []


@pytest.fixture
async def link_and_page() -> AsyncIterator[tuple[SignalingLink, Page, Journal]]:
    journal, (link,) = journal_of("offerer.signaling_link")
    async with page_of(serve_inspector(journal, name="a test")) as page:
        await page.until(f"{LIT} === 'disconnected'")
        yield link, page, journal


Looked = tuple[SignalingLink, Page, Journal]


async def test_the_present_state_is_lit_and_the_last_edge_shown(link_and_page: Looked) -> None:
    link, page, _ = link_and_page
    link.on_connected()
    await page.until(f"{LIT} === 'connected'")
    assert await page.value(TAKEN) == "disconnected->connected"
    assert await page.value(words_of(".card .said")) == " on_connected "
    assert await page.value(STATE) == "Connected"
    assert await page.value(words_of(".card .last")) == "on_connected: Disconnected → Connected"
    label = await page.value("document.querySelector('.card svg').getAttribute('aria-label')")
    assert label == "signaling_link, a SignalingLink: Connected; last: on_connected: Disconnected → Connected"


async def test_a_rejected_event_is_told_with_its_reason_and_what_was_possible(link_and_page: Looked) -> None:
    _, page, journal = link_and_page
    rejecting(journal, "offerer.negotiation")
    await page.until("document.querySelector('#rejections [role=row]')")
    row = "#rejections [role=row]"
    assert await page.value(words_of(f"{row} .what")) == "set_remote_answer in stable"
    assert await page.value(words_of(f"{row} .why")) == "the table has no row for it here"
    assert "possible here: close, create_offer," in await page.value(words_of(f"{row} .instead"))
    assert await page.value(words_of(".refusing title")) == "stable"
    said = await page.until("document.getElementById('announcements').textContent")
    assert said == "offerer.negotiation rejected set_remote_answer in stable: the table has no row for it here"
    assert await page.value("document.getElementById('announcements').getAttribute('aria-live')") == "polite"


async def test_a_connection_that_comes_is_listed_and_one_that_ends_too(link_and_page: Looked) -> None:
    _, page, journal = link_and_page
    negotiation = rejecting(journal, "answerer.negotiation")
    await page.until("document.querySelectorAll('#connections li').length === 2")
    assert await page.value(words_of("#connections li:nth-child(2) .facts")) == "live · 1 machine · 1 rejected"
    negotiation.fire("close")
    await page.until("document.querySelector('#connections [data-stage=ended] .name')?.textContent === 'answerer'")
    assert await page.value(words_of("#live-heading")) == "1 live, 1 ended"


async def test_one_can_look_back_with_the_keys_while_it_goes_on(link_and_page: Looked) -> None:
    link, page, _ = link_and_page
    link.on_connected()
    link.on_error()
    await page.until(f"{LIT} === 'error'")
    await page.value("document.getElementById('moment').focus()")
    await page.key("ArrowLeft")
    await page.until(f"{LIT} === 'connected'")
    await page.key("ArrowLeft")
    await page.until(f"{LIT} === 'disconnected'")
    link.on_disconnected()
    link.on_connected()
    await page.until("document.getElementById('moment').max === '4'")
    assert await page.value(LIT) == "disconnected"
    assert (await page.value("document.getElementById('moment').getAttribute('aria-valuetext')")).startswith("1 of 5")
    await page.value("document.getElementById('follow').click()")
    await page.until(f"{LIT} === 'connected'")


async def test_the_lists_are_used_with_the_keys(link_and_page: Looked) -> None:
    link, page, journal = link_and_page
    link.on_connected()
    rejecting(journal, "answerer.negotiation")
    await page.until("document.querySelectorAll('#connections li').length === 2")
    await page.until("document.querySelectorAll('#events [role=row]').length === 2")
    await page.value("document.getElementById('events').focus()")
    await page.key("ArrowUp")
    await page.until(f"{LIT} === 'disconnected'")
    assert await page.value("document.getElementById('events').getAttribute('aria-activedescendant')") == "events-0"
    await page.value("document.getElementById('connections').focus()")
    await page.key("ArrowDown")
    await page.until(f"{words_of('#connection-name')} === 'answerer'")


async def test_the_filter_narrows_what_is_listed(link_and_page: Looked) -> None:
    _, page, journal = link_and_page
    rejecting(journal, "answerer.negotiation")
    await page.until("document.querySelectorAll('#connections li').length === 2")
    await page.value("document.getElementById('only-rejections').click()")
    await page.until("document.querySelectorAll('#connections li').length === 1")
    assert await page.value(words_of("#connections .name")) == "answerer"
    await page.value("document.getElementById('only-rejections').click()")
    await page.value(
        "(field => { field.value = 'SignalingLink'; field.dispatchEvent(new Event('input')); })"
        "(document.getElementById('filter'))"
    )
    await page.until(f"{words_of('#connections .name')} === 'offerer'")
    assert await page.value("document.querySelectorAll('#connections li').length") == 1


async def test_a_real_call_is_followed_until_it_is_over() -> None:
    journal, here = Journal(), Configuration(loopback=True)
    caller = ConnectionStore(here, journal=journal, label="caller")
    callee = ConnectionStore(here, journal=journal, label="callee")
    async with page_of(serve_inspector(journal)) as page:
        answer = await callee.process_offer(await caller.create_offer())
        await caller.process_answer(answer)
        await caller.wait_for_connected()
        states = (
            "Object.fromEntries([...document.querySelectorAll('.card')].map(card => [card.querySelector('.name')"
            + (".textContent, card.querySelector('.lit title')?.textContent]))")
        )
        await page.until(f"({states}).peer_status === 'connected' && ({states}).dtls")
        shown = await page.value(states)
        assert shown["dtls"] == "connected"
        assert shown["negotiation"] == "stable"
        await caller.close_connection()
        await callee.close_connection()
        await page.until(f"({states}).dtls === 'closed'")
        rejected = sum(not one.accepted for one in journal.entries() if one.label.startswith("caller."))
        facts = f"`${{document.querySelectorAll('.card').length}} machines, {rejected} event`"
        await page.until(f"{words_of('#connection-facts')}.startsWith({facts})")


async def test_a_finished_journal_is_walked_through_and_exported(tmp_path: Path) -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    link.on_connected()
    link.on_error()
    feed = Feed(RecordLog(journal), ChartBook(), "call.jsonl", history=None, is_live=False)
    async with page_of(Inspector(feed, Gate("a-token-of-some-length"))) as page:
        await page.until(f"{LIT} === 'error'")
        assert await page.value(words_of("#link")) == "a finished journal"
        await page.value("document.getElementById('back').click()")
        await page.until(f"{LIT} === 'connected'")
        await page.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path), eventsEnabled=True)
        exported = page.next("Browser.downloadProgress", lambda told: told["state"] == "completed")
        await page.value("document.getElementById('export').click()")
        await exported
    with (tmp_path / "journal.jsonl").open("rb") as file:
        assert read_journal(file).records == tuple(journal)


CUT = "new ReadableStream({start(c) { c.enqueue(new Uint8Array(9)); c.error(new TypeError('cut')); }})"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (f"async () => new Response({CUT})", "it was cut off on its way"),
        ("async () => { throw new TypeError('gone'); }", "the process is out of reach"),
        ("async () => new Response('', {status: 503})", "it answers 503"),
    ],
)
async def test_an_export_that_is_not_whole_is_told_and_not_saved(link_and_page: Looked, answer: str, told: str) -> None:
    _, page, _ = link_and_page
    await page.value(f"(window.fetch = {answer}, window.URL.createObjectURL = () => {{ window.isSaved = true; }}, 0)")
    await page.value("document.getElementById('export').click()")
    await page.until("!document.getElementById('export-words').hidden")
    assert await page.value(words_of("#export-words")) == (
        f"The journal can't be had: {told}. Nothing was saved; try again."
    )
    assert await page.value("window.isSaved ?? false") is False


class Switch(Chart[SignalingStatus]):
    """A chart that has no drawing where Graphviz is not."""

    initial = SignalingStatus.DISCONNECTED
    final = frozenset({SignalingStatus.ERROR})
    on = On(Row(SignalingStatus.DISCONNECTED, SignalingStatus.CONNECTED))
    broke = On(Row(SignalingStatus.CONNECTED, SignalingStatus.ERROR))


async def test_a_chart_without_a_drawing_is_shown_as_its_table() -> None:
    journal, switch = Journal(Ticks()), Switch()
    journal.watch(switch, "mine.switch")
    book = ChartBook([Switch])
    book._drawn[Switch.chart.digest] = None
    async with page_of(Inspector(Feed(journal, book), Gate(None))) as page:
        await page.until("document.querySelector('.card tr.lit th')?.textContent === 'Disconnected'")
        switch.fire("on")
        await page.until("document.querySelector('.card tr.lit th')?.textContent === 'Connected'")
        assert await page.value(words_of(".card tr.lit td")) == "broke"


async def test_when_the_process_is_gone_the_page_says_so_and_comes_back_to_another() -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    link.on_connected()
    async with chromium() as page:
        async with serve_inspector(journal) as inspector:
            port = inspector.port
            await page.open(inspector.url)
            await page.until(f"{LIT} === 'connected'")
        await page.until("document.querySelector('#link').dataset.state === 'lost'")
        assert await page.value(LIT) == "connected"
        link.on_error()
        async with serve_inspector(journal, port=port):
            await page.until(f"{LIT} === 'error'")


async def test_without_the_token_the_page_says_what_to_do() -> None:
    async with serve_inspector(Journal(), token="a-token-of-some-length") as inspector, chromium() as page:
        await page.open(inspector.url.partition("#")[0])
        await page.until("document.querySelector('#link')?.dataset.state === 'refused'")
        assert await page.value(words_of("#link")) == (
            "the token is missing or wrong: open the whole address that was printed"
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_words_stand_out_from_their_ground(scheme: str, link_and_page: Looked) -> None:
    _, page, journal = link_and_page
    rejecting(journal, "offerer.negotiation")
    await page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    await page.until("document.querySelector('#rejections [role=row]')")
    faint = await page.value(CONTRASTS)
    assert json.loads(faint) == []


CONTRASTS = """(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = channels(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("h1, h2, p, button, label, li span, [role=gridcell], output")) {
    if (!element.textContent.trim() || element.offsetParent === null || element.closest(".unseen, .absent")) continue;
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push([element.tagName, element.className, element.textContent.slice(0, 30), contrast]);
  }
  return JSON.stringify(faint);
})()"""

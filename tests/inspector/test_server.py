"""The inspector on a port of its own: what it serves, and to whom."""

from __future__ import annotations

import asyncio
import http.client
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus, NegotiationError

from fsm_rtc.diagrams import DiagramError
from fsm_rtc.engine import Chart, Journal, On, Row
from fsm_rtc.inspector import Feed, Inspector, InspectorError, charts, feed, new_token, serve_inspector, server
from fsm_rtc.inspector.access import Gate
from fsm_rtc.machines import CHARTS
from fsm_rtc.machines.signaling_link import SignalingLink
from fsm_rtc.machines.signaling_link import SignalingStatus as State
from fsm_rtc.messages import read_journal
from tests.inspector.watched_machines import Follower, journal_of, listeners, page_at, received, rejecting
from tests.signaling.participants import until
from tests.signaling.raw_frames import PING, PONG, frame, raw_socket

pytestmark = pytest.mark.live

TOKEN = "a-token-of-some-length"
PAGE = Path(charts.__file__).parent / "page"


async def get(url: str, path: str = "/", headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, str], str]:
    """The status, the headers and the text of an answer."""
    where = urlsplit(url)

    def ask() -> tuple[int, dict[str, str], str]:
        client = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        try:
            client.request("GET", path, headers=dict(headers or {}))
            answer = client.getresponse()
            return (
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.read().decode(),
            )
        finally:
            client.close()

    return await asyncio.to_thread(ask)


async def test_a_page_follows_a_journal() -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    async with serve_inspector(journal, name="a test") as inspector, page_at(inspector.url) as page:
        follower = Follower()
        follower.take(await received(page))
        link.on_connected()
        follower.take(await received(page))
        assert follower.states == {"offerer.signaling_link": "Connected"}
        assert follower.told == [0, 1]


async def test_its_pages_are_told_what_came_last() -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    async with serve_inspector(journal) as inspector, page_at(inspector.url) as page:
        await received(page)
        link.on_connected()
        closing = asyncio.create_task(inspector.aclose())
        assert [row[3] for row in (await received(page))["records"]] == ["on_connected"]
        await closing


async def test_one_page_too_many_is_told_so_and_follows_when_another_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_VIEWERS", 1)
    journal, _ = journal_of("offerer.signaling_link")
    async with serve_inspector(journal) as inspector:
        async with page_at(inspector.url) as page:
            await received(page)
            async with page_at(inspector.url) as crowded:
                with pytest.raises(ConnectionClosed) as closed:
                    await received(crowded)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
        follows = False
        while not follows:  # as the page itself tries again
            async with page_at(inspector.url) as page:
                with suppress(ConnectionClosed):
                    follows = (await received(page))["type"] == "snapshot"


async def test_a_page_that_reads_nothing_does_not_keep_it_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CLOSE_SECONDS", 0.01)
    journal, (link,) = journal_of("offerer.signaling_link")
    for _ in range(100_000):
        link.reset()
    watched = Feed(journal, charts.ChartBook(), history=None)
    with socket.socket() as page:
        async with Inspector(watched, Gate(None)) as inspector:
            page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await asyncio.to_thread(page.connect, ("127.0.0.1", inspector.port))
            asked = f"GET /feed HTTP/1.1\r\nHost: 127.0.0.1:{inspector.port}\r\n"
            asked += "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            page.sendall(f"{asked}{key}Sec-WebSocket-Protocol: fsm-rtc-inspector\r\n\r\n".encode())
            assert await asyncio.to_thread(page.recv, 12) == b"HTTP/1.1 101"
            await inspector.aclose()
    assert listeners(journal) == 0


async def test_an_export_is_whole_or_shorter_than_it_says() -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    for _ in range(20_000):
        link.reset()
    async with serve_inspector(journal) as inspector:
        status, headers, whole = await get(inspector.url, "/journal.jsonl")
        assert (status, len(whole)) == (200, int(headers["content-length"]))
        reader, writer = await asyncio.open_connection("127.0.0.1", inspector.port, limit=4096)
        writer.write(f"GET /journal.jsonl HTTP/1.1\r\nHost: 127.0.0.1:{inspector.port}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert f"content-length: {headers['content-length']}".encode() in head.lower()
        await inspector.aclose()  # it doesn't wait for who reads slowly
        rest = 0
        with suppress(OSError):
            while block := await reader.read(65_536):
                rest += len(block)
        assert rest < len(whole)
        writer.transport.abort()


FEED_HEADERS = "Sec-WebSocket-Protocol: fsm-rtc-inspector\r\n"


@pytest.mark.parametrize("opcode", [PING, PONG])
async def test_a_page_that_floods_is_cut_off(opcode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CLOSE_SECONDS", 0.1)
    journal, _ = journal_of("offerer.signaling_link")
    async with serve_inspector(journal) as inspector, raw_socket(inspector.port, "/feed", headers=FEED_HEADERS) as page:
        assert await page.flood(frame(opcode, b"x" * 125) * 500, 100_000_000) < 100_000_000
        await until(lambda: listeners(journal) == 0)


async def test_a_page_that_says_something_is_let_go() -> None:
    journal, _ = journal_of("offerer.signaling_link")
    async with serve_inspector(journal) as inspector, page_at(inspector.url) as page:
        await received(page)
        await page.send("hello")
        await page.wait_closed()
        await until(lambda: listeners(journal) == 0)


async def test_an_address_has_only_so_many_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "SOCKETS_PER_ADDRESS", 1)
    async with serve_inspector(Journal()) as inspector, page_at(inspector.url) as page:
        await received(page)
        assert (await get(inspector.url))[0] == 429


async def test_its_pages_are_told_when_it_ends() -> None:
    async with serve_inspector(Journal()) as inspector, page_at(inspector.url) as page:
        await received(page)
        await inspector.aclose()
        await page.wait_closed()
    assert page.protocol.close_code == 1001


@pytest.mark.parametrize("name", sorted(file.name for file in PAGE.iterdir()))
async def test_each_file_of_the_page_is_served_under_a_strict_policy(name: str) -> None:
    async with serve_inspector(Journal()) as inspector:
        status, headers, text = await get(inspector.url, f"/{name}")
    assert (status, text) == (200, (PAGE / name).read_text())
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_the_page_asks_nothing_of_the_network() -> None:
    for file in PAGE.iterdir():
        text = file.read_text()
        assert not re.search(r"https?://|url\(|@import|//cdn", text), file.name
        assert not re.search(r"<script>|<style>|style=|onclick=", text), file.name


async def test_the_root_is_the_page_and_nothing_else_is_there() -> None:
    async with serve_inspector(Journal()) as inspector:
        assert (await get(inspector.url))[2] == (PAGE / "index.html").read_text()
        assert (await get(inspector.url, "/?x=1"))[0] == 200
        for path in ("/feed.py", "/../server.py", "/page/page.js", "/charts/../page.js", "/favicon.ico"):
            assert (await get(inspector.url, path))[0] == 404
        assert (await get(inspector.url, "/feed"))[0] == 426


@pytest.mark.parametrize("name", sorted(CHARTS))
async def test_each_chart_has_the_projects_own_drawing(name: str) -> None:
    async with serve_inspector(Journal()) as inspector:
        status, headers, text = await get(inspector.url, f"/charts/{CHARTS[name].chart.digest}.svg")
    assert (status, headers["content-type"]) == (200, "image/svg+xml; charset=utf-8")
    assert text == (Path(__file__).parent.parent.parent / "diagrams" / f"{name}.svg").read_text()


class Switch(Chart[State]):
    """A chart of an application's own."""

    initial = State.DISCONNECTED
    final = frozenset({State.ERROR})
    on = On(Row(State.DISCONNECTED, State.CONNECTED))
    off = On(Row(State.CONNECTED, State.DISCONNECTED))
    broke = On(Row(State.CONNECTED, State.ERROR))


@pytest.mark.parametrize("has_graphviz", [True, False])
async def test_ones_own_chart_is_drawn_if_graphviz_is_there(
    monkeypatch: pytest.MonkeyPatch, *, has_graphviz: bool
) -> None:
    def drawn(chart: object) -> str:
        assert chart is Switch
        if not has_graphviz:
            raise DiagramError("none")
        return "<svg/>"

    monkeypatch.setattr(charts, "svg", drawn)
    async with serve_inspector(Journal(), charts=[Switch]) as inspector:
        status, _, text = await get(inspector.url, f"/charts/{Switch.chart.digest}.svg")
    assert (status, text) == ((200, "<svg/>") if has_graphviz else (204, ""))


async def test_ones_own_chart_is_told_as_a_table() -> None:
    journal, switch = Journal(), Switch()
    journal.watch(switch, "mine.switch")
    async with serve_inspector(journal, charts=[Switch]) as inspector, page_at(inspector.url) as page:
        told = (await received(page))["charts"][Switch.chart.digest]
    assert (told["name"], told["initial"], told["final"]) == ("Switch", "Disconnected", ["Error"])
    assert told["allowed"] == {"Disconnected": ["on"], "Connected": ["broke", "off"], "Error": []}


async def test_the_journal_is_handed_out_as_a_file_that_reads_back() -> None:
    journal, _ = journal_of("offerer.signaling_link")
    rejecting(journal, "offerer.negotiation")
    async with serve_inspector(journal) as inspector:
        status, headers, text = await get(inspector.url, "/journal.jsonl")
    assert (status, headers["content-disposition"]) == (200, 'attachment; filename="journal.jsonl"')
    assert read_journal(text.encode().splitlines(keepends=True)).records == tuple(journal)


async def test_nothing_that_an_event_carried_is_told() -> None:
    journal, machine = Journal(), SignalingLink()
    journal.watch(machine, "offerer.signaling_link")
    machine.fire("on_connected", "a secret")
    machine.fire("on_connected", "a secret")
    async with serve_inspector(journal) as inspector, page_at(inspector.url) as page:
        assert "secret" not in str(await received(page)) + (await get(inspector.url, "/journal.jsonl"))[2]


# Where it may listen, and who may look.


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1"])
def test_elsewhere_than_on_loopback_it_needs_a_token(host: str) -> None:
    with pytest.raises(InspectorError, match=r"give a token .* or listen on 127\.0\.0\.1"):
        serve_inspector(Journal(), host)


async def test_with_a_token_it_listens_everywhere_and_its_address_has_the_token() -> None:
    async with serve_inspector(Journal(), "0.0.0.0", token=TOKEN) as inspector:
        assert inspector.url == f"http://127.0.0.1:{inspector.port}/#token={TOKEN}"


async def test_without_the_token_there_is_the_page_and_nothing_that_is_recorded() -> None:
    journal, _ = journal_of("offerer.signaling_link")
    digest = SignalingLink.chart.digest
    async with serve_inspector(journal, token=TOKEN) as inspector:
        assert (await get(inspector.url))[0] == 200
        for path in ("/journal.jsonl", f"/charts/{digest}.svg"):
            assert (await get(inspector.url, path))[0] == 401
            assert (await get(inspector.url, path, {"Authorization": f"Bearer {new_token()}"}))[0] == 401
            assert (await get(inspector.url, path, {"Authorization": f"Bearer {TOKEN}"}))[0] == 200
        for token in (None, new_token()):
            with pytest.raises(InvalidStatus) as refused:
                async with page_at(inspector.url, token):
                    pass
            assert refused.value.response.status_code == 401
        async with page_at(inspector.url, TOKEN) as page:
            assert page.subprotocol == "fsm-rtc-inspector"
            assert (await received(page))["type"] == "snapshot"


async def test_a_socket_that_is_no_inspectors_page_is_refused() -> None:
    async with serve_inspector(Journal()) as inspector:
        with pytest.raises((InvalidStatus, NegotiationError)):
            async with page_at(inspector.url, additional_headers={}, subprotocols=None):
                pass


async def test_another_origins_page_gets_no_socket() -> None:
    async with serve_inspector(Journal()) as inspector:
        with pytest.raises(InvalidStatus) as refused:
            async with page_at(inspector.url, origin="https://attacker.example"):
                pass
        assert refused.value.response.status_code == 403
        async with page_at(inspector.url, origin=inspector.url.rstrip("/")) as page:
            assert (await received(page))["type"] == "snapshot"


async def test_by_a_rebound_name_it_answers_nothing() -> None:
    async with serve_inspector(Journal()) as inspector:
        for path in ("/", "/page.js", "/journal.jsonl", "/feed"):
            assert (await get(inspector.url, path, {"Host": f"attacker.example:{inspector.port}"}))[0] == 421


# Its life.


async def test_a_port_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InspectorError, match=f"can't listen on 127.0.0.1:{port}: .*choose another"):
            async with serve_inspector(Journal(), port=port):
                pass


def test_it_has_no_address_before_it_listens() -> None:
    with pytest.raises(InspectorError, match="enter its `async with` block first"):
        serve_inspector(Journal()).url  # noqa: B018


async def test_it_cannot_be_entered_twice() -> None:
    async with serve_inspector(Journal()) as inspector:
        with pytest.raises(InspectorError, match="listening already"):
            await inspector.__aenter__()


async def test_a_page_that_goes_is_let_go() -> None:
    journal, _ = journal_of("offerer.signaling_link")
    async with serve_inspector(journal) as inspector:
        async with page_at(inspector.url) as page:
            await received(page)
            assert (inspector.feed.viewer_count, listeners(journal)) == (1, 1)
            looking = asyncio.all_tasks()
        await asyncio.wait([task for task in looking if task.get_name() == "fsm_rtc inspector page"])
        await asyncio.gather(
            *(task for task in looking if task.get_name() == "fsm_rtc inspector feed"), return_exceptions=True
        )
        assert (inspector.feed.viewer_count, listeners(journal)) == (0, 0)

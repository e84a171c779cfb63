"""`inspect`, `serve --inspect` and `demo --open`, as processes."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from websockets.sync.client import connect

from fsm_rtc.engine import Journal
from fsm_rtc.machines.signaling_link import SignalingLink
from tests.cli.conftest import Run
from tests.cli.programs import Program

pytestmark = pytest.mark.live


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    kept, link = Journal(), SignalingLink()
    kept.watch(link, "offerer.signaling_link")
    link.on_connected()
    file = tmp_path / "call.jsonl"
    file.write_text("".join(f"{line}\n" for line in kept.lines()))
    return file


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    """A browser that writes down what it opens."""
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/opened\n')
    script.chmod(0o755)
    return script


@contextmanager
def inspecting(home: Path, *arguments: str, **environment: Any) -> Iterator[tuple[Program, str]]:
    """The program, and the page's address."""
    with Program(home, *arguments, **environment) as program:
        yield program, program.until("inspector: ").removeprefix("inspector: ")


def snapshot(url: str, first_machine: str = "") -> dict[str, Any]:
    """What a page is told when it comes; or, if a machine is named, when that is watched."""
    address, _, token = url.partition("#token=")
    offered: list[Any] = ["fsm-rtc-inspector", *([f"token.{token}"] if token else [])]
    with connect(address.replace("http:", "ws:") + "feed", subprotocols=offered, max_size=None) as socket:
        while True:
            told: dict[str, Any] = json.loads(socket.recv(timeout=60))
            if not first_machine or first_machine in [row[1] for row in told["machines"]]:
                return told


def test_a_journal_is_shown_until_it_is_told_to_stop(tmp_path: Path, journal: Path) -> None:
    with inspecting(tmp_path, "inspect", str(journal), "--no-open") as (program, url):
        told = snapshot(url)
        assert (told["name"], told["live"]) == ("call.jsonl", False)
        assert [(row[1], row[6]) for row in told["machines"]] == [("offerer.signaling_link", "Connected")]
        with urlopen(f"{url}journal.jsonl", timeout=10) as answer:
            assert answer.read() == journal.read_bytes()
        program.interrupt()
        assert program.ended() == (0, "")


def test_a_journal_may_come_by_a_pipe(tmp_path: Path, journal: Path) -> None:
    with journal.open() as file, inspecting(tmp_path, "inspect", "-", "--no-open", stdin=file) as (_, url):
        assert snapshot(url)["name"] == "standard input"


def test_the_page_is_opened_in_the_browser(tmp_path: Path, journal: Path, browser: Path) -> None:
    with inspecting(tmp_path, "inspect", str(journal), BROWSER=str(browser)) as (program, url):
        program.interrupt()
        program.ended()
    assert (tmp_path / "opened").read_text() == f"{url}\n"


def test_where_no_browser_is_it_says_so(tmp_path: Path, journal: Path) -> None:
    with inspecting(tmp_path, "inspect", str(journal), BROWSER="/nowhere/browser", PATH="/nowhere") as (program, _):
        assert program.process.stderr is not None
        assert program.process.stderr.readline() == "no browser could be opened; open this address in one\n"


def test_on_another_address_the_page_has_a_token(tmp_path: Path, journal: Path) -> None:
    with inspecting(tmp_path, "inspect", str(journal), "--no-open", "--host", "0.0.0.0") as (_, url):
        address, _, token = url.partition("#token=")
        with pytest.raises(HTTPError, match="401"):
            urlopen(f"{address}journal.jsonl", timeout=10)
        with urlopen(
            Request(f"{address}journal.jsonl", headers={"Authorization": f"Bearer {token}"}), timeout=10
        ) as answer:
            assert answer.status == 200
        assert snapshot(url)["type"] == "snapshot"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("no-such.jsonl",), "can't be read"),
        (("--host", "192.0.2.77", "JOURNAL"), "can't listen on 192.0.2.77"),
        (("--chart", "no_such_module:Door", "JOURNAL"), "no module 'no_such_module'"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(
    run: Run, journal: Path, arguments: tuple[str, ...], says: str
) -> None:
    done = run("inspect", "--no-open", *(str(journal) if one == "JOURNAL" else one for one in arguments))
    assert done.exit_code == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_serve_shows_its_sessions_only_if_it_is_asked_to(tmp_path: Path) -> None:
    with inspecting(tmp_path, "serve", "--port", "0", "--inspect", "--inspect-port", "0") as (program, url):
        room = program.lines[0].split("fsm-rtc join ")[1].replace("ROOM", "kitchen")
        with Program(tmp_path, "join", room, "--loopback", "--json", "--one-time-key") as alice:
            alice.until_event("signaling")
            told = snapshot(url, "room.1.session.1")
            states = {row[1]: row[6] for row in told["machines"]}
            assert states.keys() == {"hub", "room.1.session.1"}
            assert (states["hub"], states["room.1.session.1"]) in (("serving", "welcomed"), ("serving", "joined"))
            assert "kitchen" not in json.dumps(told)
        program.interrupt(signal.SIGINT)
        assert program.ended() == (0, "")
    with Program(tmp_path, "serve", "--port", "0") as program:
        program.until("join with")
        program.interrupt()
        program.ended()
        assert "inspector" not in program.output


def test_demo_opens_the_inspector_beside_the_running_call(tmp_path: Path, browser: Path) -> None:
    options = ("demo", "--open", "--seconds", "1", "--loopback", "--no-video")
    with inspecting(tmp_path, *options, BROWSER=str(browser)) as (program, url):
        told = snapshot(url, "offerer.signaling_link")
        assert (told["name"] if told["type"] == "snapshot" else "fsm-rtc demo") == "fsm-rtc demo"
        assert program.ended() == (0, "")
    assert (tmp_path / "opened").read_text() == f"{url}\n"

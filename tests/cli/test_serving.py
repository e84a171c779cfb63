"""`serve`, as a process."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cli.conftest import Run
from tests.cli.programs import Program, server

pytestmark = pytest.mark.live


def test_it_says_the_address_that_join_takes(tmp_path: Path) -> None:
    with server(tmp_path) as url:
        host, _, port = url.removeprefix("ws://").partition(":")
        assert host == "127.0.0.1"
        assert int(port) > 0
        with urlopen(f"http://{host}:{port}/", timeout=10) as answer:
            assert b"<title>fsm_rtc</title>" in answer.read()


def test_without_the_page_it_says_what_it_is(tmp_path: Path) -> None:
    with Program(tmp_path, "serve", "--no-page", "--port", "0") as serving:
        url = serving.until("join with").rpartition("ws://")[2].partition("/ROOM")[0]
        with urlopen(f"http://{url}/", timeout=10) as answer:
            assert b"signalling server" in answer.read()


def test_for_every_address_it_says_what_to_put_in_place_of_the_host(tmp_path: Path) -> None:
    with Program(tmp_path, "serve", "--host", "0.0.0.0", "--port", "0") as serving:
        greeting = serving.until("join with")
    assert "join ws://HOST:" in greeting
    assert "where HOST is this machine's name or address" in greeting


def test_for_other_machines_it_says_that_browsers_need_https(tmp_path: Path) -> None:
    with Program(tmp_path, "serve", "--host", "0.0.0.0", "--port", "0") as serving:
        told = serving.until("need https")
    assert "--certificate" in told
    assert "http://localhost:" in told


@pytest.mark.parametrize("options", [("--host", "127.0.0.1"), ("--host", "0.0.0.0", "--no-page")])
def test_where_no_browser_comes_from_elsewhere_it_says_nothing_of_https(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    with Program(tmp_path, "serve", "--port", "0", *options) as serving:
        serving.until("join with")
        serving.interrupt()
        assert serving.ended() == (0, "")
        assert "https" not in "".join(serving.lines)


@pytest.mark.parametrize(
    ("number", "told"), [(signal.SIGINT, ""), (signal.SIGTERM, "draining: nobody new is let in\n")]
)
def test_it_ends_in_order_when_it_is_told_to(tmp_path: Path, number: int, told: str) -> None:
    with Program(tmp_path, "serve", "--port", "0") as serving:
        serving.until("join with")
        serving.interrupt(number)
        assert serving.ended() == (0, told)


def test_whoever_is_there_when_it_ends_was_not_refused(tmp_path: Path) -> None:
    with Program(tmp_path, "serve", "--port", "0") as serving:
        url = serving.until("join with").split("join with: fsm-rtc join ")[1].replace("ROOM", "kitchen")
        with Program(tmp_path, "join", url, "--loopback", "--json") as alice:
            alice.until_event("signaling")
            serving.interrupt()
            assert alice.until_event("signaling")["code"] == "shutting_down"
            assert serving.ended() == (0, "")


def test_a_port_in_use_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Program(tmp_path, "serve", "--port", str(port)) as serving:
            code, told = serving.ended()
    assert code == 2
    assert serving.lines == []
    assert told.count("\n") == 1
    assert f"{port}" in told
    assert "choose another" in told


def test_what_it_refuses_is_told_by_code(tmp_path: Path) -> None:
    with Program(tmp_path, "serve", "--port", "0", "--members", "2") as serving:
        url = serving.until("join with").split("join with: fsm-rtc join ")[1].replace("ROOM", "kitchen")
        everybody = [Program(tmp_path, "join", url, "--loopback", "--json", "--name", name) for name in ("a", "b", "c")]
        with everybody[0] as first, everybody[1] as second, everybody[2] as third:
            for one in (first, second, third):
                one.until_event("signaling")
            codes = {event["code"] for one in everybody for event in one.events() if event["event"] == "signaling"}
        serving.interrupt()
        _, told = serving.ended()
    assert "room_full" in codes
    assert "room_full" in told


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--key", "key.pem"], "without --certificate"),
        (["--certificate", "missing.pem"], "can't be read"),
        (["--certificate", "torn.pem"], "give a certificate in PEM"),
        (["--port", "65536"], "--port"),
    ],
)
def test_a_wrong_option_is_told_and_nothing_listens(run: Run, workplace: Path, options: list[str], says: str) -> None:
    (workplace / "torn.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    refused = run("serve", *options)
    assert refused.exit_code == 2
    assert says in " ".join(refused.stderr.replace("│", " ").split())


def test_the_help_has_an_example(run: Run) -> None:
    assert "Examples: fsm-rtc serve;" in " ".join(run("serve", "--help").output.split())

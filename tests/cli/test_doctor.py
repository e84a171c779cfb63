"""`doctor`, with real servers: what is fine, what isn't, and what to do then."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from fsm_rtc.cli.doctor import _unseen
from fsm_rtc.messages.wire import PROTOCOL, Challenge, encode
from fsm_rtc.peer.configuration import IceServer
from fsm_rtc.peer.ice.doctor import Check, check_addresses, compare_mappings
from fsm_rtc.signaling import SignalingServer
from tests.cli.conftest import Run
from tests.cli.programs import Program
from tests.coturn import coturn

pytestmark = pytest.mark.live


async def examined(home: Path, *options: str, **environment: Any) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and each check by its name."""
    with Program(home, "doctor", "--json", "--loopback", *options, **environment) as program:
        code, told = await asyncio.to_thread(program.ended)
        assert told == ""
        checks = [json.loads(line) for line in program.lines]
    return code, {check["name"]: check for check in checks}


async def test_a_host_on_which_calls_work_is_fine(tmp_path: Path) -> None:
    code, checks = await examined(tmp_path)
    assert code == 0
    assert list(checks) == ["a call within this host"]
    assert "open after" in checks["a call within this host"]["text"]


async def test_servers_that_answer_are_fine(tmp_path: Path) -> None:
    async with coturn(tmp_path, "--lt-cred-mech", "--user=name:secret") as port, SignalingServer() as server:
        turn, stun = f"turn:127.0.0.1:{port}?transport=udp", f"stun:127.0.0.1:{port}"
        options = ("--turn", turn, "--stun", stun, "--username", "name", "--signaling", server.url)
        url = server.url
        code, checks = await examined(tmp_path, *options, FSM_RTC_TURN_CREDENTIAL="secret")
    assert code == 0
    assert checks[f"TURN {turn}"]["addresses"][0][0] == "127.0.0.1"
    assert checks[f"STUN {stun}"]["is_fine"]
    assert "the clocks agree" in checks[f"signalling {url}"]["text"]


async def test_a_wrong_password_is_told_as_such(tmp_path: Path) -> None:
    async with coturn(tmp_path, "--lt-cred-mech", "--user=name:secret") as port:
        turn = f"turn:127.0.0.1:{port}?transport=udp"
        code, checks = await examined(tmp_path, "--turn", turn, "--username", "name", "--credential", "wrong")
    assert code == 1
    assert checks[f"TURN {turn}"]["would_fail"].startswith("calls that find no direct way")
    assert "the password is wrong" in checks[f"TURN {turn}"]["advice"]


async def test_a_server_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        stun = f"stun:127.0.0.1:{silent.getsockname()[1]}"
        options = ("--stun", stun, "--signaling", "ws://127.0.0.1:1", "--timeout", "0.5")
        code, checks = await examined(tmp_path, *options)
    assert code == 1
    assert "firewall" in checks[f"STUN {stun}"]["advice"]
    assert checks[f"STUN {stun}"]["would_fail"].startswith("calls with hosts in other networks")
    assert "is a server running there" in checks["signalling ws://127.0.0.1:1"]["advice"]


def dated(date: str) -> Callable[[ServerConnection, Request, Response], None]:
    def set_date(socket: ServerConnection, request: Request, response: Response) -> None:
        headers = Headers(response.headers)
        del headers["Date"]
        headers["Date"] = date
        response.headers = headers

    return set_date


async def test_a_clock_that_is_wrong_is_told(tmp_path: Path) -> None:
    async def challenge(socket: ServerConnection) -> None:
        await socket.send(encode(Challenge(protocol=PROTOCOL, nonce=bytes(32))))
        await socket.wait_closed()

    async with serve(challenge, "127.0.0.1", 0, process_response=dated("Thu, 01 Jan 2015 00:00:00 GMT")) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        code, checks = await examined(tmp_path, "--signaling", url)
    assert code == 1
    assert "ahead of its own" in checks[f"signalling {url}"]["text"]
    assert "set the clocks" in checks[f"signalling {url}"]["advice"]
    assert "joining with a token" in checks[f"signalling {url}"]["would_fail"]


async def test_another_websocket_server_is_told(tmp_path: Path) -> None:
    async def chat(socket: ServerConnection) -> None:
        await socket.send("hello")
        await socket.wait_closed()

    async with serve(chat, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        code, checks = await examined(tmp_path, "--signaling", url)
    assert code == 1
    assert "no signalling server" in checks[f"signalling {url}"]["text"]


def test_for_people_each_check_is_a_line_with_its_advice(run: Run) -> None:
    told = run("doctor", "--loopback", "--signaling", "ws://127.0.0.1:1", "--timeout", "5")
    assert told.exit_code == 1
    first, advice, would_fail, last = told.stdout.splitlines()
    assert first.startswith("FAILS  signalling ws://127.0.0.1:1: ")
    assert advice.startswith("       is a server running there")
    assert would_fail == "       would fail: every call over this server"
    assert last.startswith("ok     a call within this host: open after ")


@pytest.mark.parametrize("url", ["stun", "http://x", "turn:host:port"])
def test_a_url_that_is_none_is_refused(run: Run, url: str) -> None:
    refused = run("doctor", "--stun", url)
    assert refused.exit_code == 2
    assert "is no ICE server URL" in " ".join(refused.stderr.replace("│", " ").split())


def test_a_nat_with_several_addresses_is_told() -> None:
    one, other = (
        Check(f"STUN {host}", is_fine=True, text="", addresses=((host, 1),)) for host in ("192.0.2.1", "192.0.2.2")
    )
    assert compare_mappings([one, one]) is None
    together = compare_mappings([one, other])
    assert together is not None
    assert not together.is_fine
    assert "TURN" in together.advice
    assert "behind a NAT" in together.would_fail


@pytest.mark.parametrize(
    ("servers", "signaling", "says"),
    [
        ([], None, ["--stun", "--turn", "--signaling"]),
        ([IceServer("stun:one.example")], "ws://one.example", ["--turn"]),
        ([IceServer("turns:one.example", "name", "secret")], None, ["--stun", "--signaling"]),
        ([IceServer("stun:one.example"), IceServer("turn:one.example", "name", "secret")], "ws://one.example", []),
    ],
)
def test_what_was_not_asked_for_is_told_with_what_could_fail(
    servers: list[IceServer], signaling: str | None, says: list[str]
) -> None:
    unseen = _unseen(servers, signaling)
    assert [option for option in ("--stun", "--turn", "--signaling") if option in unseen] == says


def test_a_host_with_loopback_alone_would_fail_with_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fsm_rtc.peer.ice.doctor.host_addresses", list)
    check = check_addresses()
    assert (check.is_fine, check.would_fail) == (False, "calls with any other host")

"""`serve` as operators run it: its options, who may join, an end that drops nobody, a log for programs."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from fsm_rtc.messages.identity import Identity
from fsm_rtc.signaling.access import join_token
from tests.cli.conftest import Run
from tests.cli.programs import Program

pytestmark = pytest.mark.live

SECRET = "0123456789abcdef0123456789abcdef"
CHATTING = ("--loopback", "--json", "--one-time-key")


@contextmanager
def serving(home: Path, *options: str, **environment: Any) -> Iterator[tuple[Program, str]]:
    """A server with these options, and the address of a room on it."""
    with Program(home, "serve", "--port", "0", *options, **environment) as program:
        yield program, program.until("join with").split("join with: fsm-rtc join ")[1].replace("ROOM", "kitchen")


def metric(url: str, name: str) -> float:
    with urlopen(url.replace("ws://", "http://").replace("/kitchen", "/metrics"), timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"fsm_rtc_signaling_{name} ")))


# Where options come from.


def test_flags_go_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "serve.toml"
    file.write_text('members = 3\nrooms = 4\nport = 1\nturn = ["turn:one.example:3478", "turn:two.example:3478"]\n')
    environment: dict[str, Any] = {"FSM_RTC_ROOMS": "5", "FSM_RTC_MEMBERS": "2", "FSM_RTC_TURN_SECRET": "secret"}
    with (
        serving(tmp_path, "--config", str(file), "--rooms", "1", **environment) as (_, url),
        Program(tmp_path, "join", url, *CHATTING) as first,
    ):
        assert first.until_event("signaling")["code"] is None
        with Program(tmp_path, "join", url.replace("kitchen", "cellar"), *CHATTING) as other:
            assert other.until_event("signaling")["code"] == "too_many_rooms"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("port = ", "it is no TOML"),
        ("prot = 1", "no option 'prot'; write one of"),
        ("[limits]\nrooms = 1", "no option 'limits'"),
        ("[rooms]\nmost = 1", "'rooms' is a table"),
        ("rooms = 0", "rooms"),
        ("unread-bytes = 2000", "message_bytes"),
        ('log-format = "xml"', "log-format"),
        ('turn = ["stun:somewhere"]', "no TURN server"),
        ('turn = ["turn:somewhere"]', "secret"),
        ('token-secret-file = "missing"', "can't be read"),
        ('token-secret-file = "short"', "they need 32"),
        ('allow = ["x"]\ntoken-secret-file = "serve.toml"', "one of the two"),
    ],
)
def test_a_wrong_file_is_told_and_nothing_listens(run: Run, workplace: Path, text: str, says: str) -> None:
    (workplace / "serve.toml").write_text(f"{text}\n# {'x' * 40}\n")
    (workplace / "short").write_text("short")
    refused = run("serve", "--config", "serve.toml")
    assert refused.exit_code == 2
    assert says in " ".join((refused.stderr + refused.output).replace("│", " ").split())


def test_a_file_that_is_not_there_is_told(run: Run) -> None:
    refused = run("serve", "--config", "missing.toml")
    assert refused.exit_code == 2
    assert "can't be read" in " ".join(refused.stderr.replace("│", " ").split())


# Who may join.


def test_who_has_a_token_may_join_and_nobody_else(tmp_path: Path) -> None:
    with serving(tmp_path, FSM_RTC_TOKEN_SECRET=SECRET) as (_, url):
        with Program(tmp_path, "join", url, *CHATTING) as stranger:
            assert stranger.until_event("signaling")["code"] == "no_access"
        with Program(tmp_path, "join", url, *CHATTING, "--token", join_token(SECRET, "kitchen")) as guest:
            assert guest.until_event("signaling")["status"] == "Connected"
        with Program(tmp_path, "join", url, *CHATTING, FSM_RTC_JOIN_TOKEN=join_token(SECRET, "cellar")) as lost:
            assert lost.until_event("signaling")["code"] == "no_access"


def test_only_those_on_the_list_may_join(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    identity = Identity.generate()
    key.write_bytes(identity.to_pem())
    key.chmod(0o600)
    with serving(tmp_path, "--allow", identity.id) as (_, url):
        with Program(tmp_path, "join", url, *CHATTING) as stranger:
            assert stranger.until_event("signaling")["code"] == "no_access"
        with Program(tmp_path, "join", url, "--loopback", "--json", "--identity", str(key)) as known:
            assert known.until_event("signaling")["status"] == "Connected"


# The end.


def test_sigterm_waits_for_those_who_are_there_and_ends_when_they_have_left(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, url), Program(tmp_path, "join", url, *CHATTING) as alice:
        assert alice.until_event("signaling")["status"] == "Connected"
        server.interrupt(signal.SIGTERM)
        while metric(url, "draining") != 1:
            pass
        with Program(tmp_path, "join", url, *CHATTING) as late:
            assert late.until_event("signaling")["code"] == "shutting_down"
        assert server.process.poll() is None
        alice.interrupt()
        assert alice.ended()[0] == 0
        code, told = server.ended()
        assert (code, told.splitlines()) == (0, ["draining: nobody new is let in", "refused: shutting_down"])


def test_a_second_sigterm_ends_it_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, url), Program(tmp_path, "join", url, *CHATTING) as alice:
        alice.until_event("signaling")
        server.interrupt(signal.SIGTERM)
        while metric(url, "draining") != 1:
            pass
        server.interrupt(signal.SIGTERM)
        assert server.ended()[0] == -signal.SIGTERM


# The log.


def test_the_log_for_programs_has_every_event_and_nothing_private(tmp_path: Path) -> None:
    with serving(tmp_path, "--log-format", "json", "--members", "2", FSM_RTC_TOKEN_SECRET=SECRET) as (server, url):
        token = join_token(SECRET, "kitchen")
        join = ("join", url, *CHATTING, "--token", token)
        with (
            Program(tmp_path, *join, "--name", "alice") as alice,
            Program(tmp_path, *join, "--name", "bob") as bob,
        ):
            alice.until_event("ready")
            bob.until_event("ready")
            with Program(tmp_path, *join) as third:
                assert third.until_event("signaling")["code"] == "room_full"
            me = alice.events()[0]
            os.kill(bob.process.pid, signal.SIGKILL)
            while metric(url, "lost_total") != 1:
                pass
            alice.interrupt()
            alice.ended()
        server.interrupt()
        code, told = server.ended()
    assert code == 0
    lines = [json.loads(line) for line in told.splitlines()]
    events = [line["event"] for line in lines]
    assert events.count("joined") == 2
    assert {"joined", "lost", "left", "refused"} <= set(events)
    (refused,) = (line for line in lines if line.get("code") == "room_full")
    assert refused["level"] == "info"
    assert refused["link"] > 0
    assert all(line["time"].endswith("+00:00") for line in lines)
    secrets = (me["id"], "kitchen", "alice", "127.0.0.1", "candidate", "a=ice", "BEGIN", token, SECRET)
    assert [secret for secret in secrets if secret in told] == []

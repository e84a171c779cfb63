"""`join`: two programs chat over a signalling server, each in a process of its own."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsm_rtc.cli.calling import configuration_of
from fsm_rtc.messages import Identity
from fsm_rtc.messages.trust import KnownPeers
from fsm_rtc.peer.configuration import Configuration, IceServer
from tests.cli.conftest import Run
from tests.cli.programs import Program, server

pytestmark = pytest.mark.live

QUIET = ("--loopback", "--one-time-key")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[str]:
    """The address of a room on a server of its own."""
    with server(tmp_path) as url:
        yield f"{url}/kitchen"


def test_two_people_talk_and_one_leaves(tmp_path: Path, room: str) -> None:
    with (
        Program(tmp_path, "join", room, "--name", "alice", *QUIET) as alice,
        Program(tmp_path, "join", room, "--name", "bob", *QUIET) as bob,
    ):
        alice.until("connected to bob")
        bob.until("connected to alice")
        alice.enter("Hello peer!")
        assert bob.until("Hello").strip() == "alice: Hello peer!"
        bob.enter("Grüße")
        assert alice.until("Gr").strip() == "bob: Grüße"
        bob.enter("bye\n/quit")
        assert bob.ended() == (0, "")
        assert alice.until("bob").strip() == "bob: bye"
        alice.until("bob left: goodbye; waiting for the next one")
        alice.end_input()
        assert alice.ended() == (0, "")
    assert f"* connecting to {room}" in alice.lines
    assert "* waiting for the other side in room kitchen" in alice.lines
    assert "a key for this run only" in alice.lines[0]
    assert any("bob joined, with the id" in line for line in alice.lines)


def test_the_one_who_stays_talks_to_the_next_one(tmp_path: Path, room: str) -> None:
    with Program(tmp_path, "join", room, "--name", "alice", *QUIET) as alice:
        for name in ("bob", "carol"):
            with Program(tmp_path, "join", room, "--name", name, *QUIET) as other:
                alice.until(f"connected to {name}")
                other.until("connected to alice")
                alice.enter(f"hello {name}")
                other.until(f"alice: hello {name}")
                other.interrupt()
                assert other.ended() == (0, "")
                alice.until(f"{name} left")
            alice.enter("is anybody there?")
            alice.until("not sent: nobody is there")


def test_of_three_each_hears_all_and_two_go_on_when_one_leaves(tmp_path: Path, room: str) -> None:
    with (
        Program(tmp_path, "join", room, "--name", "alice", *QUIET) as alice,
        Program(tmp_path, "join", room, "--name", "bob", *QUIET) as bob,
        Program(tmp_path, "join", room, "--name", "carol", *QUIET) as carol,
    ):
        everybody = (alice, bob, carol)
        for one in everybody:
            for _ in range(2):
                one.until("connected to")
        for one, name in zip(everybody, ("alice", "bob", "carol"), strict=True):
            one.enter("hello all")
            for other in everybody:
                if other is not one:
                    assert other.until("hello").strip() == f"{name}: hello all"
        carol.enter("bye\n/quit")
        assert carol.ended() == (0, "")
        for one, rest in ((alice, "bob"), (bob, "alice")):
            assert one.until("carol").strip() == "carol: bye"
            one.until(f"carol left: goodbye; still here: {rest}")
        bob.enter("still here")
        assert alice.until("still").strip() == "bob: still here"
        for one in (bob, alice):
            one.end_input()
            assert one.ended() == (0, "")


def test_with_json_every_event_is_an_object_and_the_last_one_a_summary(tmp_path: Path, room: str) -> None:
    with (
        Program(tmp_path, "join", room, "--name", "alice", "--json", *QUIET) as alice,
        Program(tmp_path, "join", room, "--name", "bob", "--json", *QUIET) as bob,
    ):
        alice.until_event("ready")
        bob.until_event("ready")
        alice.enter("/quit")
        assert bob.until_event("message") == {
            "event": "message",
            "id": alice.events()[0]["id"],
            "name": "alice",
            "text": "/quit",
        }
        bob.end_input()
        assert bob.ended() == (0, "")
        assert alice.until_event("ended")["reason"] == "goodbye"
        alice.interrupt()
        assert alice.ended() == (0, "")
    told = alice.events()
    kinds = [event["event"] for event in told]
    assert kinds.index("me") < kinds.index("signaling") < kinds.index("joined") < kinds.index("ready")
    assert told[0] == {
        "event": "me",
        "id": bob.events()[kinds.index("joined")]["id"],
        "name": "alice",
        "room": "kitchen",
        "url": room,
        "identity": None,
        "known_peers": None,
    }
    agreed = [event["offer_id"] for one in (alice, bob) for event in one.events() if event["event"] == "negotiated"]
    assert len(set(agreed)) == 1
    summary = {"exit_code": 0, "reason": "stopped", "sent": 1, "received": 0, "calls": 1, "refused": {}}
    assert told[-1] == {"event": "summary", **summary, "failure": None}


def test_what_is_piped_in_arrives_before_the_goodbye(tmp_path: Path, room: str) -> None:
    (tmp_path / "lines").write_text("".join(f"line {number}\n" for number in range(500)))
    with (
        Program(tmp_path, "join", room, "--name", "alice", "--json", *QUIET) as alice,
        (tmp_path / "lines").open() as lines,
        Program(tmp_path, "join", room, "--name", "bob", *QUIET, stdin=lines) as bob,
    ):
        assert bob.ended() == (0, "")
        alice.until_event("ended")
    heard = [event["text"] for event in alice.events() if event["event"] == "message"]
    assert heard == [f"line {number}" for number in range(500)]


def test_in_a_terminal_lines_are_read_and_its_end_is_a_goodbye(tmp_path: Path, room: str) -> None:
    leader, terminal = pty.openpty()
    with (
        Program(tmp_path, "join", room, "--name", "alice", "--json", *QUIET) as alice,
        Program(tmp_path, "join", room, "--name", "bob", *QUIET, stdin=terminal) as bob,
    ):
        alice.until_event("ready")
        bob.until("connected to alice")
        os.write(leader, b"from a terminal\n")
        assert alice.until_event("message")["text"] == "from a terminal"
        os.write(leader, b"\x04")
        assert bob.ended() == (0, "")
    os.close(leader)
    os.close(terminal)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_goodbye_while_nobody_is_there(tmp_path: Path, room: str, number: int) -> None:
    with Program(tmp_path, "join", room, *QUIET) as alone:
        alone.until("waiting for the other side")
        alone.interrupt(number)
        assert alone.ended() == (0, "")


def test_without_input_it_leaves_at_once(tmp_path: Path, room: str) -> None:
    with Program(tmp_path, "join", room, *QUIET, stdin=subprocess.DEVNULL) as alone:
        assert alone.ended() == (0, "")


def test_somebody_who_is_known_is_recognised(tmp_path: Path, room: str) -> None:
    keys = ("--identity", str(tmp_path / "alice.pem"), "--known-peers", str(tmp_path / "known"))
    identity = Identity.generate()
    identity.save(tmp_path / "bob.pem")
    Identity.generate().save(tmp_path / "alice.pem")
    for says in ("bob joined, with the id ", "bob joined, with the id that is known: "):
        with (
            Program(tmp_path, "join", room, "--name", "alice", "--loopback", *keys) as alice,
            Program(
                tmp_path, "join", room, "--loopback", "--identity", str(tmp_path / "bob.pem"), "--name", "bob"
            ) as bob,
        ):
            assert says + identity.id in alice.until("bob joined")
            alice.until("connected to bob")
            bob.until("connected to alice")


def test_a_known_name_with_another_key_is_refused_and_the_remedy_works(
    tmp_path: Path, room: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Identity.generate().save(tmp_path / "alice.pem")
    known = tmp_path / "known"
    before = Identity.generate()
    KnownPeers(known).add("bob", before.public_key)
    me = ("join", room, "--name", "alice", "--loopback", "--identity", str(tmp_path / "alice.pem"))
    with Program(tmp_path, *me, "--known-peers", str(known)) as alice:
        alice.until("waiting")
        with Program(tmp_path, "join", room, "--name", "bob", "--json", *QUIET) as impostor:
            refused = alice.until("refused: bob")
            assert impostor.until_event("me")["id"] in refused
            assert before.id in refused
            remedy = alice.until("accept it with")
    command = remedy.split("accept it with: fsm-rtc ")[1].split(";")[0]
    assert run(*command.split()).exit_code == 0
    with (
        Program(tmp_path, *me, "--known-peers", str(known)) as alice,
        Program(tmp_path, "join", room, "--name", "bob", *QUIET),
    ):
        alice.until("connected to bob")


def test_a_refusal_is_an_event(tmp_path: Path, room: str) -> None:
    before = Identity.generate()
    KnownPeers(tmp_path / "known").add("bob", before.public_key)
    arguments = ("--known-peers", str(tmp_path / "known"), "--json")
    with (
        Program(tmp_path, "join", room, "--name", "alice", *QUIET, *arguments) as alice,
        Program(tmp_path, "join", room, "--name", "bob", "--json", *QUIET) as bob,
    ):
        refused = alice.until_event("refused")
        assert refused == {
            "event": "refused",
            "id": bob.until_event("me")["id"],
            "name": "bob",
            "known_id": before.id,
        }
        alice.interrupt()
        assert alice.ended() == (0, "")
    assert alice.events()[-1]["calls"] == 0
    assert sum(alice.events()[-1]["refused"].values()) > 0


def test_with_trust_in_anybody_a_known_name_means_nothing(tmp_path: Path, room: str) -> None:
    folder = tmp_path / "config" / "fsm-rtc"
    folder.mkdir(parents=True)
    Identity.generate().save(folder / "identity.pem")
    KnownPeers(folder / "known_peers").add("bob", Identity.generate().public_key)
    with (
        Program(tmp_path, "join", room, "--name", "alice", "--loopback", "--trust", "any") as alice,
        Program(tmp_path, "join", room, "--name", "bob", *QUIET),
    ):
        alice.until("connected to bob")
    assert str(folder / "identity.pem") in alice.lines[0]


def test_the_same_key_in_two_programs_is_told_with_what_to_do(tmp_path: Path, room: str) -> None:
    Identity.generate().save(tmp_path / "alice.pem")
    me = ("join", room, "--loopback", "--identity", str(tmp_path / "alice.pem"))
    with Program(tmp_path, *me) as first:
        first.until("waiting")
        with Program(tmp_path, *me) as second:
            second.until("waiting")
            code, _ = first.ended()
    assert code == 1
    assert "--one-time-key" in first.output


def test_a_server_that_is_not_there_is_tried_again_until_the_time_is_over(tmp_path: Path, room: str) -> None:
    with server(tmp_path) as gone:
        url = f"{gone}/kitchen"
    with Program(tmp_path, "join", url, "--timeout", "1", *QUIET) as alone:
        assert "trying again in" in alone.until("no link")
        assert alone.ended()[0] == 1
    assert "gave up: nobody was connected within 1 s" in alone.output
    assert alone.lines[-1].startswith("* Check the server's address and port")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["http://127.0.0.1:1/kitchen"], "ws://host:port/room"),
        (["ws://127.0.0.1:1/"], "names no room"),
        (["kitchen"], "ws://host:port/room"),
        (["ws://127.0.0.1:1/kitchen", "--identity", "missing.pem"], "missing.pem"),
        (["ws://127.0.0.1:1/kitchen", "--known-peers", "torn"], "line 1"),
        (["ws://127.0.0.1:1/kitchen", "--known-peers", "torn", "--trust", "any"], "give one of the two"),
        (["ws://127.0.0.1:1/kitchen", "--trust", "some"], "--trust"),
        (["ws://127.0.0.1:1/kitchen", "--stun", "example.org"], "stun:host:port"),
        (["ws://127.0.0.1:1/kitchen", "--name", ""], "1 to 128 characters"),
        (["ws://127.0.0.1:1/kitchen", "--name", "x" * 129], "1 to 128 characters"),
        ([], "Missing argument"),
    ],
)
def test_wrong_arguments_are_told_and_nothing_is_tried(
    run: Run, workplace: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(workplace / "config"))
    (workplace / "torn").write_text("nonsense\n")
    refused = run("join", *arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert says in " ".join(refused.stderr.replace("│", " ").split())


def test_loopback_and_stun_reach_the_peer_connection() -> None:
    assert configuration_of(None, loopback=True) == Configuration(loopback=True)
    server = "stun:stun.example.org:3478"
    assert configuration_of(server, loopback=False) == Configuration(ice_servers=(IceServer(server),))


def test_the_help_says_where_keys_are_remembered_and_has_an_example(run: Run) -> None:
    shown = " ".join(run("join", "--help").output.replace("│", " ").split())
    assert "with a key for this run only in memory" in shown
    assert "fsm-rtc join ws://127.0.0.1:8765/kitchen --name alice" in shown

"""`join` where no call can be: what it says, to people and to programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.programs import ROOT, Program
from tests.network.topology import network

pytestmark = pytest.mark.live

SECONDS = "3"

ADVICE = (
    "* The private addresses of the two sides belong to different networks: configure a STUN server on both sides, "
    "and a TURN server if that isn't enough."
)


def test_two_hosts_that_do_not_reach_each_other_are_told_what_they_lack(tmp_path: Path) -> None:
    with (
        network(forwards=False) as networks,
        Program(tmp_path, "serve", "--host", "0.0.0.0", "--port", "8765", by=networks.router.inside()) as serving,
    ):
        serving.until("join with")
        room = f"ws://{networks.address}:8765/kitchen"
        joining = ("join", room, "--one-time-key", "--timeout", SECONDS)
        with (
            Program(tmp_path, *joining, "--name", "alice", by=networks.here.inside()) as alice,
            Program(tmp_path, *joining, "--name", "bob", "--json", by=networks.there.inside()) as bob,
        ):
            assert alice.ended() == (1, "")
            assert bob.ended() == (1, "")
    assert alice.lines.count(ADVICE) == 1
    assert f"* gave up: nobody was connected within {SECONDS} s" in alice.lines
    readme = (ROOT / "README.md").read_text()
    assert f"* gave up: nobody was connected within {SECONDS} s\n{ADVICE}\n" in readme
    summary = bob.events()[-1]
    assert (summary["event"], summary["exit_code"]) == ("summary", 1)
    failure = summary["failure"]
    assert failure["phase"] == "ICE checks"
    assert failure["shares_a_network"] is False
    assert [(one["type"], one["reach"]) for one in failure["local_candidates"]] == [("host", "private")]
    assert [(one["type"], one["reach"]) for one in failure["remote_candidates"]] == [("host", "private")]
    assert failure["pairs_tried"]["succeeded"] == 0
    assert "10.231." not in str(failure)


def test_all_that_is_known_is_shown_on_demand(tmp_path: Path) -> None:
    joining = ("join", "ws://127.0.0.1:9/kitchen", "--one-time-key", "--loopback", "--timeout", "0.5", "-v")
    with Program(tmp_path, *joining) as alone:
        assert alone.ended() == (1, "")
    assert "* phase:       signaling" in alone.lines
    assert alone.lines[-1].startswith("    advice:      Check the server's address")

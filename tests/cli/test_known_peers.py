"""`known-peers`: list, forget, add."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from fsm_rtc.messages import Identity
from fsm_rtc.messages.trust import KnownPeers
from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "fsm-rtc"


@pytest.fixture
def alice(home: Path) -> Identity:
    """Known under her name, in the file of the configuration folder."""
    home.mkdir(parents=True)
    identity = Identity.generate()
    KnownPeers(home / "known_peers").add("alice", identity.public_key)
    return identity


def key_of(identity: Identity) -> str:
    return base64.b64encode(identity.public_key).decode()


def test_everybody_is_listed_by_name_and_id(run: Run, alice: Identity) -> None:
    listed = run("known-peers")
    assert listed.exit_code == 0
    assert ["alice", alice.id] in [line.split()[:2] for line in listed.stdout.splitlines()]


def test_nobody_is_known_at_first(run: Run) -> None:
    listed = run("known-peers")
    assert (listed.exit_code, listed.stdout) == (0, "")
    assert "nobody is known yet" in listed.stderr


def test_a_name_can_do_nothing_to_the_terminal(run: Run, home: Path, alice: Identity) -> None:
    KnownPeers(home / "known_peers").add("e\x1b[31mve", Identity.generate().public_key)
    assert "\x1b" not in run("known-peers").stdout


def test_a_name_is_forgotten(run: Run, home: Path, alice: Identity) -> None:
    assert run("known-peers", "forget", "alice").exit_code == 0
    assert KnownPeers(home / "known_peers").find("alice") is None


def test_a_name_that_nobody_has_is_told(run: Run, alice: Identity) -> None:
    refused = run("known-peers", "forget", "bob")
    assert refused.exit_code == 2
    assert "nobody is known as 'bob'; `fsm-rtc known-peers` lists the names" in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--file", "others", "forget", "bob"), ("forget", "bob", "--file", "others")],
    ids=["before", "behind"],
)
def test_another_file_may_be_named(run: Run, workplace: Path, alice: Identity, arguments: tuple[str, ...]) -> None:
    bob = Identity.generate()
    KnownPeers(workplace / "others").add("bob", bob.public_key)
    assert bob.id in run("known-peers", "--file", "others").stdout
    assert run("known-peers", *arguments).exit_code == 0
    assert KnownPeers(workplace / "others").find("bob") is None


def test_a_key_is_remembered_before_the_first_call(run: Run, home: Path) -> None:
    bob = Identity.generate()
    added = run("known-peers", "add", "bob", key_of(bob))
    assert added.exit_code == 0, added.output
    assert bob.id in added.stdout
    found = KnownPeers(home / "known_peers").find("bob")
    assert found is not None
    assert found.id == bob.id
    assert run("known-peers", "add", "bob", key_of(bob)).exit_code == 0


def test_another_key_does_not_replace_one_that_is_known(run: Run, home: Path, alice: Identity) -> None:
    refused = run("known-peers", "add", "alice", key_of(Identity.generate()))
    assert refused.exit_code == 2
    assert "fsm-rtc known-peers forget alice" in refused.stderr
    found = KnownPeers(home / "known_peers").find("alice")
    assert found is not None
    assert found.id == alice.id


@pytest.mark.parametrize("key", ["", "alice", "!!!!", base64.b64encode(b"\x30\x00").decode()])
def test_what_is_no_key_is_not_remembered(run: Run, home: Path, key: str) -> None:
    refused = run("known-peers", "add", "alice", key)
    assert refused.exit_code == 2
    assert "fsm-rtc keygen --show" in " ".join(refused.stderr.split())
    assert not (home / "known_peers").exists() or KnownPeers(home / "known_peers").find("alice") is None


def test_a_file_that_can_not_be_read_is_told_with_its_line(run: Run, workplace: Path) -> None:
    (workplace / "torn").write_text("# mine\nnonsense\n")
    refused = run("known-peers", "--file", "torn")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "line 2" in refused.stderr


@pytest.mark.parametrize("command", [(), ("forget",), ("add",)])
def test_the_help_has_an_example(run: Run, command: tuple[str, ...]) -> None:
    shown = run("known-peers", *command, "--help").output
    assert f"fsm-rtc {' '.join(('known-peers', *command))}" in " ".join(shown.partition("Example")[2].split())

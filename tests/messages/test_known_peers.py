"""The known-peers file: read strictly, changed as a whole."""

from __future__ import annotations

import base64
import errno
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.errors import KnownPeersError
from fsm_rtc.messages import Identity, KnownPeers, key_id
from fsm_rtc.messages.known_peers import KnownPeer

ALICE, BOB = Identity.generate(), Identity.generate()
ODD_NAMES = [
    "",
    " ",
    "alice and bob",
    "two\nlines",
    "a\r\nb",
    "\t",
    "# no comment",
    "%",
    "%20",
    "100%",
    "\U0001f388 zoë",
    "\u2028",
    "\x85",
    "\0",
    "\x1b[31m",
    "-n",
    "/etc/passwd",
    "n" * 128,
]


@pytest.fixture
def known(tmp_path: Path) -> KnownPeers:
    return KnownPeers(tmp_path / "known_peers")


def line(name: str, identity: Identity = ALICE) -> str:
    return f"{name} {identity.id} {base64.b64encode(identity.public_key).decode()}"


def names(known: KnownPeers) -> list[str]:
    return [entry.name for entry in known.entries()]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Adding, finding, forgetting.


def test_a_file_that_is_not_there_knows_nobody(known: KnownPeers) -> None:
    assert known.entries() == ()
    assert known.find("alice") is None
    assert known.forget("alice") is False
    assert not known.path.exists()


def test_who_is_added_is_found_by_name(known: KnownPeers) -> None:
    known.add("alice", ALICE.public_key)
    known.add("bob", BOB.public_key)
    assert known.find("bob") == KnownPeer("bob", BOB.id, BOB.public_key)
    assert known.find("Bob") is None
    assert names(known) == ["alice", "bob"]
    assert known.path.read_text() == f"{line('alice')}\n{line('bob', BOB)}\n"


def test_who_is_forgotten_is_gone_and_may_come_with_another_key(known: KnownPeers) -> None:
    known.add("alice", ALICE.public_key)
    known.add("bob", BOB.public_key)
    assert known.forget("alice") is True
    assert known.forget("alice") is False
    assert names(known) == ["bob"]
    known.add("alice", BOB.public_key)
    assert names(known) == ["bob", "alice"]


def test_the_same_peer_again_changes_nothing(known: KnownPeers) -> None:
    known.add("alice", ALICE.public_key)
    before = known.path.stat()
    known.add("alice", ALICE.public_key)
    after = known.path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_known_name_with_another_key_is_refused_with_how_to_accept_it(known: KnownPeers) -> None:
    known.add("alice", ALICE.public_key)
    with pytest.raises(KnownPeersError, match=r"fsm-rtc known-peers forget alice$"):
        known.add("alice", BOB.public_key)
    assert known.find("alice") == KnownPeer("alice", ALICE.id, ALICE.public_key)


@pytest.mark.parametrize(
    ("name", "told"), [("$(reboot)", "forget '$(reboot)'"), ("\x1b[31m\n", "forget '\\x1b[31m\\n'")], ids=ascii
)
def test_what_a_name_holds_does_no_harm_where_it_is_told(known: KnownPeers, name: str, told: str) -> None:
    known.add(name, ALICE.public_key)
    with pytest.raises(KnownPeersError) as refused:
        known.add(name, BOB.public_key)
    assert str(refused.value).endswith(told)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_an_odd_name_is_a_line_of_its_own_and_is_found(known: KnownPeers, name: str) -> None:
    known.add("alice", ALICE.public_key)
    known.add(name, BOB.public_key)
    known.add("carol", ALICE.public_key)
    assert names(known) == ["alice", name, "carol"]
    content = known.path.read_text()
    assert content.count("\n") == 3
    assert content.isascii()
    assert known.forget(name)
    assert names(known) == ["alice", "carol"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, max_size=5))
def test_any_names_are_read_back_in_order(tmp_path_factory: pytest.TempPathFactory, some: list[str]) -> None:
    known = KnownPeers(tmp_path_factory.mktemp("known") / "peers")
    for name in some:
        known.add(name, ALICE.public_key)
    assert names(known) == some


def test_a_name_that_is_no_text_is_refused(known: KnownPeers) -> None:
    with pytest.raises(KnownPeersError, match="no text that UTF-8 can hold"):
        known.add("\udcff", ALICE.public_key)
    assert not known.path.exists()


# The file, as people edit it.


def test_comments_and_empty_lines_are_kept_as_they_are(known: KnownPeers) -> None:
    before = f"# friends\n\n  # and family: a\u2028b\n{line('alice')}\n   \n#{line('bob', BOB)}\n"
    known.path.write_text(before)
    assert names(known) == ["alice"]
    known.add("carol", BOB.public_key)
    assert known.path.read_text() == f"{before}{line('carol', BOB)}\n"
    assert known.forget("carol")
    assert known.path.read_text() == before


def test_a_last_line_without_an_end_keeps_to_itself(known: KnownPeers) -> None:
    known.path.write_text(line("alice"))
    known.add("bob", BOB.public_key)
    assert names(known) == ["alice", "bob"]


def test_a_file_from_windows_is_read(known: KnownPeers) -> None:
    known.path.write_bytes(f"\ufeff{line('alice')}\r\n# bob\r\n{line('bob', BOB)}\r\n".encode())
    assert names(known) == ["alice", "bob"]
    assert known.forget("alice")
    assert known.path.read_bytes() == f"# bob\r\n{line('bob', BOB)}\r\n".encode()


def test_of_a_name_that_stands_there_twice_the_first_counts_and_both_are_forgotten(known: KnownPeers) -> None:
    known.path.write_text(f"{line('alice')}\n{line('alice', BOB)}\n")
    found = known.find("alice")
    assert found is not None
    assert found.id == ALICE.id
    with pytest.raises(KnownPeersError):
        known.add("alice", BOB.public_key)
    assert known.forget("alice")
    assert known.entries() == ()


KEY = base64.b64encode(ALICE.public_key).decode()


@pytest.mark.parametrize(
    "torn",
    [
        "alice",
        f"alice {ALICE.id}",
        f"alice {ALICE.id} {KEY} more",
        f"alice and bob {ALICE.id} {KEY}",
        f"alice {ALICE.id} {KEY[:-1]}",
        f"alice {ALICE.id} {KEY[:-4]}",
        f"alice {ALICE.id} *{KEY}",
        f"alice {BOB.id} {KEY}",
        f"alice {KEY} {ALICE.id}",
        f"alice {ALICE.id.lower()} {KEY}",
        f"%ff {ALICE.id} {KEY}",
        f"alice {ALICE.id} ключ",
    ],
    ids=[*"abcdefghijkl"],
)
def test_a_malformed_line_is_told_with_its_number_and_nothing_is_changed(known: KnownPeers, torn: str) -> None:
    before = f"# friends\n\n{line('bob', BOB)}\n{torn}\n"
    known.path.write_text(before)
    for ask in (
        known.entries,
        lambda: known.find("bob"),
        lambda: known.add("carol", ALICE.public_key),
        lambda: known.forget("bob"),
    ):
        with pytest.raises(
            KnownPeersError, match=r"^line 4: .*known_peers: .*; (mend or )?delete the line$"
        ) as refused:
            ask()
        assert refused.value.line == 4
    assert known.path.read_text() == before


def test_a_file_that_is_not_text_is_told(known: KnownPeers) -> None:
    known.path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KnownPeersError, match="not text in UTF-8; move it away") as refused:
        known.entries()
    assert refused.value.line is None


def test_a_folder_in_its_place_is_told(known: KnownPeers) -> None:
    known.path.mkdir()
    with pytest.raises(KnownPeersError, match="can't be read: Is a directory"):
        known.entries()


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_nothing_else_is_raised(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    known = KnownPeers(tmp_path_factory.mktemp("known") / "peers")
    known.path.write_bytes(data)
    try:
        known.add("alice", ALICE.public_key)
    except KnownPeersError:
        assert known.path.read_bytes() == data
    else:
        assert known.find("alice") is not None


# Replacing it.


def test_only_its_owner_may_read_it_and_its_folder(tmp_path: Path) -> None:
    known = KnownPeers(tmp_path / "config" / "fsm" / "known_peers")
    before = os.umask(0)
    try:
        known.add("alice", ALICE.public_key)
    finally:
        os.umask(before)
    assert stat.S_IMODE(known.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(known.path.parent.stat().st_mode) == 0o700
    assert files(known.path.parent) == ["known_peers"]


@pytest.mark.parametrize("failing", ["os.fsync", "pathlib.Path.replace", "tempfile.mkstemp"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    known: KnownPeers, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    known.add("alice", ALICE.public_key)
    before = known.path.read_bytes()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(failing, refuse)
    for change in (lambda: known.add("bob", BOB.public_key), lambda: known.forget("alice")):
        with pytest.raises(KnownPeersError, match="can't be written: No space left on device; choose another file"):
            change()
    assert known.path.read_bytes() == before
    assert files(known.path.parent) == ["known_peers"]
    monkeypatch.undo()
    known.add("bob", BOB.public_key)
    assert names(known) == ["alice", "bob"]


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    known = KnownPeers(tmp_path / "file" / "deeper" / "known_peers")
    with pytest.raises(KnownPeersError, match="Not a directory"):
        known.add("alice", ALICE.public_key)


def test_a_reader_sees_the_old_file_or_the_new_one(known: KnownPeers) -> None:
    known.add("alice", ALICE.public_key)
    with known.path.open() as opened:
        known.add("bob", BOB.public_key)
        assert opened.read() == f"{line('alice')}\n"


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "synced").mkdir()
    target = tmp_path / "synced" / "peers"
    target.write_text(f"{line('alice')}\n")
    link = tmp_path / "known_peers"
    link.symlink_to(target)
    KnownPeers(link).add("bob", BOB.public_key)
    assert link.is_symlink()
    assert target.read_text() == f"{line('alice')}\n{line('bob', BOB)}\n"
    assert KnownPeers(link).forget("alice")
    assert names(KnownPeers(target)) == ["bob"]
    assert files(tmp_path) == ["known_peers", "synced"]


def test_a_link_that_leads_nowhere_leads_to_a_new_file(tmp_path: Path) -> None:
    link = tmp_path / "known_peers"
    link.symlink_to(tmp_path / "elsewhere" / "peers")
    KnownPeers(link).add("alice", ALICE.public_key)
    assert link.is_symlink()
    assert names(KnownPeers(tmp_path / "elsewhere" / "peers")) == ["alice"]


def test_a_path_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    known = KnownPeers(tmp_path / "a\0b")
    with pytest.raises(KnownPeersError, match=r"can't be read: .*embedded null .*; check its path"):
        known.find("alice")
    with pytest.raises(KnownPeersError, match=r"can't be written: .*embedded null .*; choose another file"):
        known.forget("alice")


def test_a_link_that_leads_to_itself_is_told(tmp_path: Path) -> None:
    link = tmp_path / "known_peers"
    link.symlink_to(link)
    with pytest.raises(KnownPeersError):
        KnownPeers(link).add("alice", ALICE.public_key)


def test_threads_that_change_it_at_the_same_time_lose_nothing(known: KnownPeers) -> None:
    some = [f"peer {number}" for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: KnownPeers(known.path).add(name, ALICE.public_key), some))
    assert sorted(names(known)) == sorted(some)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(known.forget, some[:40]))
    assert sorted(names(known)) == sorted(some[40:])
    assert files(known.path.parent) == ["known_peers"]


ADDING = """
import sys
from fsm_rtc.messages import KnownPeers
sys.stdin.read()
for number in range(25):
    KnownPeers(sys.argv[1]).add(f"{sys.argv[2]}{number}", sys.argv[3].encode())
"""


@pytest.mark.live
def test_programs_that_change_it_at_the_same_time_lose_nothing(known: KnownPeers) -> None:
    programs = [
        subprocess.Popen([sys.executable, "-c", ADDING, str(known.path), name, "key"], stdin=subprocess.PIPE)
        for name in "abc"
    ]
    for program in programs:
        assert program.stdin is not None
        program.stdin.close()
    assert [program.wait(60) for program in programs] == [0, 0, 0]
    assert sorted(names(known)) == sorted(f"{name}{number}" for name in "abc" for number in range(25))
    assert {entry.id for entry in known.entries()} == {key_id(b"key")}

"""Whom the policies let in."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from fsm_rtc.errors import KnownPeersError
from fsm_rtc.messages import Allowlist, AnyPeer, Identity, KnownPeers, Trust, TrustOnFirstUse

ALICE, MALLORY = Identity.generate(), Identity.generate()


@pytest.fixture
def file(tmp_path: Path) -> KnownPeers:
    return KnownPeers(tmp_path / "known_peers")


def test_anybody_is_let_in_whatever_was_there_before() -> None:
    trust: Trust = AnyPeer()
    trust.remember("alice", ALICE.public_key)
    assert trust.accepts("alice", MALLORY.id)


def test_an_allowlist_lets_its_keys_in_under_any_name() -> None:
    trust: Trust = Allowlist([ALICE.id])
    assert trust.accepts("alice", ALICE.id)
    assert trust.accepts("somebody else", ALICE.id)
    assert not trust.accepts("alice", MALLORY.id)
    assert not trust.accepts("alice", "")


def test_an_allowlist_learns_nothing() -> None:
    ids = [ALICE.id]
    trust = Allowlist(ids)
    trust.remember("mallory", MALLORY.public_key)
    ids.append(MALLORY.id)
    assert not trust.accepts("mallory", MALLORY.id)
    assert not Allowlist(()).accepts("alice", ALICE.id)


def test_an_allowlist_of_one_id_instead_of_a_list_is_refused() -> None:
    with pytest.raises(TypeError, match=r"give \[id\]"):
        Allowlist(ALICE.id)


@pytest.mark.parametrize("in_file", [False, True])
def test_the_first_under_a_name_keeps_it(file: KnownPeers, in_file: bool) -> None:
    trust: Trust = TrustOnFirstUse(file if in_file else None)
    assert trust.accepts("alice", ALICE.id)
    trust.remember("alice", ALICE.public_key)
    assert trust.accepts("alice", ALICE.id)
    assert not trust.accepts("alice", MALLORY.id)
    assert not trust.accepts("alice", "alice")
    trust.remember("alice", MALLORY.public_key)
    assert trust.accepts("alice", ALICE.id)
    assert not trust.accepts("alice", MALLORY.id)


@pytest.mark.parametrize("in_file", [False, True])
def test_to_ask_is_not_to_remember(file: KnownPeers, in_file: bool) -> None:
    trust = TrustOnFirstUse(file if in_file else None)
    assert trust.accepts("alice", MALLORY.id)
    assert trust.accepts("alice", ALICE.id)
    assert not file.path.exists()


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u3164", "\t\n"])
def test_the_empty_name_is_kept_by_the_first_without_one(file: KnownPeers, in_file: bool, name: str) -> None:
    trust = TrustOnFirstUse(file if in_file else None)
    trust.remember("", ALICE.public_key)
    assert trust.accepts(name, ALICE.id)
    assert not trust.accepts(name, MALLORY.id)
    trust.remember(name, MALLORY.public_key)
    assert not trust.accepts("", MALLORY.id)
    assert [entry.id for entry in file.entries()] == ([ALICE.id] if in_file else [])


SEEN_ALIKE = {
    "spaces around": " zo\xeb\xa0 b ",
    "two spaces": "zo\xeb  b",
    "decomposed": "zoe\u0308 b",
    "zero width": "z\u200bo\u2060\xeb\ufeff b",
    "direction": "\u202ezo\xeb b\u202c",
    "a soft hyphen": "zo\xad\xeb b",
    "a filler": "zo\xeb\u3164 b",
    "a selector": "zo\xeb\ufe0f b",
    "full width": "\uff5a\uff4f\xeb b",
    "a control character": "zo\xeb\x00 b",
}


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize("how", SEEN_ALIKE)
def test_names_that_nobody_can_tell_apart_are_one(file: KnownPeers, in_file: bool, how: str) -> None:
    for first, second in (("zo\xeb b", SEEN_ALIKE[how]), (SEEN_ALIKE[how], "zo\xeb b")):
        file.path.unlink(missing_ok=True)
        trust = TrustOnFirstUse(file if in_file else None)
        trust.remember(first, ALICE.public_key)
        assert trust.accepts(second, ALICE.id)
        assert not trust.accepts(second, MALLORY.id)


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize("name", ["Alice", "\u0430lice", "alice2", "al ice"])
def test_names_that_can_be_told_apart_are_two(file: KnownPeers, in_file: bool, name: str) -> None:
    trust = TrustOnFirstUse(file if in_file else None)
    trust.remember("alice", ALICE.public_key)
    assert trust.accepts(name, MALLORY.id)


def test_a_file_that_knows_two_names_that_look_alike_keeps_both(file: KnownPeers) -> None:
    file.add("alice", ALICE.public_key)
    file.add("alice ", MALLORY.public_key)
    trust = TrustOnFirstUse(file)
    assert trust.accepts("alice", ALICE.id)
    assert trust.accepts("alice ", MALLORY.id)
    assert not trust.accepts("alice ", ALICE.id)


def test_a_key_may_have_several_names(file: KnownPeers) -> None:
    trust = TrustOnFirstUse(file)
    trust.remember("alice", ALICE.public_key)
    trust.remember("alice at work", ALICE.public_key)
    assert [entry.name for entry in file.entries()] == ["alice", "alice at work"]


def test_without_a_file_it_is_forgotten_with_the_object() -> None:
    TrustOnFirstUse().remember("alice", ALICE.public_key)
    assert TrustOnFirstUse().accepts("alice", MALLORY.id)


def test_with_a_file_it_is_remembered_by_the_next(file: KnownPeers) -> None:
    TrustOnFirstUse(file).remember("alice", ALICE.public_key)
    trust = TrustOnFirstUse(KnownPeers(file.path))
    assert trust.accepts("alice", ALICE.id)
    assert not trust.accepts("alice", MALLORY.id)


def test_what_the_file_is_told_to_forget_is_forgotten_at_once(file: KnownPeers) -> None:
    trust = TrustOnFirstUse(file)
    trust.remember("alice", ALICE.public_key)
    KnownPeers(file.path).forget("alice")
    assert trust.accepts("alice", MALLORY.id)


def test_what_another_program_wrote_counts_at_once(file: KnownPeers) -> None:
    trust = TrustOnFirstUse(file)
    assert trust.accepts("alice", MALLORY.id)
    KnownPeers(file.path).add("alice", ALICE.public_key)
    assert not trust.accepts("alice", MALLORY.id)


def test_a_file_that_can_not_be_written_is_told_and_the_name_is_kept_in_memory(
    file: KnownPeers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "replace", refuse)
    trust = TrustOnFirstUse(file)
    with pytest.raises(KnownPeersError, match="can't be written: Read-only"):
        trust.remember("alice", ALICE.public_key)
    assert not trust.accepts("alice", MALLORY.id)
    assert trust.accepts("alice", ALICE.id)


def test_a_file_that_can_not_be_read_lets_nobody_in(file: KnownPeers) -> None:
    file.path.write_text("torn")
    trust = TrustOnFirstUse(file)
    for ask in (lambda: trust.accepts("alice", ALICE.id), lambda: trust.remember("alice", ALICE.public_key)):
        with pytest.raises(KnownPeersError, match="line 1"):
            ask()
    assert file.path.read_text() == "torn"

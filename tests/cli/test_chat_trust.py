"""Whom a chat talks to."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsm_rtc.cli.chat_trust import ChatTrust
from fsm_rtc.errors import KnownPeersError
from fsm_rtc.messages import Identity, Introduction, KnownPeers
from fsm_rtc.room.events import RoomEvent

pytestmark = pytest.mark.live


class Told:
    """A report that keeps what it is told of trust."""

    def __init__(self) -> None:
        self.refusals: list[tuple[str, str, str | None]] = []
        self.losses: list[str] = []

    def happened(self, event: RoomEvent) -> None: ...
    def heard(self, peer: Introduction, message: str | bytes) -> None: ...
    def kept(self) -> None: ...
    def not_sent(self, why: str) -> None: ...

    def refused(self, name: str, key_id: str, known_id: str | None) -> None:
        self.refusals.append((name, key_id, known_id))

    def forgetful(self, why: str) -> None:
        self.losses.append(why)


ONE, OTHER = Identity.generate(), Identity.generate()


def trusting(file: Path | None, *, anybody: bool = False) -> tuple[ChatTrust, Told]:
    trust, told = ChatTrust(anybody=anybody, file=file), Told()
    trust.report = told
    return trust, told


@pytest.mark.parametrize("in_memory", [True, False])
def test_another_key_under_a_known_name_is_refused_and_told_once(tmp_path: Path, in_memory: bool) -> None:
    trust, told = trusting(None if in_memory else tmp_path / "known")
    assert trust.accepts("bob", ONE.id)
    trust.remember("bob", ONE.public_key)
    assert trust.known_id("bob") == ONE.id
    assert trust.accepts("bob", ONE.id)
    assert not trust.accepts("bob", OTHER.id)
    assert not trust.accepts("bob", OTHER.id)
    assert told.refusals == [("bob", OTHER.id, ONE.id)]


@pytest.mark.parametrize("in_memory", [True, False])
def test_who_was_there_first_is_named_though_a_call_with_another_was_agreed_on(tmp_path: Path, in_memory: bool) -> None:
    """Two join under one name before either is known: calls with both are agreed on, and one keeps the name."""
    trust, told = trusting(None if in_memory else tmp_path / "known")
    for one in (ONE, OTHER):
        assert trust.accepts("bob", one.id)
    trust.remember("bob", ONE.public_key)
    trust.remember("bob", OTHER.public_key)
    assert not trust.accepts("bob", OTHER.id)
    assert told.refusals == [("bob", OTHER.id, ONE.id)]


def test_what_is_remembered_is_in_the_file(tmp_path: Path) -> None:
    trust, _ = trusting(tmp_path / "known")
    trust.remember("bob", ONE.public_key)
    found = KnownPeers(tmp_path / "known").find("bob")
    assert found is not None
    assert found.public_key == ONE.public_key


def test_anybody_is_anybody() -> None:
    trust, told = trusting(None, anybody=True)
    trust.remember("bob", ONE.public_key)
    assert trust.accepts("bob", OTHER.id)
    assert told.refusals == []


def test_a_file_that_can_not_be_read_is_an_error_before_the_chat_begins(tmp_path: Path) -> None:
    (tmp_path / "known").write_text("nonsense\n")
    with pytest.raises(KnownPeersError):
        ChatTrust(anybody=False, file=tmp_path / "known")


def test_a_file_that_is_torn_during_the_chat_lets_nobody_in(tmp_path: Path) -> None:
    trust, told = trusting(tmp_path / "known")
    (tmp_path / "known").write_text("nonsense\n")
    assert not trust.accepts("bob", ONE.id)
    trust.remember("carol", OTHER.public_key)
    assert trust.known_id("bob") is None
    assert len(told.losses) == 2
    assert told.refusals == []

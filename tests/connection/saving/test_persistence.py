"""Where a call is kept: any implementation; and calls that go on in another run, in one program."""

from __future__ import annotations

import asyncio
import copy
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fsm_rtc.connection import KeptMessages, MemoryPersistence, Persistence, SqliteFile
from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.saving.call_saver import RESUMABLE_SECONDS
from fsm_rtc.connection.saving.saved import (
    FORMAT,
    SavedCall,
    SavedExchange,
    SavedLink,
    SavedPeer,
    decode_saved,
    encode_saved,
)
from fsm_rtc.engine.snapshot import MachineSnapshot
from fsm_rtc.errors import SnapshotError
from fsm_rtc.machines.exchange import Exchange
from fsm_rtc.messages import Identity, Introduction
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.testing import FakeNetwork, FakePeerConnection
from tests.connection.connection_pairs import FIRST, LIMIT_SECONDS, SECOND, ready, refused_by
from tests.memory_signaling import MemorySignaling, MemorySignalingChannel

PEER = Introduction("bob", "s2", "bob", b"key", b"")
SAVED = SavedCall(
    "kitchen",
    "alice",
    "s1",
    (SavedPeer(PEER, SavedExchange(3, ((2, "two"), (3, "three")), 5, 1, 1)),),
    SavedLink(4, 3, ("three",), (PEER,)),
    {"connection.exchange": MachineSnapshot("Exchange", Exchange.chart.digest, "idle")},
)

Reopen = Callable[[], Persistence]


@pytest.fixture(params=["memory", "sqlite"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reopen]:
    """Opens the same place again, as another run does."""
    if request.param == "memory":
        kept = MemoryPersistence()
        yield lambda: kept
        return
    opened: list[SqliteFile] = []

    def open_again() -> Persistence:
        for one in opened:
            one.close()
        opened.append(SqliteFile(tmp_path / "call.db"))
        return opened[-1]

    yield open_again
    for one in opened:
        one.close()


def test_a_new_place_keeps_nothing(reopen: Reopen) -> None:
    place = reopen()
    assert place.load() is None
    assert place.messages("bob") == KeptMessages()
    assert place.age_seconds() == float("inf")


def test_what_was_kept_is_there_for_the_next_run(reopen: Reopen) -> None:
    place = reopen()
    place.save(SAVED)
    place.message_sent("bob", "mine", 1, "one")
    place.message_sent("bob", "mine", 2, b"\x00two")
    place.message_sent("bob", "mine", 3, "")
    place.messages_acknowledged("bob", 1)
    place.messages_taken("bob", "theirs", 7)
    place.messages_taken("bob", "theirs", 9)
    place.messages_taken("bob", "of another run", 1)
    again = reopen()
    assert again.load() == SAVED
    assert again.messages("bob") == KeptMessages("mine", 3, (b"\x00two", ""), {"theirs": 9, "of another run": 1})
    assert 0 <= again.age_seconds() < 60


def test_the_last_number_is_kept_when_every_message_is_acknowledged(reopen: Reopen) -> None:
    place = reopen()
    place.message_sent("bob", "mine", 1, "one")
    place.messages_acknowledged("bob", 1)
    assert reopen().messages("bob") == KeptMessages("mine", 1)


def test_what_is_cleared_is_gone(reopen: Reopen) -> None:
    place = reopen()
    place.save(SAVED)
    place.message_sent("bob", "mine", 1, "one")
    place.messages_taken("bob", "theirs", 7)
    place.clear()
    again = reopen()
    assert again.load() is None
    assert again.messages("bob") == KeptMessages()
    assert again.age_seconds() == float("inf")


def test_closing_twice_does_no_harm(reopen: Reopen) -> None:
    place = reopen()
    place.close()
    place.close()


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"format":1}', b"\xff", b"[" * 5000])
def test_what_is_no_kept_call_is_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError, match="begin anew"):
        decode_saved(data)


def test_another_format_is_refused() -> None:
    other = msgspec.json.encode({**msgspec.to_builtins(SAVED), "format": FORMAT + 1})
    with pytest.raises(SnapshotError, match=f"format {FORMAT + 1}"):
        decode_saved(other)
    assert decode_saved(encode_saved(SAVED)) == SAVED


# The file.


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    place = SqliteFile(tmp_path / "call.db")
    place.save(SAVED)
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
    place.close()


@pytest.mark.live
def test_a_second_program_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "call.db"
    place = SqliteFile(path)
    opened = f"from fsm_rtc.connection import SqliteFile; SqliteFile({str(path)!r})"
    second = subprocess.run([sys.executable, "-c", opened], capture_output=True, text=True, check=False)
    assert "another program has it open" in second.stderr
    place.close()
    assert subprocess.run([sys.executable, "-c", opened], check=False).returncode == 0


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database" * 100)
    with pytest.raises(SnapshotError, match="can't keep a call"):
        SqliteFile(tmp_path / "text")
    with pytest.raises(SnapshotError, match="can't be opened"):
        SqliteFile(tmp_path / "not there" / "call.db")
    database = sqlite3.connect(tmp_path / "newer")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(SnapshotError, match="version 99"):
        SqliteFile(tmp_path / "newer")


# Calls.


def call(
    signaling: MemorySignaling, network: FakeNetwork, key: Identity | None, place: Persistence | None = None
) -> Connection:
    return Connection(
        signaling.channel(),
        key,
        configuration=Configuration(close_timeout_seconds=0.02),
        peer_connection_factory=partial(FakePeerConnection, network=network),
        persistence=place,
    )


def die(one: Connection, channel: Any) -> None:
    """As SIGKILL does: nothing is said to anybody."""
    assert isinstance(one.peer_connection, FakePeerConnection)
    one.peer_connection.library.vanish()
    assert isinstance(channel, MemorySignalingChannel)
    channel.down()


async def told(calls: list[Connection]) -> None:
    await asyncio.gather(*(one.aclose() for one in calls))


async def test_another_run_goes_on_with_the_session_and_with_what_was_not_acknowledged() -> None:
    signaling, network, place = MemorySignaling(), FakeNetwork(), MemoryPersistence()
    async with asyncio.timeout(LIMIT_SECONDS):
        async with call(signaling, network, FIRST) as survivor:
            first = call(signaling, network, SECOND, place)
            await first.open()
            await ready(survivor, first)
            session, heard, taken = first.me.session, survivor.messages(), first.deliveries()
            for text in ("one", "two"):
                await survivor.send(text)
            done = await anext(taken)
            done.ack()
            half_done = await anext(taken)
            await first.send("before")
            assert await anext(heard) == "before"
            die(first, signaling.seats[SECOND.id])
            await first.send("never went out")
            second = call(signaling, network, SECOND, copy.deepcopy(place))
            assert second.me.session == session
            await second.open()
            await ready(survivor, second)
            again = second.deliveries()
            delivered = await anext(again)
            assert (delivered.id, delivered.data) == (half_done.id, "two")
            delivered.ack()
            assert await anext(heard) == "never went out"
            await second.send("behind")
            assert await anext(heard) == "behind"
            assert refused_by(survivor) == {}
            await told([second])


@pytest.mark.parametrize("why", ["too long ago", "in the middle of an exchange"])
async def test_a_session_that_may_be_forgotten_is_not_gone_on_with_but_the_call_is(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    signaling, network, place = MemorySignaling(), FakeNetwork(), MemoryPersistence()
    async with asyncio.timeout(LIMIT_SECONDS):
        async with call(signaling, network, FIRST) as survivor:
            first = call(signaling, network, SECOND, place)
            await first.open()
            await ready(survivor, first)
            heard = survivor.messages()
            die(first, signaling.seats[SECOND.id])
            await first.send("not lost")
            if why == "too long ago":
                monkeypatch.setattr(place, "age_seconds", lambda: RESUMABLE_SECONDS + 1)
            else:
                saved = place.load()
                assert saved is not None
                busy = replace(saved.machines["connection.exchange"], state="making offer")
                machines = {**saved.machines, "connection.exchange": busy}
                place.save(msgspec.structs.replace(saved, machines=machines))
            second = call(signaling, network, SECOND, copy.deepcopy(place))
            assert second.me.session != first.me.session
            await second.open()
            await ready(survivor, second)
            assert await anext(heard) == "not lost"
            await told([second])


async def test_a_call_that_was_closed_in_order_leaves_nothing() -> None:
    signaling, network, place = MemorySignaling(), FakeNetwork(), MemoryPersistence()
    async with asyncio.timeout(LIMIT_SECONDS):
        async with call(signaling, network, FIRST) as other, call(signaling, network, SECOND, place) as one:
            await ready(one, other)
            assert place.load() is not None
        assert place.load() is None


def test_what_was_kept_for_another_room_or_key_is_refused() -> None:
    place = MemoryPersistence()
    place.save(SAVED)
    with pytest.raises(SnapshotError, match="another room or key"):
        call(MemorySignaling(), FakeNetwork(), FIRST, place)


def test_without_a_key_nothing_is_kept() -> None:
    with pytest.raises(SnapshotError, match="give an identity"):
        call(MemorySignaling(), FakeNetwork(), None, MemoryPersistence())


@pytest.mark.parametrize(
    ("machine", "digest", "says"),
    [("Exchange", "0123456789abcdef", "Exchange has changed"), ("Teapot", "0" * 16, "no machine Teapot")],
)
def test_a_call_of_a_changed_table_is_refused(machine: str, digest: str, says: str) -> None:
    place = MemoryPersistence()
    own = msgspec.structs.replace(SAVED, room=MemorySignaling.name, id=FIRST.id)
    place.save(msgspec.structs.replace(own, machines={"connection.exchange": MachineSnapshot(machine, digest, "idle")}))
    with pytest.raises(SnapshotError, match=says):
        call(MemorySignaling(), FakeNetwork(), FIRST, place)


def test_or_migrated() -> None:
    place = MemoryPersistence({"0123456789abcdef": lambda _: "idle"})
    own = msgspec.structs.replace(SAVED, room=MemorySignaling.name, id=FIRST.id)
    old = {"connection.exchange": MachineSnapshot("Exchange", "0123456789abcdef", "resting")}
    place.save(msgspec.structs.replace(own, machines=old))
    assert call(MemorySignaling(), FakeNetwork(), FIRST, place).me.session == "s1"

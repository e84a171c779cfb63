"""Persistence: where a call is kept, so that another run of its program goes on with it."""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fsm_rtc.connection.saved import SavedCall, decode_saved, encode_saved
from fsm_rtc.engine.snapshot import Migrations
from fsm_rtc.errors import SnapshotError

__all__ = ["KeptMessages", "MemoryPersistence", "Persistence", "SqliteFile"]

SCHEMA = 1
"""The file's version, in its ``user_version``."""

TABLES = """
CREATE TABLE IF NOT EXISTS call (one INTEGER PRIMARY KEY CHECK (one = 1), saved BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS alive (one INTEGER PRIMARY KEY CHECK (one = 1), at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sent (number INTEGER PRIMARY KEY, message NOT NULL);
CREATE TABLE IF NOT EXISTS counter (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS taken (stream TEXT PRIMARY KEY, number INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class KeptMessages:
    """The messages of a call, either way.

    Attributes:
        sent: the number of this side's last message.
        unacknowledged: this side's messages that the peer may not have, the last of them with that number.
        taken: up to which number each of the peer's streams is done with.
    """

    sent: int = 0
    unacknowledged: tuple[str | bytes, ...] = ()
    taken: dict[str, int] = field(default_factory=dict)


class Persistence(Protocol):
    """Keeps one call. Each operation is done when it returns, and survives the death of the process.

    Attributes:
        migrations: what becomes of the states of tables that have changed, by the earlier table's digest.
    """

    migrations: Migrations

    def load(self) -> SavedCall | None:
        """What was kept, or None.

        Raises:
            SnapshotError: it can't be read.
        """

    def messages(self) -> KeptMessages:
        """The messages that were kept."""

    def age_seconds(self) -> float:
        """How long ago the call was alive, by the wall clock; infinite if it never was."""

    def save(self, saved: SavedCall) -> None:
        """Keep this instead of what was kept before."""

    def alive(self) -> None:
        """The call is alive at this moment."""

    def message_sent(self, number: int, message: str | bytes) -> None:
        """Keep a message of this side."""

    def messages_acknowledged(self, up_to: int) -> None:
        """The peer is done with this side's messages up to a number."""

    def messages_taken(self, stream: str, up_to: int) -> None:
        """This side is done with the messages of a stream of the peer up to a number."""

    def clear(self) -> None:
        """The call is over: keep nothing of it."""

    def close(self) -> None:
        """Let the place go. Idempotent."""


class MemoryPersistence:
    """Keeps a call in this object: for tests, and for a `Connection` that is to be made anew in the same program."""

    def __init__(self, migrations: Migrations | None = None) -> None:
        self.migrations: Migrations = migrations or {}
        self._saved: bytes | None = None
        self._alive_at: float | None = None
        self._sent = 0
        self._messages: dict[int, str | bytes] = {}
        self._taken: dict[str, int] = {}

    def load(self) -> SavedCall | None:
        return decode_saved(self._saved) if self._saved is not None else None

    def messages(self) -> KeptMessages:
        return KeptMessages(self._sent, tuple(self._messages.values()), dict(self._taken))

    def age_seconds(self) -> float:
        return time.time() - self._alive_at if self._alive_at is not None else float("inf")

    def save(self, saved: SavedCall) -> None:
        self._saved = encode_saved(saved)
        self.alive()

    def alive(self) -> None:
        self._alive_at = time.time()

    def message_sent(self, number: int, message: str | bytes) -> None:
        self._sent = number
        self._messages[number] = message

    def messages_acknowledged(self, up_to: int) -> None:
        for number in [number for number in self._messages if number <= up_to]:
            del self._messages[number]

    def messages_taken(self, stream: str, up_to: int) -> None:
        self._taken[stream] = up_to

    def clear(self) -> None:
        self._saved = self._alive_at = None
        self._sent = 0
        self._messages.clear()
        self._taken.clear()

    def close(self) -> None:
        """There is nothing to let go."""


class SqliteFile:
    """Keeps a call in a file. What was kept survives the process, whatever ends it; not a failure of the power.

    The file holds what was said and is not acknowledged, and who the peer is; it can be read by its owner alone.

    Args:
        path: the file; made if it isn't there. One program at a time may have it open.
        migrations: what becomes of the states of tables that have changed, by the earlier table's digest; see
            `fsm_rtc.engine.snapshot`.

    Raises:
        SnapshotError: it is no such file, of another version, or open in another program.
    """

    def __init__(self, path: str | os.PathLike[str], migrations: Migrations | None = None) -> None:
        self.path = Path(path)
        self.migrations: Migrations = migrations or {}
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self._database = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise SnapshotError(f"{self.path} can't be opened: {error}; choose another place") from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._database.close()
            why = "another program has it open; end that one" if "locked" in str(error) else f"{error}; choose another"
            raise SnapshotError(f"{self.path} can't keep a call: {why}") from error
        except SnapshotError:
            self._database.close()
            raise

    def _prepare(self) -> None:
        do = self._database.execute
        do("PRAGMA locking_mode = EXCLUSIVE")  # held until it is closed, or the process is gone
        do("PRAGMA journal_mode = WAL")
        do("PRAGMA synchronous = NORMAL")
        (version,) = do("PRAGMA user_version").fetchone()
        if version not in (0, SCHEMA):
            raise SnapshotError(f"{self.path} is of version {version}; this one reads {SCHEMA}: choose another file")
        self._database.executescript(f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {SCHEMA}; COMMIT;")

    def load(self) -> SavedCall | None:
        row = self._database.execute("SELECT saved FROM call").fetchone()
        return decode_saved(row[0]) if row is not None else None

    def messages(self) -> KeptMessages:
        do = self._database.execute
        sent = do("SELECT number FROM counter").fetchone()
        return KeptMessages(
            sent[0] if sent is not None else 0,
            tuple(message for (message,) in do("SELECT message FROM sent ORDER BY number")),
            dict(do("SELECT stream, number FROM taken").fetchall()),
        )

    def age_seconds(self) -> float:
        row = self._database.execute("SELECT at FROM alive").fetchone()
        return time.time() - row[0] if row is not None else float("inf")

    def save(self, saved: SavedCall) -> None:
        self._database.execute("INSERT OR REPLACE INTO call VALUES (1, ?)", (encode_saved(saved),))
        self.alive()

    def alive(self) -> None:
        self._database.execute("INSERT OR REPLACE INTO alive VALUES (1, ?)", (time.time(),))

    def message_sent(self, number: int, message: str | bytes) -> None:
        do = self._database.execute
        do("BEGIN")
        do("INSERT OR REPLACE INTO sent VALUES (?, ?)", (number, message))
        do("INSERT OR REPLACE INTO counter VALUES (1, ?)", (number,))
        do("COMMIT")

    def messages_acknowledged(self, up_to: int) -> None:
        self._database.execute("DELETE FROM sent WHERE number <= ?", (up_to,))

    def messages_taken(self, stream: str, up_to: int) -> None:
        self._database.execute("INSERT OR REPLACE INTO taken VALUES (?, ?)", (stream, up_to))

    def clear(self) -> None:
        self._database.executescript(
            "BEGIN; DELETE FROM call; DELETE FROM alive; DELETE FROM sent; "
            "DELETE FROM counter; DELETE FROM taken; COMMIT;"
        )

    def close(self) -> None:
        self._database.close()

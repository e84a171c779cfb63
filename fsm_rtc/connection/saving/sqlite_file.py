"""SqliteFile: a call kept in a file, by SQLite.

What it holds is secret, and one program's at a time:

- Its owner alone may read it and what lies beside it; where that can't be had it isn't used.
- SQLite's own lock is a POSIX one, which is gone as soon as its process closes any descriptor of the file, a copy that
  it makes of it included. So a `flock` of a file beside it says whose it is: that belongs to this one descriptor. It is
  never deleted, for who waits for a lock on a deleted file has nothing.
- A child that is forked shares the descriptors, but neither the lock nor the use: it would write what its parent
  doesn't know of, and by closing them it would drop what isn't checkpointed.

Every failure is a SnapshotError. It tells SQLite's code and never its text, which may hold a part of a message.
"""

from __future__ import annotations

import ctypes
import os
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary, finalize

from fsm_rtc.connection.saving.persistence import KeptMessages
from fsm_rtc.connection.saving.saved import SavedCall, decode_saved, encode_saved
from fsm_rtc.engine.doors import path_of, told
from fsm_rtc.engine.snapshot import Migrations
from fsm_rtc.errors import SnapshotError

if sys.platform != "win32":
    import fcntl

__all__ = ["SqliteFile"]

T = TypeVar("T")

SCHEMA = 2
"""The file's version, in its ``user_version``."""

APPLICATION = 0x46534D43
"""Whose the file is, in its ``application_id``: "FSMC"."""

TABLES = """
CREATE TABLE call (one INTEGER PRIMARY KEY CHECK (one = 1), saved BLOB NOT NULL);
CREATE TABLE alive (one INTEGER PRIMARY KEY CHECK (one = 1), at REAL NOT NULL);
CREATE TABLE peer (id TEXT PRIMARY KEY, stream TEXT NOT NULL, sent INTEGER NOT NULL);
CREATE TABLE sent (peer TEXT NOT NULL, number INTEGER NOT NULL, message NOT NULL, PRIMARY KEY (peer, number));
CREATE TABLE taken (peer TEXT NOT NULL, stream TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (peer, stream));
"""

BESIDE = ("", "-wal", "-shm", "-journal", "-lock")
"""The endings of the files in which SQLite, and this module, keep what belongs to one."""

ADVICE = {
    "SQLITE_FULL": "there is no room left; make some",
    "SQLITE_IOERR": "the disk is full or failing; make room, or choose another",
    "SQLITE_READONLY": "it can't be written; let its owner write it, or choose another file",
    "SQLITE_CANTOPEN": "a file can't be made beside it; let its owner write the folder, or choose another",
    "SQLITE_CORRUPT": "it is damaged; choose another file",
    "SQLITE_NOTADB": "it is damaged, or another kind of file; choose another one",
    "SQLITE_BUSY": "another program has it open; end that one",
    "SQLITE_LOCKED": "another program has it open; end that one",
    "SQLITE_MISMATCH": "it is damaged; choose another file",
}

_OPEN: WeakValueDictionary[tuple[int, int], SqliteFile] = WeakValueDictionary()
"""What this process has open, by device and inode."""


class SqliteFile:
    """Keeps a call in a file. What was kept survives the process, whatever ends it; not a failure of the power.

    The file holds what was said and is not acknowledged, and who the peers are; it can be read by its owner alone: a
    mode that lets others is tightened.

    Args:
        path: the file; made if it isn't there. One program at a time may have it open, once.
        migrations: what becomes of the states of tables that have changed, by the earlier table's digest; see
            `fsm_rtc.engine.snapshot`.

    Raises:
        SnapshotError: it is no such file, damaged, of another version, open already, or others may write or read it;
            from every operation, if it can't be done: there is no room left, say.
    """

    def __init__(self, path: str | os.PathLike[str], migrations: Migrations | None = None) -> None:
        self.path = path_of(path, "the path of what keeps a call", SnapshotError)
        given: object = migrations
        if given is not None and not isinstance(given, Mapping):
            raise SnapshotError(f"migrations is {told(given)}; give a dict of functions by digest, or None")
        self.migrations: Migrations = migrations or {}
        self._database: sqlite3.Connection | None = None
        self._letting_go: finalize[[], SqliteFile] | None = None
        self._unlock: Callable[[], object] | None = None
        self._inode: tuple[int, int] | None = None
        try:
            self._inode = self._claim()
            self._unlock = self._locked()
            self._database = self._opened()
        except BaseException:
            self.close()
            raise

    # Opening.

    def _claim(self) -> tuple[int, int]:
        """Make sure that it is a file of this user's alone, and that nobody in this process has it open."""
        path = self.path
        try:
            folder = path.parent.stat()
            with suppress(FileNotFoundError):
                found = path.stat()
                if not stat.S_ISREG(found.st_mode):
                    raise SnapshotError(f"{path} can't keep a call: it is no file; choose another")
                self._refuse_a_second(found)  # before it is opened: closing it again would drop SQLite's lock
            if _others_may_write(folder):
                raise SnapshotError(
                    f"{path} can't keep a call: others may put another file in its place; "
                    f"choose a folder that only you can write"
                )
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOCTTY, 0o600))
            made = path.stat()
        except SnapshotError:
            raise
        except OSError as error:
            raise SnapshotError(f"{path} can't be opened: {error.strerror}; choose another place") from error
        except ValueError as error:  # a null character, a surrogate
            raise SnapshotError(f"{str(path)!a} can't be opened: it is no path; choose another place") from error
        self._refuse_a_second(made)
        inode = made.st_dev, made.st_ino
        _OPEN[inode] = self
        return inode

    def _refuse_a_second(self, found: os.stat_result) -> None:
        if (found.st_dev, found.st_ino) in _OPEN:
            raise SnapshotError(f"{self.path} can't keep a call: this program has it open already; close that one")

    def _locked(self) -> Callable[[], object] | None:
        if sys.platform == "win32":  # there SQLite's lock isn't a POSIX one either
            return None
        path = f"{os.path.realpath(self.path)}-lock"
        try:
            lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise SnapshotError(f"{path} can't be opened: {error.strerror}; choose another place") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            busy = isinstance(error, BlockingIOError)
            why = ADVICE["SQLITE_BUSY"] if busy else f"no lock is to be had there ({error.strerror}); use a local disk"
            raise SnapshotError(f"{self.path} can't keep a call: {why}") from error
        return finalize(self, os.close, lock)

    def _opened(self) -> sqlite3.Connection:
        database = self._failing_by_name(self._connected)
        (application, version, tables) = self._failing_by_name(lambda: _described(database))
        self._demand_own(application, version, tables)
        self._tighten()
        verdict = self._failing_by_name(lambda: _prepared(database, is_new=not tables))
        if verdict != "ok":
            raise self._damaged()
        self._tighten()
        return database

    def _connected(self) -> sqlite3.Connection:
        whole = self.path.absolute()  # for ":memory:" alone is no file to SQLite
        database = sqlite3.connect(whole, timeout=0, isolation_level=None, check_same_thread=False)
        self._database = database
        self._letting_go = finalize(self, database.close)  # else it waits for the collector, and has its lock till then
        return database

    def _demand_own(self, application: int, version: int, tables: int) -> None:
        if tables == version == application == 0:
            return
        if application != APPLICATION:
            earlier = f", or of version {version}, and this one reads {SCHEMA}" if version else ""
            why = f"it is of another program{earlier}; choose another file"
        elif version != SCHEMA:
            why = f"it is of version {version}, and this one reads {SCHEMA}; use what kept it, or another file"
        else:
            return
        raise SnapshotError(f"{self.path} can't keep a call: {why}")

    def _tighten(self) -> None:
        """Let its owner alone read it, and what lies beside it."""
        whole = os.path.realpath(self.path)
        for ending in BESIDE:
            file = Path(f"{whole}{ending}")
            try:
                mode = stat.S_IMODE(file.stat().st_mode)
                if mode & 0o077:
                    file.chmod(mode & 0o700)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise SnapshotError(
                    f"{self.path} can't keep a call: others can read it, and that can't be changed "
                    f"({error.strerror}); choose a file of your own"
                ) from error

    # What is kept.

    def load(self) -> SavedCall | None:
        rows = self._read("SELECT saved FROM call")
        if rows and not isinstance(rows[0][0], bytes):
            raise self._damaged()
        try:
            return decode_saved(rows[0][0]) if rows else None
        except SnapshotError as error:
            raise SnapshotError(f"{self.path}: {error}") from error

    def peers(self) -> tuple[str, ...]:
        return tuple(peer for (peer,) in self._read("SELECT id FROM peer ORDER BY rowid"))

    def messages(self, peer: str) -> KeptMessages:
        found = self._read("SELECT stream, sent FROM peer WHERE id = ?", peer)
        stream, sent = found[0] if found else ("", 0)
        rows = self._read("SELECT number, message FROM sent WHERE peer = ? ORDER BY number", peer)
        taken = self._read("SELECT stream, number FROM taken WHERE peer = ? ORDER BY rowid", peer)
        if not (
            isinstance(stream, str)
            and isinstance(sent, int)
            and [number for number, _ in rows] == [*range(sent - len(rows) + 1, sent + 1)]
            and all(isinstance(message, str | bytes) for _, message in rows)
            and all(isinstance(name, str) and isinstance(number, int) for name, number in taken)
        ):
            raise self._damaged()
        return KeptMessages(stream, sent, tuple(message for _, message in rows), dict(taken))

    def age_seconds(self) -> float:
        rows = self._read("SELECT at FROM alive")
        return time.time() - rows[0][0] if rows and isinstance(rows[0][0], float) else float("inf")

    def save(self, saved: SavedCall) -> None:
        self._write(
            ("INSERT OR REPLACE INTO call VALUES (1, ?)", encode_saved(saved)),
            ("INSERT OR REPLACE INTO alive VALUES (1, ?)", time.time()),
        )

    def alive(self) -> None:
        self._write(("INSERT OR REPLACE INTO alive VALUES (1, ?)", time.time()))

    def message_sent(self, peer: str, stream: str, number: int, message: str | bytes) -> None:
        self._write(
            ("INSERT OR REPLACE INTO sent VALUES (?, ?, ?)", peer, number, message),
            (
                "INSERT INTO peer VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET stream = excluded.stream, sent = excluded.sent",
                *(peer, stream, number),
            ),
        )

    def messages_acknowledged(self, peer: str, up_to: int) -> None:
        self._write(("DELETE FROM sent WHERE peer = ? AND number <= ?", peer, up_to))

    def messages_taken(self, peer: str, stream: str, up_to: int) -> None:
        self._write(
            ("INSERT OR IGNORE INTO peer VALUES (?, '', 0)", peer),
            ("INSERT OR REPLACE INTO taken VALUES (?, ?, ?)", peer, stream, up_to),
        )

    def stream_forgotten(self, peer: str, stream: str) -> None:
        self._write(("DELETE FROM taken WHERE peer = ? AND stream = ?", peer, stream))

    def forget(self, peer: str) -> None:
        self._write(
            ("DELETE FROM peer WHERE id = ?", peer),
            ("DELETE FROM sent WHERE peer = ?", peer),
            ("DELETE FROM taken WHERE peer = ?", peer),
        )

    def clear(self) -> None:
        tables = ("call", "alive", "peer", "sent", "taken")
        self._write(*((f"DELETE FROM {table}",) for table in tables))  # noqa: S608 - the names above

    def close(self) -> None:
        database, self._database = self._database, None
        if self._letting_go is not None:
            self._letting_go.detach()
        if database is not None:
            with suppress(sqlite3.Error):
                database.close()
        unlock, self._unlock = self._unlock, None
        if unlock is not None:
            unlock()
        inode, self._inode = self._inode, None
        if inode is not None:
            _OPEN.pop(inode, None)

    # How SQLite is used.

    def _read(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        def read() -> list[tuple[Any, ...]]:
            return self._demand().execute(query, parameters).fetchall()

        return self._failing_by_name(read)

    def _write(self, *statements: tuple[Any, ...]) -> None:
        """Do all of it, each a statement and its parameters, or nothing."""
        self._failing_by_name(lambda: _do_all(self._demand(), statements))

    def _demand(self) -> sqlite3.Connection:
        if self._database is None:
            raise SnapshotError(f"{self.path} is closed, or open in the process that forked this one; open it anew")
        return self._database

    def _failing_by_name(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            # without a code it is Python's own: text that is no UTF-8, be it SQLite's own words, which it repeats
            code = getattr(error, "sqlite_errorname", None) or "SQLITE_CORRUPT"
        # here, so that SQLite's error is not the context of this one
        primary = "_".join(code.split("_")[:2])
        raise SnapshotError(f"{self.path} can't keep a call: {ADVICE.get(primary, 'choose another file')} ({code})")

    def _damaged(self) -> SnapshotError:
        return SnapshotError(f"{self.path} can't keep a call: {ADVICE['SQLITE_CORRUPT']}")

    def _leave_to_parent(self) -> None:
        """In a forked child: let go of it, and of nothing that the parent has."""
        if self._database is not None:  # never closed here: that would drop the parent's log
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._database))
        if self._letting_go is not None:
            self._letting_go.detach()
        self._database = None
        if self._unlock is not None:
            self._unlock()  # the parent's descriptor keeps the lock, and when it is gone the lock is
        self._unlock = self._inode = None


def _described(database: sqlite3.Connection) -> tuple[int, int, int]:
    """Whose it is, its version, and how many tables it has; nothing is changed, and nobody else can from now on."""
    do = database.execute
    do("PRAGMA locking_mode = EXCLUSIVE")  # held until it is closed, or the process is gone
    questions = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    application, version, tables = (do(question).fetchone()[0] for question in questions)
    return application, version, tables


def _prepared(database: sqlite3.Connection, *, is_new: bool) -> str:
    """Make it ready for use; what SQLite finds wrong with it, or "ok"."""
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    if is_new:
        database.executescript(
            f"BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA}; COMMIT;"
        )
    return str(database.execute("PRAGMA quick_check(1)").fetchone()[0])


def _do_all(database: sqlite3.Connection, statements: Iterable[tuple[Any, ...]]) -> None:
    database.execute("BEGIN IMMEDIATE")
    try:
        for statement, *parameters in statements:
            database.execute(statement, parameters)
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _others_may_write(folder: os.stat_result) -> bool:
    """Whether others may put another file in a file's place: its folder is theirs to write, and not sticky."""
    if folder.st_mode & stat.S_ISVTX:
        return False
    return bool(folder.st_mode & stat.S_IWOTH or (folder.st_mode & stat.S_IWGRP and not _is_own_group(folder.st_gid)))


def _is_own_group(group: int) -> bool:
    """Whether it is this user's private one, as many systems give to each: there a group may write by default."""
    try:
        import grp
        import pwd

        me = pwd.getpwuid(os.geteuid())
        return me.pw_gid == group and set(grp.getgrgid(group).gr_mem) <= {me.pw_name}
    except (ImportError, KeyError):
        return False


def _after_fork() -> None:
    for one in tuple(_OPEN.values()):
        one._leave_to_parent()
    _OPEN.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

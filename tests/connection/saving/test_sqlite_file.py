"""The file in which a call is kept: one program's, its owner's, and whatever is wrong with it is said by one error."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from fsm_rtc import SnapshotError
from fsm_rtc.connection import KeptMessages, SqliteFile

pytestmark = pytest.mark.live

SECRET = "the secret that was said"


def in_another_program(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def is_open_elsewhere(path: Path) -> bool:
    """Whether another program is refused the file."""
    found = in_another_program("import sys; from fsm_rtc.connection import SqliteFile; SqliteFile(sys.argv[1])", path)
    assert found.returncode == 0 or "another program has it open" in found.stderr, found.stderr
    return found.returncode != 0


def filled(path: Path, messages: int = 50) -> None:
    place = SqliteFile(path)
    for number in range(1, messages + 1):
        place.message_sent("bob", "mine", number, f"{number} {SECRET}" * 20)
    place.close()


def read_all(path: Path) -> None:
    place = SqliteFile(path)
    try:
        place.load()
        for peer in place.peers():
            place.messages(peer)
    finally:
        place.close()


def refused(path: Path) -> str:
    """With what error it is refused, in opening or in reading; nothing of it tells what was said."""
    with pytest.raises(SnapshotError) as raised:
        read_all(path)
    error: BaseException | None = raised.value
    while error is not None:
        assert SECRET not in f"{error} {error!r}"
        assert SECRET[:8] not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__
    return str(raised.value)


# Whose it is.


@pytest.mark.parametrize("how", ["read", "copied", "opened to write", "its lock too", "by SQLite"])
def test_it_stays_one_programs_whatever_that_program_opens_and_closes(tmp_path: Path, how: str) -> None:
    path = tmp_path / "call.db"
    place = SqliteFile(path)
    place.message_sent("bob", "mine", 1, "one")
    match how:
        case "read":
            path.read_bytes()
        case "copied":
            shutil.copy(path, tmp_path / "copy.db")
        case "opened to write":
            path.open("r+b").close()
        case "its lock too":
            for file in tmp_path.iterdir():
                file.open("r+b").close()
        case _:
            other = sqlite3.connect(path, timeout=0)
            with pytest.raises(sqlite3.OperationalError):
                other.execute("SELECT * FROM sent").fetchall()
            other.close()
    with pytest.raises(SnapshotError, match="open already"):
        SqliteFile(path)
    assert is_open_elsewhere(path)
    place.message_sent("bob", "mine", 2, "two")
    place.close()
    assert not is_open_elsewhere(path)
    again = SqliteFile(path)
    assert again.messages("bob") == KeptMessages("mine", 2, ("one", "two"))
    again.close()


@pytest.mark.parametrize("link", ["a symbolic link", "another path"])
def test_it_is_the_same_file_under_another_name(tmp_path: Path, link: str) -> None:
    path = tmp_path / "call.db"
    place = SqliteFile(path)
    (tmp_path / "folder").mkdir()
    other = tmp_path / "folder" / ".." / "call.db"
    if link == "a symbolic link":
        other = tmp_path / "link.db"
        other.symlink_to(path)
    with pytest.raises(SnapshotError, match="open already"):
        SqliteFile(other)
    assert is_open_elsewhere(other)
    place.close()
    SqliteFile(other).close()


def test_what_was_let_go_of_without_closing_it_can_be_opened_again(tmp_path: Path) -> None:
    place = SqliteFile(tmp_path / "call.db")
    place.message_sent("bob", "mine", 1, "one")
    del place
    again = SqliteFile(tmp_path / "call.db")
    assert again.messages("bob") == KeptMessages("mine", 1, ("one",))
    again.close()


FORKS = """
    import gc, os, signal, sys, time
    from fsm_rtc import SnapshotError
    from fsm_rtc.connection import SqliteFile
    place = SqliteFile(sys.argv[1])
    place.message_sent("bob", "mine", 1, "one")
    told, tell = os.pipe()
    if (child := os.fork()) == 0:
        os.close(told)
        try:
            place.message_sent("bob", "mine", 2, "the child's")
        except SnapshotError as error:
            os.write(tell, str(error).encode())
        del place
        gc.collect()
        os.close(tell)
        if sys.argv[2] == "outlives":
            os.closerange(0, 3)
            time.sleep(30)
        sys.exit(0)
    os.close(tell)
    print(os.read(told, 1000).decode(), child, flush=True)
    if sys.argv[2] == "ends":
        os.waitpid(child, 0)
        place.message_sent("bob", "mine", 2, "the parent's")
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", "import sys; from fsm_rtc.connection import SqliteFile;"
                                      "SqliteFile(sys.argv[1])", sys.argv[1]])
        _, status = os.wait()
        print("refused" if status else "let in", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_forked_child_neither_writes_it_nor_lets_others_in(tmp_path: Path) -> None:
    told = in_another_program(FORKS, tmp_path / "call.db", "ends")
    assert "the process that forked" in told.stdout, told
    assert "refused" in told.stdout, told
    place = SqliteFile(tmp_path / "call.db")
    assert place.messages("bob") == KeptMessages("mine", 2, ("one", "the parent's"))
    place.close()


def test_a_child_that_outlives_its_parent_holds_nothing(tmp_path: Path) -> None:
    told = in_another_program(FORKS, tmp_path / "call.db", "outlives")
    child = int(told.stdout.split()[-1])
    try:
        place = SqliteFile(tmp_path / "call.db")
        assert place.messages("bob") == KeptMessages("mine", 1, ("one",))
        place.close()
    finally:
        os.kill(child, 9)


# Who may read it.


@pytest.mark.parametrize("ending", ["", "-wal", "-lock"])
def test_what_others_could_read_is_tightened(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "call.db"
    filled(path)
    open_to_all = Path(f"{path}{ending}")
    open_to_all.touch()
    open_to_all.chmod(0o666)
    place = SqliteFile(path)
    place.message_sent("bob", "mine", 51, "one more")
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
    place.close()


@pytest.mark.parametrize("mode", [0o777, 0o707])
def test_a_folder_in_which_others_may_put_another_file_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "open to all"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(SnapshotError, match="only you can write"):
        SqliteFile(folder / "call.db")
    assert list(folder.iterdir()) == []
    folder.chmod(0o1777)
    SqliteFile(folder / "call.db").close()


# What is wrong with it.


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(3 * 4096))


def no_database(path: Path) -> None:
    path.write_bytes(SECRET.encode() * 1000)


def beheaded(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(100))


def changed(*statements: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        database = sqlite3.connect(path)
        for statement in statements:
            database.execute(statement)
        database.commit()
        database.close()

    return change


def renamed(path: Path) -> None:
    """SQLite tells the name of the table that it can't read, which is no UTF-8 any more."""
    data = path.read_bytes()
    path.write_bytes(data.replace(b"tablesentsent", b"table\xffent\xffent").replace(b"TABLE sent", b"TABEL \xffent"))


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "truncated": (truncated, "damaged"),
    "overwritten": (overwritten, "damaged"),
    "no database": (no_database, "damaged, or another kind"),
    "beheaded": (beheaded, "damaged, or another kind"),
    "no text": (changed("UPDATE sent SET message = CAST(x'ff' || message AS TEXT)"), "damaged"),
    "a number": (changed("UPDATE sent SET message = 7"), "damaged"),
    "a gap": (changed("DELETE FROM sent WHERE number = 7"), "damaged"),
    "a lost counter": (changed("UPDATE peer SET sent = 'many'"), "damaged"),
    "a lost table": (changed("DROP TABLE sent"), "choose another file"),
    "another program's": (changed("PRAGMA application_id = 7"), "of another program"),
    "no names": (renamed, "damaged"),
    "newer": (changed("PRAGMA user_version = 99"), "of version 99"),
    "no call": (changed(f"INSERT INTO call VALUES (1, CAST('{SECRET}' AS BLOB))"), "begin anew"),
    "newer call": (changed("INSERT INTO call VALUES (1, CAST('{\"format\":99}' AS BLOB))"), "format 99"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_said_by_one_error_that_tells_nothing_that_was_said(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "call.db"
    filled(path)
    spoil, says = FAULTS[fault]
    spoil(path)
    assert says in refused(path)
    path.unlink()
    SqliteFile(path).close()  # and the next one there is let be


def test_a_database_of_another_program_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    changed("CREATE TABLE theirs (a)", "INSERT INTO theirs VALUES (1)")(path)
    path.chmod(0o644)
    before = path.read_bytes()
    assert "of another program" in refused(path)
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("what", ["a folder", "a pipe"])
def test_what_is_no_file_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "thing"
    if what == "a folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    assert "it is no file" in refused(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
@pytest.mark.parametrize("what", ["the file", "the folder"])
def test_what_can_not_be_written_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "folder" / "call.db"
    path.parent.mkdir(0o700)
    filled(path)
    (path if what == "the file" else path.parent).chmod(0o500)
    try:
        assert "choose another" in refused(path)
    finally:
        path.parent.chmod(0o700)


def test_a_disk_that_is_full_is_told_to_who_sends_and_what_was_kept_stays(tmp_path: Path) -> None:
    code = """
        import resource, sys
        from fsm_rtc import SnapshotError
        from fsm_rtc.connection import SqliteFile
        place = SqliteFile(sys.argv[1])
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
        for number in range(1, 1000):
            try:
                place.message_sent("bob", "mine", number, f"{number} " + sys.argv[2] * 100)
            except SnapshotError as full:
                error = full
                break
        assert sys.argv[2] not in repr(error) and error.__context__ is None, repr(error.__context__)
        print(number, error)
        for call in (place.alive, place.load, lambda: place.messages_taken("bob", "theirs", 1)):
            try:
                call()
            except SnapshotError:
                pass
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        place.message_sent("bob", "mine", number, "there is room again")
        place.close()
    """
    told = in_another_program(code, tmp_path / "call.db", SECRET)
    assert "choose another" in told.stdout or "make some" in told.stdout, told
    number = int(told.stdout.split()[0])
    place = SqliteFile(tmp_path / "call.db")
    kept = place.messages("bob")
    place.close()
    assert kept.sent == number > 10
    assert [str(message).split()[0] for message in kept.unacknowledged] == [
        *(f"{one}" for one in range(1, number)),
        "there",
    ]


def test_a_closed_one_says_so(tmp_path: Path) -> None:
    place = SqliteFile(tmp_path / "call.db")
    place.close()
    with pytest.raises(SnapshotError, match="is closed"):
        place.load()
    assert resource.getrlimit(resource.RLIMIT_FSIZE)


def test_a_file_whose_name_means_no_file_to_sqlite_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    filled(Path(":memory:"))
    place = SqliteFile(":memory:")
    assert place.messages("bob").sent == 50
    place.close()

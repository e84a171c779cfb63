"""What is no file is refused where a file is due, at once: nobody waits for a FIFO's other end, or a device's."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

from fsm_rtc.cli.tokens import secret_in
from fsm_rtc.engine.regular_file import open_regular, read_regular
from fsm_rtc.errors import FsmRtcError, IdentityError, JournalError, KnownPeersError
from fsm_rtc.messages import Identity, KnownPeers
from fsm_rtc.messages.journal import load_journal

PATIENCE_SECONDS = 20
KINDS = ["FIFO", "socket", "device", "folder", "a link to a FIFO", "a link to itself"]


@pytest.fixture(autouse=True)
def _guard() -> Iterator[None]:
    """Who waits for a FIFO waits for ever."""

    def late(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(PATIENCE_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@contextmanager
def lying(folder: Path, kind: str, name: str = "it") -> Iterator[Path]:
    """Something under a name that is no file."""
    path = folder / name
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "a link to a FIFO":
        os.mkfifo(folder / "fifo")
        path.symlink_to(folder / "fifo")
    elif kind == "a link to itself":
        path.symlink_to(path)
    else:
        before = Path.cwd()
        os.chdir(folder)  # a socket's path has at most some hundred characters
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(name)
            os.chdir(before)
            yield path
        return
    yield path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREAT, os.O_WRONLY])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str, flags: int) -> None:
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    with lying(tmp_path, kind) as path:
        with pytest.raises(OSError, match=r".") as caught:
            open_regular(path, flags)
        assert caught.value.strerror
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


READERS: dict[str, tuple[Callable[[Path], object], type[Exception]]] = {
    "a key": (Identity.load, IdentityError),
    "known peers": (lambda path: KnownPeers(path).entries(), KnownPeersError),
    "a journal": (load_journal, JournalError),
    "a secret": (lambda path: secret_in(path, "--secret-file"), typer.BadParameter),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", READERS)
def test_who_reads_it_says_so_in_a_sentence(tmp_path: Path, kind: str, what: str) -> None:
    read, error = READERS[what]
    with lying(tmp_path, kind) as path, pytest.raises(error) as caught:
        read(path)
    assert "can't be read" in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_key_is_written_over_none_of_them(tmp_path: Path, kind: str) -> None:
    with lying(tmp_path, kind) as path, pytest.raises(FsmRtcError, match="never overwritten"):
        Identity.generate().save(path)


def test_a_file_is_read_and_written_and_made(tmp_path: Path) -> None:
    with open_regular(tmp_path / "new", os.O_RDWR | os.O_CREAT) as file:
        file.write(b"text")
    (tmp_path / "link").symlink_to(tmp_path / "new")
    assert read_regular(tmp_path / "link") == b"text"
    with pytest.raises(OSError, match="more than 3 bytes"):
        read_regular(tmp_path / "new", 3)

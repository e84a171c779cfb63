"""`send` and `receive`: a file from one process to another, one of which is killed again and again.

``HYPOTHESIS_PROFILE=thorough`` sends 32 MiB instead of 8; ``FSM_RTC_FILE_MEBIBYTES=1024`` sends a whole gibibyte, which
takes a minute or two for each test.
"""

from __future__ import annotations

import hashlib
import os
import pty
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fsm_rtc.messages import Identity
from tests.cli.conftest import Run
from tests.cli.programs import ROOT, Program, server
from tests.effort import by_profile

pytestmark = pytest.mark.live

MEBIBYTE = 1024 * 1024

USUAL = by_profile(quick=8, default=8, ci=32, thorough=32)

SIZE = int(os.environ.get("FSM_RTC_FILE_MEBIBYTES", USUAL)) * MEBIBYTE

MEMORY_BYTES = 150_000_000

QUIET = ("--loopback", "--one-time-key")

KILLS = 2


class Mover(Program):
    """`send` or `receive`, with `--json`.

    Attributes:
        peak_bytes: the most memory that it has had when it last wrote.
    """

    longest_seconds: ClassVar[float] = 600.0

    peak_bytes = 0

    def moved_to(self, position: int) -> None:
        """Wait until the receiver has written so much."""
        self.until_event("progress", lambda told: self._measured() and told["position"] >= position)

    def killed_at(self, position: int) -> None:
        """Kill it when the receiver has written so much."""
        self.moved_to(position)
        self.interrupt(signal.SIGKILL)
        assert self.process.wait() == -signal.SIGKILL, "the file was there before the kill"

    def summary(self) -> dict[str, Any]:
        """Wait for the end; the last line."""
        told = self.until_event("summary", lambda _: self._measured())
        assert self.ended() == (told["exit_code"], "")
        return told

    def _measured(self) -> bool:
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return True
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self.peak_bytes = max(self.peak_bytes, int(line.split()[1]) * 1024)
        return True


@pytest.fixture
def room(tmp_path: Path) -> Iterator[str]:
    """The address of a room on a server of its own."""
    with server(tmp_path) as url:
        yield f"{url}/kitchen"


def made(path: Path, size: int = SIZE) -> Path:
    """A file with bytes that nobody can guess."""
    with path.open("wb") as file:
        for start in range(0, size, MEBIBYTE):
            file.write(random.randbytes(min(MEBIBYTE, size - start)))
    return path


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kill_points() -> list[int]:
    """How far the file is to be at each kill: at random, and each time further; half of it is always left."""
    return [int(SIZE / 2 * (number + random.uniform(0.2, 1)) / KILLS) for number in range(KILLS)]


def offsets(mover: Mover) -> list[int]:
    return [event["offset"] for event in mover.events() if event["event"] == "began"]


@pytest.mark.parametrize("own_key", [True, False], ids=["own key", "key for one run"])
def test_a_receiver_that_is_killed_twice_has_the_file_in_the_end(tmp_path: Path, room: str, own_key: bool) -> None:
    film, points = made(tmp_path / "film.bin"), kill_points()
    folder = tmp_path / "in"
    Identity.generate().save(tmp_path / "bob.pem")
    key = ("--identity", str(tmp_path / "bob.pem"), "--trust", "any") if own_key else ("--one-time-key",)
    receiving = ("receive", room, "--folder", str(folder), "--name", "bob", "--json", "--loopback", *key)
    with Mover(tmp_path, "send", str(film), room, "--name", "alice", "--json", *QUIET) as alice:
        for point in points:
            with Mover(tmp_path, *receiving) as bob:
                bob.killed_at(point)
            assert bob.peak_bytes < MEMORY_BYTES
            assert [path.suffix for path in folder.iterdir()] == [".part"]
        with Mover(tmp_path, *receiving) as bob:
            assert bob.summary()["exit_code"] == 0
        told = alice.summary()
    assert told["exit_code"] == 0
    assert told["conversations"] == KILLS + 1
    assert offsets(alice) == sorted(offsets(alice))
    assert offsets(bob)[0] >= points[-1]
    assert 0 < max(alice.peak_bytes, bob.peak_bytes) < MEMORY_BYTES
    assert [path.name for path in folder.iterdir()] == ["film.bin"]
    assert checksum(folder / "film.bin") == checksum(film)


@pytest.mark.parametrize("own_key", [True, False], ids=["own key", "key for one run"])
def test_a_sender_that_is_killed_twice_has_sent_the_file_in_the_end(tmp_path: Path, room: str, own_key: bool) -> None:
    film, points = made(tmp_path / "film.bin"), kill_points()
    folder = tmp_path / "in"
    Identity.generate().save(tmp_path / "alice.pem")
    key = ("--identity", str(tmp_path / "alice.pem"), "--trust", "any") if own_key else ("--one-time-key",)
    sending = ("send", str(film), room, "--name", "alice", "--json", "--loopback", *key)
    with Mover(tmp_path, "receive", room, "--folder", str(folder), "--name", "bob", "--json", *QUIET) as bob:
        for point in points:
            with Mover(tmp_path, *sending) as alice:
                alice.killed_at(point)
            assert alice.peak_bytes < MEMORY_BYTES
        with Mover(tmp_path, *sending) as alice:
            assert alice.summary()["exit_code"] == 0
        told = bob.summary()
    assert told["exit_code"] == 0
    assert told["path"] == str(folder / "film.bin")
    assert offsets(bob) == sorted(offsets(bob))
    assert offsets(alice)[0] >= points[-1]
    assert 0 < max(alice.peak_bytes, bob.peak_bytes) < MEMORY_BYTES
    assert [path.name for path in folder.iterdir()] == ["film.bin"]
    assert checksum(folder / "film.bin") == checksum(film)


def test_two_people_see_how_the_file_crosses(tmp_path: Path, room: str) -> None:
    film = made(tmp_path / "film.bin", 3 * MEBIBYTE)
    folder = tmp_path / "in"
    with (
        Program(tmp_path, "receive", room, "--folder", str(folder), "--name", "bob", *QUIET) as bob,
        Program(tmp_path, "send", str(film), room, "--as", "copy.bin", "--name", "alice", *QUIET) as alice,
    ):
        assert alice.ended() == (0, "")
        assert bob.ended() == (0, "")
    assert "* sending copy.bin, 3.1 MB" in alice.lines
    assert "* receiving copy.bin, 3.1 MB" in bob.lines
    assert alice.lines[-1] == "* the other side has the file"
    assert bob.output.endswith(f"* the file is there: {folder / 'copy.bin'}")
    assert checksum(folder / "copy.bin") == checksum(film)


def test_in_a_terminal_there_is_a_bar(tmp_path: Path, room: str) -> None:
    film = made(tmp_path / "film.bin", 3 * MEBIBYTE)
    leader, terminal = pty.openpty()
    shown = bytearray()
    with (
        Program(tmp_path, "receive", room, "--folder", str(tmp_path / "in"), "--name", "bob", *QUIET) as bob,
        subprocess.Popen(
            [sys.executable, "-m", "fsm_rtc.cli", "send", str(film), room, *QUIET],
            stdout=terminal,
            stderr=terminal,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "TERM": "xterm", "COLUMNS": "120"},
        ) as alice,
    ):
        os.close(terminal)
        with suppress(OSError):  # the terminal's end
            while some := os.read(leader, 4096):
                shown += some
        assert alice.wait() == 0
        assert bob.ended() == (0, "")
    os.close(leader)
    text = shown.decode()
    assert "━" in text
    assert "3.1/3.1 MB" in text
    assert "the other side has the file" in text


def test_what_is_there_already_is_not_replaced_and_both_are_told(tmp_path: Path, room: str) -> None:
    film = made(tmp_path / "film.bin", MEBIBYTE)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "film.bin").write_text("mine")
    with (
        Program(tmp_path, "receive", room, "--folder", str(folder), "--name", "bob", *QUIET) as bob,
        Mover(tmp_path, "send", str(film), room, "--name", "alice", "--json", *QUIET) as alice,
    ):
        told = alice.summary()
        assert bob.ended() == (1, "")
    assert (told["exit_code"], told["refusal"]) == (1, "exists")
    assert f"gave up: {folder / 'film.bin'} is there already" in bob.output
    assert (folder / "film.bin").read_text() == "mine"
    with (
        Program(tmp_path, "receive", room, "--folder", str(folder), "--force", *QUIET) as bob,
        Program(tmp_path, "send", str(film), room, *QUIET) as again,
    ):
        assert again.ended() == (0, "")
        assert bob.ended() == (0, "")
    assert checksum(folder / "film.bin") == checksum(film)


def test_a_sender_that_is_stopped_says_so_and_the_receiver_waits_for_it(tmp_path: Path, room: str) -> None:
    film = made(tmp_path / "film.bin")
    receiving = ("receive", room, "--folder", str(tmp_path / "in"), "--name", "bob", "--json", *QUIET)
    with Mover(tmp_path, *receiving) as bob:
        with Mover(tmp_path, "send", str(film), room, "--json", *QUIET) as alice:
            alice.moved_to(MEBIBYTE)
            alice.interrupt()
            assert alice.summary()["exit_code"] == 1
        assert bob.until_event("stopped")["reason"] == "withdrawn"
        with Mover(tmp_path, "send", str(film), room, "--json", *QUIET) as alice:
            assert alice.summary()["exit_code"] == 0
        assert bob.summary()["exit_code"] == 0
    assert offsets(alice)[0] >= MEBIBYTE


def test_of_two_files_at_once_the_second_is_refused(tmp_path: Path, room: str) -> None:
    film, other = made(tmp_path / "film.bin"), made(tmp_path / "other.bin", MEBIBYTE)
    with (
        Mover(tmp_path, "receive", room, "--folder", str(tmp_path / "in"), "--json", *QUIET) as bob,
        Mover(tmp_path, "send", str(film), room, "--json", *QUIET) as alice,
    ):
        alice.until_event("began")
        alice.interrupt(signal.SIGSTOP)
        with Mover(tmp_path, "send", str(other), room, "--json", *QUIET) as carol:
            assert carol.summary()["refusal"] == "busy"
        alice.interrupt(signal.SIGCONT)
        assert alice.summary()["exit_code"] == 0
        assert bob.summary()["path"] == str(tmp_path / "in" / "film.bin")
    assert not (tmp_path / "in" / "other.bin").exists()


def test_who_waits_in_vain_gives_up_in_time(tmp_path: Path, room: str) -> None:
    with Program(tmp_path, "receive", room, "--folder", str(tmp_path), "--timeout", "0.5", *QUIET) as alone:
        assert alone.ended() == (1, "")
    assert "gave up: nothing of the file moved for 0.5 s * Start the other side" in alone.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("send", "nothing.bin", "ws://127.0.0.1:1/kitchen"), "can't be read: No such file or directory"),
        (("send", ".", "ws://127.0.0.1:1/kitchen"), "send the file under another name"),
        (("send", "house", "ws://127.0.0.1:1/kitchen"), "it is no file"),
        (("send", "unsound.py", "ws://127.0.0.1:1/kitchen", "--as", "../x"), "send the file under another name"),
        (("send", "unsound.py", "http://127.0.0.1:1/kitchen"), "ws://"),
        (("receive", "ws://127.0.0.1:1/"), "room"),
        (("receive", "ws://127.0.0.1:1/kitchen", "--turn", "stun"), "no ICE server URL"),
        (("receive", "ws://127.0.0.1:1/kitchen", "--trust", "any", "--known-peers", "x"), "nobody is compared"),
    ],
)
def test_wrong_arguments_are_told_and_nothing_is_tried(run: Run, arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.replace("│", " ").split())


def test_what_is_no_folder_is_told_at_once(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "films"
    file.write_text("no folder")
    result = run("receive", "ws://127.0.0.1:1/kitchen", "--folder", str(file))
    assert result.exit_code == 2
    assert "is no folder" in result.output

"""`send` and `receive`: a file from one process to another, one of which is killed again and again.

``HYPOTHESIS_PROFILE=ci`` sends 64 MiB instead of 8.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fsm_rtc.messages import Identity
from tests.cli.programs import Program, server

MEBIBYTE = 1024 * 1024

SIZE = (64 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 8) * MEBIBYTE

MEMORY_BYTES = 150_000_000

QUIET = ("--loopback", "--one-time-key")

KILLS = 2


class Mover(Program):
    """`send` or `receive`, with `--json`.

    Attributes:
        peak_bytes: the most memory that it has had when it last wrote.
    """

    longest_seconds: ClassVar[float] = 170.0

    peak_bytes = 0

    def moved_to(self, position: int) -> None:
        """Wait until the receiver has written so much."""
        self.until_event("progress", lambda told: self._measured() and told["position"] >= position)

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
    path.write_bytes(random.randbytes(size))
    return path


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kill_points() -> list[int]:
    """How far the file is to be at each kill: at random, and each time further."""
    return [int(SIZE * (number + random.uniform(0.2, 0.8)) / (KILLS + 1)) for number in range(KILLS)]


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
                bob.moved_to(point)
                bob.interrupt(signal.SIGKILL)
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
                alice.moved_to(point)
                alice.interrupt(signal.SIGKILL)
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

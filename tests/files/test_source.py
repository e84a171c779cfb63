"""The file that is sent."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from fsm_rtc.errors import FileRefusal, FileTransferError
from fsm_rtc.files.source import FileSource
from fsm_rtc.files.wire import FileOffer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "film.bin"
    made.write_bytes(b"0123456789" * 300_000)
    return made


def refused(path: Path) -> FileTransferError:
    with pytest.raises(FileTransferError) as why:
        asyncio.run(FileSource.of(path))
    return why.value


def test_it_is_offered_with_its_name_size_and_checksum(path: Path) -> None:
    read: list[tuple[int, int]] = []
    source = asyncio.run(FileSource.of(path, progress=lambda *far: read.append(far)))
    assert source.offer == FileOffer("film.bin", 3_000_000, hashlib.sha256(path.read_bytes()).hexdigest())
    assert read[-1] == (3_000_000, 3_000_000)
    assert asyncio.run(FileSource.of(path, name="other")).offer.name == "other"


def test_it_is_read_from_any_offset_on(path: Path) -> None:
    source = asyncio.run(FileSource.of(path))
    assert asyncio.run(source.read(0))[:20] == b"01234567890123456789"
    assert asyncio.run(source.read(2_999_997)) == b"789"
    assert asyncio.run(source.read(3_000_000)) == b""


@pytest.mark.parametrize("change", [b"longer", b""], ids=["another size", "another time"])
def test_a_change_is_noticed(path: Path, change: bytes) -> None:
    source = asyncio.run(FileSource.of(path))
    with path.open("ab") as file:
        file.write(change)
    os.utime(path, ns=(0, 0))
    with pytest.raises(FileTransferError, match="was changed") as changed:
        asyncio.run(source.check())
    assert changed.value.reason is FileRefusal.CHANGED


def test_what_is_no_file_or_is_not_there_is_told(path: Path, tmp_path: Path) -> None:
    assert refused(tmp_path / "missing").reason is FileRefusal.NOT_READABLE
    assert "it is no file" in str(refused(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    assert "it is no file" in str(refused(tmp_path / "pipe"))
    path.rename(tmp_path / ".hidden")
    assert refused(tmp_path / ".hidden").reason is FileRefusal.BAD_NAME


def test_one_that_goes_away_is_told(path: Path) -> None:
    source = asyncio.run(FileSource.of(path))
    path.unlink()
    for work in (source.read(0), source.check()):
        with pytest.raises(FileTransferError) as gone:
            asyncio.run(work)
        assert gone.value.reason is FileRefusal.NOT_READABLE

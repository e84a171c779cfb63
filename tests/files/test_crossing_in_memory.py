"""A file from a sender to a receiver, over a link in memory: what arrives, and what is left when it doesn't."""

from __future__ import annotations

import itertools
import os
import random
from pathlib import Path

import pytest

from fsm_rtc.errors import FileRefusal, FileTransferError
from fsm_rtc.files.folder import ReceivingFolder
from fsm_rtc.files.progress import Began, Moved, Restarted
from fsm_rtc.files.source import FileSource
from fsm_rtc.files.wire import CHUNK_BYTES
from tests.files.transfer_pair import Pair, crossed, refusal

MEBIBYTE = 1024 * 1024


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "film.bin"
    path.write_bytes(random.Random(1).randbytes(5 * MEBIBYTE + 321))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> ReceivingFolder:
    return ReceivingFolder(tmp_path / "in")


def arrived(original: Path, folder: ReceivingFolder) -> bool:
    """Whether the file is there, as it was sent."""
    return (folder.path / original.name).read_bytes() == original.read_bytes()


def damage(path: Path) -> None:
    """Change a file's content, and neither its size nor its time."""
    stamp = path.stat()
    with path.open("r+b") as file:
        file.write(b"damaged")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def names(folder: ReceivingFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir())


async def test_a_file_arrives_under_its_name(original: Path, folder: ReceivingFolder) -> None:
    pair = await crossed(original, folder)
    assert pair.receiver.path == folder.path / "film.bin"
    assert arrived(original, folder)
    assert names(folder) == ["film.bin"]
    for told in pair.told:
        assert isinstance(told[0], Began)
        assert told[0].offset == 0
        moves = [one.position for one in told if isinstance(one, Moved)]
        assert moves == sorted(moves)


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, MEBIBYTE])
async def test_every_size_arrives(tmp_path: Path, folder: ReceivingFolder, size: int) -> None:
    path = tmp_path / "x"
    path.write_bytes(random.Random(size).randbytes(size))
    await crossed(path, folder)
    assert (folder.path / "x").read_bytes() == path.read_bytes()


async def test_after_a_kill_the_file_goes_on_where_the_disk_ends(original: Path, folder: ReceivingFolder) -> None:
    first = Pair(await FileSource.of(original), folder)
    await first.run(until=lambda: first.receiver.position >= 3 * MEBIBYTE)
    part = next(folder.path.glob("film.bin.*.part"))
    there = part.stat().st_size
    assert there >= 2 * MEBIBYTE
    first.receiver._close_part()  # as the end of a process does; what was not written is lost
    second = await crossed(original, folder)
    assert isinstance(second.told[0][0], Began)
    assert second.told[0][0].offset == there
    assert arrived(original, folder)


async def test_the_sender_goes_on_when_the_receiver_comes_again(original: Path, folder: ReceivingFolder) -> None:
    pair = Pair(await FileSource.of(original), folder)
    await pair.run(until=lambda: pair.receiver.position >= 2 * MEBIBYTE)
    pair.receiver._close_part()
    again = Pair(await FileSource.of(original), folder)
    pair.receiver, pair.there, pair.back = again.receiver, again.there, again.back
    pair.sender._send = pair.there.send
    pair.receiver._send = pair.back.send
    await pair.run()
    assert arrived(original, folder)
    assert [one.offset for one in pair.told[0] if isinstance(one, Began)][1] >= MEBIBYTE


async def test_what_is_lost_on_the_way_is_asked_for_again(original: Path, folder: ReceivingFolder) -> None:
    pair = Pair(await FileSource.of(original), folder)
    pair.there.loses = lambda number: number in (20, 21, 50)
    await pair.run()
    assert arrived(original, folder)


@pytest.mark.parametrize(
    "lost", [*itertools.combinations(range(1, 8), 1), *itertools.combinations(range(1, 8), 2)], ids=str
)
async def test_whichever_pieces_are_lost_the_file_arrives(
    tmp_path: Path, folder: ReceivingFolder, lost: tuple[int, ...]
) -> None:
    path = tmp_path / "film.bin"
    path.write_bytes(random.Random(2).randbytes(4 * CHUNK_BYTES))
    pair = Pair(await FileSource.of(path), folder)
    pair.there.loses = lambda number: number in lost
    await pair.run()
    assert arrived(path, folder)


async def test_a_damaged_part_is_received_again_from_its_beginning(original: Path, folder: ReceivingFolder) -> None:
    pair = Pair(await FileSource.of(original), folder)
    await pair.run(until=lambda: pair.receiver.position >= 2 * MEBIBYTE)
    pair.receiver._close_part()
    damage(next(folder.path.glob("*.part")))
    again = await crossed(original, folder)
    assert Restarted() in again.told[1]
    assert arrived(original, folder)


async def test_the_very_file_that_is_there_is_confirmed_at_once(original: Path, folder: ReceivingFolder) -> None:
    await crossed(original, folder)
    again = await crossed(original, folder)
    assert again.there.sent == 1
    assert again.receiver.path == folder.path / "film.bin"


async def test_a_kill_between_the_two_names_leaves_one_of_them(original: Path, folder: ReceivingFolder) -> None:
    await crossed(original, folder)
    transfer = (await FileSource.of(original)).offer.transfer
    (folder.path / f"film.bin.{transfer[:16]}.part").hardlink_to(folder.path / "film.bin")
    await crossed(original, folder)
    assert names(folder) == ["film.bin"]
    assert arrived(original, folder)


async def test_another_file_of_that_name_is_not_replaced(original: Path, folder: ReceivingFolder) -> None:
    folder.path.mkdir()
    (folder.path / "film.bin").write_text("mine")
    refused = await refusal(original, folder)
    assert refused.reason is FileRefusal.EXISTS
    assert refused.by_peer
    assert (folder.path / "film.bin").read_text() == "mine"
    assert names(folder) == ["film.bin"]


async def test_with_force_it_is_replaced(original: Path, folder: ReceivingFolder) -> None:
    folder.path.mkdir()
    (folder.path / "film.bin").write_text("mine")
    await crossed(original, ReceivingFolder(folder.path, force=True))
    assert arrived(original, folder)


async def test_one_that_appears_meanwhile_is_not_replaced_either(original: Path, folder: ReceivingFolder) -> None:
    pair = Pair(await FileSource.of(original), folder)
    await pair.run(until=lambda: pair.receiver.position >= 2 * MEBIBYTE)
    (folder.path / "film.bin").write_text("mine")
    with pytest.raises(FileTransferError) as refused:
        await pair.run()
    assert refused.value.reason is FileRefusal.EXISTS
    assert (folder.path / "film.bin").read_text() == "mine"


async def test_a_file_that_changes_is_withdrawn_and_says_so(original: Path, folder: ReceivingFolder) -> None:
    pair = Pair(await FileSource.of(original), folder)
    await pair.run(until=lambda: pair.receiver.position > 0)
    with original.open("ab") as file:
        file.write(b"more")
    with pytest.raises(FileTransferError, match="was changed") as changed:
        await pair.run()
    await pair.receiver.aclose()
    assert changed.value.reason is FileRefusal.CHANGED
    assert not (folder.path / "film.bin").exists()


async def test_what_is_not_the_offered_file_is_thrown_away(original: Path, folder: ReceivingFolder) -> None:
    source = await FileSource.of(original)
    damage(original)
    pair = Pair(source, folder)
    with pytest.raises(FileTransferError) as refused:
        await pair.run()
    assert refused.value.reason is FileRefusal.WRONG_CHECKSUM
    assert names(folder) == []


async def test_two_who_receive_the_same_file_into_one_folder_do_not_mix(
    original: Path, folder: ReceivingFolder
) -> None:
    pair = Pair(await FileSource.of(original), folder)
    await pair.run(until=lambda: pair.receiver.position >= 2 * MEBIBYTE)
    assert (await refusal(original, folder)).reason is FileRefusal.BUSY
    await pair.run()
    assert arrived(original, folder)

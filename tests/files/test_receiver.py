"""The receiver before a sender that lies, and a disk that refuses."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from fsm_rtc.errors import ChannelClosedError, FileRefusal, FileTransferError
from fsm_rtc.files.folder import PartFile, ReceivingFolder
from fsm_rtc.files.progress import FileProgress, Stopped
from fsm_rtc.files.receiver import FileReceiver
from fsm_rtc.files.wire import (
    Accept,
    Chunk,
    FileDone,
    FileMessage,
    FileOffer,
    FileReceived,
    FileRefused,
    Withdrawn,
    encode,
)
from fsm_rtc.machines.file_transfer import ReceivingState
from tests.engine.test_regular_file import lying

DATA = b"0123456789"

OFFER = FileOffer("x.txt", len(DATA), hashlib.sha256(DATA).hexdigest())


class Said:
    """A receiver, and what it says."""

    def __init__(self, path: Path) -> None:
        self.messages: list[FileMessage] = []
        self.told: list[FileProgress] = []
        self.receiver = FileReceiver(ReceivingFolder(path), self._send, self.told.append)

    async def _send(self, message: FileMessage) -> None:
        self.messages.append(message)

    async def hears(self, *messages: FileMessage) -> None:
        for message in messages:
            await self.receiver.take(encode(message))

    async def refuses(self, *messages: FileMessage) -> FileRefusal:
        """Why, as both this side and the sender have it."""
        with pytest.raises(FileTransferError) as refused:
            await self.hears(*messages)
        last = self.messages[-1]
        assert isinstance(last, FileRefused)
        assert last.reason == refused.value.reason.value
        assert self.receiver.machine.state is ReceivingState.DECLINED
        return refused.value.reason


@pytest.fixture
def said(tmp_path: Path) -> Said:
    return Said(tmp_path / "in")


def made(tmp_path: Path) -> list[Path]:
    """Whatever is in a folder."""
    return list(tmp_path.iterdir())


def left(tmp_path: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())


async def test_a_piece_that_is_not_the_next_one_is_not_written(said: Said, tmp_path: Path) -> None:
    await said.hears(OFFER, Chunk(0, DATA[:4]), Chunk(0, b"????"), Chunk(6, b"??"), Chunk(7, b"??"))
    assert said.messages == [Accept(OFFER.transfer, 0), Accept(OFFER.transfer, 4)]
    await said.hears(Chunk(4, DATA[4:]), Chunk(10, b"more"), Chunk(4, DATA[4:] + b"more"), FileDone(OFFER.transfer))
    assert said.messages[-1] == FileReceived(OFFER.transfer, OFFER.sha256)
    assert (tmp_path / "in" / "x.txt").read_bytes() == DATA


async def test_who_says_done_too_soon_is_told_where_to_go_on(said: Said) -> None:
    await said.hears(OFFER, Chunk(0, DATA[:4]), FileDone(OFFER.transfer))
    assert said.messages[-1] == Accept(OFFER.transfer, 4)
    await said.receiver.aclose()


async def test_pieces_without_an_offer_are_nothing(said: Said, tmp_path: Path) -> None:
    await said.hears(Chunk(0, DATA), FileDone(OFFER.transfer), Withdrawn(OFFER.transfer, "withdrawn"))
    assert said.messages == []
    assert said.receiver.ignored == 3
    assert left(tmp_path) == []


async def test_an_offer_that_is_repeated_goes_on(said: Said) -> None:
    await said.hears(OFFER, Chunk(0, DATA[:4]), OFFER)
    assert said.messages == [Accept(OFFER.transfer, 0), Accept(OFFER.transfer, 4)]
    await said.receiver.aclose()


async def test_another_offer_takes_the_place_of_the_first_which_stays_as_a_part(said: Said, tmp_path: Path) -> None:
    other = FileOffer("y.txt", len(DATA), OFFER.sha256)
    await said.hears(OFFER, Chunk(0, DATA[:4]), other, Chunk(0, DATA), FileDone(other.transfer))
    assert left(tmp_path) == [f"in/x.txt.{OFFER.transfer[:16]}.part", "in/y.txt"]


async def test_after_a_withdrawal_what_came_stays(said: Said, tmp_path: Path) -> None:
    await said.hears(OFFER, Chunk(0, DATA[:4]), Withdrawn(OFFER.transfer, "withdrawn"))
    part = tmp_path / "in" / f"x.txt.{OFFER.transfer[:16]}.part"
    assert part.read_bytes() == DATA[:4]
    await said.hears(OFFER, Chunk(4, DATA[4:]), FileDone(OFFER.transfer))
    assert said.messages[-2:] == [Accept(OFFER.transfer, 4), FileReceived(OFFER.transfer, OFFER.sha256)]


async def test_a_goodbye_in_the_middle_stops_it_as_a_withdrawal_does(said: Said, tmp_path: Path) -> None:
    await said.receiver.on_goodbye()
    assert said.told == []
    await said.hears(OFFER, Chunk(0, DATA[:4]))
    await said.receiver.on_goodbye()
    assert said.told[-1] == Stopped(FileRefusal.WITHDRAWN)
    assert (tmp_path / "in" / f"x.txt.{OFFER.transfer[:16]}.part").read_bytes() == DATA[:4]


async def test_what_is_withdrawn_or_there_is_not_stopped_by_a_goodbye(said: Said) -> None:
    await said.hears(OFFER, Withdrawn(OFFER.transfer, "changed"))
    assert said.told[-1] == Stopped(FileRefusal.CHANGED)
    await said.hears(OFFER, Chunk(0, DATA), FileDone(OFFER.transfer))
    told = len(said.told)
    await said.receiver.on_goodbye()
    assert len(said.told) == told


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a\0b", "nul", "", "x" * 300, ".ssh", "\ud7ff/.."])
async def test_a_hostile_name_is_refused_and_nothing_is_made(said: Said, tmp_path: Path, name: str) -> None:
    assert await said.refuses(FileOffer(name, 1, OFFER.sha256)) is FileRefusal.BAD_NAME
    assert made(tmp_path) == []


@pytest.mark.parametrize("size", [-1, 2**60])
async def test_a_hostile_size_is_refused(said: Said, tmp_path: Path, size: int) -> None:
    assert await said.refuses(FileOffer("x", size, OFFER.sha256)) is FileRefusal.BAD_SIZE
    assert made(tmp_path) == []


async def test_a_file_for_which_there_is_no_room_is_refused_at_once(said: Said, tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert await said.refuses(FileOffer("x", free * 2, OFFER.sha256)) is FileRefusal.DISK_FULL


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, FileRefusal.DISK_FULL),
        (errno.EDQUOT, FileRefusal.DISK_FULL),
        (errno.EIO, FileRefusal.NOT_WRITABLE),
    ],
)
async def test_a_disk_that_refuses_is_told(
    said: Said, monkeypatch: pytest.MonkeyPatch, number: int, reason: FileRefusal
) -> None:
    def refuse(part: PartFile, data: bytes) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(PartFile, "_write", refuse)
    assert await said.refuses(OFFER, Chunk(0, DATA), FileDone(OFFER.transfer)) is reason


async def test_a_link_in_the_place_of_the_file_or_its_part_is_not_followed(said: Said, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret").write_text("mine")
    (folder / "x.txt").symlink_to(tmp_path / "secret")
    assert await said.refuses(OFFER) is FileRefusal.EXISTS
    (folder / "x.txt").unlink()
    (folder / f"x.txt.{OFFER.transfer[:16]}.part").symlink_to(tmp_path / "secret")
    again = Said(folder)
    assert await again.refuses(OFFER) is FileRefusal.NOT_WRITABLE
    assert (tmp_path / "secret").read_text() == "mine"


@pytest.mark.parametrize("kind", ["FIFO", "socket", "device", "folder", "a link to a FIFO", "a link to itself"])
@pytest.mark.parametrize("place", ["x.txt", f"x.txt.{OFFER.transfer[:16]}.part"], ids=["the file's", "its part's"])
async def test_what_is_no_file_in_its_place_is_refused_and_not_waited_for(
    said: Said, tmp_path: Path, kind: str, place: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with lying(folder, kind, place):
        async with asyncio.timeout(20):
            assert await said.refuses(OFFER) in (FileRefusal.EXISTS, FileRefusal.NOT_WRITABLE)


async def test_a_refusal_tells_the_sender_nothing_of_this_host(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("mine")
    said = Said(tmp_path)
    await said.refuses(OFFER)
    assert str(tmp_path) not in str(encode(said.messages[-1]))


async def test_a_channel_that_is_gone_is_for_the_sender_to_have_back(tmp_path: Path) -> None:
    async def send(message: FileMessage) -> None:
        raise ChannelClosedError("gone")

    receiver = FileReceiver(ReceivingFolder(tmp_path), send)
    await receiver.take(encode(OFFER))
    assert receiver.machine.state is ReceivingState.ASKED
    await receiver.aclose()

"""A file over a connection: in memory, with the library's channels left out."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any, cast

import pytest

from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.events import Ended
from fsm_rtc.errors import ConnectionFailedError, FileRefusal, FileTransferError
from fsm_rtc.files import Began, FileProgress, FileSource, ReceivingFolder, Stopped, receive_file, send_file
from fsm_rtc.files.wire import FileOffer, encode
from tests.connection.connection_pairs import pair, ready


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.bin"
    path.write_bytes(random.Random(7).randbytes(3_000_000))
    return path


async def sent(connection: Connection, film: Path) -> None:
    """Send the file and leave, as a program does."""
    await send_file(connection, await FileSource.of(film))
    await connection.aclose()


def arrived(film: Path, path: Path) -> bool:
    return path.name == film.name and path.read_bytes() == film.read_bytes()


async def test_a_file_crosses_a_connection(film: Path, tmp_path: Path) -> None:
    async with pair() as (alice, bob, _, _):
        path, _ = await asyncio.gather(receive_file(bob, ReceivingFolder(tmp_path / "in")), sent(alice, film))
    assert arrived(film, path)


async def test_it_may_be_ready_long_before(film: Path, tmp_path: Path) -> None:
    async with pair() as (alice, bob, _, _):
        await ready(alice, bob)
        path, _ = await asyncio.gather(receive_file(bob, ReceivingFolder(tmp_path / "in")), sent(alice, film))
    assert arrived(film, path)


async def test_a_receiver_that_hears_no_goodbye_leaves_after_a_while(film: Path, tmp_path: Path) -> None:
    async with pair() as (alice, bob, _, _):
        source = await FileSource.of(film)
        receiving = receive_file(bob, ReceivingFolder(tmp_path / "in"), linger_seconds=0.05)
        path, _ = await asyncio.gather(receiving, send_file(alice, source))
    assert arrived(film, path)


@pytest.mark.parametrize("sizes", [(1_000, 2_000), (0, 0), (3_000_000, 10)])
async def test_files_cross_one_after_the_other(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    """A receiver that lingers leaves the next file's offer to who receives that."""
    films = [tmp_path / f"film {number}.bin" for number in range(len(sizes))]
    for film, size in zip(films, sizes, strict=True):
        film.write_bytes(random.Random(size).randbytes(size))
    folder = ReceivingFolder(tmp_path / "in")
    async with pair() as (alice, bob, _, _):

        async def send() -> None:
            for film in films:
                await send_file(alice, await FileSource.of(film))
            await alice.aclose()

        sending = asyncio.create_task(send())
        for film in films:
            assert arrived(film, await receive_file(bob, folder))
        await sending


async def test_what_is_no_file_no_folder_and_no_time_is_refused_at_once(film: Path, tmp_path: Path) -> None:
    async with pair() as (alice, bob, _, _):
        for source in (film, str(film), None):
            with pytest.raises(TypeError, match=r"FileSource\.of"):
                await send_file(alice, cast(Any, source))
        for folder in (tmp_path, "in", None):
            with pytest.raises(TypeError, match="ReceivingFolder"):
                await receive_file(bob, cast(Any, folder))
        with pytest.raises(TypeError, match="linger_seconds"):
            await receive_file(bob, ReceivingFolder(tmp_path), linger_seconds=cast(Any, "x"))


async def test_who_is_asked_may_refuse_an_offer(film: Path, tmp_path: Path) -> None:
    async def admit(offer: FileOffer) -> None:
        raise FileTransferError(f"not {offer.name}", reason=FileRefusal.BUSY)

    async with pair() as (alice, bob, _, _):
        source = await FileSource.of(film)
        refusals = await asyncio.gather(
            receive_file(bob, ReceivingFolder(tmp_path / "in"), admit=admit),
            send_file(alice, source),
            return_exceptions=True,
        )
    assert [one.reason for one in refusals if isinstance(one, FileTransferError)] == [FileRefusal.BUSY] * 2
    assert not (tmp_path / "in").exists()


async def test_a_sender_that_is_cancelled_says_so(film: Path, tmp_path: Path) -> None:
    told: list[FileProgress] = []
    stopped = asyncio.Event()

    def tell(event: FileProgress) -> None:
        told.append(event)
        if isinstance(event, Stopped):
            stopped.set()

    async with pair() as (alice, bob, _, _):
        source = await FileSource.of(film)
        began = asyncio.Event()
        sending = asyncio.create_task(send_file(alice, source, lambda _: began.set()))
        receiving = asyncio.create_task(receive_file(bob, ReceivingFolder(tmp_path / "in"), tell))
        await began.wait()
        sending.cancel()
        await asyncio.wait((sending,))
        assert sending.cancelled()
        await stopped.wait()
        assert told[-1] == Stopped(FileRefusal.WITHDRAWN)
        await bob.aclose()
        with pytest.raises(ConnectionFailedError, match="receive it again"):
            await receiving


async def test_a_sender_that_leaves_is_told_though_its_withdrawal_never_came(film: Path, tmp_path: Path) -> None:
    """On a slow way it stays behind what waits of the file, and the goodbye over the signalling is all that comes."""
    told: list[FileProgress] = []
    began = asyncio.Event()

    def tell(event: FileProgress) -> None:
        told.append(event)
        began.set()

    async with pair() as (alice, bob, _, _):
        source = await FileSource.of(film)
        events = bob.events()
        receiving = asyncio.create_task(receive_file(bob, ReceivingFolder(tmp_path / "in"), tell))
        await ready(alice, bob)
        alice.send_now(encode(source.offer))
        await began.wait()
        await alice.aclose()
        async for event in events:
            if isinstance(event, Ended):
                break
        await bob.aclose()
        with pytest.raises(ConnectionFailedError, match="receive it again"):
            await receiving
    assert told == [Began(source.offer, 0), Stopped(FileRefusal.WITHDRAWN)]


async def test_a_connection_that_is_closed_is_told_to_the_sender(film: Path) -> None:
    async with pair() as (alice, _, _, _):
        source = await FileSource.of(film)
        sending = asyncio.create_task(send_file(alice, source))
        await ready(alice)
        await alice.aclose()
        with pytest.raises(ConnectionFailedError, match="send it again"):
            await sending

"""A file in small pieces, whose sender and receiver are killed at any message: in the end it is there as it was."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.files import FileSource, ReceivingFolder
from fsm_rtc.files.receiver import FileReceiver
from tests.files.transfer_pair import Pair, crossed

pytestmark = pytest.mark.live

SIZE = 2000

KILLS = st.lists(
    st.tuples(st.sampled_from(["sender", "receiver", "both", "connection"]), st.integers(1, 60)), max_size=5
)
"""Who is killed, after how many messages that either side has heard."""


def small_pieces() -> list[mock._patch[int]]:
    """A mebibyte is 64 bytes here."""
    return [
        mock.patch("fsm_rtc.files.sender.CHUNK_BYTES", 16),
        mock.patch("fsm_rtc.files.sender.WINDOW_BYTES", 256),
        mock.patch("fsm_rtc.files.source.BLOCK_BYTES", 64),
        mock.patch("fsm_rtc.files.receiver.BLOCK_BYTES", 64),
    ]


async def cross(path: Path, folder: ReceivingFolder, kills: list[tuple[str, int]]) -> None:
    """Let the file cross, with these kills, and a last time without one."""
    source = await FileSource.of(path)
    pair = Pair(source, folder)
    for who, messages in kills:
        await pair.run(until=counting(messages))
        if pair.receiver.path is not None:
            break
        fresh = Pair(source, folder)
        if who == "connection":
            fresh.sender, fresh.receiver = pair.sender, pair.receiver
        else:
            if who == "sender":
                await pair.receiver.aclose()
            else:
                killed(pair.receiver)
            if who == "receiver":
                fresh.sender = pair.sender
        fresh.sender._send = fresh.there.send
        fresh.receiver._send = fresh.back.send
        pair = fresh
    await pair.receiver.aclose()
    await crossed(path, folder)


def counting(messages: int) -> Callable[[], bool]:
    left = iter(range(messages))
    return lambda: next(left, None) is None


def killed(receiver: FileReceiver) -> None:
    """What was not written is lost; the lock ends with the process."""
    receiver._close_part()


@given(KILLS, st.integers(0, SIZE))
def test_whoever_is_killed_whenever_the_file_is_there_in_the_end(kills: list[tuple[str, int]], size: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        path, folder = Path(place) / "film.bin", ReceivingFolder(Path(place) / "in")
        path.write_bytes(random.Random(size).randbytes(size))
        patches = small_pieces()
        try:
            for patch in patches:
                patch.start()
            asyncio.run(cross(path, folder, kills))
        finally:
            mock.patch.stopall()
        assert [(one.name, one.read_bytes()) for one in folder.path.iterdir()] == [("film.bin", path.read_bytes())]

"""Standard input beside a loop: pipes, files, terminals."""

from __future__ import annotations

import asyncio
import os
import pty
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest

from fsm_rtc.cli.input_lines import MAX_WAITING_LINES, InputLines


def file_of(descriptor: int) -> BinaryIO:
    return os.fdopen(descriptor, "rb")


async def all_of(lines: InputLines) -> list[str]:
    return [line async for line in lines]


async def test_lines_of_a_file_come_without_their_ends(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"one\r\ntwo\n\n\xc3\xa4\xff\nno end")
    with path.open("rb") as file:
        assert await all_of(InputLines(file)) == ["one", "two", "", "ä�", "no end"]


async def test_a_line_of_a_pipe_comes_at_once_and_its_end_ends_them() -> None:
    reading, writing = os.pipe()
    lines = InputLines(file_of(reading))
    os.write(writing, b"one\n")
    assert await anext(lines) == "one"
    os.close(writing)
    with pytest.raises(StopAsyncIteration):
        await anext(lines)


async def test_a_line_of_a_terminal_comes_at_once_and_the_terminal_stays_as_it_is() -> None:
    leader, terminal = pty.openpty()
    lines = InputLines(file_of(terminal))
    os.write(leader, b"one\n")
    assert await anext(lines) == "one"
    assert os.get_blocking(terminal)
    os.write(leader, b"\x04")
    assert await all_of(lines) == []
    os.close(leader)


async def test_a_terminal_that_is_gone_is_an_end_of_input() -> None:
    leader, terminal = pty.openpty()
    lines = InputLines(file_of(terminal))
    os.close(leader)
    assert await all_of(lines) == []


async def test_an_input_that_fails_is_at_its_end() -> None:
    class Failing(BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            raise OSError

    assert await all_of(InputLines(Failing())) == []


async def test_a_large_input_waits_until_it_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"x\n" * 10 * MAX_WAITING_LINES)
    with path.open("rb") as file:
        lines = InputLines(file)
        await anext(lines)
        await asyncio.sleep(0)
        assert lines.waiting <= MAX_WAITING_LINES
        assert len(await all_of(lines)) == 10 * MAX_WAITING_LINES - 1

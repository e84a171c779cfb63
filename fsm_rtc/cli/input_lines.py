"""Standard input, line by line, beside a running event loop."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import suppress
from io import BytesIO
from typing import BinaryIO

__all__ = ["InputLines"]

MAX_WAITING_LINES = 256
"""So many lines may wait to be taken before reading pauses: input may be a large file."""


class InputLines:
    """``async for line in InputLines.of_stdin()``, until the end of input.

    A thread reads, whatever the input is. The loop could wait for pipes and terminals itself, but not for files, and it
    would make a terminal non-blocking for every program that shares it. The thread is a daemon: a read that never
    returns holds up nothing.

    Args:
        file: where they come from; read by nobody else, and closed at its end.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._room = threading.Semaphore(MAX_WAITING_LINES)
        threading.Thread(target=self._read, args=(file,), name="standard input", daemon=True).start()

    @classmethod
    def of_stdin(cls) -> InputLines:
        """Standard input; if there is none it is at its end."""
        # A file object of its own: closing the one of sys.stdin, at exit, would wait for the read that is under way.
        return cls(open(sys.stdin.fileno(), "rb", closefd=False) if sys.stdin is not None else BytesIO())

    @property
    def waiting(self) -> int:
        """How many lines have been read and not taken."""
        return self._lines.qsize()

    def __aiter__(self) -> InputLines:
        return self

    async def __anext__(self) -> str:
        line = await self._lines.get()
        self._room.release()
        if line is None:
            raise StopAsyncIteration
        return line

    def _read(self, file: BinaryIO) -> None:
        with suppress(OSError), file:  # a terminal that is gone is an end of input as well
            for line in iter(file.readline, b""):
                self._hand_over(line.rstrip(b"\r\n").decode(errors="replace"))
        self._hand_over(None)

    def _hand_over(self, line: str | None) -> None:
        self._room.acquire()
        with suppress(RuntimeError):  # the loop is closed: nobody reads on
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)

"""The file that is sent: what it is, and its bytes from any offset on."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fsm_rtc.engine.doors import path_of
from fsm_rtc.engine.regular_file import open_regular
from fsm_rtc.errors import FileRefusal, FileTransferError
from fsm_rtc.files.names import check_name, check_size
from fsm_rtc.files.wire import FileOffer

__all__ = ["FileSource"]

BLOCK_BYTES = 1024 * 1024
"""How much is read at once."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file as it was when its checksum was taken; made by `FileSource.of`.

    Attributes:
        path: where it is.
        offer: its name, size and checksum.
        stamp: by what a change is noticed.
    """

    path: Path
    offer: FileOffer
    stamp: tuple[int, int, int]

    @classmethod
    async def of(
        cls, path: Path, *, name: str | None = None, progress: Callable[[int, int], object] | None = None
    ) -> FileSource:
        """Read a file once, for its checksum.

        Args:
            path: where it is.
            name: what the other side is to call it; its own name by default.
            progress: is called with how many bytes are read, and how many there are.

        Raises:
            FileTransferError: it can't be read, or not be called so.
            TypeError: it is no path.
        """
        path = path_of(path, "the file to send", TypeError)
        called = check_name(path.name if name is None else name)
        digest = hashlib.sha256()
        try:
            stamp = await asyncio.to_thread(_stamp, path)
            size = check_size(stamp[0])
            with await asyncio.to_thread(open_regular, path) as file:
                while block := await asyncio.to_thread(file.read, BLOCK_BYTES):
                    await asyncio.to_thread(digest.update, block)
                    if progress is not None:
                        progress(file.tell(), size)
        except OSError as refused:
            raise _unreadable(path, refused) from refused
        source = cls(path, FileOffer(called, size, digest.hexdigest()), stamp)
        await source.check()
        return source

    async def check(self) -> None:
        """See whether it is still the same file.

        Raises:
            FileTransferError: it was changed, or can't be read.
        """
        try:
            stamp = await asyncio.to_thread(_stamp, self.path)
        except OSError as refused:
            raise _unreadable(self.path, refused) from refused
        if stamp != self.stamp:
            raise FileTransferError(
                f"{self.path} was changed while it was being sent; send it again when it stays as it is",
                reason=FileRefusal.CHANGED,
            )

    async def read(self, offset: int) -> bytes:
        """A block from this offset on; empty at the end.

        Raises:
            FileTransferError: it can't be read.
        """
        try:
            return await asyncio.to_thread(_read, self.path, offset)
        except OSError as refused:
            raise _unreadable(self.path, refused) from refused


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(0, "it is no file")
    return found.st_size, found.st_mtime_ns, found.st_ino


def _read(path: Path, offset: int) -> bytes:
    with open_regular(path) as file:
        file.seek(offset, os.SEEK_SET)
        return file.read(BLOCK_BYTES)


def _unreadable(path: Path, refused: OSError) -> FileTransferError:
    why = refused.strerror or str(refused)
    return FileTransferError(f"{path} can't be read: {why}; give a file that can", reason=FileRefusal.NOT_READABLE)

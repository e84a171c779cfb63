"""Where received files lie: a folder, in which a file has its name only when it is complete.

Until then it is ``NAME.TRANSFER.part`` beside it, TRANSFER being the beginning of the offer's `transfer`. What was
received is what that file holds, so there is no other state: a process that is killed leaves a part with which the next
run goes on. Nothing is forced to the disk before the end, so a host that loses its power may leave a part with holes;
the checksum at the end finds that, and the file is received once more from its beginning. A complete file is forced to
the disk before it gets its name.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import TypeVar

from fsm_rtc.engine.doors import path_of, truth
from fsm_rtc.engine.regular_file import open_regular
from fsm_rtc.errors import FileRefusal, FileTransferError
from fsm_rtc.files.names import check_name, check_size
from fsm_rtc.files.wire import FileOffer

__all__ = ["PartFile", "ReceivingFolder"]

BLOCK_BYTES = 1024 * 1024

TRANSFER_CHARACTERS = 16

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReceivingFolder:
    """A folder that takes files.

    Attributes:
        path: where it is.
        force: whether a file that is there may be replaced.

    Raises:
        TypeError: the path is none, or `force` is neither True nor False.
    """

    path: Path
    force: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", path_of(self.path, "the folder to receive into", TypeError))
        truth(self.force, "force")

    async def holds(self, offer: FileOffer) -> bool:
        """Whether the very file is there already.

        Raises:
            FileTransferError: another file has its name, and is not to be replaced; or that can't be known.
        """
        target = self.path / check_name(offer.name)
        return await _in_thread(target, lambda: self._holds(target, offer))

    def _holds(self, target: Path, offer: FileOffer) -> bool:
        if target.is_symlink() or not target.is_file():
            if os.path.lexists(target):
                raise _no_file(target)
            return False
        same = target.stat().st_size == check_size(offer.size)
        if same:
            with open_regular(target) as file:
                same = hashlib.file_digest(file, "sha256").hexdigest() == offer.sha256
        if same:  # a process that was killed while it gave the file its name may have left the other one
            self._part_path(offer).unlink(missing_ok=True)
        elif not self.force:
            raise _exists(target)
        return same

    def _part_path(self, offer: FileOffer) -> Path:
        return self.path / f"{check_name(offer.name)}.{offer.transfer[:TRANSFER_CHARACTERS]}.part"

    async def part(self, offer: FileOffer) -> PartFile:
        """The unfinished file, with what is there of it.

        Raises:
            FileTransferError: it can't be written, somebody else writes it, or the disk has no room for it.
        """
        path = self._part_path(offer)
        return await _in_thread(self.path, lambda: self._part(path, offer))

    def _part(self, path: Path, offer: FileOffer) -> PartFile:
        self.path.mkdir(parents=True, exist_ok=True)
        file = _opened(path)
        try:
            part = PartFile(self, path, offer, file)
            free, needed = shutil.disk_usage(self.path).free, offer.size - part.position
            if needed > free:
                raise FileTransferError(
                    f"{offer.name} needs {needed} more bytes, and {self.path} has {free}; make room",
                    reason=FileRefusal.DISK_FULL,
                )
        except BaseException:
            file.close()
            raise
        return part


class PartFile:
    """A file that is being received; made by `ReceivingFolder.part`.

    Attributes:
        position: up to where it is there, in bytes.
        is_resumed: whether a part of it was there before.
    """

    def __init__(self, folder: ReceivingFolder, path: Path, offer: FileOffer, file: FileIO) -> None:
        self._folder = folder
        self._path = path
        self._offer = offer
        self._file = file
        self._digest = hashlib.sha256()
        self._busy = threading.Lock()  # who is cancelled while a thread writes closes the file behind that
        self.position = 0
        if os.fstat(file.fileno()).st_size > offer.size:
            file.truncate(0)
        while block := file.read(BLOCK_BYTES):
            self._digest.update(block)
            self.position += len(block)
        self.is_resumed = self.position > 0

    async def write(self, data: bytes) -> None:
        """Write behind what is there.

        Raises:
            FileTransferError: the disk is full, or it can't be written.
        """
        await _in_thread(self._path, lambda: self._write(data))

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        with self._busy:
            while rest:
                written = rest[: self._file.write(rest)]
                self._digest.update(written)
                self.position += len(written)
                rest = rest[len(written) :]

    async def start_over(self) -> None:
        """Drop what is there."""
        await _in_thread(self._path, self._start_over)

    def _start_over(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._digest = hashlib.sha256()
        self.position = 0
        self.is_resumed = False

    @property
    def sha256(self) -> str:
        """Of what is there, in hex."""
        return self._digest.hexdigest()

    async def keep(self) -> Path:
        """Give the file its name, and say where it is.

        Raises:
            FileTransferError: meanwhile another file has that name, or it can't be written.
        """
        return await _in_thread(self._path, self._keep)

    def _keep(self) -> Path:
        os.fsync(self._file.fileno())
        self._file.close()
        target = self._path.with_name(self._offer.name)
        if self._folder.force:
            self._path.replace(target)
            return target
        try:
            os.link(self._path, target)
        except FileExistsError:
            raise _exists(target) from None
        except OSError:  # a file system without links: the best that it can do
            if os.path.lexists(target):
                raise _exists(target) from None
            self._path.rename(target)
        else:
            self._path.unlink()
        return target

    def drop(self) -> None:
        """Remove it: it holds something else than was promised."""
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave it as it is."""
        with self._busy:
            self._file.close()


def _opened(path: Path) -> FileIO:
    """The file, for this process alone; it ends with the process."""
    file = open_regular(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0))
    try:
        _lock(file)
    except OSError:
        file.close()
        raise FileTransferError(
            f"another process is receiving {path}; wait for it, or choose another folder", reason=FileRefusal.BUSY
        ) from None
    return file


def _lock(file: FileIO) -> None:
    try:
        import fcntl
    except ImportError:
        return  # Windows has other locks; two who write there are found by the checksum
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


async def _in_thread(path: Path, work: Callable[[], T]) -> T:
    """Do it where it keeps nobody waiting, and say what is wrong with the disk in words."""
    try:
        return await asyncio.to_thread(work)
    except OSError as refused:
        why = refused.strerror or str(refused)
        if refused.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise FileTransferError(
                f"{path} can't be written: {why}; make room, and receive again: it goes on where it was",
                reason=FileRefusal.DISK_FULL,
            ) from refused
        raise FileTransferError(
            f"{path} can't be written: {why}; choose another folder", reason=FileRefusal.NOT_WRITABLE
        ) from refused


def _exists(target: Path) -> FileTransferError:
    return FileTransferError(
        f"{target} is there already, as another file; rename it, or receive with --force", reason=FileRefusal.EXISTS
    )


def _no_file(target: Path) -> FileTransferError:
    return FileTransferError(f"{target} is there already, and is no file; rename it", reason=FileRefusal.EXISTS)

"""Files that are to be files: what else lies under a name (a FIFO, a device, a socket, a folder) is refused.

To open a FIFO waits for somebody at its other end, and to read a device may never end. So a name is opened without
waiting, and looked at before anything is read. What is wrong is an `OSError`, as of any other file.
"""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO
from pathlib import Path

__all__ = ["open_regular", "read_regular"]

MOST_BYTES = 64 * 1024 * 1024
"""No key, list or setting is as long."""

KINDS = {
    stat.S_IFIFO: "it is a FIFO",
    stat.S_IFCHR: "it is a device",
    stat.S_IFBLK: "it is a device",
    stat.S_IFSOCK: "it is a socket",
}


def open_regular(path: Path, flags: int = os.O_RDONLY, mode: int = 0o666) -> FileIO:
    """Open a file, unbuffered.

    Args:
        path: its name; a symbolic link leads to its file, unless the flags say otherwise.
        flags: as `os.open` takes them.
        mode: of a file that is made.

    Raises:
        OSError: it can't be opened, or is no file.
    """
    wanted = flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, wanted, mode)
    except OSError as refused:
        if refused.errno == errno.ENXIO:  # a socket, or a FIFO that nobody reads
            raise OSError(errno.EINVAL, "it is a socket or a FIFO, and no file") from refused
        raise
    try:
        kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
        if kind == stat.S_IFDIR:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if kind != stat.S_IFREG:
            raise OSError(errno.EINVAL, f"{KINDS.get(kind, 'it is something else')}, and no file")
        how = "rb" if not flags & (os.O_RDWR | os.O_WRONLY) else "r+b"
        return FileIO(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """What is in a file.

    Raises:
        OSError: it can't be read, is no file, or holds more than ``most_bytes``.
    """
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > most_bytes:
            raise OSError(errno.EFBIG, f"it holds more than {most_bytes} bytes")
        return file.readall()

"""What a file may be called that somebody else names: alike on every system, and never outside of its folder."""

from __future__ import annotations

import re

from fsm_rtc.errors import FileRefusal, FileTransferError

__all__ = ["MAX_FILE_BYTES", "MAX_NAME_BYTES", "check_name", "check_size"]

MAX_NAME_BYTES = 200
"""In UTF-8; what a folder takes, less what the name of an unfinished file has besides."""

MAX_FILE_BYTES = 2**53 - 1

FORBIDDEN = frozenset('/\\:*?"<>|')

JOINERS = "\u200c\u200d"
"""They are not printable by themselves, but hold scripts and emoji together."""

RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.IGNORECASE)
"""Windows opens a device under these names."""


def check_name(name: str) -> str:
    """The name, if a file may be called so.

    Raises:
        FileTransferError: it may not; `bad name`.
    """
    why = _why_not(name)
    if why is not None:
        shown = name[:40].encode("ascii", "backslashreplace").decode()
        raise FileTransferError(
            f"the name {shown!r} {why}; send the file under another name", reason=FileRefusal.BAD_NAME
        )
    return name


def check_size(size: int) -> int:
    """The size, if a file may have it.

    Raises:
        FileTransferError: it may not; `bad size`.
    """
    if not 0 <= size <= MAX_FILE_BYTES:
        raise FileTransferError(
            f"no file has {size} bytes; it may have 0 to {MAX_FILE_BYTES}", reason=FileRefusal.BAD_SIZE
        )
    return size


def _why_not(name: str) -> str | None:
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return "is no text"
    if not name:
        return "is empty"
    if length > MAX_NAME_BYTES:
        return f"has {length} bytes, more than {MAX_NAME_BYTES}"
    if FORBIDDEN & set(name):
        return 'has one of / \\ : * ? " < > |'
    if not all(character.isprintable() or character in JOINERS for character in name):
        return "has a character that can't be shown"
    if name.startswith((".", "~")):
        return "begins with a full stop or a tilde"
    if name != name.strip() or name.endswith("."):
        return "ends with a full stop, or begins or ends with a space"
    if RESERVED.fullmatch(name):
        return "is a device's on some systems"
    return None

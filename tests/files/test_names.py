"""Names and sizes that somebody else gives a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.errors import FileRefusal, FileTransferError
from fsm_rtc.files.names import MAX_FILE_BYTES, check_name, check_size


@pytest.mark.parametrize(
    "name",
    ["film.mkv", "Käse 🧀.txt", "a", "x" * 200, "no extension", "CONSOLE.txt", "com10", "👩‍🚀.png", "a..b", "-rf"],
)
def test_a_file_may_be_called_so(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is empty"),
        (".", "begins with a full stop"),
        ("..", "begins with a full stop"),
        ("../passwd", "has one of"),
        ("/etc/passwd", "has one of"),
        ("a/b", "has one of"),
        ("a\\b", "has one of"),
        ("C:x", "has one of"),
        ("file.txt:stream", "has one of"),
        ("a\0b", "can't be shown"),
        ("a\nb", "can't be shown"),
        ("\x1b[2Jx", "can't be shown"),
        ("txt.\u202eexe", "can't be shown"),
        (".bashrc", "begins with a full stop or a tilde"),
        ("~root", "begins with a full stop or a tilde"),
        ("x.", "ends with a full stop"),
        ("x ", "ends with a full stop"),
        (" x", "begins or ends with a space"),
        ("con", "a device's"),
        ("NUL.txt", "a device's"),
        ("Com1.tar.gz", "a device's"),
        ("lpt³", "a device's"),
        ("x" * 201, "201 bytes"),
        ("ä" * 101, "202 bytes"),
        ("\udc80", "is no text"),
    ],
)
def test_no_file_may_be_called_so(name: str, why: str) -> None:
    with pytest.raises(FileTransferError, match=why) as refused:
        check_name(name)
    assert refused.value.reason is FileRefusal.BAD_NAME
    assert str(refused.value).isprintable()


@given(st.text(max_size=300))
def test_a_name_that_is_taken_stays_in_its_folder(name: str) -> None:
    try:
        check_name(name)
    except FileTransferError:
        return
    assert not {"/", "\\", "\0"} & set(name)
    assert name not in ("", ".", "..")
    assert len(name.encode()) <= 200


@pytest.mark.parametrize("size", [0, 1, MAX_FILE_BYTES])
def test_a_file_may_have_that_size(size: int) -> None:
    assert check_size(size) == size


@pytest.mark.parametrize("size", [-1, MAX_FILE_BYTES + 1, 2**64])
def test_no_file_has_that_size(size: int) -> None:
    with pytest.raises(FileTransferError) as refused:
        check_size(size)
    assert refused.value.reason is FileRefusal.BAD_SIZE

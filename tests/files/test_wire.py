"""The messages by which a file crosses: what is read as what was written, and what is passed over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.errors import FileRefusal
from fsm_rtc.files.wire import (
    MAX_CHUNK_BYTES,
    Accept,
    Chunk,
    FileDone,
    FileMessage,
    FileOffer,
    FileReceived,
    FileRefused,
    Have,
    Withdrawn,
    decode,
    encode,
    refusal_of,
)

DIGEST = "0123456789abcdef" * 4

MESSAGES: list[FileMessage] = [
    FileOffer("film.mkv", 5, DIGEST),
    Accept(DIGEST, 0),
    Have(DIGEST, 2**53),
    FileDone(DIGEST),
    FileReceived(DIGEST, DIGEST),
    FileRefused(DIGEST, "exists"),
    Withdrawn(DIGEST, "changed"),
    Chunk(0, b"x"),
    Chunk(2**63, b"\0" * MAX_CHUNK_BYTES),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_is_read_as_it_was_written(message: FileMessage) -> None:
    assert decode(encode(message)) == message
    assert len(encode(message)) <= 262_143


@pytest.mark.parametrize(
    "data",
    [
        "",
        "hello",
        "[]",
        '{"type": "chat", "message": "hello"}',
        '{"type": "file-accept"}',
        '{"type": "file-accept", "transfer": "x", "offset": 0}',
        '{"type": "file-accept", "transfer": "' + DIGEST + '", "offset": -1}',
        '{"type": "file-accept", "transfer": "' + DIGEST + '", "offset": 1.5}',
        '{"type": "file-offer", "name": "x", "size": 1, "sha256": "' + DIGEST + '", "protocol": "fsm_rtc/file/9"}',
        '{"type": "file-offer", "name": "' + "x" * 20_000 + '", "size": 1, "sha256": "' + DIGEST + '"}',
        "[" * 10_000,
        b"",
        b"8 bytes.",
        b"x" * (MAX_CHUNK_BYTES + 9),
    ],
    ids=lambda data: repr(data[:40]),
)
def test_what_is_no_message_is_passed_over(data: str | bytes) -> None:
    assert decode(data) is None


@given(st.text() | st.binary())
def test_whatever_comes_nothing_is_raised(data: str | bytes) -> None:
    decode(data)


def test_a_size_that_is_none_is_read_so_that_it_can_be_refused() -> None:
    offer = decode('{"type": "file-offer", "name": "../x", "size": -5, "sha256": "' + DIGEST + '"}')
    assert isinstance(offer, FileOffer)
    assert offer.size == -5


def test_the_same_file_under_the_same_name_is_the_same_transfer() -> None:
    offer = FileOffer("a", 1, DIGEST)
    assert offer.transfer == FileOffer("a", 1, DIGEST).transfer
    others = {
        FileOffer("b", 1, DIGEST).transfer,
        FileOffer("a", 2, DIGEST).transfer,
        FileOffer("a", 1, DIGEST[::-1]).transfer,
    }
    assert len({offer.transfer, *others}) == 4


def test_a_reason_of_a_later_version_is_unknown() -> None:
    assert refusal_of(FileRefused(DIGEST, "disk full")) is FileRefusal.DISK_FULL
    assert refusal_of(Withdrawn(DIGEST, "moon phase")) is FileRefusal.UNKNOWN

"""The messages by which a file crosses a call, read strictly. Source: docs/files.md.

A text message is one JSON object whose ``type`` names it; a binary one is a piece of the file behind its offset, eight
bytes, big-endian. What is none of these belongs to somebody else, and is passed over.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated

import msgspec

from fsm_rtc.errors import FileRefusal

__all__ = [
    "CHUNK_BYTES",
    "Accept",
    "Chunk",
    "FileDone",
    "FileMessage",
    "Have",
    "FileOffer",
    "FileReceived",
    "FileRefused",
    "Withdrawn",
    "decode",
    "encode",
    "refusal_of",
]

PROTOCOL = "fsm_rtc/file/1"
"""The version of these messages."""

CHUNK_BYTES = 64 * 1024
"""So many bytes of the file go into one message."""

OFFSET_BYTES = 8

MAX_CHUNK_BYTES = 262_143 - OFFSET_BYTES
"""What a message of the data channel leaves."""

MAX_TEXT_BYTES = 16 * 1024

Text = Annotated[str, msgspec.Meta(max_length=1024)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Offset = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class FileOffer(msgspec.Struct, frozen=True, tag="file-offer"):
    """There is a file.

    Attributes:
        name: what it is called; not trusted to be a file's name.
        size: in bytes; not trusted to be possible.
        sha256: of all of it, in hex.
        protocol: the version of these messages.
    """

    name: Text
    size: int
    sha256: Digest
    protocol: Text = PROTOCOL

    @property
    def transfer(self) -> str:
        """Which file it is, in hex: the same as often as the same file is offered under the same name."""
        return hashlib.sha256(f"{self.size} {self.sha256} {self.name}".encode("utf-8", "surrogatepass")).hexdigest()


class Accept(msgspec.Struct, frozen=True, tag="file-accept"):
    """Send it, from `offset` on.

    Attributes:
        transfer: as of the offer.
        offset: in bytes.
    """

    transfer: Digest
    offset: Offset


class Have(msgspec.Struct, frozen=True, tag="file-have"):
    """It is written up to `position`, in bytes."""

    transfer: Digest
    position: Offset


class FileDone(msgspec.Struct, frozen=True, tag="file-done"):
    """All that was asked for is sent."""

    transfer: Digest


class FileReceived(msgspec.Struct, frozen=True, tag="file-received"):
    """It is there, with this checksum."""

    transfer: Digest
    sha256: Digest


class FileRefused(msgspec.Struct, frozen=True, tag="file-refused"):
    """It is not wanted, or can't be kept; the reason is one of `FileRefusal`."""

    transfer: Digest
    reason: Text


class Withdrawn(msgspec.Struct, frozen=True, tag="file-withdrawn"):
    """It won't be sent; the reason is one of `FileRefusal`."""

    transfer: Digest
    reason: Text


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of the file.

    Attributes:
        offset: where it begins, in bytes.
        data: it.
    """

    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """Where it ends, in bytes."""
        return self.offset + len(self.data)


def refusal_of(message: FileRefused | Withdrawn) -> FileRefusal:
    """The reason, or ``unknown`` if it is none of this version's."""
    try:
        return FileRefusal(message.reason)
    except ValueError:
        return FileRefusal.UNKNOWN


FileMessage = FileOffer | Accept | Have | FileDone | FileReceived | FileRefused | Withdrawn | Chunk

_DECODER = msgspec.json.Decoder(FileOffer | Accept | Have | FileDone | FileReceived | FileRefused | Withdrawn)


def encode(message: FileMessage) -> str | bytes:
    """The message as the data channel carries it."""
    if isinstance(message, Chunk):
        return message.offset.to_bytes(OFFSET_BYTES, "big") + message.data
    return msgspec.json.encode(message).decode()


def decode(data: str | bytes) -> FileMessage | None:
    """The message, or None if it is none of these; never raises."""
    if isinstance(data, bytes):
        if not OFFSET_BYTES < len(data) <= OFFSET_BYTES + MAX_CHUNK_BYTES:
            return None
        return Chunk(int.from_bytes(data[:OFFSET_BYTES], "big"), data[OFFSET_BYTES:])
    if len(data) > MAX_TEXT_BYTES:
        return None
    try:
        message = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return None if isinstance(message, FileOffer) and message.protocol != PROTOCOL else message

"""FileSender: one file on its way out, over anything that carries messages in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from fsm_rtc.engine import Accepted, Outcome
from fsm_rtc.errors import ChannelClosedError, FileRefusal, FileTransferError
from fsm_rtc.files.progress import Began, FileProgress, Moved
from fsm_rtc.files.source import FileSource
from fsm_rtc.files.wire import (
    CHUNK_BYTES,
    Accept,
    Chunk,
    FileDone,
    FileMessage,
    FileReceived,
    FileRefused,
    Have,
    Withdrawn,
    decode,
    refusal_of,
)
from fsm_rtc.machines.file_requests import (
    FailRefused,
    FailWithdrawn,
    OpenWindow,
    Seek,
    SendDone,
    SendFileOffer,
    SendWithdrawn,
)
from fsm_rtc.machines.file_transfer import WINDOW_BYTES, FileSending

__all__ = ["WINDOW_BYTES", "FileSender"]

WHY = {
    FileRefusal.BAD_NAME: "it can't have that name there; send it under another",
    FileRefusal.BAD_SIZE: "it can't have that size",
    FileRefusal.EXISTS: "another file has that name there; send it under another, or let it be replaced there",
    FileRefusal.BUSY: "another one is being received there; wait for that",
    FileRefusal.DISK_FULL: "the disk is full there; send it again when there is room, it goes on where it was",
    FileRefusal.NOT_READABLE: "it can't be read there",
    FileRefusal.NOT_WRITABLE: "it can't be written there; another folder is needed",
    FileRefusal.CHANGED: "it was changed there",
    FileRefusal.WRONG_CHECKSUM: "what came there has another checksum; send it again",
    FileRefusal.WITHDRAWN: "it isn't wanted any more",
    FileRefusal.UNKNOWN: "for a reason that this version doesn't know",
}
"""What a refusal means, for people on this side."""


class FileSender:
    """The sender of a file; `on_ready` begins, `take` takes what the receiver says, `run` sends.

    Args:
        source: the file.
        send: sends a message, and waits while too many wait to be sent.
        tell: is told what becomes of it.

    Attributes:
        machine: the `FileSending` machine.
        size: of the file, in bytes.
        sha256: of the file, in hex.
        position: up to where it was sent, in bytes.
        written: up to where the receiver has written it, in bytes.
        ignored: how many messages belonged to nobody here, or were refused by the machine.
    """

    def __init__(
        self,
        source: FileSource,
        send: Callable[[FileMessage], Awaitable[None]],
        tell: Callable[[FileProgress], object] = lambda _: None,
    ) -> None:
        self.machine = FileSending(self)
        self.size = source.offer.size
        self.sha256 = source.offer.sha256
        self.position = 0
        self.ignored = 0
        self._source = source
        self._transfer = source.offer.transfer
        self._send = send
        self._tell = tell
        self.written = 0
        self._seeks = 0
        self._failure: FileTransferError | None = None
        self._changed = asyncio.Event()

    async def on_ready(self) -> None:
        """There is somebody, perhaps not the one of before: offer the file."""
        await self._carry_out(self.machine.on_ready())

    async def take(self, data: str | bytes) -> None:
        """Here is a message of the receiver's."""
        message = decode(data)
        if isinstance(message, Accept | Have | FileReceived | FileRefused) and message.transfer == self._transfer:
            await self._carry_out(self._fire(message))
        else:
            self.ignored += 1

    def _fire(self, message: Accept | Have | FileReceived | FileRefused) -> Outcome:
        match message:
            case Accept():
                return self.machine.on_accept(message.offset)
            case Have():
                return self.machine.on_have(message.position)
            case FileReceived():
                return self.machine.on_received(message.sha256)
            case FileRefused():
                return self.machine.fire("on_refused", message)

    async def withdraw(self, reason: FileRefusal = FileRefusal.WITHDRAWN) -> None:
        """Stop, and tell the receiver why; it keeps what it has."""
        await self._carry_out(self.machine.withdraw(reason))

    async def run(self) -> None:
        """Send what the receiver wants, until it has it all.

        Raises:
            FileTransferError: it refuses the file, the file was changed or can't be read, or `withdraw` was called.
        """
        try:
            while not self.machine.is_final:
                self._changed.clear()
                if not self._may_send():
                    await self._changed.wait()
                elif self.position < self.size:
                    await self._send_block()
                else:
                    await self._source.check()
                    if self._may_send() and self.position == self.size:
                        await self._carry_out(self.machine.end_reached())
        except FileTransferError as failed:
            await self.withdraw(failed.reason)
            raise
        if self._failure is not None:
            raise self._failure

    def _may_send(self) -> bool:
        """Whether the receiver wants more just now."""
        return bool(self.machine.permits("send_more"))

    async def _send_block(self) -> None:
        seeks = self._seeks
        block = await self._source.read(self.position)
        if not block:
            await self._source.check()
        for start in range(0, len(block), CHUNK_BYTES):
            if seeks != self._seeks or not self._may_send():
                return
            chunk = Chunk(self.position, block[start : start + CHUNK_BYTES])
            self.position = min(chunk.end, self.size)
            await self._say(chunk)

    def _fail_refused(self, refused: FileRefused) -> None:
        reason = refusal_of(refused)
        self._failure = FileTransferError(
            f"the other side refuses the file: {WHY[reason]}", reason=reason, by_peer=True
        )

    async def _carry_out(self, outcome: Outcome) -> None:
        if not isinstance(outcome, Accepted):
            self.ignored += 1
            return
        self._changed.set()
        for request in outcome.effects:
            match request:
                case SendFileOffer():
                    await self._say(self._source.offer)
                case Seek(offset):
                    self._seeks += 1
                    self.position = self.written = offset
                    self._tell(Began(self._source.offer, offset))
                case OpenWindow(position):
                    self.written = position
                    self._tell(Moved(position))
                case SendDone():
                    await self._say(FileDone(self._transfer))
                case SendWithdrawn(reason):
                    await self._say(Withdrawn(self._transfer, reason.value))
                case FailRefused(refused):
                    self._fail_refused(cast(FileRefused, refused))
                case FailWithdrawn():
                    self._failure = FileTransferError(
                        "the file was withdrawn; send it again", reason=FileRefusal.WITHDRAWN
                    )

    async def _say(self, message: FileMessage) -> None:
        try:
            await self._send(message)
        except ChannelClosedError:
            self.machine.on_cut()

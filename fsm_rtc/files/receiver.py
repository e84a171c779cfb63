"""FileReceiver: one file on its way in, over anything that carries messages in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from fsm_rtc.engine import Accepted, Outcome
from fsm_rtc.errors import ChannelClosedError, FileRefusal, FileTransferError
from fsm_rtc.files.folder import PartFile, ReceivingFolder
from fsm_rtc.files.names import check_name, check_size
from fsm_rtc.files.progress import Began, FileProgress, Moved, Restarted, Stopped
from fsm_rtc.files.wire import (
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
    refusal_of,
)
from fsm_rtc.machines.file_requests import (
    Keep,
    Prepare,
    SendAccept,
    SendReceived,
    SendRefused,
    StartOver,
    TellStopped,
    Verify,
    Write,
)
from fsm_rtc.machines.file_transfer import FileReceiving

__all__ = ["FileReceiver"]

BLOCK_BYTES = 1024 * 1024
"""So much is written at once; a process that is killed loses no more."""


class FileReceiver:
    """The receiver of a file; `take` takes what the sender says, `path` is there in the end.

    Args:
        folder: where it is to lie.
        send: sends a message.
        tell: is told what becomes of it.
        admit: is asked about each offer; raises `FileTransferError` to refuse it.

    Attributes:
        machine: the `FileReceiving` machine.
        offer: of the present file, or None.
        position: up to where it is there, in bytes.
        path: where the file lies when it is complete, else None.
        ignored: how many messages belonged to nobody here, or were refused by the machine.
    """

    def __init__(
        self,
        folder: ReceivingFolder,
        send: Callable[[FileMessage], Awaitable[None]],
        tell: Callable[[FileProgress], object] = lambda _: None,
        admit: Callable[[FileOffer], Awaitable[None]] | None = None,
    ) -> None:
        self.machine = FileReceiving(self)
        self.offer: FileOffer | None = None
        self.position = 0
        self.path: Path | None = None
        self.ignored = 0
        self._folder = folder
        self._send = send
        self._tell = tell
        self._admit = admit
        self._part: PartFile | None = None
        self._waiting: list[bytes] = []

    @property
    def transfer(self) -> str:
        """Which file is received; empty for none."""
        return self.offer.transfer if self.offer is not None else ""

    @property
    def size(self) -> int:
        """Of the file, in bytes."""
        return self.offer.size if self.offer is not None else 0

    @property
    def is_resumed(self) -> bool:
        """Whether a part of it was there before."""
        return self._part is not None and self._part.is_resumed

    def is_offer_of_another(self, data: str | bytes) -> bool:
        """Whether a message offers another file than the present one."""
        message = decode(data)
        return isinstance(message, FileOffer) and message.transfer != self.transfer

    async def take(self, data: str | bytes) -> None:
        """Here is a message of the sender's.

        Raises:
            FileTransferError: the file can't be received; the sender has been told.
        """
        message = decode(data)
        outcome = self._fire(message)
        if not isinstance(outcome, Accepted):
            self.ignored += 1
            return
        try:
            await self._carry_out(outcome)
        except FileTransferError as failed:
            await self._decline(failed)
            raise

    async def on_goodbye(self) -> None:
        """The sender has ended the call, in order; what it sent before is taken."""
        await self._carry_out(self.machine.on_goodbye(FileRefusal.WITHDRAWN))

    async def aclose(self) -> None:
        """Write what waits, and leave the part as it is, for the next time."""
        await self._pause()

    def _fire(self, message: FileMessage | None) -> Outcome | None:
        match message:
            case FileOffer():
                return self.machine.on_offer(message)
            case Chunk():
                return self.machine.on_chunk(message)
            case FileDone(transfer) if transfer == self.transfer:
                return self.machine.on_done()
            case Withdrawn(transfer) if transfer == self.transfer:
                return self.machine.on_withdrawn(refusal_of(message))
        return None

    async def _carry_out(self, outcome: Outcome) -> None:
        for request in outcome.effects if isinstance(outcome, Accepted) else ():
            match request:
                case Prepare(FileOffer() as offer):
                    await self._prepare(offer)
                case SendAccept():
                    await self._accept()
                case Write(Chunk() as chunk):
                    await self._write(chunk)
                case Verify():
                    await self._verify()
                case Keep():
                    self.path = await self._opened_part().keep()
                    self._part = None
                case StartOver():
                    await self._opened_part().start_over()
                    self.position = 0
                    self._tell(Restarted())
                case TellStopped(reason):
                    await self._pause()
                    self._tell(Stopped(reason))
                case SendReceived():
                    await self._say(FileReceived(self.transfer, self.offer.sha256 if self.offer is not None else ""))
                case SendRefused(refusal):
                    await self._say(FileRefused(self.transfer, refusal.value))

    async def _prepare(self, offer: FileOffer) -> None:
        await self._pause()
        self.offer = offer
        check_name(offer.name)
        check_size(offer.size)
        if self._admit is not None:
            await self._admit(offer)
        if await self._folder.holds(offer):
            self.path = self._folder.path / offer.name
            await self._carry_out(self.machine.found())
            return
        self._part = await self._folder.part(offer)
        self.position = self._part.position
        await self._carry_out(self.machine.prepared())

    async def _accept(self) -> None:
        await self._flush()
        if self.offer is not None:
            self._tell(Began(self.offer, self.position))
        await self._say(Accept(self.transfer, self.position))

    async def _write(self, chunk: Chunk) -> None:
        self._waiting.append(chunk.data)
        self.position = chunk.end
        if self.position - self._opened_part().position >= BLOCK_BYTES:
            await self._flush()
            await self._say(Have(self.transfer, self.position))

    async def _flush(self) -> None:
        if self._waiting:
            data = b"".join(self._waiting)
            self._waiting.clear()
            await self._opened_part().write(data)
            self._tell(Moved(self.position))

    async def _verify(self) -> None:
        await self._flush()
        part = self._opened_part()
        if self.offer is not None and part.sha256 == self.offer.sha256:
            await self._carry_out(self.machine.agrees())
            return
        if isinstance(outcome := self.machine.differs(), Accepted):
            await self._carry_out(outcome)
            return
        part.drop()
        self._part = None
        raise FileTransferError(
            "what came is not the file that was offered: its checksum differs; send it again",
            reason=FileRefusal.WRONG_CHECKSUM,
        )

    async def _decline(self, why: FileTransferError) -> None:
        self._waiting.clear()
        self._close_part()
        await self._carry_out(self.machine.decline(why.reason))

    async def _pause(self) -> None:
        """Write what waits, and close the part."""
        if self._part is not None:
            try:
                await self._flush()
            finally:
                self._waiting.clear()
                self._close_part()

    def _close_part(self) -> None:
        if self._part is not None:
            self._part.close()
            self._part = None

    def _opened_part(self) -> PartFile:
        if self._part is None:
            raise FileTransferError("no file is being received; offer one first", reason=FileRefusal.UNKNOWN)
        return self._part

    async def _say(self, message: FileMessage) -> None:
        with suppress(ChannelClosedError):  # the sender offers the file again when it is there again
            await self._send(message)

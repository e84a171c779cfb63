"""A sender and a receiver of a file, joined by a link in memory that can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from fsm_rtc.errors import ChannelClosedError, FileTransferError
from fsm_rtc.files.folder import ReceivingFolder
from fsm_rtc.files.progress import FileProgress
from fsm_rtc.files.receiver import FileReceiver
from fsm_rtc.files.sender import FileSender
from fsm_rtc.files.source import FileSource
from fsm_rtc.files.wire import Chunk, FileMessage, encode

Message = str | bytes


class Link:
    """One direction; what is sent waits until it is taken.

    Attributes:
        sent: how many messages were sent.
        is_up: whether it takes messages.
        loses: says which piece of the file gets lost, by its number among them.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.is_up = True
        self.loses: Callable[[int], bool] = lambda _: False
        self._pieces = 0
        self.waiting: asyncio.Queue[Message] = asyncio.Queue()

    async def send(self, message: FileMessage) -> None:
        if not self.is_up:
            raise ChannelClosedError("cut")
        self.sent += 1
        self._pieces += isinstance(message, Chunk)
        if not (isinstance(message, Chunk) and self.loses(self._pieces)):
            self.waiting.put_nowait(encode(message))
        await asyncio.sleep(0)


class Pair:
    """The two, until the file is there or one of them gives up.

    Attributes:
        told: what each side told, the sender's first.
    """

    def __init__(self, source: FileSource, folder: ReceivingFolder) -> None:
        self.there, self.back = Link(), Link()
        self.told: tuple[list[FileProgress], list[FileProgress]] = ([], [])
        self.sender = FileSender(source, self.there.send, self.told[0].append)
        self.receiver = FileReceiver(folder, self.back.send, self.told[1].append)

    async def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Let the file cross; or until a condition holds, after which neither says any more.

        Raises:
            FileTransferError: the sender's, or if only the receiver has one, that.
        """
        stop = asyncio.Event()
        tasks = [
            asyncio.create_task(self._hear(self.there, self.receiver.take, until, stop)),
            asyncio.create_task(self._hear(self.back, self.sender.take, until, stop)),
        ]
        sending = asyncio.create_task(self.sender.run())
        stopped = asyncio.create_task(stop.wait())
        await self.sender.on_ready()
        try:
            await asyncio.wait([*tasks, sending, stopped], return_when=asyncio.FIRST_COMPLETED)
            if not stop.is_set() and not sending.done():
                await asyncio.wait([sending, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, sending, stopped):
                if not task.done():
                    task.cancel()
            results = await asyncio.gather(sending, *tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result

    async def _hear(
        self, link: Link, take: Callable[[Message], object], until: Callable[[], bool], stop: asyncio.Event
    ) -> None:
        while True:
            await take(await link.waiting.get())  # type: ignore[misc]
            if until():
                stop.set()
                return


async def crossed(path: Path, folder: ReceivingFolder) -> Pair:
    """The pair after a file has crossed."""
    pair = Pair(await FileSource.of(path), folder)
    try:
        await pair.run()
    finally:
        await pair.receiver.aclose()
    return pair


async def refusal(path: Path, folder: ReceivingFolder) -> FileTransferError:
    """Why a file did not cross, as the sender has it."""
    try:
        await crossed(path, folder)
    except FileTransferError as refused:
        return refused
    raise AssertionError("it crossed")

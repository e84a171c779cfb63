"""A file over a room: it is sent to, or received from, a peer that is there for it, until it is complete.

Each connection of the room has a conversation about the file. At most one of them carries it: of several the newest,
since a peer that comes again after a kill may be there twice for a while, once as it was before. When a connection was
given up and nobody else is there, the room is left and joined anew: only then does something new begin with the same
peer.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.diagnosis.evidence import Phase
from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.connection.events import SignalingStatusChanged
from fsm_rtc.errors import ConnectionFailedError, FileRefusal, FileTransferError
from fsm_rtc.files import Began, FileProgress, FileSource, ReceivingFolder, Stopped, receive_file, send_file
from fsm_rtc.files.wire import FileOffer
from fsm_rtc.room.events import PeerArrived, PeerGone, RoomEvent
from fsm_rtc.room.room import Room

__all__ = ["FileCall", "FileOutcome", "FileReport", "ReceivingCall", "SendingCall"]

LONGEST_PAUSE_SECONDS = 2.0
"""The longest wait before the room is joined anew; a random one, for the other side does likewise."""


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """How it ended.

    Attributes:
        exit_code: 0 if the file is there, 1 if not.
        reason: why, for people.
        refusal: what the file's own reason was, or None.
        path: where the file lies on this side, or None.
        failure: what is known of a call that did not come about, or None.
    """

    exit_code: int
    reason: str
    refusal: FileRefusal | None = None
    path: Path | None = None
    failure: Failure | None = None


class FileReport(Protocol):
    """Who is told what happens."""

    def happened(self, event: RoomEvent) -> None: ...
    def progress(self, event: FileProgress) -> None: ...


class FileCall(ABC):
    """One run of `send` or `receive`.

    Args:
        make_room: makes a room, not open yet.
        report: who is told.
        timeout_seconds: give up if nothing of the file has moved for so long; None for never.

    Attributes:
        conversations: how often the file was under way anew.
    """

    def __init__(self, make_room: Callable[[], Room], report: FileReport, timeout_seconds: float | None) -> None:
        self.conversations = 0
        self._make_room = make_room
        self._report = report
        self._timeout_seconds = timeout_seconds
        self._talks: dict[Connection, asyncio.Task[None]] = {}
        self._active: Connection | None = None
        self._room: Room | None = None
        self._lost: Failure | None = None
        self._moved = asyncio.Event()
        self._outcome: asyncio.Future[FileOutcome] = asyncio.get_running_loop().create_future()

    def finish(self, outcome: FileOutcome) -> None:
        """End it; only the first outcome counts."""
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    async def run(self) -> FileOutcome:
        """Let the file cross, until it is there, `finish`, or a refusal that is final; nothing is left then."""
        watching = asyncio.create_task(self._watch_the_time())
        try:
            while not self._outcome.done():
                await self._meet(self._make_room())
        finally:
            watching.cancel()
            await asyncio.wait((watching,))
        return self._outcome.result()

    async def _meet(self, room: Room) -> None:
        """One stay in the room."""
        self._room = room
        following = asyncio.create_task(self._follow(room))
        try:
            await room.open()
            await asyncio.wait((following, self._outcome), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for connection in tuple(self._talks):
                await self._silence(connection)
            await room.aclose("goodbye")
            await following

    async def _follow(self, room: Room) -> None:
        """Until the room is closed, or is to be joined anew."""
        async for event in room.events():
            if self._outcome.done():
                return  # what the leaving itself brings about is no news
            self._report.happened(event)
            match event:
                case PeerArrived(_, connection):
                    talk = self._talks[connection] = asyncio.create_task(self._guarded(connection))
                    talk.add_done_callback(partial(self._talk_done, connection))
                case PeerGone(by_peer=by_peer, failure=failure):  # its conversation ends with it, by itself
                    self._lost = failure
                    if not by_peer and not room.peers:
                        await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))  # noqa: S311
                        return
                case SignalingStatusChanged(_, error, None) if error is not None:
                    self._give_up(str(error))
                case _:
                    pass

    async def _guarded(self, connection: Connection) -> None:
        try:
            self.finish(await self.talk(connection))
        except ConnectionFailedError:
            pass  # the peer left, or was lost; the room tells, and the next one is waited for
        except FileTransferError as refused:
            if not self.is_only_declined(refused):
                self.finish(FileOutcome(1, str(refused), refused.reason))
        finally:
            if self._active is connection:
                self._active = None

    def _talk_done(self, connection: Connection, task: asyncio.Task[None]) -> None:
        self._talks.pop(connection, None)
        if not task.cancelled() and (error := task.exception()) is not None and not self._outcome.done():
            self._outcome.set_exception(error)

    async def _silence(self, connection: Connection) -> None:
        """End a conversation, and wait until nothing of it is left."""
        talk = self._talks.pop(connection, None)
        if talk is not None:
            talk.cancel()
            await asyncio.wait((talk,))

    async def _watch_the_time(self) -> None:
        while self._timeout_seconds is not None:
            self._moved.clear()
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    await self._moved.wait()
            except TimeoutError:
                self._give_up(f"nothing of the file moved for {self._timeout_seconds:g} s")
                return

    def _give_up(self, reason: str) -> None:
        failure = self._room.examine(reason) if self._room is not None else None
        if self._lost is not None and (failure is None or failure.phase is Phase.WAITING):
            failure = self._lost
        self.finish(FileOutcome(1, reason, failure=failure))

    def _tell(self, event: FileProgress) -> None:
        self._moved.set()
        if isinstance(event, Began):
            self.conversations += 1
        self._report.progress(event)

    @abstractmethod
    async def talk(self, connection: Connection) -> FileOutcome:
        """One conversation, with whom the file may cross."""

    def is_only_declined(self, refused: FileTransferError) -> bool:
        """Whether only this conversation is over, and not the run."""
        return False


class SendingCall(FileCall):
    """One run of `send`.

    Args:
        source: the file.
        make_room: see `FileCall`.
        report: see `FileCall`.
        timeout_seconds: see `FileCall`.
    """

    def __init__(
        self, source: FileSource, make_room: Callable[[], Room], report: FileReport, timeout_seconds: float | None
    ) -> None:
        super().__init__(make_room, report, timeout_seconds)
        self._source = source
        self._leaving: set[asyncio.Task[None]] = set()

    async def talk(self, connection: Connection) -> FileOutcome:
        """Offer the file; the newest who wants it gets it."""

        def tell(event: FileProgress) -> None:
            if isinstance(event, Began) and self._active is not connection:
                if self._active is not None:
                    self._let_go(self._active)
                self._active = connection
            self._tell(event)

        await send_file(connection, self._source, tell)
        return FileOutcome(0, "the other side has the file")

    def _let_go(self, connection: Connection) -> None:
        task = asyncio.create_task(self._silence(connection))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


class ReceivingCall(FileCall):
    """One run of `receive`.

    Args:
        folder: where the file is to lie.
        make_room: see `FileCall`.
        report: see `FileCall`.
        timeout_seconds: see `FileCall`.
    """

    def __init__(
        self, folder: ReceivingFolder, make_room: Callable[[], Room], report: FileReport, timeout_seconds: float | None
    ) -> None:
        super().__init__(make_room, report, timeout_seconds)
        self._folder = folder
        self._offer: FileOffer | None = None
        self._declined: list[FileTransferError] = []

    async def talk(self, connection: Connection) -> FileOutcome:
        """Take the file that is offered; while it comes another one is refused."""

        async def admit(offer: FileOffer) -> None:
            active = self._active
            if active is not None and active is not connection:
                if self._offer is None or self._offer.transfer != offer.transfer:
                    busy = FileTransferError("another file is being received", reason=FileRefusal.BUSY)
                    self._declined.append(busy)
                    raise busy
                await self._silence(active)
            self._active, self._offer = connection, offer

        def tell(event: FileProgress) -> None:
            if isinstance(event, Stopped) and self._active is connection:
                self._active = None
            self._tell(event)

        path = await receive_file(connection, self._folder, tell, admit=admit)
        return FileOutcome(0, "the file is there", path=path)

    def is_only_declined(self, refused: FileTransferError) -> bool:
        """Whether the offer was refused for another one's sake."""
        return any(one is refused for one in self._declined)

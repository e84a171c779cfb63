"""A chat over a `Room`: lines go out to all, messages come in, until somebody ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Protocol

from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.delivery.messages import chat_message
from fsm_rtc.connection.diagnosis.evidence import Phase
from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.connection.events import Ready, SignalingStatusChanged
from fsm_rtc.messages import Introduction
from fsm_rtc.room.events import PeerArrived, PeerEvent, PeerGone, RoomEvent
from fsm_rtc.room.room import Room

__all__ = ["Chat", "Outcome", "ChatReport"]

QUIT = "/quit"

MAX_KEPT_LINES = 256
"""So many lines wait for the other side; then input waits."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a chat ended.

    Attributes:
        exit_code: 0 if this side left, 1 if it was given up.
        reason: why, for people.
        failure: how far it came, if it was given up; else None.
    """

    exit_code: int
    reason: str
    failure: Failure | None = None


class ChatReport(Protocol):
    """Who is told what happens."""

    def happened(self, event: RoomEvent) -> None: ...
    def heard(self, peer: Introduction, message: str | bytes) -> None:
        """A message of somebody."""

    def kept(self) -> None:
        """A line waits for somebody to be connected."""

    def not_sent(self, why: str) -> None:
        """A line is not sent, and won't be."""

    def refused(self, name: str, key_id: str, known_id: str | None) -> None:
        """Somebody is not talked to: under that name another key is known."""

    def forgetful(self, why: str) -> None:
        """Somebody's key can't be remembered, or not be compared."""


@dataclass(frozen=True, slots=True)
class ChatLine:
    """What was typed, and for whom.

    Attributes:
        text: the line.
        audience: who was there when it was typed; None if nobody had been there yet: it is for the first ones.
    """

    text: str
    audience: frozenset[Connection] | None


class Chat:
    """One run of `join`.

    A line is for all who are there, and never for who comes next: before the first call lines wait for it, later those
    that nobody is there to hear are not sent.

    Args:
        room: not open yet; closed when the chat is over.
        lines: what is typed.
        report: who is told.
        verbatim: ``/quit`` and an empty line are lines as any other.
        timeout_seconds: give up if nobody is connected for the first time by then; None for never.

    Attributes:
        sent: how many lines were sent, each to the peers that were connected.
        received: how many messages came.
        calls: how often somebody was connected.
    """

    def __init__(
        self,
        room: Room,
        lines: AsyncIterator[str],
        report: ChatReport,
        *,
        verbatim: bool = False,
        timeout_seconds: float | None = None,
    ) -> None:
        self.sent = 0
        self.received = 0
        self.calls = 0
        self._room = room
        self._lines = lines
        self._report = report
        self._verbatim = verbatim
        self._timeout_seconds = timeout_seconds
        self._typed: asyncio.Queue[ChatLine | None] = asyncio.Queue(MAX_KEPT_LINES)
        self._changed = asyncio.Event()
        self._here: set[Connection] = set()
        self._lost: Failure | None = None
        self._first: frozenset[Connection] | None = None
        self._hearing: set[asyncio.Task[None]] = set()
        self._outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    @property
    def refused(self) -> dict[str, int]:
        """How many signalling frames were refused, by why."""
        return dict(self._room.refused)

    def finish(self, outcome: Outcome) -> None:
        """End the chat; only the first outcome counts."""
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    async def run(self) -> Outcome:
        """Chat, until `finish`, the end of input, or a refusal that is final; nothing is left when it returns."""
        told = self._job(self._follow(self._room.events()))
        done = [self._job(self._read()), self._job(self._send()), self._job(self._watch_the_time())]
        try:
            await self._room.open()
            outcome = await self._outcome
        finally:
            await self._cancel(done)
            await self._room.aclose("goodbye")
        await told
        await asyncio.gather(*self._hearing)
        return outcome

    def _job(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._job_done)
        return task

    def _job_done(self, task: asyncio.Task[None]) -> None:
        self._hearing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self._outcome.done():
            self._outcome.set_exception(error)

    async def _cancel(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What happens.

    async def _follow(self, events: AsyncIterator[RoomEvent]) -> None:
        async for event in events:
            if self._outcome.done():
                continue  # what the leaving itself brings about is no news
            self._report.happened(event)
            self._take(event)
            self._changed.set()

    def _take(self, event: RoomEvent) -> None:
        match event:
            case PeerArrived(peer, connection):
                self._here.add(connection)
                self._hearing.add(self._job(self._hear(peer, connection.messages())))
            case PeerEvent(event=Ready()):
                self.calls += 1
                if self._first is None:
                    self._first = frozenset(self._here)
            case PeerGone(_, connection, failure=failure):
                self._here.discard(connection)
                self._lost = failure
            case SignalingStatusChanged(_, error, None) if error is not None:
                self._give_up(str(error))
            case _:
                pass

    async def _hear(self, peer: Introduction, messages: AsyncIterator[str | bytes]) -> None:
        async for message in messages:
            self.received += 1
            self._report.heard(peer, message)

    async def _watch_the_time(self) -> None:
        if self._timeout_seconds is not None:
            await asyncio.sleep(self._timeout_seconds)
            if not self.calls:
                self._give_up(f"nobody was connected within {self._timeout_seconds:g} s")

    def _give_up(self, reason: str) -> None:
        """End it; where nobody is here any more, the last call says more than the absence of peers."""
        failure = self._room.examine(reason)
        if failure.phase is Phase.WAITING and self._lost is not None:
            failure = self._lost
        self.finish(Outcome(1, reason, failure))

    # What is typed.

    async def _read(self) -> None:
        async for line in self._lines:
            if not self._verbatim and line.strip() == QUIT:
                self.finish(Outcome(0, "quit"))
                return
            if not line and not self._verbatim:
                continue
            if self.calls and not self._here:
                self._report.not_sent("nobody is there; type it again when somebody has joined")
                continue
            if not any(connection.is_ready for connection in self._here):
                self._report.kept()
            await self._typed.put(ChatLine(line, frozenset(self._here) if self.calls else None))
        await self._typed.put(None)

    async def _send(self) -> None:
        while (line := await self._typed.get()) is not None:
            while not await self._is_done_with(line):
                await self._changed.wait()
        self.finish(Outcome(0, "end of input"))

    async def _is_done_with(self, line: ChatLine) -> bool:
        """Try to send a line; if nobody is connected, whether there is no use in trying again."""
        self._changed.clear()
        audience = line.audience if line.audience is not None else self._first
        if audience is None:
            return False
        if not audience & self._here:
            self._report.not_sent("the other side left before; type it again when somebody has joined")
            return True
        try:
            reached = await self._room.send(chat_message(line.text), audience)
        except ValueError as too_long:
            self._report.not_sent(str(too_long))
            return True
        if reached:
            self.sent += 1
        return reached > 0

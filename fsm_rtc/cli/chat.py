"""A chat over a `Connection`: lines go out, messages come in, until somebody ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Protocol

from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.events import ConnectionEvent, Ended, Joined, Ready, SignalingStatusChanged
from fsm_rtc.connection.messages import chat_message
from fsm_rtc.errors import ChannelClosedError

__all__ = ["Chat", "Outcome", "Report"]

QUIT = "/quit"

MAX_KEPT_LINES = 256
"""So many lines wait for the other side; then input waits."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a chat ended.

    Attributes:
        exit_code: 0 if this side left, 1 if it was given up.
        reason: why, for people.
    """

    exit_code: int
    reason: str


class Report(Protocol):
    """Who is told what happens."""

    def happened(self, event: ConnectionEvent) -> None: ...
    def heard(self, message: str | bytes) -> None:
        """A message of the other side."""

    def kept(self) -> None:
        """A line waits for the other side to be connected."""

    def not_sent(self, why: str) -> None:
        """A line is not sent, and won't be."""

    def refused(self, name: str, key_id: str, known_id: str | None) -> None:
        """Somebody is not talked to: under that name another key is known."""

    def forgetful(self, why: str) -> None:
        """The other side's key can't be remembered, or not be compared."""


@dataclass(frozen=True, slots=True)
class Line:
    """What was typed, and for whom.

    Attributes:
        text: the line.
        call: the call in which it was typed, by number; what was typed before the first one is for that.
    """

    text: str
    call: int


class Chat:
    """One run of `join`.

    A line is for whoever is there, and never for who comes next: before the first call lines wait for it, later those
    that nobody is there to hear are not sent.

    Args:
        connection: not open yet; closed when the chat is over.
        lines: what is typed.
        report: who is told.
        verbatim: ``/quit`` and an empty line are lines as any other.
        timeout_seconds: give up if the other side isn't connected for the first time by then; None for never.

    Attributes:
        sent: how many lines were sent.
        received: how many messages came.
        calls: how often the other side was connected.
    """

    def __init__(
        self,
        connection: Connection,
        lines: AsyncIterator[str],
        report: Report,
        *,
        verbatim: bool = False,
        timeout_seconds: float | None = None,
    ) -> None:
        self.sent = 0
        self.received = 0
        self.calls = 0
        self._connection = connection
        self._lines = lines
        self._report = report
        self._verbatim = verbatim
        self._timeout_seconds = timeout_seconds
        self._typed: asyncio.Queue[Line | None] = asyncio.Queue(MAX_KEPT_LINES)
        self._changed = asyncio.Event()
        self._call = 1
        self._is_here = False
        self._outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    @property
    def refused(self) -> dict[str, int]:
        """How many signalling frames were refused, by why."""
        return dict(self._connection.refused)

    def finish(self, outcome: Outcome) -> None:
        """End the chat; only the first outcome counts."""
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    async def run(self) -> Outcome:
        """Chat, until `finish`, the end of input, or a refusal that is final; nothing is left when it returns."""
        told = [self._job(self._follow(self._connection.events())), self._job(self._hear(self._connection.messages()))]
        done = [self._job(self._read()), self._job(self._send()), self._job(self._watch_the_time())]
        try:
            await self._connection.open()
            outcome = await self._outcome
        finally:
            await self._cancel(done)
            await self._connection.aclose("goodbye")
        await asyncio.gather(*told)
        return outcome

    def _job(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._job_done)
        return task

    def _job_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None and not self._outcome.done():
            self._outcome.set_exception(error)

    async def _cancel(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What happens.

    async def _follow(self, events: AsyncIterator[ConnectionEvent]) -> None:
        async for event in events:
            if self._outcome.done():
                continue  # what the leaving itself brings about is no news
            self._report.happened(event)
            self._take(event)
            self._changed.set()

    def _take(self, event: ConnectionEvent) -> None:
        match event:
            case Joined():
                self._is_here = True
            case Ready():
                self.calls += 1
            case Ended():
                self._is_here = False
                if self.calls:
                    self._call += 1
            case SignalingStatusChanged(_, error, None) if error is not None:
                self.finish(Outcome(1, str(error)))
            case _:
                pass

    async def _hear(self, messages: AsyncIterator[str | bytes]) -> None:
        async for message in messages:
            self.received += 1
            self._report.heard(message)

    async def _watch_the_time(self) -> None:
        if self._timeout_seconds is not None:
            await asyncio.sleep(self._timeout_seconds)
            if not self.calls:
                self.finish(Outcome(1, f"nobody was connected within {self._timeout_seconds:g} s; try a longer time"))

    # What is typed.

    async def _read(self) -> None:
        async for line in self._lines:
            if not self._verbatim and line.strip() == QUIT:
                self.finish(Outcome(0, "quit"))
                return
            if not line and not self._verbatim:
                continue
            if self._call > 1 and not self._is_here:
                self._report.not_sent("nobody is there; type it again when somebody has joined")
                continue
            if not self._connection.is_ready:
                self._report.kept()
            await self._typed.put(Line(line, self._call))
        await self._typed.put(None)

    async def _send(self) -> None:
        while (line := await self._typed.get()) is not None:
            while not await self._is_done_with(line):
                await self._changed.wait()
        self.finish(Outcome(0, "end of input"))

    async def _is_done_with(self, line: Line) -> bool:
        """Try to send a line; if the other side isn't connected, whether there is no use in trying again."""
        self._changed.clear()
        try:
            if line.call != self._call:
                self._report.not_sent("the other side left before; type it again when somebody has joined")
            elif self._connection.is_ready:
                await self._connection.send(chat_message(line.text))
                self.sent += 1
            else:
                return False
        except ChannelClosedError:
            return False
        except ValueError as too_long:
            self._report.not_sent(str(too_long))
        return True

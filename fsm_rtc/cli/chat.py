"""A chat over a `Connection`: lines go out, messages come in, until somebody ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.events import ConnectionEvent, Ready, SignalingStatusChanged
from fsm_rtc.connection.messages import chat_message
from fsm_rtc.errors import ChannelClosedError
from fsm_rtc.machines.data_channel import DataChannelState

__all__ = ["Chat", "Outcome", "Report"]

QUIT = "/quit"

MAX_KEPT_LINES = 256
"""So many lines wait for the other side; then input waits."""

LAST_WORDS_SECONDS = 2.0
"""How long leaving waits until the other side has what was sent to it."""


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
        """A line waits for the other side."""

    def not_sent(self, why: str) -> None:
        """A line can't be sent, ever."""

    def refused(self, name: str, key_id: str, known_id: str | None) -> None:
        """Somebody is not talked to: under that name another key is known."""

    def forgetful(self, why: str) -> None:
        """The other side's key can't be remembered."""


class Chat:
    """One run of `join`.

    Args:
        connection: not open yet; closed when the chat is over.
        lines: what is typed.
        report: who is told.
        raw: send each line as it is, rather than as the documented chat message; then ``/quit`` is a line as any other.
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
        raw: bool = False,
        timeout_seconds: float | None = None,
    ) -> None:
        self.sent = 0
        self.received = 0
        self.calls = 0
        self._connection = connection
        self._lines = lines
        self._report = report
        self._raw = raw
        self._timeout_seconds = timeout_seconds
        self._typed: asyncio.Queue[str | None] = asyncio.Queue(MAX_KEPT_LINES)
        self._ready = asyncio.Event()
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
            await self._await_last_words()
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
            if isinstance(event, Ready):
                self.calls += 1
                self._ready.set()
            elif isinstance(event, SignalingStatusChanged) and event.error is not None and event.retry_seconds is None:
                self.finish(Outcome(1, str(event.error)))

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
            if not self._raw and line.strip() == QUIT:
                self.finish(Outcome(0, "quit"))
                return
            if line or self._raw:
                if not self._connection.is_ready:
                    self._report.kept()
                await self._typed.put(line)
        await self._typed.put(None)

    async def _send(self) -> None:
        while (line := await self._typed.get()) is not None:
            text = line if self._raw else chat_message(line)
            while not await self._has_sent(text):
                pass
        self.finish(Outcome(0, "end of input"))

    async def _has_sent(self, text: str) -> bool:
        """Whether nothing more is to be done about it."""
        while not self._connection.is_ready:
            self._ready.clear()
            await self._ready.wait()
        try:
            await self._connection.send(text)
        except ChannelClosedError:
            self._ready.clear()
            await self._ready.wait()
            return False
        except ValueError as too_long:
            self._report.not_sent(str(too_long))
        else:
            self.sent += 1
        return True

    async def _await_last_words(self) -> None:
        """Close the channel in order, so that what was sent arrives: a goodbye over the signalling could outrun it."""
        channel = self._connection.data_channel
        if not self._connection.is_ready or channel is None or not self.sent:
            return
        closed = asyncio.Event()
        forget = channel.on("close", closed.set)
        channel.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                while channel.ready_state is not DataChannelState.CLOSED:
                    await closed.wait()
        forget()

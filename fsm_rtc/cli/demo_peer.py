"""One of the two peers of `fsm-rtc demo`, in a process of its own.

It meets the other one over a signalling server, or by the process that started it. To that process it talks in JSON
Lines: records of the journal, and what happened, for the one who watches.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fsm_rtc.cli.demo_failure import DemoFailure
from fsm_rtc.cli.demo_meeting import DemoLink, Meeting, PipeMeeting, ServerMeeting
from fsm_rtc.connection.delivery.messages import chat_text
from fsm_rtc.engine import Journal, Record
from fsm_rtc.engine.journal import line_of
from fsm_rtc.errors import FsmRtcError
from fsm_rtc.peer import Configuration, IceServer
from fsm_rtc.store import ConnectionStore

__all__ = ["DemoOptions", "run_peer"]

CONNECT_TIMEOUT_SECONDS = 20.0
EXCHANGE_TIMEOUT_SECONDS = 10.0
GOODBYE_TIMEOUT_SECONDS = 20.0
CHAT_INTERVAL_SECONDS = 0.5

LAST_WORDS = "I have heard and seen you"
"""What a peer says that has all it waited for; neither leaves before the other has said it."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the two peers of a demo do.

    Attributes:
        role: ``offerer`` or ``answerer``.
        seconds: how long they talk, once connected.
        video: whether they show each other video.
        stun: a STUN server's URL, or None.
        loopback: whether they stay on 127.0.0.1.
        engine: what steps the machines.
        signaling: the room's URL on a signalling server; None to meet by the pipe.
    """

    role: str
    seconds: float = 3.0
    video: bool = True
    stun: str | None = None
    loopback: bool = False
    engine: str = "compiled"
    signaling: str | None = None

    def configuration(self) -> Configuration:
        """How this peer connects."""
        servers = (IceServer(self.stun),) if self.stun else ()
        return Configuration(ice_servers=servers, loopback=self.loopback)


@dataclass(slots=True)
class Tally:
    """What one peer saw."""

    received: int = 0
    sent: int = 0
    frames: int = 0
    phases: dict[str, float] = field(default_factory=dict)


class DemoPeer:
    """One peer: a ConnectionStore, and what the demo does with it."""

    def __init__(self, options: DemoOptions, link: DemoLink, clock: Callable[[], float]) -> None:
        self._options = options
        self._link = link
        self._clock = clock
        self._tally = Tally()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._alone = asyncio.Event()
        self._exchanged = asyncio.Event()
        self._other_has_all = asyncio.Event()
        self._journal = Journal(clock)
        self._journal.subscribe(self._show)
        self.store = ConnectionStore(
            options.configuration(), engine=options.engine, journal=self._journal, label=options.role
        )
        self._failure = DemoFailure(self.store, options.role, self._journal)
        self._meeting: Meeting = (
            ServerMeeting(self.store, options.role, options.signaling, self._phase)
            if options.signaling is not None
            else PipeMeeting(self.store, options.role, link, self._phase)
        )

    async def run(self) -> None:
        """Connect, talk, close; whatever fails is told to the one who watches."""
        reader = self._own(self._read())
        call = self._own(self._call())
        alone = self._own(self._alone.wait())
        await asyncio.wait({call, alone}, return_when=asyncio.FIRST_COMPLETED)
        call.cancel()
        failure = (await asyncio.gather(call, return_exceptions=True))[0]
        if isinstance(failure, Exception):
            self._tell_failure(failure)
            self._tell_why(failure)
        await self._leave(reader)
        tally = self._tally
        self._link.send(
            {
                "done": {
                    "received": tally.received,
                    "sent": tally.sent,
                    "frames": tally.frames,
                    "phases": tally.phases,
                    "rejected": self._journal.rejected,
                    "accepted": self._journal.accepted,
                    "states": self._journal.states(),
                }
            }
        )

    async def _call(self) -> None:
        store = self.store
        store.on_message(self._heard)
        if self._options.video:
            from fsm_rtc.media import SyntheticVideoTrack

            store.add_track(SyntheticVideoTrack())
            store.on_track(self._watch)
        await self._meeting.begin()
        await store.wait_for_connected(CONNECT_TIMEOUT_SECONDS)
        self._phase("connected")
        await self._talk()
        if self._options.role == "offerer":
            self._meeting.say_goodbye()
        else:
            await asyncio.wait_for(self._meeting.wait_for_goodbye(), GOODBYE_TIMEOUT_SECONDS)
        self._phase("talked")

    async def _leave(self, reader: asyncio.Task[Any]) -> None:
        await self._meeting.leave()
        self._phase("closed")
        reader.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _talk(self) -> None:
        end = self._clock() + self._options.seconds
        number = 0
        while number == 0 or self._clock() < end:
            number += 1
            self.store.send_chat(f"message {number} of the {self._options.role}")
            self._tally.sent += 1
            await asyncio.sleep(min(CHAT_INTERVAL_SECONDS, max(0.0, end - self._clock())))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EXCHANGE_TIMEOUT_SECONDS):
                await self._exchanged.wait()
                self.store.send_chat(LAST_WORDS)
                self._tally.sent += 1
                await self._other_has_all.wait()

    async def _read(self) -> None:
        while (message := await self._link.receive()) is not None:
            try:
                await self._meeting.take(message)
            except FsmRtcError as error:
                self._tell_failure(error)
        self._alone.set()

    def _heard(self, message: str | bytes) -> None:
        self._tally.received += 1
        if chat_text(message) == LAST_WORDS:
            self._other_has_all.set()
        self._note_exchange()
        self._link.send({"heard": message if isinstance(message, str) else f"{len(message)} bytes"})

    def _watch(self, track: Any) -> None:
        if track.kind == "video":
            from fsm_rtc.media import count_frames

            self._own(count_frames(track, self._saw))

    def _saw(self, frames: int) -> None:
        self._tally.frames = frames
        self._note_exchange()
        if frames == 1:
            self._phase("first frame")

    def _note_exchange(self) -> None:
        if self._tally.received and (self._tally.frames or not self._options.video):
            self._exchanged.set()

    def _show(self, record: Record) -> None:
        self._link.send({"record": line_of(record)})

    def _phase(self, name: str) -> None:
        self._tally.phases.setdefault(name, self._clock())
        self._link.send({"phase": name, "time": self._clock()})

    def _tell_failure(self, error: Exception) -> None:
        self._link.send({"failed": str(error) or "it took too long", "error": type(error).__name__})

    def _tell_why(self, error: Exception) -> None:
        failure = self._failure.of(error)
        self._link.send({"why": failure.to_dict(), "advice": failure.advice})

    def _own(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class FailureHandler(logging.Handler):
    """Tells of what fsm_rtc logs as an error: something raised where nobody could be told."""

    def __init__(self, link: DemoLink) -> None:
        super().__init__(logging.ERROR)
        self._link = link

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it, with the exception behind it."""
        cause = record.exc_info[1] if record.exc_info else None
        text = record.getMessage() + (f": {cause}" if cause else "")
        self._link.send({"failed": text, "error": type(cause).__name__ if cause else record.levelname})


async def run_peer(options: DemoOptions, link: DemoLink, clock: Callable[[], float] = time.monotonic) -> None:
    """Be one peer of the demo, from the first message to the last."""
    handler = FailureHandler(link)
    logging.getLogger("fsm_rtc").addHandler(handler)
    try:
        await DemoPeer(options, link, clock).run()
    finally:
        logging.getLogger("fsm_rtc").removeHandler(handler)


class StandardStreams:
    """A `DemoLink` over standard input and output."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    @classmethod
    async def open(cls) -> StandardStreams:
        """Standard input as a stream of the running loop."""
        reader = asyncio.StreamReader(limit=1024 * 1024)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        return cls(reader)

    def send(self, message: dict[str, Any]) -> None:
        """Write one message."""
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write(json.dumps(message) + "\n")
            sys.stdout.flush()

    async def receive(self) -> dict[str, Any] | None:
        """The next message, or None when the pipe is closed."""
        line = await self._reader.readline()
        return json.loads(line) if line else None


async def _main(options: DemoOptions, epoch: float) -> None:
    await run_peer(options, await StandardStreams.open(), lambda: time.monotonic() - epoch)


def main() -> None:
    """Run as `python -m fsm_rtc.cli.demo_peer`; started by `fsm-rtc demo`."""
    parser = argparse.ArgumentParser(description="one peer of fsm-rtc demo; started by it")
    parser.add_argument("--role", choices=("offerer", "answerer"), required=True)
    parser.add_argument("--epoch", type=float, required=True)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--no-video", action="store_true")
    parser.add_argument("--stun")
    parser.add_argument("--loopback", action="store_true")
    parser.add_argument("--engine", default="compiled")
    parser.add_argument("--signaling")
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; who started us ends us
    options = DemoOptions(
        given.role, given.seconds, not given.no_video, given.stun, given.loopback, given.engine, given.signaling
    )
    asyncio.run(_main(options, given.epoch))


if __name__ == "__main__":
    main()

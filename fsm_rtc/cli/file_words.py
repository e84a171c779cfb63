"""What a person reads of a file that crosses: what happens in plain words, and a bar; lines where no terminal is."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from fsm_rtc.cli.chat_words import ChatWords
from fsm_rtc.cli.plain import plain
from fsm_rtc.files import Began, FileProgress, Moved, Restarted
from fsm_rtc.files.wire import FileOffer
from fsm_rtc.room.events import RoomEvent

__all__ = ["FileWords", "duration"]

LINE_SECONDS = 5.0
"""Where no terminal is, a line says how far it is, as often as this."""


class FileWords:
    """A `FileReport` for people; ``with`` shows the bar.

    Args:
        console: where it is shown.
        words: says what happens in the room.
        verb: what this side does with the file.
        clock: seconds.
    """

    def __init__(
        self, console: Console, words: ChatWords, verb: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._words = words
        self._verb = verb
        self._clock = clock
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._is_terminal = console.is_terminal
        self._task: TaskID | None = None
        self._offer: FileOffer | None = None
        self._began_at = self._said_at = 0.0
        self._began_from = 0

    def __enter__(self) -> FileWords:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def say(self, text: str, style: str = "dim") -> None:
        """Show a line."""
        self._words.say(text, style)

    def happened(self, event: RoomEvent) -> None:
        self._words.happened(event)

    def refused(self, name: str, key_id: str, known_id: str | None) -> None:
        self._words.refused(name, key_id, known_id)

    def forgetful(self, why: str) -> None:
        self._words.forgetful(why)

    def progress(self, event: FileProgress) -> None:
        match event:
            case Began(offer, offset):
                self._begin(offer, offset)
            case Moved(position):
                self._move(position)
            case Restarted():
                self.say("what was there of an earlier run was damaged; it is received once more", "yellow")
            case _:
                self.say(f"the sender stopped: {event.reason}; what came stays here, to go on with", "yellow")

    def _begin(self, offer: FileOffer, offset: int) -> None:
        self._offer = offer
        self._began_at = self._said_at = self._clock()
        self._began_from = offset
        going_on = f", going on at {decimal(offset)}" if offset else ""
        self.say(f"{self._verb} {plain(offer.name)}, {decimal(offer.size)}{going_on}")
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(plain(offer.name), total=offer.size, completed=offset)

    def _move(self, position: int) -> None:
        if self._task is not None:
            self._bar.update(self._task, completed=position)
        now = self._clock()
        if not self._is_terminal and self._offer is not None and now - self._said_at >= LINE_SECONDS:
            self._said_at = now
            rate = (position - self._began_from) / (now - self._began_at)
            left = f", {duration((self._offer.size - position) / rate)} left" if rate > 0 else ""
            share = 100 * position // max(1, self._offer.size)
            self.say(f"{share} %: {decimal(position)} of {decimal(self._offer.size)}, {decimal(int(rate))}/s{left}")


def duration(seconds: float) -> str:
    """So long, in hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

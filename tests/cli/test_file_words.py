"""What a person reads of a file that crosses, where no terminal is."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from fsm_rtc.cli.chat_words import ChatWords
from fsm_rtc.cli.file_words import FileWords, duration
from fsm_rtc.errors import FileRefusal
from fsm_rtc.files import Began, FileProgress, Moved, Restarted, Stopped
from fsm_rtc.files.wire import FileOffer

OFFER = FileOffer("film\u202e.bin", 100_000_000, "0" * 64)


class Screen:
    """The words, and what they come out as."""

    def __init__(self) -> None:
        self._file = StringIO()
        self.now = 0.0
        console = Console(file=self._file, width=40)
        words = ChatWords(console, "kitchen", lambda _: None, None)
        self.words = FileWords(console, words, "receiving", lambda: self.now)

    def after(self, *events: tuple[float, FileProgress]) -> list[str]:
        """The lines that these events make, each at its time."""
        with self.words:
            for self.now, event in events:
                self.words.progress(event)
        return self._file.getvalue().splitlines()


def test_a_line_every_five_seconds_says_how_far_it_is() -> None:
    assert Screen().after(
        (0, Began(OFFER, 0)),
        (1, Moved(10_000_000)),
        (5, Moved(50_000_000)),
        (6, Moved(60_000_000)),
        (10, Moved(75_000_000)),
    ) == [
        "* receiving film�.bin, 100.0 MB",
        "* 50 %: 50.0 MB of 100.0 MB, 10.0 MB/s, 0:05 left",
        "* 75 %: 75.0 MB of 100.0 MB, 7.5 MB/s, 0:03 left",
    ]


def test_the_rate_is_that_of_this_conversation() -> None:
    lines = Screen().after(
        (0, Began(OFFER, 0)), (4, Moved(40_000_000)), (20, Began(OFFER, 40_000_000)), (30, Moved(50_000_000))
    )
    assert lines[1:] == [
        "* receiving film�.bin, 100.0 MB, going on at 40.0 MB",
        "* 50 %: 50.0 MB of 100.0 MB, 1.0 MB/s, 0:50 left",
    ]


def test_what_goes_wrong_is_told() -> None:
    lines = Screen().after((0, Began(OFFER, 5)), (1, Restarted()), (2, Stopped(FileRefusal.CHANGED)))
    assert "was damaged" in lines[1]
    assert "the sender stopped: changed" in lines[2]


def test_an_empty_file_divides_nothing() -> None:
    assert Screen().after((0, Began(FileOffer("x", 0, "0" * 64), 0)), (9, Moved(0))) == [
        "* receiving x, 0 bytes",
        "* 0 %: 0 bytes of 0 bytes, 0 bytes/s",
    ]


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (61, "1:01"), (3600 + 125, "1:02:05")])
def test_a_duration_is_written_as_a_clock_shows_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text

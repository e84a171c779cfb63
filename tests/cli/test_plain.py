"""Others' text on a terminal."""

from __future__ import annotations

import pytest

from fsm_rtc.cli.plain import plain, plain_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grüße, 世界 👋", "Grüße, 世界 👋"),
        ("\x1b[2J\x07", "�[2J�"),
        ("a\nb\rc\td", "a�b�c�d"),
        ("\u202eevil", "�evil"),
        ("\ud800", "�"),
        ("👨\u200d👩", "👨\u200d👩"),
    ],
)
def test_only_what_is_printed_reaches_the_terminal(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_nobody_writes_a_line_that_looks_like_somebody_elses() -> None:
    assert plain_lines("hi\nalice: I agree\r\n\x1b[A") == "hi\n    alice: I agree\n    �[A"


def test_no_text_is_an_empty_line() -> None:
    assert plain_lines("") == ""

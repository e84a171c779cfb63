"""What callers give, checked where it comes in: what is of another kind gets a sentence, not a Python internal.

Each takes the value, what it is called in the sentence, and the error to raise.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["finite_seconds", "is_number", "octets", "path_of", "text", "told"]

TOLD_CHARACTERS = 60


def told(value: object) -> str:
    """A value in a sentence: short, printable, and with its kind."""
    shown = ascii(value)
    return f"{shown[:TOLD_CHARACTERS]}{'…' if len(shown) > TOLD_CHARACTERS else ''} ({type(value).__name__})"


def text(value: object, what: str, error: type[Exception] = ValueError, *, is_secret: bool = False) -> str:
    """A text that UTF-8 can hold; of a secret the kind alone is told."""
    shown = f"a {type(value).__name__}" if is_secret else told(value)
    if not isinstance(value, str):
        raise error(f"{what} is {shown}; give text, a str")
    try:
        value.encode()
    except UnicodeEncodeError:
        # without the codec's own error behind it, which holds the text
        raise error(f"{what} is {shown}, no text that UTF-8 can hold; choose another") from None
    return value


def octets(value: object, what: str, error: type[Exception] = ValueError) -> bytes:
    """Bytes."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise error(f"{what} is {told(value)}; give bytes")
    return bytes(value)


def path_of(value: object, what: str, error: type[Exception] = ValueError) -> Path:
    """A path: a str or a `Path`; whether there is something is for who opens it to say."""
    if not isinstance(value, str | os.PathLike) or not isinstance(given := os.fspath(value), str):
        raise error(f"{what} is {told(value)}; give a path, a str or a Path")
    return Path(given)


def is_number(value: object) -> bool:
    """Whether it is an int or a float, and no bool."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def finite_seconds(value: object, what: str, error: type[Exception] = ValueError) -> float:
    """A number of seconds, above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise error(f"{what} is {told(value)}; give a number of seconds above 0")
    return value

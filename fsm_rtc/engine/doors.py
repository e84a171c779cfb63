"""What callers give, checked where it comes in: what is of another kind gets a sentence, not a Python internal.

Each takes the value, what it is called in the sentence, and the error to raise.
"""

from __future__ import annotations

import inspect
import os
import ssl
from pathlib import Path

__all__ = ["callback", "finite_seconds", "is_number", "octets", "path_of", "text", "tls_context", "told", "truth"]

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


def callback(
    value: object,
    what: str,
    instead: str = "give a plain function that starts a task you own",
    *,
    may_wait: bool = False,
) -> None:
    """What can be called; unless its result is awaited, no coroutine function.

    Raises:
        TypeError: it is none.
    """
    if not callable(value):
        raise TypeError(f"{what} is {told(value)}, which can't be called; give a function")
    if not may_wait and any(map(inspect.iscoroutinefunction, (value, type(value).__call__))):
        raise TypeError(f"{what} is a coroutine function, which nobody would await; {instead}")


def truth(value: object, what: str, error: type[Exception] = TypeError) -> None:
    """True or False, and nothing that Python takes for one of them."""
    if not isinstance(value, bool):
        raise error(f"{what} is {told(value)}; give True or False")


def tls_context(value: object, error: type[Exception]) -> None:
    """A context for TLS, or None."""
    if value is not None and not isinstance(value, ssl.SSLContext):
        raise error(f"ssl is {told(value)}; give an ssl.SSLContext, such as ssl.create_default_context(), or None")


def is_number(value: object) -> bool:
    """Whether it is an int or a float, and no bool."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def finite_seconds(value: object, what: str, error: type[Exception] = ValueError) -> float:
    """A number of seconds, above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise error(f"{what} is {told(value)}; give a number of seconds above 0")
    return value

"""Text that others wrote, made harmless for a terminal."""

from __future__ import annotations

__all__ = ["plain", "plain_lines"]

JOINERS = "\u200c\u200d"
"""They are not printable by themselves, but hold scripts and emoji together."""


def plain(text: str) -> str:
    """The text in one line, each character that could move the cursor, colour or reorder the line as ``�``."""
    return "".join(character if character.isprintable() or character in JOINERS else "�" for character in text)


def plain_lines(text: str) -> str:
    """The same for a text that may have several lines: those behind the first are indented.

    So nobody can write a line that looks like somebody else's.
    """
    return "\n    ".join(plain(line.replace("\t", "    ")) for line in text.splitlines() or [""])

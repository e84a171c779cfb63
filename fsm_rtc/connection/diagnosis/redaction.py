"""Texts that may be passed on: without addresses, server names, keys, SDP or passwords in them."""

from __future__ import annotations

import re

__all__ = ["redacted", "redacted_label"]

CHANNEL = re.compile(r"(?P<head>.*?\.channel(?:#\d+)?\.)(?P<name>.*?)(?P<tail>(?:\.flow)?)")
"""The label of a data channel's machine: the name in it may be the other side's choice."""

HIDDEN = (
    (re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://\S+"), "(URL)"),
    (re.compile(r"\b(?:stuns?|turns?):\S+"), "(server)"),
    (re.compile(r"(?:\ba=)?\bcandidate:[^\n]*|\b[a-z]=[^\n]+"), "(SDP)"),
    (re.compile(r"\[?(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f.]*(?:%\w+)?\]?(?::\d{1,5})?"), "(address)"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5}\b)?"), "(address)"),
    (re.compile(r"(?:[0-9A-Fa-f]{2}:){7,}[0-9A-Fa-f]{2}"), "(key)"),
    (re.compile(r"\b(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}\b(?::\d{1,5}\b)?"), "(host)"),
    (re.compile(r"(?<![\w+/=-])(?=[\w+/=-]*[0-9+/])[\w+/=-]{16,}"), "(key)"),
)
"""What looks like something to hide, and what stands there instead; the first comes first."""


def redacted_label(label: str) -> str:
    """A machine's label; in a data channel's the other side may have written anything."""
    found = CHANNEL.fullmatch(label)
    return f"{found['head']}{redacted(found['name'])}{found['tail']}" if found is not None else label


def redacted(text: str) -> str:
    """The text, with a word in the place of each part that looks like an address, a server, a key or SDP."""
    for pattern, word in HIDDEN:
        text = pattern.sub(word, text)
    return text

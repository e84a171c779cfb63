"""The directions of a media section, and what can be done with them."""

from __future__ import annotations

DIRECTIONS = ("inactive", "recvonly", "sendonly", "sendrecv")
"""In the order of two bits: the first says that it sends, the second that it receives."""


def sends(direction: str | None) -> bool:
    """Whether who has this direction sends."""
    return direction in ("sendonly", "sendrecv")


def receives(direction: str | None) -> bool:
    """Whether who has this direction receives."""
    return direction in ("recvonly", "sendrecv")


def common_direction(one: str, other: str) -> str:
    """What both directions allow, seen from the same side."""
    return DIRECTIONS[DIRECTIONS.index(one) & DIRECTIONS.index(other)]


def reversed_direction(direction: str) -> str:
    """A direction as the other side sees it."""
    return {"sendonly": "recvonly", "recvonly": "sendonly"}.get(direction, direction)


def with_sending(direction: str) -> str:
    """The same, and sending."""
    return DIRECTIONS[DIRECTIONS.index(direction) | 2]


def without_sending(direction: str) -> str:
    """The same, but not sending."""
    return DIRECTIONS[DIRECTIONS.index(direction) & 1]

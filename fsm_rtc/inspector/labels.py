"""Which connection a machine belongs to, by its label."""

from __future__ import annotations

__all__ = ["connection_of"]


def connection_of(label: str) -> str:
    """The connection's name: the label's first part, with the numbers behind it.

    ``offerer`` of ``offerer.ice``, and ``room.2`` of ``room.2.exchange``, as rooms number their connections.
    """
    parts = label.split(".")
    end = 1
    while end < len(parts) - 1 and parts[end].isdecimal():
        end += 1
    return ".".join(parts[:end])

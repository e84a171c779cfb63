"""A room's life on this side: it is made, joined, and left.

Source: docs/rooms.md. Left out: the link to its signalling, which is `SignalingLink`, and who is in it, each of whom is
a `RoomMember`.
"""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["RoomLife", "RoomLifeState"]


class RoomLifeState(StrEnum):
    """Whether this side is in the room."""

    NEW = "new"
    OPEN = "open"
    CLOSED = "closed"


NEW, OPEN, CLOSED = RoomLifeState


class RoomLife(Chart[RoomLifeState]):
    """A room, from its making to its end."""

    source = "docs/rooms.md"
    initial = NEW
    final = frozenset({CLOSED})

    open = On(Row(NEW, OPEN), idempotent=True, cite="it is joined once")
    admit = On(stay(NEW, OPEN), cite="somebody comes")
    send = On(stay(NEW, OPEN), cite="a message to all")
    close = On(Row((NEW, OPEN), CLOSED), idempotent=True, cite="it is left once")

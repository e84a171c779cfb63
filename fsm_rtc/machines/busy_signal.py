"""Whether somebody waits for this side, which is in a call with somebody else, and is told so.

Who waits is told at once, and again and again: a sign of life, without which it would give up (docs/protocol.md, ack).

Left out: who is in the room, which the signalling tells (connection/), and what one who waits makes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["AGAIN_SECONDS", "BusySignal", "BusySignalState", "TellEverybody", "TellOne"]

AGAIN_SECONDS = 15.0
"""So often those who wait are told; without a word for 45 s they would give up."""


class BusySignalState(StrEnum):
    """Whether somebody is told."""

    QUIET = "quiet"
    TELLING = "telling"
    CLOSED = "closed"


QUIET, TELLING, CLOSED = BusySignalState


class Caller(Protocol):
    """The payload of `on_waiting`: a member of the room."""

    @property
    def id(self) -> str: ...


class Callers(Protocol):
    """The context: who is in the room besides the peer."""

    @property
    def somebody_waits(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class TellOne:
    """Tell this member that there is a call with somebody else."""

    member: Caller


class TellEverybody:
    """Tell each who waits that there is a call with somebody else."""


def somebody_waits(callers: Callers, event: object) -> bool:
    """Somebody else must be in the room."""
    return callers.somebody_waits


class BusySignal(Chart[BusySignalState, Callers]):
    """Who waits while there is a call with somebody else, and is told so."""

    source = "docs/protocol.md, ack"
    initial = QUIET
    final = frozenset({CLOSED})

    on_waiting = On[Callers, Caller](
        Row((QUIET, TELLING), TELLING, then=TellOne), cite="somebody came, or was there when the call began"
    )
    tell_again = On(
        stay(TELLING, when=(somebody_waits,), then=TellEverybody, restarts=("tell_again",)),
        Row(TELLING, QUIET),
        after=AGAIN_SECONDS,
        cite="a sign of life",
    )
    on_call_over = On(Row(TELLING, QUIET), stay(QUIET), cite="who waited is called now")
    close = On(Row((QUIET, TELLING), CLOSED), idempotent=True, cite="this side leaves")

"""The life of a part of a call that begins once and ends once: a channel, a stream of events, a peer connection.


Left out: what the part does. Its owner asks `use` before it does anything, and fires `close` when it lets go.
"""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["Lifetime", "LifetimeState"]


class LifetimeState(StrEnum):
    """Whether it may be used."""

    OPEN = "open"
    FINISHED = "finished"
    CLOSED = "closed"


OPEN, FINISHED, CLOSED = LifetimeState


class Lifetime(Chart[LifetimeState, None]):
    """Whether a part of a call may be used."""

    source = "fsm_rtc"
    initial = OPEN
    final = frozenset({CLOSED})

    use = On(stay(OPEN, FINISHED), cite="it hasn't been let go")
    add = On(stay(OPEN), cite="something may yet come to it")
    finish = On(Row(OPEN, FINISHED), cite="nothing comes to it any more; what is there may still be taken")
    close = On(Row((OPEN, FINISHED), CLOSED), idempotent=True, cite="it is let go")

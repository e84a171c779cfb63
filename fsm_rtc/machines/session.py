"""A member's session at the signalling server: whether it is there, may still come back, or is gone.

Source: docs/protocol.md, "Sessions". Left out: the messages that wait for it, and how long the grace time is; the hub
knows both.
"""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.engine import Chart, On, Row

__all__ = ["Session", "SessionState"]


class SessionState(StrEnum):
    """Where a member's session stands."""

    JOINED = "joined"
    IN_GRACE = "in grace"
    GONE = "gone"


JOINED, IN_GRACE, GONE = SessionState


class Session(Chart[SessionState, None]):
    """A member's session at the signalling server."""

    source = "docs/protocol.md, Sessions"
    initial = JOINED
    final = frozenset({GONE})

    on_link_lost = On(Row(JOINED, IN_GRACE, cite="the socket is gone, and nobody said goodbye"))
    resume = On(
        Row(IN_GRACE, JOINED, cite="the same key proves itself again within the grace time"),
        Row(JOINED, JOINED, cite="the same key on another socket takes its own session over"),
    )
    leave = On(Row((JOINED, IN_GRACE), GONE, cite="the client closed in order, or came with a new session"))
    put_out = On(Row((JOINED, IN_GRACE), GONE, cite="it did what the protocol forbids, or reads too slowly"))
    on_grace_over = On(Row(IN_GRACE, GONE, cite="it did not come back"))

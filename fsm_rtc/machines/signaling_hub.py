"""A signalling server's life: it serves, lets nobody new in any more, and ends.

Source: docs/protocol.md, "draining" and "Errors and close codes". Left out: how long it drains (signaling/).
"""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["ForgetAll", "SignalingHub", "SignalingHubState", "TellDraining"]


class SignalingHubState(StrEnum):
    """Whether a server lets somebody in."""

    SERVING = "serving"
    DRAINING = "draining"
    STOPPED = "stopped"


SERVING, DRAINING, STOPPED = SignalingHubState


class TellDraining:
    """Tell everybody that the server is going to end."""


class ForgetAll:
    """Let go of every session, and tell nobody."""


class SignalingHub(Chart[SignalingHubState]):
    """A signalling server, from its first member to its end."""

    source = "docs/protocol.md, draining"
    initial = SERVING
    final = frozenset({STOPPED})

    answer = On(stay(SERVING, DRAINING), cite="a socket is talked with; somebody may come back on it")
    admit = On(stay(SERVING), cite="a session that isn't there is let in")
    drain = On(Row(SERVING, DRAINING, then=TellDraining), stay(DRAINING, then=TellDraining), cite="draining")
    stop = On(Row((SERVING, DRAINING), STOPPED, then=ForgetAll), idempotent=True, cite="shutting_down")

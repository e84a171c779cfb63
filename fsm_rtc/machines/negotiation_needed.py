"""The negotiation-needed flag: whether the application was told that an offer is due, and when it is looked at again.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #dfn-update-the-negotiation-needed-flag, whose two steps are `update`
and, in a task of its own, `on_task`; #dfn-chain, whose end is `on_chain_empty`; #set-description, whose return to
stable clears the flag. `clear` and `set` are [[NegotiationNeeded]]; `due` is
[[UpdateNegotiationNeededFlagOnEmptyChain]], and `queued` that the task waits for its turn. Two tasks in one turn would
find the same, so only one is queued.

A connection may be used before its event loop runs, where nothing can be queued: then the flag is due as if the chain
worked, and the end of the first operation looks at it.

Left out: what there is to negotiate (#dfn-check-if-negotiation-is-needed), which the owner knows.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay
from fsm_rtc.machines.negotiation import SignalingState

__all__ = ["FireNegotiationNeeded", "NegotiationFlag", "NegotiationNeeded", "Need", "QueueTask", "in_stable", "needed"]


class NegotiationFlag(StrEnum):
    """[[NegotiationNeeded]], and whether an update waits for the end of the chain (due) or for its task (queued)."""

    CLEAR = "clear"
    CLEAR_DUE = "clear, due"
    CLEAR_QUEUED = "clear, queued"
    SET = "set"
    SET_DUE = "set, due"
    SET_QUEUED = "set, queued"
    CLOSED = "closed"


CLEAR, CLEAR_DUE, CLEAR_QUEUED, SET, SET_DUE, SET_QUEUED, CLOSED = NegotiationFlag


class Need(Protocol):
    """The context: where the connection stands."""

    @property
    def is_chain_empty(self) -> bool: ...
    @property
    def is_loop_running(self) -> bool:
        """Whether a task can be queued."""

    @property
    def signaling_state(self) -> SignalingState: ...
    @property
    def is_needed(self) -> bool:
        """What #dfn-check-if-negotiation-is-needed says."""


class FireNegotiationNeeded:
    """Fire negotiationneeded."""


class QueueTask:
    """Fire `on_task` in a later turn of the loop."""


def chain_empty(need: Need, event: object) -> bool:
    """No operation may be in the chain."""
    return need.is_chain_empty


def loop_runs(need: Need, event: object) -> bool:
    """The connection's event loop must run."""
    return need.is_loop_running


def in_stable(need: Need, event: object) -> bool:
    """The signalling state must be stable."""
    return need.signaling_state is SignalingState.STABLE


def needed(need: Need, event: object) -> bool:
    """There must be something to negotiate."""
    return need.is_needed


def not_needed(need: Need, event: object) -> bool:
    """There must be nothing to negotiate."""
    return not need.is_needed


class NegotiationNeeded(Chart[NegotiationFlag, Need]):
    """[[NegotiationNeeded]] of one peer connection."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #dfn-update-the-negotiation-needed-flag"
    initial = CLEAR

    update = On(
        Row((CLEAR, CLEAR_DUE), CLEAR_QUEUED, when=(loop_runs, chain_empty), then=(QueueTask,)),
        Row((SET, SET_DUE), SET_QUEUED, when=(loop_runs, chain_empty), then=(QueueTask,)),
        Row(CLEAR, CLEAR_DUE),
        Row(SET, SET_DUE),
        stay(CLEAR_DUE, SET_DUE, CLEAR_QUEUED, SET_QUEUED, CLOSED),
        cite="#dfn-update-the-negotiation-needed-flag",
    )
    on_chain_empty = On(
        Row(CLEAR_DUE, CLEAR_QUEUED, when=(loop_runs,), then=(QueueTask,)),
        Row(SET_DUE, SET_QUEUED, when=(loop_runs,), then=(QueueTask,)),
        stay(*NegotiationFlag),
        cite="#dfn-chain",
    )
    on_task = On(
        Row(CLEAR_QUEUED, SET, when=(chain_empty, in_stable, needed), then=(FireNegotiationNeeded,)),
        Row(CLEAR_QUEUED, CLEAR, when=(chain_empty,)),
        Row(CLEAR_QUEUED, CLEAR_DUE),
        Row(SET_QUEUED, CLEAR, when=(chain_empty, in_stable, not_needed)),
        Row(SET_QUEUED, SET, when=(chain_empty,)),
        Row(SET_QUEUED, SET_DUE),
        stay(CLOSED),
        cite="#dfn-update-the-negotiation-needed-flag, the queued task",
    )
    on_stable = On(
        Row(SET, CLEAR),
        Row(SET_DUE, CLEAR_DUE),
        Row(SET_QUEUED, CLEAR_QUEUED),
        stay(CLEAR, CLEAR_DUE, CLEAR_QUEUED),
        cite="#set-description",
    )
    close = On(
        Row((CLEAR, CLEAR_DUE, CLEAR_QUEUED, SET, SET_DUE, SET_QUEUED), CLOSED), cite="#dom-rtcpeerconnection-close"
    )

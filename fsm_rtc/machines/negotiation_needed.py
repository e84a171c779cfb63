"""The negotiation-needed flag: whether the application was told that an offer is due.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #dfn-update-the-negotiation-needed-flag and #set-description, which
clears it on the return to stable and looks again. `update` is that algorithm's queued task, in its order: nothing while
operations wait in the chain (it runs again when that is empty) or outside stable; then what there is to negotiate
decides.

Left out: what there is to negotiate (#dfn-check-if-negotiation-is-needed), which the owner knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["FireNegotiationNeeded", "NegotiationFlag", "NegotiationNeeded", "Need"]


class NegotiationFlag(StrEnum):
    """[[NegotiationNeeded]]."""

    CLEAR = "clear"
    SET = "set"


CLEAR, SET = NegotiationFlag


class Need(Protocol):
    """The payload of `update`: where the connection stands."""

    @property
    def is_chain_empty(self) -> bool: ...
    @property
    def is_stable(self) -> bool: ...
    @property
    def is_needed(self) -> bool:
        """What #dfn-check-if-negotiation-is-needed says."""


@dataclass(frozen=True, slots=True)
class FireNegotiationNeeded:
    """Fire negotiationneeded."""


def chain_empty(context: object, need: Need) -> bool:
    """No operation may wait in the chain."""
    return need.is_chain_empty


def in_stable(context: object, need: Need) -> bool:
    """The signalling state must be stable."""
    return need.is_stable


def needed(context: object, need: Need) -> bool:
    """There must be something to negotiate."""
    return need.is_needed


def fire_negotiationneeded(context: object, need: Need) -> FireNegotiationNeeded:
    """The application is told."""
    return FireNegotiationNeeded()


class NegotiationNeeded(Chart[NegotiationFlag, None]):
    """[[NegotiationNeeded]] of one peer connection."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #dfn-update-the-negotiation-needed-flag"
    initial = CLEAR

    update = On(
        Row(CLEAR, SET, when=(chain_empty, in_stable, needed), then=(fire_negotiationneeded,)),
        stay(SET, when=(needed,)),
        Row(SET, CLEAR, when=(chain_empty, in_stable)),
        stay(CLEAR, SET),
        cite="#dfn-update-the-negotiation-needed-flag",
    )
    on_stable = On(Row(SET, CLEAR), stay(CLEAR), cite="#set-description")

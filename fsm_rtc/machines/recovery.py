"""Recovery: a call whose connection is lost, and what is done to have it back.

First a new way between the same two peer connections (ICE restart), then new peer connections, at growing intervals;
until the call works again, or is given up. One side leads, the one with the greater id; the other begins only when
the leader lets it wait, so that the two seldom do the same at once.

The link to the signalling recovers by itself (signaling/); without it, and while the peer isn't there, nothing is
attempted. A DTLS failure is never retried: the other side doesn't have the certificate that it was to have.

Source: docs/recovery.md; RFC 8445, section 9 (ICE restarts); the jitter is the "full jitter" of AWS Architecture Blog,
"Exponential Backoff And Jitter", 2015-03-04. Left out: how a loss is noticed, and every duration (connection/).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = [
    "BackOff",
    "GiveUp",
    "Recovery",
    "RecoveryState",
    "Recreate",
    "RestartIce",
    "ResetAttempts",
    "TellLost",
    "TellRecovered",
]


class RecoveryState(StrEnum):
    """What is being done about the call."""

    IDLE = "idle"
    SUSPECT = "suspect"
    RESTARTING_ICE = "restarting ICE"
    RECREATING = "recreating"
    BACKING_OFF = "backing off"
    GAVE_UP = "gave up"


IDLE, SUSPECT, RESTARTING_ICE, RECREATING, BACKING_OFF, GAVE_UP = RecoveryState
ATTEMPTING = (RESTARTING_ICE, RECREATING)
RECOVERING = (SUSPECT, *ATTEMPTING, BACKING_OFF)


class RecoveryMemory(Protocol):
    """The context: what the attempts depend on."""

    @property
    def link_is_up(self) -> bool:
        """Whether the signalling link stands."""

    @property
    def peer_is_there(self) -> bool:
        """Whether the peer is in the room, as far as the signalling says."""

    @property
    def attempts_left(self) -> int: ...
    @property
    def can_restart_ice(self) -> bool:
        """Whether the peer connection may live on: neither it nor its data channel has ended."""

    @property
    def is_exchanging(self) -> bool:
        """Whether an offer is under way that may yet lead to a connection."""

    @property
    def leads(self) -> bool:
        """Whether this side is the one that begins: the one with the greater id."""


# What it asks for.


@dataclass(frozen=True, slots=True)
class TellLost:
    """The peer is lost, or seems to be; the reason is the event's."""

    reason: object


@dataclass(frozen=True, slots=True)
class RestartIce:
    """Look for a new way between the same two peer connections."""


@dataclass(frozen=True, slots=True)
class Recreate:
    """Make a new peer connection, and offer it."""


@dataclass(frozen=True, slots=True)
class BackOff:
    """Wait before the next attempt."""


@dataclass(frozen=True, slots=True)
class TellRecovered:
    """The call works again."""


@dataclass(frozen=True, slots=True)
class ResetAttempts:
    """The connection has stood long enough: all attempts are left again."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """End the call, for this reason."""

    reason: str


def link_is_up(memory: RecoveryMemory, event: object) -> bool:
    """The link to the signalling must stand."""
    return memory.link_is_up


def peer_is_there(memory: RecoveryMemory, event: object) -> bool:
    """The peer must be in the room."""
    return memory.peer_is_there


def no_exchange(memory: RecoveryMemory, event: object) -> bool:
    """No offer may be under way: it could still lead to a connection."""
    return not memory.is_exchanging


def exchange_under_way(memory: RecoveryMemory, event: object) -> bool:
    """An offer is under way, which could still lead to a connection."""
    return memory.is_exchanging


def attempts_left(memory: RecoveryMemory, event: object) -> bool:
    """An attempt must be left."""
    return memory.attempts_left > 0


def no_attempts_left(memory: RecoveryMemory, event: object) -> bool:
    """No attempt is left."""
    return memory.attempts_left <= 0


def can_restart_ice(memory: RecoveryMemory, event: object) -> bool:
    """The peer connection and its data channel must not have ended."""
    return memory.can_restart_ice


def leads(memory: RecoveryMemory, event: object) -> bool:
    """This side must be the one that leads: the one with the greater id."""
    return memory.leads


def tell_lost(memory: object, reason: object) -> TellLost:
    """Tell that the peer is lost, or seems to be."""
    return TellLost(reason)


def restart_ice(memory: object, event: object) -> RestartIce:
    """Look for a new way between the same two peer connections."""
    return RestartIce()


def recreate(memory: object, event: object) -> Recreate:
    """Make a new peer connection, and offer it."""
    return Recreate()


def back_off(memory: object, event: object) -> BackOff:
    """Wait before the next attempt."""
    return BackOff()


def tell_recovered(memory: object, event: object) -> TellRecovered:
    """Tell that the call works again."""
    return TellRecovered()


def reset_attempts(memory: object, event: object) -> ResetAttempts:
    """Let all attempts be left again."""
    return ResetAttempts()


def give_up_no_attempts(memory: object, event: object) -> GiveUp:
    """End the call: no attempt is left."""
    return GiveUp("every attempt to have the call back failed")


def give_up(memory: object, reason: str) -> GiveUp:
    """End the call, for the event's reason."""
    return GiveUp(reason)


POSSIBLE = (link_is_up, peer_is_there, no_exchange)


class Recovery(Chart[RecoveryState, RecoveryMemory]):
    """What is done about a call that is lost."""

    source = "docs/recovery.md"
    initial = IDLE

    on_silence = On[RecoveryMemory, object](
        Row(IDLE, SUSPECT, then=(tell_lost,)), stay(*RECOVERING, GAVE_UP), cite="docs/recovery.md, noticing"
    )
    on_heard = On[RecoveryMemory, None](
        Row(RECOVERING, IDLE, then=(tell_recovered,)), stay(IDLE, GAVE_UP), cite="docs/recovery.md, noticing"
    )
    on_overdue = On[RecoveryMemory, None](
        Row(SUSPECT, RESTARTING_ICE, when=(leads, *POSSIBLE, attempts_left, can_restart_ice), then=(restart_ice,)),
        Row(SUSPECT, RECREATING, when=(leads, *POSSIBLE, attempts_left), then=(recreate,)),
        stay(SUSPECT),
        cite="docs/recovery.md, attempts: the leader begins",
    )
    on_long_overdue = On[RecoveryMemory, None](
        Row(SUSPECT, RESTARTING_ICE, when=(*POSSIBLE, attempts_left, can_restart_ice), then=(restart_ice,)),
        Row(SUSPECT, RECREATING, when=(*POSSIBLE, attempts_left), then=(recreate,)),
        Row(SUSPECT, GAVE_UP, when=(no_attempts_left,), then=(give_up_no_attempts,)),
        stay(SUSPECT),
        cite="docs/recovery.md, attempts: the leader lets the other wait",
    )
    on_attempt_failed = On[RecoveryMemory, None](
        stay(*ATTEMPTING, when=(exchange_under_way,)),
        Row(RESTARTING_ICE, RECREATING, when=(*POSSIBLE, attempts_left), then=(recreate,)),
        Row(ATTEMPTING, GAVE_UP, when=(no_attempts_left,), then=(give_up_no_attempts,)),
        Row(ATTEMPTING, BACKING_OFF, then=(back_off,)),
        cite="docs/recovery.md, attempts",
    )
    on_backed_off = On[RecoveryMemory, None](
        Row(BACKING_OFF, RECREATING, when=(*POSSIBLE, attempts_left), then=(recreate,)),
        stay(BACKING_OFF, then=(back_off,)),
        cite="docs/recovery.md, attempts",
    )
    on_stood = On[RecoveryMemory, None](stay(IDLE, then=(reset_attempts,)), cite="docs/recovery.md, attempts")
    on_too_long = On[RecoveryMemory, str](Row(RECOVERING, GAVE_UP, then=(give_up,)), cite="docs/recovery.md, giving up")
    on_dtls_failed = On[RecoveryMemory, str](
        Row((IDLE, *RECOVERING), GAVE_UP, then=(give_up,)), stay(GAVE_UP), cite="docs/recovery.md, giving up"
    )
    on_call_over = On[RecoveryMemory, None](
        Row(RECOVERING, GAVE_UP), stay(IDLE, GAVE_UP), cite="docs/recovery.md, giving up: the exchange has ended"
    )
    on_new_call = On[RecoveryMemory, None](
        Row((*RECOVERING, GAVE_UP), IDLE),
        stay(IDLE),
        cite="docs/recovery.md, attempts: a new session of the peer begins a call",
    )

"""Recovery: a call whose connection is lost, how that is noticed, and what is done to have it back.

First a new way between the same two peer connections (ICE restart), then new peer connections, at growing intervals;
until the call works again, or is given up. One side leads, the one with the greater id; the other begins only when
the leader lets it wait, so that the two seldom do the same at once.

The link to the signalling recovers by itself (signaling/); without it, and while the peer isn't there, nothing is
attempted: the machine waits in a state of its own until something changes (`on_chance`). A DTLS failure is never
retried: the other side doesn't have the certificate that it was to have.

Source: docs/recovery.md; RFC 8445, section 9 (ICE restarts); the jitter is the "full jitter" of AWS Architecture Blog,
"Exponential Backoff And Jitter", 2015-03-04. Left out: the durations, which are a policy's (connection/).
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Protocol

from fsm_rtc.engine import Chart, On, Row, stay
from fsm_rtc.machines.recovery_requests import (
    EndByPeer,
    EndEarly,
    GiveUp,
    NoteCut,
    OfferIceRestart,
    Recreate,
    ResetAttempts,
    StartHeartbeat,
    StopHeartbeat,
    TellLost,
    TellRecovered,
)

__all__ = ["CUT_SECONDS", "RECOVERING", "WATCHED", "Recovery", "RecoveryState"]


class RecoveryState(StrEnum):
    """How the call is, and what is being done about it."""

    IDLE = "idle"
    CUT_EARLY = "cut early"
    WATCHING = "watching"
    CUT = "cut"
    SUSPECT = "suspect"
    OVERDUE = "overdue"
    LONG_OVERDUE = "long overdue"
    RESTARTING_ICE = "restarting ICE"
    RECREATING = "recreating"
    FOLLOWING = "following"
    BACKING_OFF = "backing off"
    WAITING = "waiting"
    GOODBYE = "goodbye"
    GAVE_UP = "gave up"
    CLOSED = "closed"


(
    IDLE,
    CUT_EARLY,
    WATCHING,
    CUT,
    SUSPECT,
    OVERDUE,
    LONG_OVERDUE,
    RESTARTING_ICE,
    RECREATING,
    FOLLOWING,
    BACKING_OFF,
    WAITING,
    GOODBYE,
    GAVE_UP,
    CLOSED,
) = RecoveryState
TRYING = (RESTARTING_ICE, RECREATING, FOLLOWING)
IN_BETWEEN = (SUSPECT, OVERDUE, LONG_OVERDUE, BACKING_OFF, WAITING)
RECOVERING = (*IN_BETWEEN, *TRYING)
WATCHED = (WATCHING, CUT, *RECOVERING, GOODBYE)
LIVE = (IDLE, CUT_EARLY, *WATCHED, GAVE_UP)
OVER = (GAVE_UP, CLOSED)


class RecoveryTimes(Protocol):
    """The lengths of what is a setting, in seconds; infinity for never."""

    @property
    def suspect_after_seconds(self) -> float: ...
    @property
    def follower_waits_seconds(self) -> float: ...
    @property
    def attempt_seconds(self) -> float: ...
    @property
    def stood_seconds(self) -> float: ...
    @property
    def give_up_after_seconds(self) -> float: ...


class RecoveryMemory(Protocol):
    """The context: what the attempts depend on, and the times, in seconds."""

    @property
    def link_is_up(self) -> bool:
        """Whether the signalling link stands."""

    @property
    def peer_is_there(self) -> bool:
        """Whether the peer is in the room, as far as the signalling says."""

    @property
    def peer_answers(self) -> bool:
        """Whether the peer answers a heartbeat, so that its silence says something."""

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

    @property
    def cut_reason(self) -> str:
        """How it was noticed that the other side has closed the connection."""

    @property
    def heard_at(self) -> float:
        """When the peer was last heard, on the machine's clock."""

    @property
    def overdue_seconds(self) -> float:
        """What is left of the time without a word after which recovery begins."""

    @property
    def backoff_seconds(self) -> float:
        """The longest wait before the next attempt."""

    @property
    def bye_seconds(self) -> float:
        """How long a goodbye on the channel waits for the one over signalling."""

    @property
    def policy(self) -> RecoveryTimes: ...


# The times.

CUT_SECONDS = 0.5
"""How long a connection that the other side has closed waits for the goodbye that may be on its way."""

EARLY_SECONDS = 5.0
"""How long one waits for another offer, when the other side has closed a connection that never worked."""


def heard_at(memory: RecoveryMemory) -> float:
    """When the peer was last heard."""
    return memory.heard_at


def suspect_seconds(memory: RecoveryMemory) -> float:
    """So long nothing is heard: the peer seems to be lost."""
    return memory.policy.suspect_after_seconds


def overdue_seconds(memory: RecoveryMemory) -> float:
    """What is left until recovery begins."""
    return memory.overdue_seconds


def follower_seconds(memory: RecoveryMemory) -> float:
    """So much later the side that doesn't lead begins."""
    return memory.policy.follower_waits_seconds


def attempt_seconds(memory: RecoveryMemory) -> float:
    """How long an attempt may take."""
    return memory.policy.attempt_seconds


def backoff_seconds(memory: RecoveryMemory) -> float:
    """The longest wait before the next attempt."""
    return memory.backoff_seconds


def stood_seconds(memory: RecoveryMemory) -> float:
    """How long a connection must stand to have all attempts again."""
    return memory.policy.stood_seconds


def give_up_seconds(memory: RecoveryMemory) -> float:
    """How long it is tried in all."""
    return memory.policy.give_up_after_seconds


def bye_seconds(memory: RecoveryMemory) -> float:
    """How long the goodbye over signalling may take behind the one on the channel."""
    return memory.bye_seconds


def link_is_up(memory: RecoveryMemory, event: object) -> bool:
    """The link to the signalling must stand."""
    return memory.link_is_up


def peer_is_there(memory: RecoveryMemory, event: object) -> bool:
    """The peer must be in the room."""
    return memory.peer_is_there


def no_exchange(memory: RecoveryMemory, event: object) -> bool:
    """No offer may be under way: it could still lead to a connection."""
    return not memory.is_exchanging


def peer_answers(memory: RecoveryMemory, event: object) -> bool:
    """The peer must be one that answers a heartbeat; else its silence says nothing."""
    return memory.peer_answers


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


def tell_silent(memory: object, event: object) -> TellLost:
    """Tell that nothing is heard of the peer."""
    return TellLost("nothing was heard of it")


def tell_cut(memory: RecoveryMemory, event: object) -> TellLost:
    """Tell that the other side has closed the connection."""
    return TellLost(memory.cut_reason)


def give_up_late(memory: RecoveryMemory, event: object) -> GiveUp:
    """End the call: it took too long."""
    return GiveUp(f"the call could not be recovered within {memory.policy.give_up_after_seconds:g} s")


def give_up_no_attempts(memory: object, event: object) -> GiveUp:
    """End the call: no attempt is left."""
    return GiveUp("every attempt to recover the call failed")


POSSIBLE = (link_is_up, peer_is_there, no_exchange)

BEGIN = (
    Row(OVERDUE, RESTARTING_ICE, when=(leads, *POSSIBLE, attempts_left, can_restart_ice), then=OfferIceRestart),
    Row(OVERDUE, RECREATING, when=(leads, *POSSIBLE, attempts_left), then=Recreate),
    Row(LONG_OVERDUE, RESTARTING_ICE, when=(*POSSIBLE, attempts_left, can_restart_ice), then=OfferIceRestart),
    Row(LONG_OVERDUE, RECREATING, when=(*POSSIBLE, attempts_left), then=Recreate),
)
"""An attempt begins: first on the side that leads, later on either."""

FAILED = (
    Row(RESTARTING_ICE, RECREATING, when=(*POSSIBLE, attempts_left), then=Recreate),
    Row(TRYING, GAVE_UP, when=(no_attempts_left,), then=(give_up_no_attempts,)),
    Row(TRYING, BACKING_OFF),
)
"""An attempt has come to nothing."""


class Recovery(Chart[RecoveryState, RecoveryMemory]):
    """A call, from when it works to its end: what is done when it is lost."""

    source = "docs/recovery.md"
    initial = IDLE
    entry: ClassVar = {IDLE: (StopHeartbeat,), GAVE_UP: (StopHeartbeat,), CLOSED: (StopHeartbeat,)}

    on_heard = On(
        Row((IDLE, CUT_EARLY), WATCHING, then=StartHeartbeat),
        Row(CUT, WATCHING),
        Row(RECOVERING, WATCHING, then=TellRecovered),
        stay(WATCHING, GOODBYE, *OVER),
        cite="docs/recovery.md, noticing",
    )
    on_silence = On(
        Row(WATCHING, SUSPECT, when=(peer_answers,), then=(tell_silent,)),
        stay(WATCHING, restarts=("on_silence",)),
        after=suspect_seconds,
        since=heard_at,
        late="postpone",
        cite="docs/recovery.md, noticing",
    )
    on_lost = On[RecoveryMemory, str](
        Row(WATCHING, SUSPECT, then=TellLost),
        stay(IDLE, CUT_EARLY, CUT, *RECOVERING, GOODBYE, *OVER),
        cite="docs/recovery.md, noticing: it may come back by itself",
    )
    on_lost_for_good = On[RecoveryMemory, str](
        Row((WATCHING, CUT), OVERDUE, then=TellLost),
        Row(SUSPECT, OVERDUE),
        stay(*TRYING, when=(exchange_under_way,)),
        *FAILED,
        stay(IDLE, CUT_EARLY, OVERDUE, LONG_OVERDUE, BACKING_OFF, WAITING, GOODBYE, *OVER),
        cite="docs/recovery.md, noticing: this connection won't come back",
    )
    on_closed = On[RecoveryMemory, str](
        Row(IDLE, CUT_EARLY),
        Row(WATCHING, CUT, then=NoteCut),
        Row(SUSPECT, OVERDUE),
        Row(RESTARTING_ICE, RECREATING, when=(*POSSIBLE, attempts_left), then=Recreate),
        stay(CUT_EARLY, CUT, OVERDUE, LONG_OVERDUE, *TRYING, BACKING_OFF, WAITING, GOODBYE, *OVER),
        cite="docs/recovery.md, noticing: a goodbye may be on its way",
    )
    on_no_goodbye = On(
        Row(CUT, OVERDUE, then=(tell_cut,)), after=CUT_SECONDS, late="postpone", cite="docs/recovery.md, noticing"
    )
    on_no_offer = On(
        Row(CUT_EARLY, IDLE, then=EndEarly),
        after=EARLY_SECONDS,
        late="postpone",
        cite="docs/recovery.md, noticing: a connection that never worked; the other side may offer another",
    )
    on_goodbye = On[RecoveryMemory, str](
        Row((IDLE, CUT_EARLY, WATCHING, CUT, *RECOVERING), GOODBYE),
        stay(GOODBYE, *OVER),
        cite="docs/recovery.md, noticing: who closes says goodbye twice",
    )
    on_no_bye = On(
        Row(GOODBYE, IDLE, then=EndByPeer),
        after=bye_seconds,
        late="postpone",
        cite="docs/recovery.md, noticing: either goodbye ends the call",
    )
    on_overdue = On(Row(SUSPECT, OVERDUE), after=overdue_seconds, late="postpone", cite="docs/recovery.md, attempts")
    on_turn = On(*BEGIN[:2], stay(OVERDUE), after=0.0, cite="docs/recovery.md, attempts: the side that leads begins")
    on_long_overdue = On(
        Row(OVERDUE, RESTARTING_ICE, when=(*POSSIBLE, attempts_left, can_restart_ice), then=OfferIceRestart),
        Row(OVERDUE, RECREATING, when=(*POSSIBLE, attempts_left), then=Recreate),
        Row(OVERDUE, GAVE_UP, when=(no_attempts_left,), then=(give_up_no_attempts,)),
        Row(OVERDUE, LONG_OVERDUE),
        after=follower_seconds,
        late="postpone",
        cite="docs/recovery.md, attempts: the leader lets the other wait",
    )
    on_chance = On(
        *BEGIN,
        Row(WAITING, BACKING_OFF, when=POSSIBLE),
        cite="docs/recovery.md, attempts: the link, the peer or the exchange has changed",
    )
    on_agreed = On(
        Row(CUT_EARLY, IDLE),
        Row(IN_BETWEEN, FOLLOWING),
        stay(*TRYING, restarts=("on_attempt_failed",)),
        stay(IDLE, WATCHING, CUT, GOODBYE, *OVER),
        cite="docs/recovery.md, attempts: what both sides agree on has the whole time, by whichever side",
    )
    on_progress = On(
        stay(*TRYING, restarts=("on_attempt_failed",)),
        stay(IDLE, CUT_EARLY, WATCHING, CUT, *IN_BETWEEN, GOODBYE, *OVER),
        cite="docs/recovery.md, attempts: one that comes nearer isn't broken off",
    )
    on_attempt_failed = On(
        stay(*TRYING, when=(exchange_under_way,), restarts=("on_attempt_failed",)),
        *FAILED,
        after=attempt_seconds,
        late="postpone",
        cite="docs/recovery.md, attempts",
    )
    on_backed_off = On(
        Row(BACKING_OFF, RECREATING, when=(*POSSIBLE, attempts_left), then=Recreate),
        Row(BACKING_OFF, WAITING),
        after=backoff_seconds,
        jitter="full",
        late="postpone",
        cite="docs/recovery.md, attempts",
    )
    on_stood = On(
        stay(WATCHING, then=ResetAttempts), after=stood_seconds, late="postpone", cite="docs/recovery.md, attempts"
    )
    on_too_long = On(
        Row(RECOVERING, GAVE_UP, then=(give_up_late,)),
        after=give_up_seconds,
        per="sources",
        late="postpone",
        cite="docs/recovery.md, giving up",
    )
    on_dtls_failed = On[RecoveryMemory, str](
        Row((IDLE, CUT_EARLY, *WATCHED), GAVE_UP, then=GiveUp), stay(*OVER), cite="docs/recovery.md, giving up"
    )
    on_call_over = On(
        Row(RECOVERING, GAVE_UP),
        Row((CUT_EARLY, WATCHING, CUT, GOODBYE), IDLE),
        stay(IDLE, *OVER),
        cite="docs/recovery.md, giving up: the exchange has ended",
    )
    on_new_call = On(
        Row((CUT_EARLY, *WATCHED, GAVE_UP), IDLE, then=ResetAttempts),
        stay(IDLE, then=ResetAttempts),
        stay(CLOSED),
        cite="docs/recovery.md, attempts: a new session of the peer begins a call",
    )
    close = On(Row(LIVE, CLOSED), idempotent=True, cite="the connection is closed")

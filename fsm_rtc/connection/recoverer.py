"""Recoverer: notices that a call is lost, and has it back: the `Recovery` table at work, with its clock.

One timer, owned here. What is heard of the peer, its connection's states and its goodbye come in; what is to be done
goes out to the call.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Protocol

from fsm_rtc.connection.events import GaveUp, LossReason, PeerLost, Recovered, Recovering
from fsm_rtc.connection.recovery_policy import RecoveryPolicy
from fsm_rtc.engine import Accepted
from fsm_rtc.machines.recovery import (
    BackOff,
    GiveUp,
    Recovery,
    RecoveryState,
    Recreate,
    ResetAttempts,
    RestartIce,
    TellLost,
    TellRecovered,
)
from fsm_rtc.peer.machine_set import MachineSet

__all__ = ["RecoverableCall", "Recoverer"]

logger = logging.getLogger("fsm_rtc.connection")

ATTEMPTING = (RecoveryState.RESTARTING_ICE, RecoveryState.RECREATING)

GOODBYE_LETTER_SECONDS = 3.0
"""How long a goodbye on the channel waits for the one over signalling."""

CLOSED_GRACE_SECONDS = 0.5
"""How long a connection that the other side has closed waits for the goodbye that may be on its way."""

LATE_SECONDS = 0.5
"""A timer that comes so much too late tells that this process, or its loop, stood still meanwhile."""


class RecoverableCall(Protocol):
    """The call, as its recovery sees it and changes it."""

    @property
    def link_is_up(self) -> bool: ...
    @property
    def peer_is_there(self) -> bool: ...
    @property
    def can_restart_ice(self) -> bool: ...
    @property
    def is_exchanging(self) -> bool: ...
    @property
    def leads(self) -> bool: ...
    @property
    def goodbye(self) -> str | None:
        """Why the peer has ended the call, if it has said so on the channel."""

    def ping(self) -> bool:
        """Ask the peer for a sign of life; whether it would answer."""

    def check_link(self) -> None:
        """Let the signalling find out whether its link still stands."""

    def restart_ice(self) -> None: ...
    def recreate(self) -> None: ...
    def give_up(self, reason: str) -> None: ...
    def end_by_peer(self, reason: str) -> None: ...
    def tell(self, event: PeerLost | Recovering | Recovered | GaveUp) -> None: ...


class Recoverer:
    """See the module. It watches from `ready` to `stop`.

    Args:
        call: what is watched.
        policy: when what is done.
        machines: makes the machine.
        uniform: draws a number between two, evenly.

    Attributes:
        machine: the `Recovery` machine.
        attempts_left: how many attempts are left.
    """

    def __init__(
        self,
        call: RecoverableCall,
        policy: RecoveryPolicy,
        machines: MachineSet,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.policy = policy
        self.attempts_left = policy.attempts
        self._call = call
        self._uniform = uniform
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._heard_at: float | None = None
        self._lost_at = 0.0
        self._overdue_at = 0.0
        self._acted_at = 0.0
        self._goodbye_at: float | None = None
        self._closed: tuple[LossReason, float] | None = None
        self.machine = machines.make(Recovery, "recovery", self)

    # What the machine's guards read.

    @property
    def link_is_up(self) -> bool:
        return self._call.link_is_up

    @property
    def peer_is_there(self) -> bool:
        return self._call.peer_is_there

    @property
    def can_restart_ice(self) -> bool:
        return self._call.can_restart_ice

    @property
    def is_exchanging(self) -> bool:
        return self._call.is_exchanging

    @property
    def leads(self) -> bool:
        return self._call.leads

    # What happens.

    @property
    def is_watching(self) -> bool:
        """Whether a call stands, or is to be had back."""
        return self._heard_at is not None

    @property
    def is_recovering(self) -> bool:
        """Whether the call is lost, and not given up."""
        return self.is_watching and self.machine.state not in (RecoveryState.IDLE, RecoveryState.GAVE_UP)

    def new_call(self) -> None:
        """A call with a session of the peer begins."""
        self.stop()
        self.attempts_left = self.policy.attempts
        self._fire("on_new_call")

    def call_over(self) -> None:
        """The exchange has ended, and the call with it."""
        self._fire("on_call_over")
        self.stop()

    def stop(self) -> None:
        """Watch no longer."""
        self._heard_at = self._goodbye_at = self._closed = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def heard(self) -> None:
        """The peer gave a sign of life, or the call works (again)."""
        first, self._heard_at = self._heard_at is None, _now()
        self._closed = None
        if self.machine.state is not RecoveryState.IDLE:
            self._fire("on_heard")
        if first:
            self._wake()

    def lost(self, reason: LossReason, *, for_good: bool = False) -> None:
        """The peer is lost, or seems to be.

        Args:
            reason: how that was noticed.
            for_good: whether this connection won't come back by itself, so that there is nothing to wait for.
        """
        if not self.is_watching or self._call.goodbye is not None:
            self._wake_if_watching()
            return
        if for_good:
            self._overdue_at = _now()
        if self.machine.state in ATTEMPTING:
            if for_good and not self._call.is_exchanging:
                self._fire("on_attempt_failed")
        else:
            if self.machine.state is RecoveryState.IDLE and not for_good:
                self._overdue_at = (self._heard_at or _now()) + self.policy.begin_after_seconds
            self._fire("on_silence", reason)
        self._wake()

    def closed(self, reason: LossReason) -> None:
        """The other side has closed the connection or its channel; if no goodbye comes, it is lost."""
        if self.is_watching and self._closed is None:
            self._closed = (reason, _now() + CLOSED_GRACE_SECONDS)
            self._wake()

    def attempt_failed(self) -> None:
        """The attempt has come to nothing."""
        if self.machine.state in ATTEMPTING:
            self._fire("on_attempt_failed")
            self._wake()

    def dtls_failed(self, reason: str) -> None:
        """The other side hasn't the certificate that it was to have: that is never tried again."""
        self._fire("on_dtls_failed", reason)

    def changed(self) -> None:
        """The link, or who is in the room, has changed: what waited for that may begin."""
        self._wake_if_watching()

    # Time.

    def _wake_if_watching(self) -> None:
        if self.is_watching:
            self._wake()

    def _wake(self) -> None:
        """Do what is due, and set the timer."""
        now = _now()
        self._do_what_is_due(now)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.is_watching and self.machine.state is not RecoveryState.GAVE_UP:
            self._due = self._next_at(now)
            self._timer = asyncio.get_running_loop().call_at(self._due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        late = _now() - self._due
        if late > LATE_SECONDS:
            self._postpone(late)
        else:
            self._call.ping()
        self._wake()

    def _postpone(self, seconds: float) -> None:
        """This process stood still for so long, so what wasn't heard meanwhile proves nothing."""
        if self._heard_at is not None:
            self._heard_at += seconds
        self._lost_at += seconds
        self._overdue_at += seconds
        self._acted_at += seconds
        self._call.ping()

    def _next_at(self, now: float) -> float:
        """When to look again: at the next heartbeat, or before that if something is due."""
        policy, times = self.policy, [now + self.policy.heartbeat_seconds]
        if self._closed is not None:
            times.append(self._closed[1])
        if self._goodbye_at is not None:
            times.append(self._goodbye_at + CLOSED_GRACE_SECONDS)
        match self.machine.state:
            case RecoveryState.IDLE:
                times.append((self._heard_at or now) + policy.suspect_after_seconds)
            case RecoveryState.SUSPECT:
                times += [self._overdue_at, self._overdue_at + policy.follower_waits_seconds]
            case _:
                times += [self._acted_at]
        return min(time for time in times if time > now)

    def _do_what_is_due(self, now: float) -> None:
        policy, state = self.policy, self.machine.state
        if self._goodbye_is_due(now):
            return
        if self._closed is not None and now >= self._closed[1]:
            reason, self._closed = self._closed[0], None
            self.lost(reason, for_good=True)
            return
        if state is RecoveryState.IDLE:
            self._watch(now)
        elif state is not RecoveryState.GAVE_UP and now >= self._lost_at + policy.give_up_after_seconds:
            self._fire("on_too_long", f"the call could not be had back within {policy.give_up_after_seconds:g} s")
        elif state is RecoveryState.SUSPECT and now >= self._overdue_at + policy.follower_waits_seconds:
            self._fire("on_long_overdue")
        elif state is RecoveryState.SUSPECT and now >= self._overdue_at:
            self._fire("on_overdue")
        elif state is RecoveryState.BACKING_OFF and now >= self._acted_at:
            self._fire("on_backed_off")
        elif state in ATTEMPTING and now >= self._acted_at:
            self._fire("on_attempt_failed")

    def _watch(self, now: float) -> None:
        heard_at = self._heard_at
        if heard_at is None:
            return
        if self.attempts_left < self.policy.attempts and now >= self._acted_at + self.policy.stood_seconds:
            self._fire("on_stood")
        if now >= heard_at + self.policy.suspect_after_seconds:
            if self._call.ping():
                self._overdue_at = heard_at + self.policy.begin_after_seconds
                self._fire("on_silence", LossReason.SILENT)
            else:
                self._heard_at = now  # it wouldn't answer; its connection's states tell instead

    def _goodbye_is_due(self, now: float) -> bool:
        reason = self._call.goodbye
        if reason is None or not self.is_watching:
            return False
        if self._goodbye_at is None:
            self._goodbye_at = now
        letter_may_come = self._call.link_is_up and self._call.peer_is_there
        if now >= self._goodbye_at + (GOODBYE_LETTER_SECONDS if letter_may_come else CLOSED_GRACE_SECONDS):
            self._call.end_by_peer(reason)
        return True

    # What the machine asks for.

    def _fire(self, trigger: str, event: object = None) -> None:
        outcome = self.machine.fire(trigger, event)
        for request in outcome.effects if isinstance(outcome, Accepted) else ():
            self._do(request)

    def _do(self, request: object) -> None:
        now = _now()
        match request:
            case TellLost(reason):
                self._lost_at = now
                self._call.tell(PeerLost(LossReason(str(reason))))
                self._call.check_link()
            case RestartIce():
                self._begin_attempt(now, "ICE restart")
                self._call.restart_ice()
            case Recreate():
                self._begin_attempt(now, "new peer connection")
                self._call.recreate()
            case BackOff():
                used = self.policy.attempts - self.attempts_left
                self._acted_at = now + self._uniform(0.0, self.policy.backoff_seconds(max(1, used)))
            case TellRecovered():
                self._acted_at = now
                self._call.tell(Recovered(now - self._lost_at))
            case ResetAttempts():
                self.attempts_left = self.policy.attempts
            case GiveUp(reason):
                self._call.tell(GaveUp(reason))
                self._call.give_up(reason)

    def _begin_attempt(self, now: float, how: str) -> None:
        self.attempts_left -= 1
        self._acted_at = now + self.policy.attempt_seconds
        self._call.tell(Recovering(how, self.policy.attempts - self.attempts_left))


def _now() -> float:
    return asyncio.get_running_loop().time()

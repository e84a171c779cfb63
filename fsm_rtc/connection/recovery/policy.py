"""RecoveryPolicy: how soon a loss is noticed, what is done about it, and when a call is given up."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from math import isfinite

from fsm_rtc.engine.doors import is_number

__all__ = ["NO_RECOVERY", "RecoveryPolicy"]


SHORTEST_HEARTBEAT_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class RecoveryPolicy:
    """The times of a call, in seconds, or infinity for never. Source: docs/recovery.md, which says how they fit.

    Args:
        heartbeat_seconds: how often the other side is asked whether it is there.
        suspect_after_seconds: after so long without a word from it, it counts as lost for now.
        begin_after_seconds: after so long without a word recovery begins, on the side that leads.
        follower_waits_seconds: so much later it begins on the other side, if the leader has not begun.
        attempt_seconds: how long an attempt may take.
        attempts: how many there are; the connection must have stood `stood_seconds` to have them all again.
        stood_seconds: see `attempts`.
        first_backoff_seconds: between attempts lies a random time of at most this, doubled with each attempt,
        longest_backoff_seconds: and at most this.
        give_up_after_seconds: after so long without success the call is given up, whatever attempts are left.
        connect_timeout_seconds: how long it may take from the peer's coming to the first open channel.
        answer_timeout_seconds: how long a peer that has the offer may take to answer it.

    Raises:
        ValueError: a time is not positive, or they don't follow each other.
    """

    heartbeat_seconds: float = 1.0
    suspect_after_seconds: float = 2.5
    begin_after_seconds: float = 4.5
    follower_waits_seconds: float = 1.0
    attempt_seconds: float = 8.0
    attempts: int = 8
    stood_seconds: float = 10.0
    first_backoff_seconds: float = 0.5
    longest_backoff_seconds: float = 15.0
    give_up_after_seconds: float = 90.0
    connect_timeout_seconds: float = 60.0
    answer_timeout_seconds: float = 20.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not is_number(value):
                raise ValueError(f"{field.name} must be a number, not {value!r}")
            if field.name != "attempts" and not value > 0:
                raise ValueError(f"{field.name} must be more than 0 seconds, not {value!r}")
            if field.name.endswith("backoff_seconds") and not isfinite(value):
                raise ValueError(
                    f"{field.name} must be a number of seconds, not {value!r}; nothing would be tried behind it"
                )
        attempts: object = self.attempts
        if not isinstance(attempts, int) or attempts < 0:
            raise ValueError(f"attempts is a whole number, 0 (none) or more, not {self.attempts!r}")
        if self.heartbeat_seconds < SHORTEST_HEARTBEAT_SECONDS:
            raise ValueError(
                f"heartbeat_seconds must be {SHORTEST_HEARTBEAT_SECONDS:g} or more, not {self.heartbeat_seconds!r}; "
                "the program would do little else"
            )
        order = ("heartbeat_seconds", "suspect_after_seconds", "begin_after_seconds", "give_up_after_seconds")
        for sooner, later in pairwise(order):
            if getattr(self, sooner) > getattr(self, later):
                raise ValueError(
                    f"{sooner} is {getattr(self, sooner):g} and {later} {getattr(self, later):g}; the first must "
                    "not be the greater one"
                )

    def backoff_seconds(self, attempt: int) -> float:
        """The longest wait behind the n-th attempt, from 1."""
        return min(self.longest_backoff_seconds, self.first_backoff_seconds * 2.0 ** min(attempt - 1, 60))


NO_RECOVERY = RecoveryPolicy(attempts=0)
"""A loss is noticed and the call then given up."""

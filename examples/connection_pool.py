"""A connection of a pool: it is checked while nobody uses it, retried with backoff, and thrown away when it is old.

python examples/connection_pool.py
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fsm_rtc import Accepted, Chart, On, Row, stay


class PooledState(StrEnum):
    """Where a pooled connection stands."""

    CLOSED = "closed"
    CONNECTING = "connecting"
    BACKING_OFF = "backing-off"
    IDLE = "idle"
    CHECKING = "checking"
    IN_USE = "in-use"


CLOSED, CONNECTING, BACKING_OFF, IDLE, CHECKING, IN_USE = PooledState


@dataclass
class Attempts:
    """What guards and times read; the owner counts."""

    failed: int = 0
    most: int = 5


class Dial:
    """A request: connect to the database."""


class Ping:
    """A request: ask whether it still answers."""


class HangUp:
    """A request: close the socket."""


def has_attempts_left(attempts: Attempts, event: object) -> bool:
    """There must be an attempt left."""
    return attempts.failed < attempts.most


def backoff_seconds(attempts: Attempts) -> float:
    """Twice as long after each failure, up to half a minute."""
    return float(min(30, 2**attempts.failed))


class Pooled(Chart[PooledState, Attempts]):
    """One connection of a pool."""

    initial = CLOSED
    entry = {CONNECTING: (Dial,), CHECKING: (Ping,)}

    open = On(Row(CLOSED, CONNECTING), idempotent=True)
    on_connected = On(Row(CONNECTING, IDLE))
    on_failure = On(
        Row(CONNECTING, BACKING_OFF, when=(has_attempts_left,)),
        Row((CONNECTING, IDLE, CHECKING, IN_USE), CLOSED, then=(HangUp,)),
    )
    connect_timeout = On(Row(CONNECTING, BACKING_OFF), after=5)
    retry = On(Row(BACKING_OFF, CONNECTING), after=backoff_seconds, jitter="full")
    acquire = On(Row(IDLE, IN_USE))
    release = On(Row(IN_USE, IDLE))
    check = On(Row(IDLE, CHECKING), after=30)
    on_pong = On(Row(CHECKING, IDLE))
    check_timeout = On(Row(CHECKING, CLOSED, then=(HangUp,)), after=2)
    grow_old = On(
        Row((IDLE, CHECKING), CLOSED, then=(HangUp,)), stay(IN_USE, restarts=("grow_old",)), after=600, per="sources"
    )


def main() -> None:
    """A database that is slow at first, and then silent."""
    now = 0.0
    pooled = Pooled(Attempts(), clock=lambda: now, uniform=lambda low, high: high)

    def until_due() -> None:
        nonlocal now
        now = pooled.next_timeout() or now
        for outcome in pooled.tick(now):
            assert isinstance(outcome, Accepted)
            asked = [type(one).__name__ for one in outcome.effects]
            print(f"{now:g} s: {outcome.trigger}, {pooled.state} {' '.join(asked)}".rstrip())

    pooled.open()
    until_due()
    until_due()
    pooled.on_connected()
    until_due()
    until_due()


if __name__ == "__main__":
    main()

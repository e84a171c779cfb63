"""How long to wait before the next attempt to connect: exponential backoff with full jitter.

The n-th attempt in a row waits between nothing and ``base * 2**n`` seconds, evenly spread, so that a server that comes
back isn't met by all of its clients at once.

Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: "full jitter".
"""

from __future__ import annotations

import random
from collections.abc import Callable

from fsm_rtc.engine.doors import callback, finite_seconds, is_number, told

_MAX_DOUBLINGS = 62
"""Beyond it a float would overflow in the end; any cap is reached long before."""


class Backoff:
    """The waiting times of one client.

    Args:
        base_seconds: the longest wait before the first retry; above 0.
        cap_seconds: the longest wait of all; at least ``base_seconds``.
        stable_seconds: a link that stood so long has recovered, the next loss begins with the first retry again. One
            that falls sooner counts as another failed attempt: a server that accepts and drops isn't hammered.
        uniform: draws a number between two, evenly; `random.uniform`.

    Raises:
        ValueError: a time that is out of its range.
    """

    __slots__ = ("_attempts", "_base_seconds", "_cap_seconds", "_stable_seconds", "_uniform")

    def __init__(
        self,
        base_seconds: float = 0.5,
        cap_seconds: float = 30.0,
        *,
        stable_seconds: float = 10.0,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        finite_seconds(base_seconds, "base_seconds")
        finite_seconds(cap_seconds, "cap_seconds")
        if not 0 < base_seconds <= cap_seconds:
            raise ValueError(f"base_seconds is {base_seconds}; give one above 0 and at most cap_seconds, {cap_seconds}")
        if not is_number(stable_seconds) or not stable_seconds >= 0:
            raise ValueError(f"stable_seconds is {told(stable_seconds)}; give 0 or more")
        callback(uniform, "uniform")
        self._base_seconds = base_seconds
        self._cap_seconds = cap_seconds
        self._stable_seconds = stable_seconds
        self._uniform = uniform
        self._attempts = 0

    @property
    def stable_seconds(self) -> float:
        """How long a link must stand to have recovered."""
        return self._stable_seconds

    @property
    def attempts(self) -> int:
        """The retries in a row so far."""
        return self._attempts

    def next_seconds(self) -> float:
        """Draw the wait before the next attempt, and count it."""
        ceiling = min(self._cap_seconds, self._base_seconds * 2.0 ** min(self._attempts, _MAX_DOUBLINGS))
        self._attempts += 1
        return self._uniform(0.0, ceiling)

    def recovered(self) -> None:
        """A link has stood for `stable_seconds`: the next loss begins with the first retry again."""
        self._attempts = 0

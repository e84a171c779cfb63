"""Backoff waits longer after each failure, never longer than its cap, and spreads its clients evenly."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.signaling.backoff import Backoff

seconds = st.floats(0.001, 1000)


@given(base=seconds, cap=seconds, retries=st.integers(0, 2000), fraction=st.floats(0, 1))
def test_the_nth_wait_is_anywhere_between_nothing_and_the_doubled_base_or_the_cap(
    base: float, cap: float, retries: int, fraction: float
) -> None:
    cap = max(base, cap)
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return low + (high - low) * fraction

    backoff = Backoff(base, cap, uniform=uniform)
    waits = [backoff.next_seconds() for _ in range(retries)]
    assert asked == [(0.0, min(cap, base * 2.0 ** min(n, 100))) for n in range(retries)]
    assert waits == [fraction * high for _, high in asked]
    assert backoff.attempts == retries


@given(seed=st.integers(0, 2**32))
def test_the_library_s_own_randomness_stays_within_the_bounds(seed: int) -> None:
    backoff = Backoff(uniform=random.Random(seed).uniform)
    waits = [backoff.next_seconds() for _ in range(12)]
    assert all(0 <= wait <= min(30.0, 0.5 * 2**n) for n, wait in enumerate(waits))


def test_the_jitter_is_full() -> None:
    waits = []
    draw = random.Random(3).uniform
    for _ in range(4000):
        backoff = Backoff(8.0, 8.0, uniform=draw)
        waits.append(backoff.next_seconds())
    quarters = [sum(low <= wait < low + 2 for wait in waits) for low in (0, 2, 4, 6)]
    assert all(900 < count < 1100 for count in quarters)


def top(low: float, high: float) -> float:
    return high


def test_a_link_that_has_recovered_begins_anew() -> None:
    backoff = Backoff(1.0, 8.0, stable_seconds=10.0, uniform=top)
    assert [backoff.next_seconds() for _ in range(5)] == [1, 2, 4, 8, 8]
    assert (backoff.stable_seconds, backoff.attempts) == (10.0, 5)
    backoff.recovered()
    assert [backoff.next_seconds() for _ in range(2)] == [1, 2]


@pytest.mark.parametrize(
    ("base", "cap", "stable", "named"),
    [(0, 1, 1, "base_seconds"), (-1, 1, 1, "base_seconds"), (2, 1, 1, "cap_seconds"), (1, 1, -1, "stable_seconds")],
)
def test_times_out_of_range_are_refused(base: float, cap: float, stable: float, named: str) -> None:
    with pytest.raises(ValueError, match=rf"{named}"):
        Backoff(base, cap, stable_seconds=stable)

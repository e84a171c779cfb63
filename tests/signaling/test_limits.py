"""Bounds are checked when they are set; a bucket grants its burst, then its rate, and no more in any span."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.messages.wire import MAX_MESSAGE_BYTES
from fsm_rtc.signaling.limits import Limits, TokenBucket

NAMES = [field.name for field in fields(Limits)]
WHOLE = [field.name for field in fields(Limits) if isinstance(field.default, int)]


def test_the_defaults_are_these() -> None:
    assert {name: getattr(Limits(), name) for name in NAMES} == {
        "message_bytes": 262_144,
        "messages_per_second": 50,
        "burst": 200,
        "unread_messages": 1024,
        "unread_bytes": 4_194_304,
        "handshake_seconds": 10,
        "members": 16,
        "rooms": 10_000,
        "connections_per_address": 200,
        "grace_seconds": 30,
        "stall_seconds": 20,
    }


def test_bounds_that_are_set_do_not_change() -> None:
    limits = Limits(members=2, messages_per_second=0.5, message_bytes=1, unread_bytes=1)
    assert (limits.members, limits.messages_per_second, limits.rooms) == (2, 0.5, 10_000)
    with pytest.raises(FrozenInstanceError):
        limits.members = 3  # type: ignore[misc]


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", NAMES)
def test_a_bound_that_is_none_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{name} is {value}; give"):
        Limits(**{name: value})


@pytest.mark.parametrize("value", [2.5, True, "3"])
@pytest.mark.parametrize("name", WHOLE)
def test_what_is_counted_is_a_whole_number(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{name} is .*; give a whole number"):
        Limits(**{name: value})


@pytest.mark.parametrize(
    ("bounds", "named"),
    [
        ({"message_bytes": MAX_MESSAGE_BYTES + 1}, "message_bytes"),
        ({"unread_bytes": MAX_MESSAGE_BYTES - 1}, "unread_bytes"),
        ({"message_bytes": 1000, "unread_bytes": 999}, "unread_bytes"),
        ({"members": 1}, "members"),
    ],
)
def test_bounds_that_let_nothing_through_or_break_the_protocol_are_refused(bounds: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=rf"^{named} is"):
        Limits(**bounds)


# Steps of 1/64 second and rates of powers of two are exact as floats, so the bounds below hold to the letter.
rates = st.sampled_from([0.25, 1.0, 2.0, 64.0])
bursts = st.integers(1, 20)
steps = st.lists(st.integers(0, 300).map(lambda ticks: ticks / 64), max_size=60)


def test_a_burst_is_granted_at_once_and_then_the_rate() -> None:
    bucket = TokenBucket(2.0, 3, 100.0)
    assert [bucket.take(100.0) for _ in range(5)] == [True, True, True, False, False]
    assert [bucket.take(now) for now in (100.25, 100.5, 100.75, 101.0, 101.0)] == [False, True, False, True, False]


def test_silence_fills_it_no_higher_than_its_burst() -> None:
    bucket = TokenBucket(2.0, 3, 0.0)
    assert sum(bucket.take(1_000_000.0) for _ in range(10)) == 3


@given(rate=rates, burst=bursts, steps=steps)
def test_no_span_of_time_has_more_than_its_burst_and_its_rate(rate: float, burst: int, steps: list[float]) -> None:
    bucket = TokenBucket(rate, burst, 0.0)
    granted = [now for now in accumulate(steps) if bucket.take(now)]
    for first in range(len(granted)):
        for last in range(first, len(granted)):
            assert last - first + 1 <= burst + (granted[last] - granted[first]) * rate


@given(rate=rates, burst=bursts, steps=steps)
def test_it_refuses_only_where_one_more_would_be_too_many(rate: float, burst: int, steps: list[float]) -> None:
    bucket = TokenBucket(rate, burst, 0.0)
    granted: list[float] = []
    for now in accumulate(steps):
        if bucket.take(now):
            granted.append(now)
        else:
            spans = [len(granted) - first + 1 - burst - (now - start) * rate for first, start in enumerate(granted)]
            assert any(over > 0 for over in spans)


@given(rate=rates, burst=bursts, spare=st.lists(st.integers(0, 50).map(lambda ticks: ticks / 64), max_size=60))
def test_who_keeps_to_the_rate_is_never_refused(rate: float, burst: int, spare: list[float]) -> None:
    bucket = TokenBucket(rate, burst, 0.0)
    assert all(bucket.take(now) for now in accumulate(1 / rate + more for more in spare))


@given(rate=rates, burst=bursts, times=st.lists(st.integers(0, 2000).map(lambda ticks: ticks / 64), max_size=60))
def test_a_clock_that_jumps_back_and_forth_grants_no_more_than_its_highest_time_does(
    rate: float, burst: int, times: list[float]
) -> None:
    bucket = TokenBucket(rate, burst, 0.0)
    granted = sum(bucket.take(now) for now in times)
    assert granted <= burst + max(times, default=0) * rate


@pytest.mark.parametrize(
    ("rate", "burst", "named"),
    [
        (0, 1, "per_second"),
        (-1, 1, "per_second"),
        (float("inf"), 1, "per_second"),
        (float("nan"), 1, "per_second"),
        (1, 0, "burst"),
        (1, -1, "burst"),
    ],
)
def test_a_bucket_that_fills_never_or_holds_nothing_is_refused(rate: float, burst: int, named: str) -> None:
    with pytest.raises(ValueError, match=rf"^{named} is"):
        TokenBucket(rate, burst, 0.0)

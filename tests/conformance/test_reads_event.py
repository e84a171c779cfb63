"""Whether a guard looks at its event."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

from fsm_rtc.conformance.reads_event import reads_event
from fsm_rtc.machines.negotiation import unmodified_offer


def compares(context: Any, event: Any) -> bool:
    return bool(event == 7)


def takes_both_at_once(context: Any, event: Any) -> bool:
    return bool(context == event)


def in_a_comprehension(context: Any, event: Any) -> bool:
    return any(event == one for one in context)


def looks_at_the_context(context: Any, event: Any) -> bool:
    return bool(context.ready)


def another_of_that_name(context: Any, _: Any) -> bool:
    return any(event for event in context)


def wrapped(guard: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    @wraps(guard)
    def outer(*arguments: Any) -> bool:
        return guard(*arguments)

    return outer


@pytest.mark.parametrize("guard", [compares, takes_both_at_once, in_a_comprehension, unmodified_offer])
def test_a_guard_that_uses_it_reads_it(guard: Callable[..., bool]) -> None:
    assert reads_event(guard)


@pytest.mark.parametrize("guard", [looks_at_the_context, another_of_that_name])
def test_one_that_only_takes_it_does_not(guard: Callable[..., bool]) -> None:
    assert not reads_event(guard)


def test_what_can_not_be_known_is_not_held_against_anybody() -> None:
    assert not reads_event(wrapped(compares))
    assert not reads_event(isinstance)

"""Derived: ordered rules, the first that matches wins."""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from fsm_rtc.engine import Derived, Rule
from fsm_rtc.errors import ChartError


class Weather(StrEnum):
    """What it is like outside."""

    STORM = "storm"
    RAIN = "rain"
    FINE = "fine"


STORM, RAIN, FINE = Weather


def windy(wet: tuple[bool, bool]) -> bool:
    """It is windy.

    And more.
    """
    return wet[1]


def raining(wet: tuple[bool, bool]) -> bool:
    """It is raining."""
    return wet[0]


def silent(wet: object) -> bool:
    return True


class Outside(Derived[Weather, tuple[bool, bool]]):
    """The weather, from rain and wind."""

    rules = (Rule(STORM, windy), Rule(RAIN, raining), Rule(FINE))


@pytest.mark.parametrize(
    ("inputs", "state"),
    [((True, True), STORM), ((False, True), STORM), ((True, False), RAIN), ((False, False), FINE)],
)
def test_the_first_rule_that_matches_wins(inputs: tuple[bool, bool], state: Weather) -> None:
    assert Outside.of(inputs) is state
    assert Outside.rule_for(inputs).target is state


def test_a_rule_says_when_it_applies() -> None:
    assert [rule.sentence for rule in Outside.rules] == ["It is windy", "It is raining", "otherwise"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ((), "Odd: the last rule must be without condition, so that a state is always found"),
        ((Rule(FINE, raining),), "Odd: the last rule must be without condition"),
        ((Rule(RAIN), Rule(FINE)), "Odd: the rules behind 'rain' are never reached"),
        ((Rule(RAIN, silent), Rule(FINE)), "Odd: silent has no docstring; it is what a user reads"),
        ((Rule(RAIN, lambda wet: True), Rule(FINE)), "Odd: a condition must be a named function; found <function"),
        ((Rule(RAIN, functools.partial(raining)), Rule(FINE)), "Odd: a condition must be a named function; found func"),
        ((Rule(RAIN, raining), Rule(FINE)), "Odd: no rule gives storm"),
    ],
)
def test_unsound_rules_are_refused_when_the_class_is_made(rules: tuple[Rule[Any, Any], ...], message: str) -> None:
    make: Callable[..., object] = type(Derived)
    with pytest.raises(ChartError, match=message):
        make("Odd", (Derived,), {"rules": rules})

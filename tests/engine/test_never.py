"""A time that is infinite: the timer never runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf, nan

import pytest

from fsm_rtc.engine import Chart, On, Row, stay
from fsm_rtc.errors import ChartError
from fsm_rtc.testing import ManualClock


class WatchState(StrEnum):
    SET = "set"
    RUNG = "rung"


SET, RUNG = WatchState


@dataclass
class Setting:
    """What the alarm is set to."""

    seconds: float = inf


def seconds(setting: Setting) -> float:
    """How long until it rings."""
    return setting.seconds


class Watch(Chart[WatchState, Setting]):
    """A watch with an alarm."""

    initial = SET
    ring = On(Row(SET, RUNG), after=seconds, jitter="full")
    change = On(stay(SET, restarts=("ring",)))
    again = On(Row(RUNG, SET))


def test_it_is_not_armed_and_not_drawn() -> None:
    clock = ManualClock()
    watch = Watch(Setting(), clock=clock, uniform=lambda low, high: high)
    assert (watch.armed(), watch.next_timeout()) == ({}, None)
    watch.context.seconds = 5.0
    watch.change()
    assert watch.armed() == {"ring": 5.0}
    watch.context.seconds = inf
    watch.change()
    assert (watch.armed(), watch.next_timeout()) == ({}, None)
    clock.advance(1e9)
    assert watch.tick(clock()) == ()


@pytest.mark.parametrize("given", [-1.0, nan, -inf])
def test_what_is_no_time_is_refused(given: float) -> None:
    with pytest.raises(ChartError, match="0 or more, or infinity for never"):
        Watch(Setting(given), clock=ManualClock())

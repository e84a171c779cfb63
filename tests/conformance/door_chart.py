"""A chart of a door, a door that keeps to it, and a run of `machine_test` that ends the same way each time."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st

from fsm_rtc.conformance import machine_test
from fsm_rtc.conformance.coverage_report import taken
from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["KEYS", "LOCKED", "OPEN", "SHUT", "Door", "DoorChart", "DoorState", "run"]


class DoorState(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    LOCKED = "locked"


OPEN, SHUT, LOCKED = DoorState


def right_key(context: object, key: int) -> bool:
    """The key must be the right one."""
    return key == 7


class DoorChart(Chart[DoorState, None]):
    """A door."""

    initial = OPEN
    shut = On(Row(OPEN, SHUT), idempotent=True, cite="the manual, page 1")
    open = On(Row(SHUT, OPEN), cite="the manual, page 1")
    lock = On(Row(SHUT, LOCKED, when=(right_key,)), cite="the manual, page 2")
    unlock = On(Row(LOCKED, SHUT, when=(right_key,)), cite="the manual, page 2")
    knock = On(stay(SHUT, LOCKED), cite="manners")


class Door:
    """A door that keeps to the chart."""

    def __init__(self) -> None:
        self.at = "open"
        self.stopped = False

    def fire(self, trigger: str, event: Any) -> None:
        ways = {("open", "shut"): "shut", ("shut", "open"): "open"}
        if event == 7:
            ways |= {("shut", "lock"): "locked", ("locked", "unlock"): "shut"}
        if trigger == "knock" and self.at != "open":
            return
        if (self.at, trigger) not in ways:
            raise ValueError(f"can't {trigger}")
        self.at = ways[self.at, trigger]

    def state(self) -> str:
        return self.at

    def stop(self) -> None:
        self.stopped = True


KEYS = {"lock": st.integers(6, 8), "unlock": st.integers(6, 8)}


def run(chart: type[Chart[Any, Any]], driver: Any, *, examples: int = 100, walks: bool = True, **options: Any) -> None:
    """Every cell, and then random orders; without `walks` these alone."""
    machine = machine_test(chart, driver, **options)
    before = list(taken)
    machine.TestCase.settings = settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        deadline=None,
        report_multiple_bugs=False,
        phases=[phase for phase in Phase if walks or phase is not Phase.explicit],
    )
    try:
        machine.TestCase().runTest()
    finally:
        taken[:] = before  # what a test leaves untried is no matter of the run's end

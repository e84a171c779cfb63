"""Reads a table that a test wrote down by hand, and asks a chart for the same cells."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from fsm_rtc.engine import Accepted, Chart
from fsm_rtc.errors import Rejected

Cells = dict[tuple[str, str], str]


def written(text: str) -> Cells:
    """(state, trigger) → cell, of a table whose first line names the states; `-` stands for `no row`."""
    head, *lines = [line.split() for line in text.strip().splitlines()]
    return {(state, line[0]): cell for line in lines for state, cell in zip(head, line[1:], strict=True)}


def triggers_of(text: str) -> list[str]:
    """The triggers of a table, in its order."""
    return [line.split()[0] for line in text.strip().splitlines()[1:]]


def reaction(
    chart: type[Chart[Any, Any]], state: StrEnum, trigger: str, event: object = None, context: object = None
) -> str:
    """Where an event leads from a state; `=` if it is permitted without moving; else the reason, or who refused."""
    machine = chart(context, state=state, clock=lambda: 0.0)
    outcome = machine.fire(trigger, event)
    assert machine.state is (outcome.target if isinstance(outcome, Accepted) else state)
    if isinstance(outcome, Accepted):
        return "=" if outcome.target is state else outcome.target.value
    assert isinstance(outcome, Rejected)
    return {"no row": "-", "already there": "already"}.get(outcome.reason.value, outcome.guard or outcome.reason.value)


def asked(chart: type[Chart[Any, Any]], triggers: list[str], event: object = None, context: object = None) -> Cells:
    """The same cells as `written`, of a chart."""
    return {
        (state.value, trigger): reaction(chart, state, trigger, event, context)
        for state in chart.chart.states
        for trigger in triggers
    }

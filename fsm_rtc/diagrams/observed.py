"""A drawing of what was observed of a machine: the table's arrows, taken or not, and those that it doesn't have."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from fsm_rtc.diagrams.drawing import Arrow, Box, Drawing, Look, Shape, box_ids
from fsm_rtc.engine import Derived

if TYPE_CHECKING:
    from fsm_rtc.diagrams.drawable import ChartClass, DerivedClass

__all__ = ["observed_drawing"]


def observed_drawing(
    drawn: ChartClass | DerivedClass,
    title: str,
    seen: Mapping[tuple[str, str], int],
    wrong: Mapping[tuple[str, str], int],
) -> Drawing:
    """The states, with an arrow for each change: how often it was seen, and whether it may be.

    Args:
        drawn: the chart, or the derived table.
        title: the heading.
        seen: how often each legal change was seen, by (source, target).
        wrong: the same of changes that may not be.
    """
    if issubclass(drawn, Derived):
        enum: type[StrEnum] = type(drawn.rules[0].target)
        states = tuple(enum)
        declared, initial = set(), next((state for state in states if state.value == "new"), states[0])
    else:
        table = drawn.chart
        states, initial = table.states, table.initial
        declared = {
            (source.value, target.value)
            for source, row, target in table.edges()
            if row.trigger != "on_desync" and source is not target
        }
    ids = {state.value: name for state, name in box_ids(states).items()}
    boxes = (Box("start", (), Shape.START), *(Box(ids[state.value], (state.value,)) for state in states))
    arrows = [Arrow("start", ids[initial.value])]
    for source in ids:
        for target in ids:
            ends = (ids[source], ids[target])
            if times := wrong.get((source, target)):
                arrows.append(Arrow(*ends, (f"wrong, {times} times",), Look.WRONG))
            if times := seen.get((source, target)):
                arrows.append(Arrow(*ends, (f"{times} times",), Look.TAKEN))
            elif (source, target) in declared and not wrong.get((source, target)):
                arrows.append(Arrow(*ends, (), Look.NOT_TAKEN))
    return Drawing(title, "What was observed.", boxes, tuple(arrows), wide=len(states) <= 4)

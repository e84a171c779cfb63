"""paths: the ways through a chart's table, for tests with a parameter.

    @pytest.mark.parametrize("path", paths(OrderChart), ids=str)
    def test_an_order_in_each_state(path): ...

They are read from the table alone; nothing is run.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from fsm_rtc.conformance.reads_event import reads_event
from fsm_rtc.engine import Chart, Row

__all__ = ["ChartPath", "Edge", "paths"]


@dataclass(frozen=True, slots=True)
class Edge:
    """One row of a table, from one of its states.

    Attributes:
        source: the state before.
        trigger: the trigger's name.
        target: the state after.
        row: the row, with its guards and effects.
    """

    source: StrEnum
    trigger: str
    target: StrEnum
    row: Row[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class ChartPath:
    """A way from the chart's initial state; as a string the state at its end and its triggers.

    Attributes:
        edges: the rows on the way.
        end: the state at its end.
    """

    edges: tuple[Edge, ...]
    end: StrEnum

    @property
    def triggers(self) -> tuple[str, ...]:
        """What to fire, in order."""
        return tuple(edge.trigger for edge in self.edges)

    def __str__(self) -> str:
        return f"{self.end.value} by {', '.join(self.triggers)}" if self.edges else self.end.value


def paths(
    chart: type[Chart[Any, Any]], *, to: Literal["states", "edges"] = "states", context: object = None
) -> tuple[ChartPath, ...]:
    """The shortest path to each state, or to each edge and over it, in the table's order; the same ones each time.

    A guard can refuse what a path takes: they are not asked, since contexts change on the way.

    Args:
        chart: the table.
        to: ``states``, of which the initial one has an empty path, or ``edges``: every row, from each of its states.
        context: if given, a row is left out if one of its guards refuses this context; a guard that reads the event is
            taken to agree. What can't be reached then has no path.

    Raises:
        ValueError: `to` is neither.
    """
    if to not in ("states", "edges"):
        raise ValueError(f"to is {to!r}; give 'states' or 'edges'")
    table = chart.chart
    edges = [
        Edge(source, row.trigger, target, row) for source, row, target in table.edges() if _may_be_taken(row, context)
    ]
    found = {table.initial: ChartPath((), table.initial)}
    waiting = deque([table.initial])
    while waiting:
        state = waiting.popleft()
        for edge in edges:
            if edge.source is state and edge.target not in found:
                found[edge.target] = ChartPath((*found[state].edges, edge), edge.target)
                waiting.append(edge.target)
    if to == "states":
        return tuple(found[state] for state in table.states if state in found)
    return tuple(ChartPath((*found[edge.source].edges, edge), edge.target) for edge in edges if edge.source in found)


def _may_be_taken(row: Row[Any, Any, Any], context: object) -> bool:
    return context is None or all(reads_event(guard) or guard(context, None) for guard in row.when)

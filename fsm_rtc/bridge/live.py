"""A chart as a live machine of `transitions`, for a program that is built on that library."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fsm_rtc.bridge.passage import Passage, Predicate
from fsm_rtc.engine import Chart
from fsm_rtc.errors import ChartError, Reason, sentence_of

if TYPE_CHECKING:
    from transitions import Machine

__all__ = ["Model", "to_transitions"]

DECIDED = ("auto_transitions", "initial", "model", "model_attribute", "queued", "send_event", "states", "transitions")
"""Options of the library that the chart decides."""


class Model:
    """What the library moves: its ``state`` and, as methods, the chart's triggers are put here by the library.

    A trigger takes its payload as its one argument. As everywhere in that library it returns True if it was taken and
    False if a condition refused, and raises MachineError if the chart has no row for it in this state.

    Attributes:
        context: what guards and effects read; may be replaced.
        requests: what the effects returned, oldest first; see `take_requests`.
        refused_by: the name of the check or guard that refused last, or None.
        explanation: its sentence, or None.
    """

    state: StrEnum

    def __init__(self, context: Any = None) -> None:
        self.context = context
        self.requests: list[object] = []
        self.refused_by: str | None = None
        self.explanation: str | None = None

    def take_requests(self) -> tuple[object, ...]:
        """The requests that were not taken yet, for their owner to carry out."""
        taken = tuple(self.requests)
        self.requests.clear()
        return taken

    def try_row(self, passage: Passage) -> None:
        """A row is tried: what refused before is over."""
        if passage.number == 0:
            self.refused_by = self.explanation = None

    def refuse(self, reason: Reason, function: Predicate) -> None:
        """Remember what refused; of several rows the first one's."""
        if self.refused_by is None:
            self.refused_by, self.explanation = function.__name__, sentence_of(function)

    def first_possible(self, trigger: str) -> bool:
        """Whether the implicit first transition would be taken."""
        return bool(getattr(self, f"may_{trigger}")())

    def fire_first(self, trigger: str) -> None:
        """Go through the implicit first transition."""
        getattr(self, trigger)()

    def collect(self, requests: tuple[object, ...]) -> None:
        """Add what effects returned."""
        self.requests.extend(requests)


def to_transitions(
    chart: type[Chart[Any, Any]],
    context: object = None,
    *,
    state: StrEnum | None = None,
    graph: bool = False,
    **options: object,
) -> Machine:
    """A chart as a machine of `transitions`, with a `Model` in it: ``machine.model.close()``.

    Checks and guards are its conditions, with their names; effects are computed before the state changes, and what they
    return is in ``machine.model.requests``; `stay` is an internal transition, `final` a final state, an implicit first
    trigger a transition of its own that the library goes through on the way. States are the chart's enum members.

    Differences to the chart's own engine: callbacks of the library run inside the step, and a trigger that they fire
    is gone through at once, not afterwards. Where nothing is possible the library raises MachineError.

    Args:
        chart: the chart.
        context: what its guards and effects read.
        state: where to start instead of the chart's initial state.
        graph: make it a GraphMachine, with ``machine.get_graph()``; drawn as Mermaid text unless the option
            ``graph_engine`` names another.
        options: further options of the library's machine, such as ``after_state_change`` or ``show_conditions``. Those
            that the chart decides are refused: with ``auto_transitions`` there would be triggers that no table has,
            with ``queued`` a refused trigger returns True.

    Raises:
        ChartError: an option is one that the chart decides, or a trigger has the name of something of `Model`.
        ModuleNotFoundError: `transitions` is not installed.
    """
    from fsm_rtc.bridge.machine import ChartGraphMachine, ChartMachine, build

    decided = sorted(set(DECIDED) & set(options))
    if decided:
        raise ChartError(f"to_transitions({chart.__name__}): leave {', '.join(decided)} out; the chart decides it")
    model = Model(context)
    taken = [name for name in chart.chart.triggers if hasattr(model, name) or name in ("trigger", "may_trigger")]
    if taken:
        raise ChartError(f"to_transitions({chart.__name__}): rename {', '.join(taken)}; its model has such a name")
    if graph:
        options = {"graph_engine": "mermaid", "title": chart.__name__, **options}
    machine = build(chart.chart, ChartGraphMachine if graph else ChartMachine, **options)
    machine.add_model(model, initial=state)
    return machine

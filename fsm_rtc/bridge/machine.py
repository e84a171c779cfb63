"""A chart as a `transitions.Machine`. The one module that imports that library.

What is told to it, and why:

- ``auto_transitions=False``: else each state gets a ``to_<state>`` trigger that no table declares.
- ``queued=False``: a queued trigger returns True also when its guard refuses later, and an implicit first transition
  would come after the one that it must come before.
- ``send_event=True``: guards and effects are found by their arguments (context, event), not by the library's.
- never ``AsyncMachine``: it cancels, or misreports, triggers that are fired at the same time.
"""

from __future__ import annotations

from typing import Any, cast

from transitions import EventData, Machine, Transition
from transitions.extensions import GraphMachine
from transitions.extensions.diagrams import TransitionGraphSupport

from fsm_rtc.bridge.passage import Host, Passage, Predicate, passages
from fsm_rtc.engine import ChartTable
from fsm_rtc.errors import Reason

__all__ = ["ChartGraphMachine", "ChartMachine", "build"]


class ChartTransition(Transition):
    """A transition that is one row of a chart, seen from one state."""

    plain_cls: type[Transition] = Transition

    def __init__(self, source: str, dest: str | None, *args: Any, passage: Passage, **kwargs: Any) -> None:
        super().__init__(source, cast(str, dest), *args, **kwargs)
        self.passage = passage
        self._behind_first: Transition | None = None
        if passage.behind_first is not None:
            self._behind_first = self.plain_cls(passage.behind_first.name, cast(str, dest))

    def _change_state(self, event_data: EventData) -> None:
        if self._behind_first is None:
            super()._change_state(event_data)
            return
        host = cast(Host, event_data.model)
        requests = requests_of(self.passage, event_data)
        host.fire_first(cast(str, self.passage.row.first))
        host.collect(requests)
        self._behind_first._change_state(event_data)


class ChartGraphTransition(TransitionGraphSupport, ChartTransition):
    """The same, for a machine that draws itself."""

    plain_cls = TransitionGraphSupport


class ChartMachine(Machine):
    """A machine whose transitions are a chart's rows."""

    transition_cls = ChartTransition


class ChartGraphMachine(GraphMachine):
    """A machine whose transitions are a chart's rows, and that draws itself."""

    transition_cls = ChartGraphTransition


def build(table: ChartTable, machine_class: type[Machine], **options: Any) -> Machine:
    """A machine with the chart's states and rows, and without a model.

    Args:
        table: the chart.
        machine_class: `ChartMachine` or `ChartGraphMachine`.
        options: passed on to the library.
    """
    machine = machine_class(
        model=None,
        states=[{"name": state, "final": state in table.final} for state in table.states],
        initial=table.initial,
        send_event=True,
        auto_transitions=False,
        queued=False,
        **options,
    )
    for member, state in zip(table.states, machine.states.values(), strict=True):
        state.label = member.value  # type: ignore[attr-defined]
    for passage in passages(table):
        row = passage.row
        extra = {"label": f"{passage.trigger} after {row.first}"} if row.first and _draws(machine_class) else {}
        machine.add_transition(
            passage.trigger,
            passage.source.name,
            None if row.target is None else row.target.name,
            conditions=_conditions(passage),
            prepare=_tried(passage),
            before=_collecting(passage) if row.first is None else None,
            passage=passage,
            **extra,
        )
    return machine


def _draws(machine_class: type[Machine]) -> bool:
    return issubclass(machine_class, GraphMachine)


def payload_of(event_data: EventData) -> Any:
    """The one argument of a trigger, or None."""
    arguments = tuple(event_data.args)
    return arguments[0] if arguments else event_data.kwargs.get("event")


def requests_of(passage: Passage, event_data: EventData) -> tuple[object, ...]:
    """What the row's effects return for this event."""
    context, event = cast(Host, event_data.model).context, payload_of(event_data)
    return tuple([effect(context, event) for effect in passage.effects])


def _tried(passage: Passage) -> Any:
    def try_row(event_data: EventData) -> None:
        cast(Host, event_data.model).try_row(passage)

    return try_row


def _collecting(passage: Passage) -> Any:
    def collect(event_data: EventData) -> None:
        cast(Host, event_data.model).collect(requests_of(passage, event_data))

    return collect if passage.effects else None


def _conditions(passage: Passage) -> list[Any]:
    conditions = [_condition(check, Reason.CHECK) for check in passage.checks]
    conditions += [_condition(guard, Reason.GUARD) for guard in passage.row.when]
    first = passage.row.first
    if first is not None:

        def first_possible(event_data: EventData) -> bool:
            return cast(Host, event_data.model).first_possible(first)

        first_possible.__name__ = f"{first}_possible"
        conditions.append(first_possible)
    return conditions


def _condition(function: Predicate, reason: Reason) -> Any:
    def condition(event_data: EventData) -> bool:
        # The library compares the answer with True, so it is made one.
        host = cast(Host, event_data.model)
        agrees = bool(function(host.context, payload_of(event_data)))
        if not agrees:
            host.refuse(reason, function)
        return agrees

    condition.__name__ = function.__name__
    condition.__doc__ = function.__doc__
    return condition

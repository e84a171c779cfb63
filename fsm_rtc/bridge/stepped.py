"""A chart with the surface it always has, stepped by `transitions`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from fsm_rtc.bridge.passage import Passage, Predicate
from fsm_rtc.engine import Accepted, Chart
from fsm_rtc.engine.cells import Cell
from fsm_rtc.engine.chart_class import ChartMeta
from fsm_rtc.errors import Reason, Rejected, UnknownEngineError

if TYPE_CHECKING:
    from transitions import Machine

__all__ = ["ENGINES", "chart_class", "on_transitions"]

ENGINES = ("compiled", "transitions")
"""The names that `chart_class` knows."""

ChartT = TypeVar("ChartT", bound=Chart[Any, Any])


def chart_class(cls: type[ChartT], engine: str) -> type[ChartT]:
    """The class of a chart's machines for an engine: `cls` itself, or its like that steps by `transitions`.

    Raises:
        UnknownEngineError: the engine is neither ``compiled`` nor ``transitions``.
    """
    if engine not in ENGINES:
        raise UnknownEngineError(f"there is no engine {engine!r}; choose {' or '.join(map(repr, ENGINES))}")
    return cls if engine == "compiled" else on_transitions(cls)


def on_transitions(cls: type[ChartT]) -> type[ChartT]:
    """A subclass of a chart, of the same name, whose machines are stepped by a `transitions.Machine`.

    Everything else stays: triggers and what they return, `permits`, `observe`, generations. The library is asked for
    the row and moves the state; a machine's events still wait their turn in its own queue, since the library's
    forgets what became of them. For tests, and for those who trust that library more than ours: a step takes some
    hundred times longer.

    Raises:
        ModuleNotFoundError: `transitions` is not installed.
    """
    if issubclass(cls, SteppedByTransitions):
        return cls
    known: type[ChartT] | None = vars(cls).get("_on_transitions")
    if known is None:
        from fsm_rtc.bridge.machine import ChartMachine, build

        like = {key: getattr(cls, key) for key in ("__doc__", "__module__", "__qualname__")}
        made = ChartMeta(cls.__name__, (SteppedByTransitions, cls), {**like, "_hot": False, "_stands_for": cls})
        known = cast("type[ChartT]", made)
        cast("type[SteppedByTransitions]", made)._library = build(known.chart, ChartMachine)
        # Remembered on the class itself, so that both can be forgotten together.
        cls._on_transitions = known  # type: ignore[attr-defined]
    return known


class SteppedByTransitions(Chart[Any, Any]):
    """Asks the library which row to take, and lets it move the state."""

    _library: ClassVar[Machine]

    def _decide(self, index: int, event: object, generation: int | None) -> Cell | Rejected:
        if not self._concerns_library(index, generation):
            return super()._decide(index, event, generation)
        step = BridgedStep(self, index, event)
        if self._library._can_trigger(step, self._trigger_names[index], event):
            return self._cells(index)[step.number]
        return step.refusals[0]

    def _step(self, index: int, event: object, generation: int | None) -> Accepted | Rejected:
        if not self._concerns_library(index, generation):
            return super()._step(index, event, generation)
        cells = self._cells(index)
        step = BridgedStep(self, index, event)
        if not self._library.events[self._trigger_names[index]].trigger(step, event):
            return self._announce(step.refusals[0])
        cell = cells[step.number]
        if self._ticking is not None:
            self._ticking.apply(cell.arming, self.context)
        return self._announce(cell.accepted((event, cell.packed(step.requests))))

    def _concerns_library(self, index: int, generation: int | None) -> bool:
        """Whether a row can be taken at all; the library knows no words for why not."""
        here = generation is None or generation == self.generation
        return here and self._trigger_names[index] in self._library.get_triggers(self.state)

    def _cells(self, index: int) -> tuple[Cell, ...]:
        return self._here[0].cells[index]  # type: ignore[no-any-return]


class BridgedStep:
    """What the library moves: a machine, for the time of one event."""

    __slots__ = ("event", "index", "machine", "number", "refusals", "requests")

    def __init__(self, machine: SteppedByTransitions, index: int, event: object) -> None:
        self.machine = machine
        self.index = index
        self.event = event
        self.number = 0
        self.refusals: list[Rejected] = []
        self.requests: tuple[object, ...] = ()

    @property
    def context(self) -> Any:
        return self.machine.context

    @property
    def state(self) -> StrEnum:
        return self.machine.state  # type: ignore[no-any-return]

    @state.setter
    def state(self, state: StrEnum) -> None:
        self.machine._stand_on(self.machine._places[state])

    def try_row(self, passage: Passage) -> None:
        """The library tries this row."""
        self.number = passage.number

    def refuse(self, reason: Reason, function: Predicate) -> None:
        """One refusal a row, in their order."""
        machine = self.machine
        error = None
        if reason is Reason.CHECK:
            error = machine.chart.triggers[machine._trigger_names[self.index]].error
        self.refusals.append(machine._reject(self.index, self.event, reason, function, error=error))

    def first_possible(self, trigger: str) -> bool:
        """Whether the implicit first transition would be taken."""
        machine = self.machine
        earlier = machine._decide(machine._indices[trigger], None, None)
        if isinstance(earlier, Rejected):
            self.refusals.append(machine._reject_first(self.index, self.event, earlier))
            return False
        return True

    def fire_first(self, trigger: str) -> None:
        """Go through it; observers see it as the event of its own that it is, and its requests come with the whole."""
        machine = self.machine
        earlier = machine._decide(machine._indices[trigger], None, None)
        if not isinstance(earlier, Rejected):
            self.requests = (*(make(machine.context, None) for make in earlier.effects), *self.requests)
            machine._stand_on(earlier.place)
            machine._announce(earlier.passed((None, None)))

    def collect(self, requests: tuple[object, ...]) -> None:
        """What effects returned, the first transition's first."""
        self.requests = (*self.requests, *requests)

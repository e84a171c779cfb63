"""From the rows as written to the readable `ChartTable`: validation."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from math import isfinite
from types import MappingProxyType
from typing import Any, get_args

from fsm_rtc.engine.effects import Effect, StateEffects, effects_by_state, maker_of
from fsm_rtc.engine.row import Predicate, Row
from fsm_rtc.engine.table import On
from fsm_rtc.engine.timer import Jitter, Late, Scope, Timer
from fsm_rtc.errors import ChartError, Reason, SpecificationError, sentence_of

__all__ = ["ChartTable", "TriggerTable", "build_table"]

AnyRow = Row[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class TriggerTable:
    """One trigger of a chart, as declared.

    Attributes:
        name: the trigger's name.
        rows: its rows, in the order in which they are tried.
        checks: the checks that come before the state is looked at, unless it is final.
        error: the error that a refused check names, or None.
        idempotent: whether it is "already there", not illegal, in its own target.
        cite: its source.
        timer: when it is due by itself, or None.
    """

    name: str
    rows: tuple[AnyRow, ...]
    checks: tuple[Predicate, ...]
    error: type[SpecificationError] | None
    idempotent: bool
    cite: str
    timer: Timer | None = None

    def rows_from(self, state: StrEnum) -> tuple[AnyRow, ...]:
        """The rows that apply in `state`, in order; those of `resolves_to` unresolved."""
        return tuple(row for row in self.rows if state in row.sources)


@dataclass(frozen=True, slots=True)
class ChartTable:
    """A chart as data: what the diagrams, the matrices, the bridge and the conformance kit read.

    Attributes:
        name: the chart's class name.
        doc: its docstring.
        states: every state, in the order of the enum.
        initial: the state of a new machine.
        final: the states without a way out.
        triggers: by name, in the order of the table.
        entry: by state, the effects of coming to it.
        exit: by state, the effects of leaving it.
        timers: by trigger, in the order of the table.
    """

    name: str
    doc: str
    states: tuple[StrEnum, ...]
    initial: StrEnum
    final: frozenset[StrEnum]
    triggers: Mapping[str, TriggerTable]
    entry: StateEffects
    exit: StateEffects
    timers: Mapping[str, Timer]

    def effects(self, row: AnyRow, source: StrEnum) -> tuple[Effect, ...]:
        """What a row asks for from a state: the exit's effects, its own, the entry's; not an implicit first one's."""
        if not row.moves_from(source):
            return row.then
        return (*self.exit.get(source, ()), *row.then, *self.entry.get(row.target_from(source), ()))

    def rows(self, trigger: str, state: StrEnum) -> tuple[AnyRow, ...]:
        """The rows of `trigger` that apply in `state`, with `resolves_to` followed."""
        rows: list[AnyRow] = []
        for row in self.triggers[trigger].rows_from(state):
            rows.extend(self.rows(row.resolves, state) if row.resolves else (row,))
        return tuple(rows)

    def is_possible(self, row: AnyRow, state: StrEnum) -> bool:
        """Whether a row can be taken from `state` at all: its implicit first trigger needs a row there too."""
        return row.first is None or bool(self.rows(row.first, state))

    def edges(self) -> Iterator[tuple[StrEnum, AnyRow, StrEnum]]:
        """Every possible (source, row, target), in the table's order; a trigger that resolves to others has none."""
        for trigger in self.triggers.values():
            for row in trigger.rows:
                if row.resolves is None:
                    for source, target in row.edges():
                        if self.is_possible(row, source):
                            yield source, row, target

    def allowed(self, state: StrEnum) -> tuple[str, ...]:
        """The triggers that have a possible row in `state`, sorted."""
        possible = (
            name for name in self.triggers if any(self.is_possible(row, state) for row in self.rows(name, state))
        )
        return tuple(sorted(possible))

    def why_no_row(self, trigger: str, state: StrEnum) -> Reason:
        """What it means that `trigger` has no row in `state`: nothing to do, the end, or illegal."""
        declared = self.triggers[trigger]
        if declared.idempotent and any(row.target is state for row in declared.rows):
            return Reason.ALREADY
        return Reason.CLOSED if state in self.final else Reason.NO_ROW

    def text(self) -> str:
        """The whole table as text, one edge a line: what `digest` is taken from."""
        lines = [f"{self.name} initial={self.initial.value} final={','.join(sorted(self.final))}"]
        for trigger in self.triggers.values():
            checks = ",".join(check.__name__ for check in trigger.checks)
            timer = f" {trigger.timer.text()}" if trigger.timer is not None else ""
            lines.append(f"{trigger.name} checks={checks} idempotent={trigger.idempotent}{timer}")
            for row in trigger.rows:
                sources = ",".join(source.value for source in row.sources)
                target = row.resolves or (row.target.value if row.target is not None else "(stays)")
                when = ",".join(guard.__name__ for guard in row.when)
                then = ",".join(effect.__name__ for effect in row.then)
                extra = " reenters" if row.reenters else f" restarts={','.join(row.restarts)}" if row.restarts else ""
                lines.append(f"  {sources} -> {target} when={when} then={then} first={row.first or ''}{extra}")
        for kind, effects in (("entry", self.entry), ("exit", self.exit)):
            for state, some in effects.items():
                lines.append(f"{kind} {state.value} then={','.join(effect.__name__ for effect in some)}")
        return "\n".join(lines) + "\n"

    @property
    def digest(self) -> str:
        """A short hash of the table; a journal or snapshot carries it, so that a changed chart is noticed."""
        return hashlib.sha256(self.text().encode()).hexdigest()[:16]


def build_table(
    name: str,
    doc: str,
    initial: object,
    final: frozenset[Any],
    triggers: Mapping[str, On[Any, Any]],
    reserved: frozenset[str],
    entry: object = MappingProxyType({}),
    exit: object = MappingProxyType({}),  # noqa: A002
) -> ChartTable:
    """Validate a chart as written and return its table.

    Raises:
        ChartError: naming the chart, the row and the mend.
    """
    if not isinstance(initial, StrEnum):
        mend = "; make its class an enum.StrEnum" if isinstance(initial, Enum) else ""
        raise ChartError(f"{name}: `initial` must be a member of the chart's StrEnum of states, not {initial!r}{mend}")
    states = tuple(type(initial))
    if not triggers:
        raise ChartError(f"{name}: the table has no trigger; write at least one `name = On(Row(…))`")
    bound: dict[str, TriggerTable] = {}
    for index, (trigger, on) in enumerate(triggers.items(), start=1):
        if trigger in reserved or trigger.startswith("_"):
            raise ChartError(f"{name}.{trigger}: this name belongs to every machine; choose another for the trigger")
        rows = tuple(row.bound_to(trigger, on.cite) for row in on.rows)
        timer = timer_of(f"{name}.{trigger}", trigger, index, on)
        bound[trigger] = TriggerTable(trigger, rows, on.checks, on.error, on.idempotent, on.cite, timer)
    table = ChartTable(
        name,
        doc,
        states,
        initial,
        frozenset(final),
        MappingProxyType(bound),
        effects_by_state(entry, name, "entry", states),
        effects_by_state(exit, name, "exit", states),
        {one.name: one.timer for one in bound.values() if one.timer is not None},
    )
    _check_states(table)
    _check_state_effects(table)
    _check_references(table)
    for trigger_table in bound.values():
        _check_trigger(table, trigger_table)
    _check_reachable(table)
    return table


def _check_states(table: ChartTable) -> None:
    for state in table.final:
        if state not in table.states or type(state) is not type(table.initial):
            raise ChartError(f"{table.name}: final state {state!r} is not a member of {type(table.initial).__name__}")
    every = [(row, *edge) for trigger in table.triggers.values() for row in trigger.rows for edge in row.edges()]
    for row, source, target in every:
        for end, word in ((source, "source"), (target, "target")):
            if type(end) is not type(table.initial):
                raise ChartError(
                    f"{table.name}.{row.trigger}: {word} {end!r} is not declared in {type(table.initial).__name__}"
                )
        if source in table.final:
            raise ChartError(f"{table.name}.{row.trigger}: a row leads out of {source.value!r}, which is final")


def _check_state_effects(table: ChartTable) -> None:
    for kind, by_state in (("entry", table.entry), ("exit", table.exit)):
        for state, effects in by_state.items():
            for effect in effects:
                _check_effect(f"{table.name}.{kind}[{state.value!r}]", effect)
    if dead := [state.value for state in table.exit if state in table.final]:
        raise ChartError(f"{table.name}.exit: nothing leaves {', '.join(dead)}, which is final")


def _check_references(table: ChartTable) -> None:
    """`resolves_to`, `first` and `restarts` must name triggers, and end after one step."""
    for trigger in table.triggers.values():
        where = f"{table.name}.{trigger.name}"
        for row in trigger.rows:
            for name in row.restarts:
                timer = table.timers.get(name)
                if timer is None or not timer.sources.issuperset(row.sources):
                    raise ChartError(
                        f"{where}: restarts={name!r} is no trigger with after= that has a row in "
                        f"{', '.join(source.value for source in row.sources)}"
                    )
        for resolves in (row.resolves for row in trigger.rows if row.resolves is not None):
            if resolves not in table.triggers or resolves == trigger.name:
                raise ChartError(f"{where}: resolves_to({resolves!r}) is no other trigger of this chart")
            if any(inner.resolves for inner in table.triggers[resolves].rows):
                raise ChartError(
                    f"{where}: resolves_to({resolves!r}) leads to a trigger that itself resolves to another"
                )
        for first in (row.first for row in trigger.rows if row.first is not None):
            if first not in table.triggers or first == trigger.name:
                raise ChartError(f"{where}: first={first!r} is no other trigger of this chart")
            if any(inner.first or inner.resolves for inner in table.triggers[first].rows):
                raise ChartError(
                    f"{where}: first={first!r} has itself rows with first or resolves_to; "
                    "one implicit trigger is the limit"
                )


def _check_trigger(table: ChartTable, trigger: TriggerTable) -> None:
    where = f"{table.name}.{trigger.name}"
    if not trigger.rows:
        raise ChartError(f"{where}: On(…) without a row; a trigger that is never possible is no trigger")
    for check in trigger.checks:
        _check_function(where, "check", check)
    certain: set[StrEnum] = set()
    for row in trigger.rows:
        if not row.sources:
            raise ChartError(f"{where}: a row without source states")
        dead = [source.value for source in row.sources if source in certain]
        if dead:
            raise ChartError(
                f"{where}: this row is never reached from {', '.join(dead)}; an earlier row without guard takes it"
            )
        if not row.when and row.first is None:
            certain.update(row.sources)
        for guard in row.when:
            _check_function(where, "guard", guard)
        for effect in row.then:
            _check_effect(where, effect)
        if row.reenters and row.target not in row.sources:
            raise ChartError(f"{where}: reenters=True is for a row from a state to itself")
    if not any(table.rows(trigger.name, state) for state in table.states):
        raise ChartError(f"{where}: what it resolves to has no row in any of its states; add one or drop the trigger")


def _check_effect(where: str, effect: Effect) -> None:
    if isinstance(effect, type):
        maker_of(effect, where)
    else:
        _check_function(where, "effect", effect)


def _check_function(where: str, kind: str, function: Callable[..., object]) -> None:
    name = getattr(function, "__name__", "")
    if not name.isidentifier():
        raise ChartError(
            f"{where}: a {kind} must be a named function, so that a refusal can be told; found {function!r}"
        )
    if not sentence_of(function):
        raise ChartError(f"{where}: {kind} {name} has no docstring; its first line is the sentence that a user reads")
    try:
        inspect.signature(function).bind(None, None)
    except (TypeError, ValueError):
        raise ChartError(f"{where}: {kind} {name} must take (context, event)") from None
    if inspect.iscoroutinefunction(function):
        raise ChartError(f"{where}: {kind} {name} is async; a step waits for nothing, so write a plain function")


def _check_reachable(table: ChartTable) -> None:
    reached = {table.initial}
    edges = [(source, target) for source, _, target in table.edges()]
    grown = True
    while grown:
        grown = False
        for source, target in edges:
            if source in reached and target not in reached:
                reached.add(target)
                grown = True
    missing = [state.value for state in table.states if state not in reached]
    if missing:
        raise ChartError(f"{table.name}: no way leads to {', '.join(missing)}; add a row or drop the state")


def timer_of(where: str, trigger: str, index: int, on: On[Any, Any]) -> Timer | None:
    """The timer of a trigger as written, or None.

    Raises:
        ChartError: it is not sound.
    """
    if on.after is None:
        if (on.since, on.per, on.late, on.jitter) != (None, "state", "fire", "none"):
            raise ChartError(f"{where}: since, per, late and jitter need after=; say after how many seconds it is due")
        return None
    after: Any = on.after
    is_number = isinstance(after, int | float) and not isinstance(after, bool)
    if not callable(after) and not (is_number and isfinite(after) and after >= 0):
        raise ChartError(f"{where}: after={after!r}; give seconds, 0 or more, or a function of the context")
    for name, function in (("after", after), ("since", on.since)):
        if callable(function) and not getattr(function, "__name__", "").isidentifier():
            raise ChartError(f"{where}: {name} must be a named function of the context; found {function!r}")
    for name, value, known in (("per", on.per, Scope), ("late", on.late, Late), ("jitter", on.jitter, Jitter)):
        if value not in get_args(known):
            raise ChartError(f"{where}: {name}={value!r}; give {' or '.join(map(repr, get_args(known)))}")
    if on.checks:
        raise ChartError(f"{where}: a timed trigger has no checks; one that refuses would end the timer for good")
    sources = frozenset(source for row in on.rows for source in row.sources)
    certain = {source for row in on.rows if not row.when and row.first is None for source in row.sources}
    if unsure := sorted(source.value for source in sources - certain):
        raise ChartError(
            f"{where}: after= in {', '.join(unsure)} needs a last row without guard and first: a timer that is refused "
            "never comes again; a state that waits for a condition has rows for the condition's events"
        )
    if any(row.resolves for row in on.rows):
        raise ChartError(f"{where}: a timed trigger can't resolve to another; give that one the timer")
    return Timer(trigger, index, sources, after, on.per, on.since, on.late, on.jitter)

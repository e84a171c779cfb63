"""Random charts, valid by construction, and the guards and effects they are made of.

A chart is drawn as plain data first (`Draft`), so that a failing example can be read, and then made a real class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

from hypothesis import strategies as st

from fsm_rtc.engine import Observed, On, Row, resolves_to, stay
from fsm_rtc.engine.chart_class import ChartMeta
from fsm_rtc.errors import InvalidModificationError

AnyChart = type[Observed[Any, Any]]

VALUES = ("a", "b", "c-d", "e", "f", "g")
STATES = {count: StrEnum("States", [(value[0].upper(), value) for value in VALUES[:count]]) for count in range(2, 7)}
TRIGGERS = ("go", "turn", "on_a", "on_b", "on_c_d", "close", "rest")


@dataclass
class Situation:
    """The context: what guards read beside the payload."""

    level: int = 0


def level_is_even(context: Situation, event: object) -> bool:
    """The level must be even."""
    return context.level % 2 == 0


def event_is_small(context: Situation, event: object) -> bool:
    """The event must be a number below 3."""
    return isinstance(event, int) and event < 3


def there_is_an_event(context: Situation, event: object) -> bool:
    """There must be an event: answered with the event itself, as careless guards do."""
    return event  # type: ignore[return-value]


def never(context: Situation, event: object) -> bool:
    """Never."""
    return False


def raises_on_seven(context: Situation, event: object) -> bool:
    """Seven is more than it can bear."""
    if event == 7:
        raise ValueError("seven")
    return True


def raises_on_level_five(context: Situation, event: object) -> bool:
    """Level five is more than it can bear."""
    if context.level == 5:
        raise KeyError("level five")
    return context.level < 4


def request_the_event(context: Situation, event: object) -> object:
    """Request with the event."""
    return ("request", event)


def request_nothing(context: Situation, event: object) -> object:
    """Return None."""
    return None


def request_the_level(context: Situation, event: object) -> object:
    """Return a number."""
    return context.level


def raises_on_six(context: Situation, event: object) -> object:
    """Six is more than it can bear."""
    if event == 6:
        raise RuntimeError("six")
    return "not six"


GUARDS = (level_is_even, event_is_small, there_is_an_event, never, raises_on_seven, raises_on_level_five)
EFFECTS = (request_the_event, request_nothing, request_the_level, raises_on_six)
PAYLOADS = st.sampled_from([None, 0, 1, 2, 5, 6, 7])


@dataclass
class RowDraft:
    sources: list[int]
    target: int | None
    when: tuple[Callable[..., bool], ...] = ()
    then: tuple[Callable[..., object], ...] = ()
    first: int | None = None
    resolves: int | None = None


@dataclass
class TriggerDraft:
    rows: list[RowDraft] = field(default_factory=list)
    checks: tuple[Callable[..., bool], ...] = ()
    idempotent: bool = False

    def certain(self) -> set[int]:
        return {source for row in self.rows if not row.when and row.first is None for source in row.sources}

    def ends(self, source: int) -> set[int]:
        rows = (row for row in self.rows if source in row.sources)
        return {source if row.target is None else row.target for row in rows}

    @property
    def plain(self) -> bool:
        return bool(self.rows) and all(row.first is None and row.resolves is None for row in self.rows)


@dataclass
class Draft:
    """A chart as data: states and triggers by their numbers."""

    states: int
    final: set[int]
    triggers: list[TriggerDraft]

    def chart(self) -> AnyChart:
        """The chart as a class."""
        states = tuple(STATES[self.states])
        body: dict[str, object] = {"initial": states[0], "final": frozenset(states[number] for number in self.final)}
        for name, trigger in zip(TRIGGERS, self.triggers, strict=False):
            if trigger.rows:
                rows = [self._row(row, states) for row in trigger.rows]
                error = InvalidModificationError if trigger.checks else None
                body[name] = On(*rows, checks=trigger.checks, error=error, idempotent=trigger.idempotent)
        return cast(AnyChart, ChartMeta("Drawn", (Observed,), body))

    def _row(self, row: RowDraft, states: tuple[Any, ...]) -> Row[Any, Any, Any]:
        sources = [states[number] for number in row.sources]
        if row.resolves is not None:
            return resolves_to(TRIGGERS[row.resolves], *sources)
        if row.target is None:
            return stay(*sources, when=row.when, then=row.then)
        first = None if row.first is None else TRIGGERS[row.first]
        return Row(sources, states[row.target], when=row.when, then=row.then, first=first)


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """A chart of 2 to 6 states and 1 to 7 triggers that the engine accepts."""
    count = draw(st.integers(2, 6))
    living = draw(st.integers(1, count))
    draft = Draft(count, set(range(living, count)), [TriggerDraft() for _ in range(draw(st.integers(1, 6)))])
    # A trigger like rollback, that others may go through first.
    if draw(st.booleans()):
        sources = draw(st.lists(st.integers(0, living - 1), min_size=1, max_size=3, unique=True))
        back = RowDraft(sources, draw(st.integers(0, living - 1)), then=draw(some(EFFECTS, 0)))
        draft.triggers.insert(0, TriggerDraft([back]))
    # A way to every state; guarded, so that later rows of the same trigger can be reached too.
    for state in range(1, count):
        trigger = draw(st.sampled_from([each for each in draft.triggers if not each.certain()]))
        source = draw(st.integers(0, min(state, living) - 1))
        trigger.rows.append(RowDraft([source], state, when=draw(some(GUARDS, 1)), then=draw(some(EFFECTS, 0))))
    for number, trigger in enumerate(draft.triggers):
        for _ in range(draw(st.integers(0, 3))):
            add_row(draw, draft, number, living)
        trigger.checks = draw(some(GUARDS, 0)) if number and draw(st.booleans()) else ()
        trigger.idempotent = draw(st.booleans())
    return draft


def some(functions: tuple[Any, ...], least: int) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(functions), min_size=least, max_size=2, unique=True).map(tuple)


def add_row(draw: st.DrawFn, draft: Draft, number: int, living: int) -> None:
    trigger = draft.triggers[number]
    open_sources = [source for source in range(living) if source not in trigger.certain()]
    if not open_sources:
        return
    sources = draw(st.lists(st.sampled_from(open_sources), min_size=1, max_size=3, unique=True))
    earlier = [other for other in range(number) if draft.triggers[other].rows]
    kind = draw(st.sampled_from(["row", "row", "stay", "first", "first", "resolves"]))
    if kind == "resolves":
        meant = [other for other in earlier if all(row.resolves is None for row in draft.triggers[other].rows)]
        sound = [other for other in meant if any(draft.triggers[other].ends(source) for source in sources)]
        if sound:
            trigger.rows.append(RowDraft(sources, None, resolves=draw(st.sampled_from(sound))))
        return
    first = None
    if kind == "first":
        plain = [other for other in earlier if draft.triggers[other].plain]
        if plain:
            first = draw(st.sampled_from(plain))
            sources = [source for source in open_sources if leads_on(draft, first, source, living)]
    if sources:
        when = draw(some(GUARDS, 0)) if first is None or draw(st.booleans()) else ()
        target = None if kind == "stay" else draw(st.integers(0, draft.states - 1))
        trigger.rows.append(RowDraft(sources, target, when=when, then=draw(some(EFFECTS, 0)), first=first))


def leads_on(draft: Draft, first: int, source: int, living: int) -> bool:
    ends = draft.triggers[first].ends(source)
    return not ends or (len(ends) == 1 and ends.pop() < living)

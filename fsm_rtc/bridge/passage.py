"""One way through a chart: what a transition of the library needs to know of a row, and asks of the model it moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from fsm_rtc.engine import ChartTable, Row
from fsm_rtc.engine.effects import maker_of
from fsm_rtc.errors import Reason

__all__ = ["Host", "Passage", "passages"]

Predicate = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True)
class Passage:
    """One row seen from one state.

    Attributes:
        trigger: the trigger as fired; behind `resolves_to` the row's own is another.
        number: its place among the rows that are tried here, from 0.
        source: the state.
        row: the row.
        checks: what comes before the guards, in this order.
        effects: what makes the requests: the exit's, the row's, the entry's; not those of an implicit first one.
        behind_first: where the implicit first transition ends and the row's own begins, or None without one.
    """

    trigger: str
    number: int
    source: StrEnum
    row: Row[Any, Any, Any]
    checks: tuple[Predicate, ...]
    effects: tuple[Callable[[Any, Any], object], ...]
    behind_first: StrEnum | None


class Host(Protocol):
    """What a model must offer, so that a chart's row can be taken on it."""

    @property
    def context(self) -> Any:
        """What guards and effects read."""

    def try_row(self, passage: Passage) -> None:
        """The conditions of this row come next."""

    def refuse(self, reason: Reason, function: Predicate) -> None:
        """A check or guard of the row that is tried has refused."""

    def first_possible(self, trigger: str) -> bool:
        """Whether the implicit first transition would be taken; nothing moves."""

    def fire_first(self, trigger: str) -> None:
        """Go through the implicit first transition."""

    def collect(self, requests: tuple[object, ...]) -> None:
        """What the effects of the row returned."""


def passages(table: ChartTable) -> Iterator[Passage]:
    """Every passage of a chart, those of one trigger and state in the order in which they are tried."""
    for trigger in table.triggers.values():
        for state in table.states:
            for number, row in enumerate(table.rows(trigger.name, state)):
                behind = None
                if row.first is not None:
                    earlier = table.rows(row.first, state)
                    behind = earlier[0].target_from(state) if earlier else state
                effects = tuple(
                    maker_of(effect, f"{table.name}.{trigger.name}")
                    for effect in table.effects(row, state if behind is None else behind)
                )
                yield Passage(trigger.name, number, state, row, trigger.checks, effects, behind)

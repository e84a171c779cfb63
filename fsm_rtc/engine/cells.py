"""What runs: the cells of a table, each one row seen from one state, laid out for the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from fsm_rtc.engine.compile import AnyRow, ChartTable, TriggerTable
from fsm_rtc.engine.effects import maker_of
from fsm_rtc.engine.outcome import Accepted, accepted_class
from fsm_rtc.engine.ticking import Arming, arming_of
from fsm_rtc.errors import ChartError

__all__ = ["Cell", "Place", "build_places"]

Maker = Callable[[Any, Any], object]


class Cell:
    """One row seen from one state, ready to run."""

    __slots__ = ("accepted", "arming", "effects", "first", "guards", "passed", "place", "row")

    def __init__(
        self,
        row: AnyRow,
        accepted: type[Accepted],
        passed: type[Accepted],
        place: Place,
        first: int | None,
        effects: tuple[Maker, ...],
        arming: Arming | None,
    ) -> None:
        self.row = row
        self.guards = row.when
        self.effects = effects
        self.accepted = accepted
        self.passed = passed
        self.place = place
        self.first = first
        self.arming = arming

    def packed(self, requests: tuple[object, ...]) -> object:
        """The requests in the form in which this cell's Accepted holds them."""
        return requests[0] if self.accepted._single_effect else requests or None


class Place:
    """One state of a compiled chart.

    `bare` and `watched` are what a machine's hot path indexes: at 0 the place itself, at a trigger's index what it
    needs to step there at once, or None where the general path must decide. A machine with observers stands on
    `watched`, which has None everywhere; so the hot path needs no test for observers.
    """

    __slots__ = ("allowed", "bare", "cells", "state", "watched")

    def __init__(self, state: StrEnum, width: int, allowed: tuple[str, ...]) -> None:
        self.state = state
        self.allowed = allowed
        self.cells: list[tuple[Cell, ...]] = [()] * (width + 1)
        self.bare: list[Any] = [self] + [None] * width
        self.watched: list[Any] = [self] + [None] * width


def build_places(table: ChartTable, *, hot: bool) -> dict[StrEnum, Place]:
    """The engine's form of a table: a Place a state, triggers indexed from 1 in the table's order."""
    indices = {name: index for index, name in enumerate(table.triggers, start=1)}
    places = {state: Place(state, len(indices), table.allowed(state)) for state in table.states}
    for state, place in places.items():
        for name, index in indices.items():
            place.cells[index] = tuple(_cell(table, row, state, places, indices) for row in table.rows(name, state))
    if hot:
        for place in places.values():
            for name, index in indices.items():
                place.bare[index] = _hot_entry(table.triggers[name], place.cells[index])
    return places


def _cell(
    table: ChartTable, row: AnyRow, state: StrEnum, places: Mapping[StrEnum, Place], indices: Mapping[str, int]
) -> Cell:
    source, target = _source_after_first(table, row, state), row.target_from(state)
    effects = tuple(maker_of(effect, f"{table.name}.{row.trigger}") for effect in table.effects(row, source))
    single = len(effects) == 1 and row.first is None
    return Cell(
        row,
        accepted_class(table.name, row, source, target, single_effect=single),
        accepted_class(table.name, row, source, target, is_first=True),
        places[target],
        indices[row.first] if row.first else None,
        effects,
        arming_of(table, row, state, source),
    )


def _source_after_first(table: ChartTable, row: AnyRow, state: StrEnum) -> StrEnum:
    """Where the row's own transition begins: behind its implicit first one."""
    if row.first is None:
        return state
    between = {earlier.target_from(state) for earlier in table.rows(row.first, state)}
    if len(between) > 1:
        raise ChartError(
            f"{table.name}.{row.trigger}: first={row.first!r} may end in several states from {state.value!r}"
        )
    behind = between.pop() if between else state
    if behind in table.final:
        raise ChartError(
            f"{table.name}.{row.trigger}: first={row.first!r} ends in {behind.value!r}, which is final; "
            "the row can't lead out of it"
        )
    return behind


def _hot_entry(trigger: TriggerTable, cells: tuple[Cell, ...]) -> tuple[Any, ...] | None:
    """(guard, effect, target, accepted, arming) of a cell that the hot path can step by itself."""
    if len(cells) != 1 or trigger.checks:
        return None
    (cell,) = cells
    if cell.first is not None or len(cell.guards) > 1 or len(cell.effects) > 1:
        return None
    guard = cell.guards[0] if cell.guards else None
    effect = cell.effects[0] if cell.effects else None
    return (guard, effect, cell.place.bare, cell.accepted, cell.arming)

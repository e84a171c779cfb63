"""What runs: the cells of a table, each one row seen from one state, laid out for the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from fsm_rtc.engine.compile import AnyRow, ChartTable, TriggerTable
from fsm_rtc.engine.effects import maker_of
from fsm_rtc.engine.outcome import Accepted, accepted_class
from fsm_rtc.engine.ticking import Arming, arming_of
from fsm_rtc.errors import ChartError, Reason, Rejected, SpecificationError, sentence_of

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
    needs to step there at once, the refusal (which is falsy) where nothing can be asked, or None where the general path
    must decide. A machine with observers, or in a step, stands on `watched`, which has None everywhere; so the hot path
    needs no test for either.
    """

    __slots__ = ("_refusals", "allowed", "bare", "cells", "machine", "state", "watched")

    def __init__(self, machine: str, state: StrEnum, width: int, allowed: tuple[str, ...]) -> None:
        self.machine = machine
        self.state = state
        self.allowed = allowed
        self._refusals: dict[tuple[str, Reason, Callable[..., object] | None], Rejected] = {}
        self.cells: list[tuple[Cell, ...]] = [()] * (width + 1)
        self.bare: list[Any] = [self] + [None] * width
        self.watched: list[Any] = [self] + [None] * width

    def refusal(
        self,
        trigger: str,
        reason: Reason,
        function: Callable[..., object] | None = None,
        error: type[SpecificationError] | None = None,
    ) -> Rejected:
        """What a refusal here says, without the event; worked out once."""
        known = self._refusals.get((trigger, reason, function))
        if known is None:
            known = self._refusals[trigger, reason, function] = Rejected(
                self.machine,
                self.state,
                trigger,
                reason,
                guard=function.__name__ if function is not None else None,
                explanation=sentence_of(function) if function is not None else None,
                allowed=self.allowed,
                error=error,
            )
        return known


def build_places(table: ChartTable, *, hot: bool) -> dict[StrEnum, Place]:
    """The engine's form of a table: a Place a state, triggers indexed from 1 in the table's order."""
    indices = {name: index for index, name in enumerate(table.triggers, start=1)}
    places = {state: Place(table.name, state, len(indices), table.allowed(state)) for state in table.states}
    for state, place in places.items():
        for name, index in indices.items():
            place.cells[index] = tuple(_cell(table, row, state, places, indices) for row in table.rows(name, state))
    if hot:
        for place in places.values():
            for name, index in indices.items():
                place.bare[index] = _hot_entry(table, table.triggers[name], place, place.cells[index])
    return places


def _cell(
    table: ChartTable, row: AnyRow, state: StrEnum, places: Mapping[StrEnum, Place], indices: Mapping[str, int]
) -> Cell:
    first_moves, source = _behind_first(table, row, state)
    target = row.target_from(state)
    effects = tuple(maker_of(effect, f"{table.name}.{row.trigger}") for effect in table.effects(row, source))
    single = len(effects) == 1 and row.first is None
    return Cell(
        row,
        accepted_class(table.name, row, source, target, single_effect=single),
        accepted_class(table.name, row, source, target, is_first=True),
        places[target],
        indices[row.first] if row.first else None,
        effects,
        arming_of(table, row, state, source, first_moves=first_moves),
    )


def _behind_first(table: ChartTable, row: AnyRow, state: StrEnum) -> tuple[bool, StrEnum]:
    """Whether the row's implicit first transition moves, if that matters to a timer; where the row's own one begins."""
    if row.first is None:
        return False, state
    timed = bool(table.timers)
    ways = {
        (timed and earlier.moves_from(state), earlier.target_from(state)) for earlier in table.rows(row.first, state)
    }
    if len(ways) > 1:
        several = len({target for _, target in ways}) > 1
        may = f"end in several states from {state.value!r}" if several else f"enter {state.value!r} anew or not"
        raise ChartError(f"{table.name}.{row.trigger}: first={row.first!r} may {may}")
    moves, behind = ways.pop() if ways else (False, state)
    if behind in table.final:
        raise ChartError(
            f"{table.name}.{row.trigger}: first={row.first!r} ends in {behind.value!r}, which is final; "
            "the row can't lead out of it"
        )
    return moves, behind


def _hot_entry(
    table: ChartTable, trigger: TriggerTable, place: Place, cells: tuple[Cell, ...]
) -> tuple[Any, ...] | Rejected | None:
    """(guard, effect, target, accepted, watched, arming, seconds) of a cell that the hot path can step by itself."""
    state = place.state
    if not cells and (not trigger.checks or state in table.final):
        return place.refusal(trigger.name, table.why_no_row(trigger.name, state))
    if len(cells) != 1 or trigger.checks:
        return None
    (cell,) = cells
    if cell.first is not None or len(cell.guards) > 1 or len(cell.effects) > 1:
        return None
    guard = cell.guards[0] if cell.guards else None
    effect = cell.effects[0] if cell.effects else None
    seconds = cell.arming.seconds if cell.arming is not None else None
    return (guard, effect, cell.place.bare, cell.accepted, place.watched, cell.arming, seconds)

"""What a machine answers to an event: Accepted, Rejected, or Queued.

An `Accepted` is made once per accepted event, so it is a tuple subclass: one C call makes it. Everything that is the
same for each passage along one edge (machine, trigger, source, target, row) sits on a subclass that the compiler
makes per cell of the table; an instance holds only the event's payload and what the row's effects returned.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from fsm_rtc.engine.row import Row
from fsm_rtc.errors import Rejected

__all__ = ["Accepted", "Outcome", "Queued", "Rejected", "accepted_class"]


class Accepted(tuple[Any, Any]):
    """An event that the table allowed: the machine is now in `target`.

    Attributes:
        machine: the chart's name.
        trigger: the trigger's name (after `resolves_to`, the one it resolved to).
        source: the state before.
        target: the state after; the same as `source` for a row made with `stay`.
        row: the row that matched.
        event: the payload, or None.
        effects: the requests that the row's effects returned, in order; those of an implicit first trigger come before.
    """

    __slots__ = ()
    machine: ClassVar[str]
    trigger: ClassVar[str]
    source: ClassVar[StrEnum]
    target: ClassVar[StrEnum]
    row: ClassVar[Row[Any, Any, Any]]
    _single_effect: ClassVar[bool]
    _is_first: ClassVar[bool]
    _home: ClassVar[tuple[type[Any], StrEnum, int, int, str]]

    @property
    def event(self) -> object:
        return self[0]

    @property
    def effects(self) -> tuple[object, ...]:
        raw = self[1]
        if self._single_effect:
            return (raw,)
        return () if raw is None else raw

    def __bool__(self) -> bool:
        return True

    def __reduce__(self) -> tuple[Any, ...]:
        return _found_again, (*self._home, tuple(self))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Accepted):
            # A plain tuple would compare itself with what this one holds.
            return False if isinstance(other, tuple) else NotImplemented
        return self._edge() == other._edge() and self.event == other.event and self.effects == other.effects

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._edge())

    def _edge(self) -> tuple[str, str, str, str]:
        return (self.machine, self.trigger, self.source.value, self.target.value)

    def __repr__(self) -> str:
        return f"Accepted({self.machine}: {self.source.value} --{self.trigger}--> {self.target.value})"


def _found_again(
    chart: type[Any], source: StrEnum, index: int, number: int, kind: str, held: tuple[Any, Any]
) -> Accepted:
    """An outcome that was pickled, of the cell of the table that made it."""
    cell = chart._places[source].cells[index][number]
    return getattr(cell, kind)(held)  # type: ignore[no-any-return]


class Queued:
    """An event that arrived while the machine was handling another one; its turn comes when that one is done.

    What became of it reaches the machine's observers and the journal.
    """

    __slots__ = ("machine", "trigger")

    def __init__(self, machine: str, trigger: str) -> None:
        self.machine = machine
        self.trigger = trigger

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self.trigger} waits its turn on {self.machine}, so it is neither accepted nor rejected yet; "
            "observe the machine to learn what became of it"
        )

    def __repr__(self) -> str:
        return f"Queued({self.machine}: {self.trigger})"


Outcome = Accepted | Rejected | Queued
"""What a trigger returns."""


def accepted_class(
    machine: str,
    row: Row[Any, Any, Any],
    source: StrEnum,
    target: StrEnum,
    *,
    single_effect: bool = False,
    is_first: bool = False,
) -> type[Accepted]:
    """The Accepted of one cell of the table; `is_first` where it is gone through as an implicit first transition."""
    return type(
        "Accepted",
        (Accepted,),
        {
            "__slots__": (),
            "machine": machine,
            "trigger": row.trigger,
            "source": source,
            "target": target,
            "row": row,
            "_single_effect": single_effect,
            "_is_first": is_first,
        },
    )

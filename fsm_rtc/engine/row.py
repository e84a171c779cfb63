"""Rows: the edges of a table.

A guard or check is a named pure function ``(context, event) -> bool`` whose docstring is the sentence that a user reads
when it refuses. An effect is a named pure function ``(context, event) -> request``; the request is returned to the
owner of the machine, who carries it out. None of them may fire a trigger, wait, or change anything.

The type parameters: ``S`` the states, ``C`` the context, ``E`` the payload.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic

from fsm_rtc.engine.effects import Effect, several_effects
from fsm_rtc.errors import ChartError

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    S = TypeVar("S", bound=StrEnum)
    RowContext = TypeVar("RowContext", contravariant=True, default=object)
    RowEvent = TypeVar("RowEvent", contravariant=True, default=object)
else:
    from typing import TypeVar

    S = TypeVar("S", bound=StrEnum)
    RowContext = TypeVar("RowContext", contravariant=True)
    RowEvent = TypeVar("RowEvent", contravariant=True)

__all__ = ["Predicate", "Row", "resolves_to", "several_guards", "stay"]

Predicate = Callable[[Any, Any], bool]


def several_guards(guards: object) -> tuple[Predicate, ...]:
    """Guards as written.

    Raises:
        ChartError: it is no collection of functions.
    """
    if callable(guards) or isinstance(guards, str) or not isinstance(guards, Collection):
        raise ChartError(f"when is {guards!r}; write a tuple, with a comma: ({getattr(guards, '__name__', 'guard')},)")
    return tuple(guards)


def _several(sources: StrEnum | Collection[StrEnum]) -> tuple[StrEnum, ...]:
    return (sources,) if isinstance(sources, StrEnum) else tuple(sources)


class Row(Generic[S, RowContext, RowEvent]):
    """One edge of a table, or several that differ only in their source.

    Args:
        sources: the state, or states, in which the row applies.
        target: the state it leads to.
        when: guards; all must agree, else the trigger's next row is tried.
        then: effects, functions or the requests' classes; what they give is in `Accepted.effects`, in this order.
        reenters: a row from a state to itself leaves and enters it, with its entry and exit effects and its timers.
        first: a trigger that is fired before, as a transition of its own; the row fails if that one is refused.
        cite: where the row comes from, if elsewhere than its trigger.
    """

    __slots__ = ("cite", "first", "reenters", "resolves", "restarts", "sources", "target", "then", "trigger", "when")

    def __init__(
        self,
        sources: S | Collection[S],
        target: S,
        *,
        when: Collection[Callable[[RowContext, RowEvent], bool]] = (),
        then: Collection[Callable[[RowContext, RowEvent], object] | type[object]] | type[object] = (),
        reenters: bool = False,
        first: str | None = None,
        cite: str = "",
    ) -> None:
        self.sources: tuple[StrEnum, ...] = _several(sources)
        self.target: StrEnum | None = target
        self.when: tuple[Predicate, ...] = several_guards(when)
        self.then: tuple[Effect, ...] = several_effects(then, "then")
        self.reenters = reenters
        self.restarts: tuple[str, ...] = ()
        self.first = first
        self.cite = cite
        self.resolves: str | None = None
        self.trigger = ""

    def bound_to(self, trigger: str, cite: str) -> Row[S, RowContext, RowEvent]:
        """A copy that knows its trigger and, if it has no source of its own, the trigger's."""
        row = object.__new__(Row)
        for name in Row.__slots__:
            setattr(row, name, getattr(self, name))
        row.trigger = trigger
        row.cite = self.cite or cite
        return row

    def target_from(self, source: StrEnum) -> StrEnum:
        """Where the row leads from `source`: its target, or `source` itself for a row made with `stay`."""
        return source if self.target is None else self.target

    def moves_from(self, source: StrEnum) -> bool:
        """Whether the row leaves `source`, so that exit and entry effects run and timers change."""
        return self.target is not None and (self.target is not source or self.reenters)

    def edges(self) -> Iterator[tuple[StrEnum, StrEnum]]:
        """Every (source, target) of the row."""
        return ((source, self.target_from(source)) for source in self.sources)

    def describe(self) -> str:
        """The row on one line, as the table's documentation shows it."""
        sources = ", ".join(source.value for source in self.sources)
        to = f"as {self.resolves}" if self.resolves else "stays" if self.target is None else self.target.value
        first = f" after {self.first}" if self.first else ""
        when = f" [{' and '.join(guard.__name__ for guard in self.when)}]" if self.when else ""
        then = f" / {', '.join(effect.__name__ for effect in self.then)}" if self.then else ""
        restarts = f", restarts {', '.join(self.restarts)}" if self.restarts else ""
        return f"{sources} -> {to}{first}{when}{then}{restarts}"

    def __repr__(self) -> str:
        return f"Row({self.trigger}: {self.describe()})"


def _any_of(states: tuple[S, ...]) -> S:
    if not states:
        raise ChartError("a row needs at least one state in which it applies: stay(A, B), resolves_to(trigger, A, B)")
    return states[0]


def stay(
    *states: S,
    when: Collection[Callable[[RowContext, RowEvent], bool]] = (),
    then: Collection[Callable[[RowContext, RowEvent], object] | type[object]] | type[object] = (),
    restarts: Collection[str] = (),
    cite: str = "",
) -> Row[S, RowContext, RowEvent]:
    """A row that permits its trigger in these states without moving; `restarts` names timers that begin anew."""
    if isinstance(restarts, str):
        raise ChartError(f"restarts={restarts!r}; write a tuple, with a comma: ({restarts!r},)")
    row: Row[S, RowContext, RowEvent] = Row(states, _any_of(states), when=when, then=then, cite=cite)
    row.target = None
    row.restarts = tuple(restarts)
    return row


def resolves_to(trigger: str, *states: S, cite: str = "") -> Row[S, object, object]:
    """A row that stands for another trigger in these states, as setLocalDescription() without argument does."""
    row: Row[S, object, object] = Row(states, _any_of(states), cite=cite)
    row.target = None
    row.resolves = trigger
    return row

"""The words that a table is written in: Row, stay, resolves_to, On.

A guard or check is a named pure function ``(context, event) -> bool`` whose docstring is the sentence that a user reads
when it refuses. An effect is a named pure function ``(context, event) -> request``; the request is returned to the
owner of the machine, who carries it out. None of them may fire a trigger, wait, or change anything.

The type parameters carry the payload's type from the guards to the trigger, so that mypy finds a wrong payload:
``S`` the states, ``C`` the context, ``E`` the payload. A trigger whose rows have no guard takes no payload, unless it
is written ``On[Context, Payload](…)``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, overload

from fsm_rtc.engine.effects import Effect, several_effects
from fsm_rtc.engine.timer import After, Jitter, Late, Scope, Since
from fsm_rtc.errors import ChartError, SpecificationError

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from fsm_rtc.engine.chart import Chart
    from fsm_rtc.engine.outcome import Outcome

    S = TypeVar("S", bound=StrEnum)
    RowContext = TypeVar("RowContext", contravariant=True, default=object)
    RowEvent = TypeVar("RowEvent", contravariant=True, default=object)
    OnContext = TypeVar("OnContext", contravariant=True, default=Any)
    OnEvent = TypeVar("OnEvent", contravariant=True, default=None)
else:
    from typing import TypeVar

    S = TypeVar("S", bound=StrEnum)
    RowContext = TypeVar("RowContext", contravariant=True)
    RowEvent = TypeVar("RowEvent", contravariant=True)
    OnContext = TypeVar("OnContext", contravariant=True)
    OnEvent = TypeVar("OnEvent", contravariant=True)

__all__ = ["On", "Row", "resolves_to", "stay"]

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


class PlainTrigger(Protocol):
    """A trigger without payload."""

    def __call__(self, event: None = None, /) -> Outcome: ...


class OptionalTrigger(Protocol[OnEvent]):
    """A trigger whose payload may be left out."""

    def __call__(self, event: OnEvent = ..., /) -> Outcome: ...


class PayloadTrigger(Protocol[OnEvent]):
    """A trigger with a payload."""

    def __call__(self, event: OnEvent, /) -> Outcome: ...


class On(Generic[OnContext, OnEvent]):
    """One trigger: its rows in order, of which the first that applies is taken.

    When the chart's class is made each On is replaced by a plain function of the same name; the rows stay readable in
    `Chart.chart`.

    Args:
        rows: tried in order.
        checks: come before the state is looked at, unless it is final; a refusal names `error`. A trigger that
            `resolves_to` this one has checks of its own.
        error: the specification's error for a refused check.
        after: the trigger is due by itself so many seconds after the machine has come to a state in which it has a row,
            or what this function of the context gives; see `fsm_rtc.engine.timer` for this and what follows.
        per: ``state``, or ``sources`` for one timer over all the trigger's states.
        since: a function of the context: when the time began anew, without any event.
        late: ``fire`` or ``postpone``.
        jitter: ``full`` for a time between 0 and `after`.
        idempotent: in its own target the trigger is `Reason.ALREADY` (nothing to do), not illegal.
        cite: the source: an anchor of the specification, or a document and its passage.
    """

    __slots__ = ("after", "checks", "cite", "error", "idempotent", "jitter", "late", "per", "rows", "since")

    @overload
    def __init__(
        self,
        *rows: Row[Any, OnContext, OnEvent],
        after: After | None = ...,
        per: Scope = ...,
        since: Since | None = ...,
        late: Late = ...,
        jitter: Jitter = ...,
        idempotent: bool = ...,
        cite: str = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        *rows: Row[Any, Any, Any],
        checks: Collection[Callable[[OnContext, OnEvent], bool]],
        error: type[SpecificationError] | None = ...,
        idempotent: bool = ...,
        cite: str = ...,
    ) -> None: ...
    def __init__(
        self,
        *rows: Row[Any, Any, Any],
        checks: Collection[Callable[[Any, Any], bool]] = (),
        error: type[SpecificationError] | None = None,
        after: After | None = None,
        per: Scope = "state",
        since: Since | None = None,
        late: Late = "fire",
        jitter: Jitter = "none",
        idempotent: bool = False,
        cite: str = "",
    ) -> None:
        self.rows = rows
        self.checks: tuple[Predicate, ...] = tuple(checks)
        self.error = error
        self.after = after
        self.per = per
        self.since = since
        self.late = late
        self.jitter = jitter
        self.idempotent = idempotent
        self.cite = cite

    if TYPE_CHECKING:
        # At run time a chart's class holds a plain function here, not the On; this is how a type checker sees it.
        @overload
        def __get__(self: On[Any, object], instance: Chart[Any, Any], owner: object) -> PlainTrigger: ...
        @overload
        def __get__(self: On[Any, None], instance: Chart[Any, Any], owner: object) -> OptionalTrigger[OnEvent]: ...
        @overload
        def __get__(self, instance: Chart[Any, OnContext], owner: object) -> PayloadTrigger[OnEvent]: ...
        @overload
        def __get__(self, instance: None, owner: object) -> Self: ...
        def __get__(self, instance: Any, owner: object) -> Any: ...

"""On: one trigger of a table, with its rows.

The type parameters carry the payload's type from the guards to the trigger, so that mypy finds a wrong payload. A
trigger whose rows have no guard takes no payload, unless it is written ``On[Context, Payload](…)``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, overload

from fsm_rtc.engine.outcome import Outcome
from fsm_rtc.engine.row import Predicate, Row
from fsm_rtc.engine.timer import After, Jitter, Late, Scope, Since
from fsm_rtc.errors import SpecificationError

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    OnContext = TypeVar("OnContext", contravariant=True, default=Any)
    OnEvent = TypeVar("OnEvent", contravariant=True, default=None)
    Context = TypeVar("Context", covariant=True, default=Any)
else:
    from typing import TypeVar

    OnContext = TypeVar("OnContext", contravariant=True)
    OnEvent = TypeVar("OnEvent", contravariant=True)
    Context = TypeVar("Context", covariant=True)

__all__ = ["On"]


class HasContext(Protocol[Context]):
    """What a trigger has to know of its machine: the context that its guards read."""

    @property
    def context(self) -> Context:
        """What the guards and effects are given."""


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
        def __get__(self: On[Any, object], instance: HasContext[Any], owner: object) -> PlainTrigger: ...
        @overload
        def __get__(self: On[Any, None], instance: HasContext[Any], owner: object) -> OptionalTrigger[OnEvent]: ...
        @overload
        def __get__(self, instance: HasContext[OnContext], owner: object) -> PayloadTrigger[OnEvent]: ...
        @overload
        def __get__(self, instance: None, owner: object) -> Self: ...
        def __get__(self, instance: Any, owner: object) -> Any: ...

"""Chart: a machine written as a table, and the engine that runs it.

A subclass's body is the table. An instance is a running machine of five words; its triggers are plain functions that
the metaclass puts in the place of each `On`. The step is synchronous and knows no clock, task or socket:

    trigger → checks → rows of this state in order → guards → effects (returned) → new state → observers

A step is run to its end: an event that arrives meanwhile, from an observer, waits its turn (`Queued`). If a guard or an
effect raises, nothing has changed and the exception reaches the caller that fired the trigger. One that fires, ticks or
observes its own machine is such a mistake. Time comes from outside, by `tick`; see `fsm_rtc.engine.timer`.

A machine belongs to one thread at a time. That isn't checked where nothing goes wrong: a thread that comes while
another one's step is under way gets a `WrongThreadError`, and nothing is done. Two that follow each other closely, or
meet in a cell with neither guard nor effect, are not found.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, overload

from fsm_rtc.engine.cells import Cell, Place
from fsm_rtc.engine.chart_class import REPORT, ChartMeta
from fsm_rtc.engine.clock import Clock
from fsm_rtc.engine.compile import ChartTable
from fsm_rtc.engine.effects import Effect
from fsm_rtc.engine.entrance import is_in_step_of, no_entrance
from fsm_rtc.engine.outcome import Accepted, Outcome, Queued
from fsm_rtc.engine.row import Row
from fsm_rtc.engine.table import On
from fsm_rtc.engine.ticking import Ticking, Uniform, ticking_for
from fsm_rtc.engine.timer import Timer
from fsm_rtc.errors import ChartError, Reason, Rejected, RunawayError, UnknownTriggerError

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    S = TypeVar("S", bound=StrEnum)
    C = TypeVar("C", default=None, covariant=True)
    _Settled = TypeVar("_Settled", Accepted, Rejected, Accepted | Rejected)
    OnContext = TypeVar("OnContext", contravariant=True)
    OnEvent = TypeVar("OnEvent", contravariant=True)
else:
    from typing import TypeVar

    S = TypeVar("S", bound=StrEnum)
    C = TypeVar("C")

__all__ = ["Chart", "Observer"]

logger = logging.getLogger("fsm_rtc.engine")

QUEUE_LIMIT = 10_000
"""How many events observers may add to one step before `RunawayError` ends it."""

_Waiting = deque[tuple[int, object, int | None]] | tuple[str, ...]
"""What waits for a step that is under way; a tuple if nothing can, or does yet."""

_NOTHING_WAITS: tuple[str, ...] = ()
_DECIDING: tuple[str, ...] = ("guards and effects are asked",)

_Passed = tuple[Accepted, Place, "Accepted | None"]
"""An accepted event, where the machine will stand, and the implicit first transition before it, if any."""

Observer = Callable[["Chart[Any, Any]", "Accepted | Rejected"], None]
"""Called after each event, in order, with the machine and what became of the event."""


class Chart(Generic[S, C], metaclass=ChartMeta):
    """A finite-state machine whose class body is its table.

    ``S`` is the StrEnum of its states, ``C`` what its guards and effects read (None for a machine without context).

    Args:
        context: what the guards and effects are given.
        generation: of which peer connection this machine is; see `fire`.
        state: where to start instead of `initial`, for a machine that is restored.
        clock: seconds that never run backwards; a chart with timers needs it.
        uniform: draws between two bounds, for timers with jitter; `random.uniform` if None.
        armed: by trigger, in how many seconds the timers of a machine that is restored are due; None to arm those of
            the state. Neither runs entry effects.

    Attributes:
        chart: the table, for reading.
        context: may be replaced while the machine lives.
        generation: an event of another generation is `Rejected` as stale.
    """

    __slots__ = ("_here", "_observers", "_queue", "context", "generation")

    initial: ClassVar[Any]
    final: ClassVar[frozenset[Any]] = frozenset()
    entry: ClassVar[Mapping[Any, tuple[Effect, ...]]] = {}
    exit: ClassVar[Mapping[Any, tuple[Effect, ...]]] = {}
    source: ClassVar[str] = ""
    chart: ClassVar[ChartTable]
    _declared: ClassVar[dict[str, On[Any, Any]]] = {}
    _trigger_names: ClassVar[tuple[str, ...]]
    _indices: ClassVar[dict[str, int]]
    _places: ClassVar[dict[StrEnum, Place]]
    _timers_of: ClassVar[dict[StrEnum, tuple[Timer, ...]]]
    _hot: ClassVar[bool] = True
    _has_room: ClassVar[bool] = False
    _ticking: Ticking | None = None  # a slot of those that have timers, or whose bases have

    if TYPE_CHECKING:
        context: C
        generation: int
        _here: list[Any]
        _observers: tuple[Observer, ...]
        _queue: _Waiting | None

    @overload
    def __init__(
        self: Chart[Any, None],
        context: None = ...,
        *,
        generation: int = ...,
        state: StrEnum | None = ...,
        clock: Clock | None = ...,
        uniform: Uniform | None = ...,
        armed: Mapping[str, float] | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        context: C,
        *,
        generation: int = ...,
        state: S | None = ...,
        clock: Clock | None = ...,
        uniform: Uniform | None = ...,
        armed: Mapping[str, float] | None = ...,
    ) -> None: ...
    def __init__(
        self,
        context: Any = None,
        *,
        generation: int = 0,
        state: Any = None,
        clock: Clock | None = None,
        uniform: Uniform | None = None,
        armed: Mapping[str, float] | None = None,
    ) -> None:
        place = self._places.get(self.initial if state is None else state)
        if place is None:
            raise ChartError(f"{type(self).__name__} has no state {state!r}; it has {', '.join(self.chart.states)}")
        self._here = place.bare
        self._observers = ()
        self._queue = None
        self.context = context
        self.generation = generation
        if self._has_room:
            self._ticking = None  # type: ignore[misc]
        if self.chart.timers:
            ticking = self._ticking = ticking_for(type(self).__name__, clock, uniform)  # type: ignore[misc]
            if armed is None:
                ticking.begin(self._timers_of[self.state], context)
            else:
                ticking.resume({timer.trigger: timer for timer in self._timers_of[self.state]}, armed, context)

    @classmethod
    def _declared_as(cls, name: str, on: On[Any, Any]) -> On[Any, Any]:
        """The trigger as this kind of chart has it."""
        return on

    @property
    def state(self) -> S:
        """The state the machine is in."""
        return self._here[0].state  # type: ignore[no-any-return]

    @property
    def is_final(self) -> bool:
        """Whether the machine is in a state without a way out."""
        return self.state in self.final

    @property
    def is_stepping(self) -> bool:
        """Whether an event is under way, as within an observer; another one waits its turn."""
        return self._queue is not None

    if not TYPE_CHECKING:

        def __class_getitem__(cls, parameters):
            # ``Chart[State]`` is a chart without context; typing knows such defaults from Python 3.13 on.
            if not isinstance(parameters, tuple) and len(cls.__parameters__) == 2:
                parameters = (parameters, None)
            return super().__class_getitem__(parameters)

    def allowed(self) -> tuple[str, ...]:
        """The triggers that have a row in the present state, sorted; a guard may still refuse."""
        return self._here[0].allowed  # type: ignore[no-any-return]

    def fire(self, trigger: str, event: object = None, *, generation: int | None = None) -> Outcome:
        """Fire a trigger by its name.

        Args:
            trigger: a trigger of this chart.
            event: its payload.
            generation: of which peer connection the event is; if it is not this machine's, the event is stale.

        Raises:
            UnknownTriggerError: the chart has no such trigger.
        """
        return self._handle(self._index(trigger), event, generation)

    @overload
    def permits(
        self, trigger: On[C, OnEvent], event: OnEvent, *, generation: int | None = ...
    ) -> Row[Any, Any, Any] | Rejected: ...
    @overload
    def permits(self, trigger: On[Any, None], *, generation: int | None = ...) -> Row[Any, Any, Any] | Rejected: ...
    @overload
    def permits(
        self, trigger: str, event: object = ..., *, generation: int | None = ...
    ) -> Row[Any, Any, Any] | Rejected: ...
    def permits(
        self, trigger: Any, event: Any = None, *, generation: int | None = None
    ) -> Row[Any, Any, Any] | Rejected:
        """The row that would be taken, or why none would (which is falsy). Nothing is changed, nobody is told.

        Args:
            trigger: its name, or the trigger itself as an attribute of the class: ``Negotiation.close``.
            event: the payload that the guards would see.
            generation: as in `fire`.
        """
        index = self._index(trigger if isinstance(trigger, str) else trigger.__name__)
        if self._queue is not None or self._is_deciding():
            verdict = self._decide(index, event, generation)
        else:
            self._here, self._queue = self._here[0].watched, _DECIDING
            try:
                verdict = self._decide(index, event, generation)
            finally:
                self._end_step()
        return verdict if isinstance(verdict, Rejected) else verdict.row

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call `observer` with the machine and the outcome after each event, until the returned function is called.

        Observers are called in the order in which they came. One that raises is logged and ignored. A trigger that
        an observer fires on the same machine waits its turn.

        Raises:
            ChartError: within a guard or effect of the machine.
            WrongThreadError: another thread's step is under way.
        """
        if self._is_deciding():
            self._refuse_entrance("observe()")
        self._observers = (*self._observers, observer)
        self._here = self._here[0].watched
        subscribed = True

        def unsubscribe() -> None:
            nonlocal subscribed
            if not subscribed:
                return
            subscribed = False
            remaining = list(self._observers)
            remaining.remove(observer)
            self._observers = tuple(remaining)
            # Within a step the machine stays watched: what an observer fires after this call must still wait its turn.
            if not remaining and self._queue is None:
                self._here = self._here[0].bare

        return unsubscribe

    # Time.

    def next_timeout(self) -> float | None:
        """When the first timer is due, on the machine's clock; None if none runs."""
        ticking = self._ticking
        return None if ticking is None or ticking.next == inf else ticking.next

    def tick(self, now: float) -> tuple[Outcome, ...]:
        """Fire what is due, in the order of the deadlines and then of the table; what became of each.

        What is armed meanwhile counts from `now`, and fires in the next tick at the earliest. If a guard or an effect
        raises, nothing behind it fires, and it is due still; the exception comes out of the tick in which it is first.

        Args:
            now: the time on the machine's clock.

        Raises:
            ChartError: within a step, from a guard, an effect or an observer.
            WrongThreadError: another thread's step is under way.
        """
        ticking = self._ticking
        if ticking is None or ticking.next > now:
            return ()
        if self._queue is not None or self._is_deciding():
            self._refuse_entrance("tick()")
        fired: list[Outcome] = []
        try:
            fired.extend(ticking.fired(now, self))
        except Exception:
            if not fired:
                raise
            # What was fired before must not be lost; the one that raises is due still, and does so in the next tick.
        return tuple(fired)

    def armed(self) -> Mapping[str, float]:
        """When each timer that runs is due, by trigger, on the machine's clock."""
        return self._ticking.armed if self._ticking is not None else {}

    def stood_still(self, seconds: float, *, clock_ran: bool = True) -> None:
        """The process stood still: a timer that is ``late="postpone"`` waits so much longer, another doesn't.

        Args:
            seconds: how long.
            clock_ran: whether the machine's clock ran meanwhile; Linux's monotonic clock doesn't while the host sleeps.
        """
        if self._ticking is not None:
            self._ticking.shift(seconds, self.context, clock_ran=clock_ran)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state.value!r}>"

    # The general path.

    def _index(self, trigger: str) -> int:
        try:
            return self._indices[trigger]
        except KeyError:
            known = ", ".join(sorted(self._indices))
            raise UnknownTriggerError(f"{type(self).__name__} has no trigger {trigger!r}; it has {known}") from None

    def _handle(self, index: int, event: object, generation: int | None) -> Outcome:
        waiting = self._queue
        if waiting is not None:
            return self._enqueue(waiting, index, event, generation)
        here = self._here
        place = here[0]
        entry = place.bare[index] if generation is None else None
        if not self._observers:
            if here is place.watched:
                self._refuse_entrance(self._trigger_names[index])
            if type(entry) is Rejected:
                return entry.of(event)
            self._here = place.watched
        self._queue = _NOTHING_WAITS
        try:
            if type(entry) is not tuple:
                return self._step(index, event, generation) if entry is None else self._announce(entry.of(event))
            guard, effect, target, accepted, _, arming, _ = entry
            context, self._queue = self.context, _DECIDING
            outcome: Accepted | Rejected
            if guard is None or guard(context, event):
                outcome = accepted((event, None if effect is None else effect(context, event)))
                if self._ticking is not None:
                    self._ticking.apply(arming, context)
                self._here = target[0].watched
            else:
                outcome = self._reject(index, event, Reason.GUARD, guard)
            self._queue = _NOTHING_WAITS
            return self._announce(outcome)
        finally:
            try:
                if self._queue is not _NOTHING_WAITS:
                    self._drain()
            finally:
                self._end_step()

    def _end_step(self) -> None:
        self._queue = None
        if not self._observers:
            self._here = self._here[0].bare

    def _is_deciding(self) -> bool:
        """Whether a guard or effect is being asked; on the hot path, the place alone says so."""
        if self._queue is None:
            return self._here is self._here[0].watched and not self._observers
        return self._queue is _DECIDING

    def _refuse_entrance(self, what: str) -> NoReturn:
        raise no_entrance(self, what)

    def _enqueue(self, waiting: _Waiting, index: int, event: object, generation: int | None) -> Queued:
        trigger = self._trigger_names[index]
        if waiting is _DECIDING or not is_in_step_of(self):
            self._refuse_entrance(trigger)
        if not isinstance(waiting, deque):
            waiting = self._queue = deque()
        waiting.append((index, event, generation))
        return Queued(type(self).__name__, trigger)

    def _drain(self) -> None:
        waiting = self._queue
        handled = 0
        while waiting and isinstance(waiting, deque):
            handled += 1
            if handled > QUEUE_LIMIT:
                raise RunawayError(
                    f"{type(self).__name__}: {QUEUE_LIMIT} events followed from one; break the circle of its observers"
                )
            index, event, generation = waiting.popleft()
            try:
                self._step(index, event, generation)
            except Exception:
                logger.exception("%s: a guard or effect of %s raised", type(self).__name__, self._trigger_names[index])

    def _step(self, index: int, event: object, generation: int | None) -> Accepted | Rejected:
        waiting, self._queue = self._queue, _DECIDING
        try:
            verdict = self._decide(index, event, generation)
            passed = verdict if isinstance(verdict, Rejected) else self._pass(verdict, index, event)
        finally:
            self._queue = waiting
        if isinstance(passed, Rejected):
            return self._announce(passed)
        outcome, place, first = passed
        if first is not None:
            self._stand_on(self._places[first.target])
            self._announce(first)
        self._stand_on(place)
        return self._announce(outcome)

    def _pass(self, cell: Cell, index: int, event: object) -> _Passed | Rejected:
        """What the owner is asked for, and where the machine will stand; with the implicit first transition, if any.

        The requests of both are in the second one's outcome. Nothing has moved when this returns.
        """
        context, first = self.context, None
        requests = [make(context, event) for make in cell.effects]
        if cell.first is not None:
            earlier = self._decide(cell.first, None, None)
            if isinstance(earlier, Rejected):
                return self._reject_first(index, event, earlier)
            requests = [*(make(context, None) for make in earlier.effects), *requests]
            first = earlier.passed((None, None))
        ticking = self._ticking
        if ticking is not None:
            ticking.apply(cell.arming, context)
        return cell.accepted((event, cell.packed(tuple(requests)))), cell.place, first

    def _stand_on(self, place: Place) -> None:
        self._here = place.watched  # until the step ends

    def _announce(self, outcome: _Settled) -> _Settled:
        observers = self._observers
        for observer in observers:
            if self._observers is not observers and observer not in self._observers:
                continue
            try:
                observer(self, outcome)
            except Exception:
                logger.exception("%s: observer %r raised on %r", type(self).__name__, observer, outcome)
        return outcome

    def _decide(self, index: int, event: object, generation: int | None) -> Cell | Rejected:
        """The cell that takes the event, or the refusal; pure."""
        if generation is not None and generation != self.generation:
            return self._reject(index, event, Reason.STALE)
        context = self.context
        trigger = self.chart.triggers[self._trigger_names[index]]
        if trigger.checks and not self.is_final:
            for check in trigger.checks:
                if not check(context, event):
                    return self._reject(index, event, Reason.CHECK, check, error=trigger.error)
        refusals: list[Rejected] = []
        for cell in self._here[0].cells[index]:
            refusal = self._refusal(cell, index, event)
            if refusal is None:
                return cell  # type: ignore[no-any-return]
            refusals.append(refusal)
        if refusals:
            return refusals[0]
        return self._reject(index, event, self.chart.why_no_row(trigger.name, self._here[0].state))

    def _refusal(self, cell: Cell, index: int, event: object) -> Rejected | None:
        for guard in cell.guards:
            if not guard(self.context, event):
                return self._reject(index, event, Reason.GUARD, guard)
        if cell.first is None:
            return None
        earlier = self._decide(cell.first, None, None)
        return self._reject_first(index, event, earlier) if isinstance(earlier, Rejected) else None

    def _reject(
        self,
        index: int,
        event: object,
        reason: Reason,
        function: Callable[..., object] | None = None,
        *,
        error: Any = None,
    ) -> Rejected:
        return self._here[0].refusal(self._trigger_names[index], reason, function, error).of(event)  # type: ignore[no-any-return]

    def _reject_first(self, index: int, event: object, earlier: Rejected) -> Rejected:
        return Rejected(
            type(self).__name__,
            self.state,
            self._trigger_names[index],
            earlier.reason,
            guard=earlier.guard,
            explanation=earlier.explanation,
            allowed=self.allowed(),
            event=event,
            error=earlier.error,
            first=earlier.trigger,
        )

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        name, state = type(self).__name__, self.state.value
        raise TypeError(f"a running {name} can't be copied or pickled; make a new one with state={state!r}")


ChartMeta.reserved = frozenset({*dir(Chart), *Chart.__annotations__, REPORT})

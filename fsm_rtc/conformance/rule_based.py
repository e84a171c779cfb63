"""machine_test: a Hypothesis rule-based machine that holds any implementation of a protocol to the protocol's chart.

    TestDoor = machine_test(DoorChart, DoorDriver).TestCase

The chart is the oracle: what its table accepts the system must accept, and be where the table says; what it refuses the
system must refuse, and stay where it is. Hypothesis finds an order of events in which they differ, and shrinks it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, ClassVar, Protocol

from hypothesis import strategies as st
from hypothesis.errors import UnsatisfiedAssumption
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fsm_rtc.conformance.reads_event import reads_event
from fsm_rtc.engine import Accepted, Chart
from fsm_rtc.errors import ConformanceError, Reason, Rejected, UnknownTriggerError, sentence_of

__all__ = ["Driver", "machine_test"]


class Driver(Protocol):
    """What drives the system under test: one for each example, made without arguments.

    Each method may be a coroutine function; then they run in one event loop per example.
    """

    def fire(self, trigger: str, event: Any) -> Any:
        """Do on the system what the trigger stands for; raise if the system refuses it."""

    def state(self) -> Any:
        """The state the system is in, as the chart's states are written, or a member of an enum with such values."""

    def stop(self) -> Any:
        """Let the system go."""


def machine_test(
    chart: type[Chart[Any, Any]],
    driver: Callable[[], Driver],
    *,
    payloads: Mapping[str, st.SearchStrategy[Any]] | None = None,
    context: Callable[[Driver], Any] | None = None,
) -> type[RuleBasedStateMachine]:
    """A Hypothesis state machine; its ``TestCase`` is collected by pytest and unittest.

    Args:
        chart: the protocol's table.
        driver: makes what drives a fresh system.
        payloads: by trigger, what its event may be; a trigger without is fired without an event. One whose guards or
            checks read the event must have a strategy.
        context: makes the chart's context, from the driver: what the guards read; a view of the system, say.

    Raises:
        UnknownTriggerError: `payloads` names a trigger that the chart doesn't have.
        ConformanceError: `payloads` lacks a trigger whose event is read.
    """
    given = dict(payloads or {})
    if unknown := sorted(given.keys() - chart.chart.triggers.keys()):
        known = ", ".join(chart.chart.triggers)
        raise UnknownTriggerError(f"{chart.__name__} has no trigger {', '.join(unknown)}; it has {known}")
    _assert_given(chart, given)

    class Machine(_Machine):
        _setup = _Setup(chart, driver, context, frozenset(given))

    for name in chart.chart.triggers:
        # Hypothesis has methods of its own, such as teardown; a trigger of that name must not take their place.
        attribute = name
        while hasattr(Machine, attribute):
            attribute += "_"
        setattr(Machine, attribute, _rule(name, attribute, given.get(name, st.none())))
    Machine.__name__ = Machine.__qualname__ = f"{chart.__name__}Test"
    Machine.TestCase.__name__ = Machine.TestCase.__qualname__ = Machine.__name__
    return Machine


@dataclass(frozen=True, slots=True)
class _Setup:
    """What one call of `machine_test` was given; `given` are the triggers that have a strategy."""

    chart: type[Chart[Any, Any]]
    driver: Callable[[], Driver]
    context: Callable[[Driver], Any] | None
    given: frozenset[str]


class _Machine(RuleBasedStateMachine):
    """The chart and the system, side by side; `machine_test` adds a rule for each trigger."""

    _setup: ClassVar[_Setup]

    def __init__(self) -> None:
        super().__init__()
        setup = self._setup
        self._loop: asyncio.Runner | None = None
        self._driver = setup.driver()
        self._machine = setup.chart(setup.context(self._driver) if setup.context is not None else None)
        self._has_begun = False

    def _call(self, method: Callable[..., Any], *arguments: Any) -> Any:
        answer = method(*arguments)
        if not inspect.isawaitable(answer):
            return answer
        if self._loop is None:
            self._loop = asyncio.Runner()

        async def awaited() -> Any:
            return await answer

        return self._loop.run(awaited())

    def _state(self) -> str:
        state = self._call(self._driver.state)
        return str(state.value if isinstance(state, Enum) else state)

    @invariant()
    def _begins_where_the_chart_does(self) -> None:
        if self._has_begun:
            return
        self._has_begun = True
        chart, state, initial = self._setup.chart, self._state(), self._machine.state.value
        if state != initial:
            raise AssertionError(
                f"{chart.__name__}: before anything was done\n  expected: {initial!r}\n"
                f"  observed: {_named(chart, state)}\n  the rule: initial = {initial!r}"
            )

    def _step(self, trigger: str, event: Any) -> None:
        chart, before = self._setup.chart, self._machine.state
        try:
            outcome: Any = self._machine.fire(trigger, event)
        except (AttributeError, TypeError) as error:
            if event is None and trigger not in self._setup.given:
                raise ConformanceError(
                    f"{chart.__name__}.{trigger} needs an event ({error}); give payloads a strategy for it"
                ) from error
            raise
        try:
            self._call(self._driver.fire, trigger, event)
            refusal = None
        except UnsatisfiedAssumption:
            raise
        except Exception as error:
            refusal = error
        _compare(chart, before, trigger, outcome, refusal, self._state())

    def teardown(self) -> None:
        try:
            self._call(self._driver.stop)
        finally:
            if self._loop is not None:
                self._loop.close()


def _assert_given(chart: type[Chart[Any, Any]], given: Mapping[str, object]) -> None:
    """Fired without an event, such a trigger would be refused each time, and what lies behind it never tried."""
    table = chart.chart
    for name, trigger in table.triggers.items():
        guards = [guard for state in table.states for row in table.rows(name, state) for guard in row.when]
        reading = next((one for one in (*trigger.checks, *guards) if reads_event(one)), None)
        if name not in given and reading is not None:
            raise ConformanceError(
                f"{chart.__name__}.{name} needs an event, which {reading.__name__} reads; give payloads a strategy for "
                f"{name!r}, or hypothesis.strategies.none() if it is always fired without"
            )


def _rule(trigger: str, attribute: str, events: st.SearchStrategy[Any]) -> Any:
    def step(self: Any, event: Any) -> None:
        self._step(trigger, event)

    step.__name__ = step.__qualname__ = attribute
    return rule(event=events)(step)


def _compare(
    chart: type[Chart[Any, Any]],
    before: StrEnum,
    trigger: str,
    outcome: Accepted | Rejected,
    refusal: Exception | None,
    after: str,
) -> None:
    """Fail if the system did otherwise than the table."""
    did = "accepted" if refusal is None else f"refused with {type(refusal).__name__}"
    if isinstance(outcome, Accepted):
        target = outcome.target.value
        should, is_as_it_should = f"accepted, {target!r}", refusal is None and after == target
    else:
        should = f"refused ({outcome.explanation or outcome.reason.value}), still {before.value!r}"
        is_as_it_should = after == before.value and (refusal is not None or outcome.reason is Reason.ALREADY)
    if not is_as_it_should:
        said = _rule_of(chart, before, trigger, outcome)
        raise AssertionError(
            f"{chart.__name__}: {trigger} in {before.value!r}\n  expected: {should}\n"
            f"  observed: {did}, {_named(chart, after)}" + (f"\n  the rule: {said}" if said else "")
        ) from refusal


def _named(chart: type[Chart[Any, Any]], state: str) -> str:
    """A state of the system, with the chart's own if it is none of them: most likely a matter of spelling."""
    states = [one.value for one in chart.chart.states]
    return repr(state) if state in states else f"{state!r}, which is no state of the chart ({', '.join(states)})"


def _rule_of(chart: type[Chart[Any, Any]], before: StrEnum, trigger: str, outcome: Accepted | Rejected) -> str:
    """What the table says here: the sentences that allowed it, and the source; a refusal has its sentence already."""
    declared = chart.chart.triggers[trigger]
    if isinstance(outcome, Accepted):
        sentences = [sentence_of(one) for one in (*declared.checks, *outcome.row.when)]
        return "; ".join(filter(None, [*sentences, outcome.row.cite]))
    rows = chart.chart.rows(trigger, before) if outcome.reason is Reason.GUARD else ()
    return rows[0].cite if rows else declared.cite

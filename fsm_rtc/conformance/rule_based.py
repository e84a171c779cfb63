"""machine_test: a Hypothesis rule-based machine that holds any implementation of a protocol to the protocol's chart.

    TestDoor = machine_test(DoorChart, DoorDriver).TestCase

The chart is the oracle: what its table accepts the system must accept, and be where the table says; what it refuses the
system must refuse, and stay where it is. Hypothesis finds an order of events in which they differ, and shrinks it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from fsm_rtc.engine import Accepted, Chart
from fsm_rtc.errors import ConformanceError, Reason, Rejected, UnknownTriggerError

__all__ = ["Driver", "machine_test"]


class Driver(Protocol):
    """What drives the system under test: one for each example, made without arguments.

    Each method may be a coroutine function; then they run in one event loop per example.
    """

    def fire(self, trigger: str, event: Any) -> Any:
        """Do on the system what the trigger stands for; raise if the system refuses it."""

    def state(self) -> Any:
        """The state the system is in, as the chart's states are written."""

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
        payloads: by trigger, what its event may be; a trigger without is fired without an event.
        context: makes the chart's context, from the driver: what the guards read; a view of the system, say.

    Raises:
        UnknownTriggerError: `payloads` names a trigger that the chart doesn't have.
    """
    given = dict(payloads or {})
    if unknown := sorted(given.keys() - chart.chart.triggers.keys()):
        known = ", ".join(chart.chart.triggers)
        raise UnknownTriggerError(f"{chart.__name__} has no trigger {', '.join(unknown)}; it has {known}")

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self._loop: asyncio.Runner | None = None
            self._driver = driver()
            self._machine = chart(context(self._driver) if context is not None else None)

        def _call(self, method: Callable[..., Any], *arguments: Any) -> Any:
            answer = method(*arguments)
            if not inspect.isawaitable(answer):
                return answer
            if self._loop is None:
                self._loop = asyncio.Runner()

            async def awaited() -> Any:
                return await answer

            return self._loop.run(awaited())

        def _step(self, trigger: str, event: Any) -> None:
            machine, before = self._machine, self._machine.state
            try:
                outcome: Any = machine.fire(trigger, event)
            except (AttributeError, TypeError) as error:
                if event is None and trigger not in given:
                    raise ConformanceError(
                        f"{chart.__name__}.{trigger} needs an event ({error}); give payloads a strategy for it"
                    ) from error
                raise
            try:
                self._call(self._driver.fire, trigger, event)
                refusal = None
            except Exception as error:
                refusal = error
            _compare(chart, before.value, trigger, outcome, refusal, str(self._call(self._driver.state)))

        def teardown(self) -> None:
            try:
                self._call(self._driver.stop)
            finally:
                if self._loop is not None:
                    self._loop.close()

    for name in chart.chart.triggers:
        setattr(Machine, name, _rule(name, given.get(name, st.none())))
    Machine.__name__ = Machine.__qualname__ = f"{chart.__name__}Test"
    Machine.TestCase.__name__ = Machine.TestCase.__qualname__ = Machine.__name__
    return Machine


def _rule(trigger: str, events: st.SearchStrategy[Any]) -> Any:
    def step(self: Any, event: Any) -> None:
        self._step(trigger, event)

    step.__name__ = step.__qualname__ = trigger
    return rule(event=events)(step)


def _compare(
    chart: type[Chart[Any, Any]],
    before: str,
    trigger: str,
    outcome: Accepted | Rejected,
    refusal: Exception | None,
    after: str,
) -> None:
    """Fail if the system did otherwise than the table."""
    cite = chart.chart.triggers[trigger].cite
    did = "accepted" if refusal is None else f"refused with {type(refusal).__name__}"
    if isinstance(outcome, Accepted):
        target = outcome.target.value
        should, is_as_it_should = f"accepted, {target!r}", refusal is None and after == target
    else:
        should = f"refused ({outcome.explanation or outcome.reason.value}), still {before!r}"
        is_as_it_should = after == before and (refusal is not None or outcome.reason is Reason.ALREADY)
    if not is_as_it_should:
        raise AssertionError(
            f"{chart.__name__}: {trigger} in {before!r}\n  expected: {should}\n  observed: {did}, {after!r}"
            + (f"\n  the rule: {cite}" if cite else "")
        ) from refusal

"""machine_test: holds any implementation of a protocol to the protocol's chart, cell by cell and in random orders.

    TestDoor = machine_test(DoorChart, DoorDriver).TestCase

The chart is the oracle: what its table accepts the system must accept, and be where the table says; what it refuses the
system must refuse, and stay where it is. The test first tries every cell of the table by its shortest way; then
Hypothesis looks for an order of events in which they differ, and shrinks it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, TypeVar

import hypothesis
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from fsm_rtc.conformance.chart_coverage import ChartCoverage
from fsm_rtc.conformance.coverage_report import note_coverage
from fsm_rtc.conformance.driver import StackDriver
from fsm_rtc.conformance.every_cell import fresh, walk_every_cell
from fsm_rtc.conformance.reads_event import reads_event
from fsm_rtc.conformance.side_by_side import ComparedStep, Setup, SideBySide, Wait, Way
from fsm_rtc.engine import Chart
from fsm_rtc.errors import ConformanceError, UnknownTriggerError

__all__ = ["machine_test"]

D = TypeVar("D", bound=StackDriver)

MORE_STEPS = 2
"""One step of this many that the random orders make is added for cells that are hard to reach."""


def machine_test(
    chart: type[Chart[Any, Any]],
    driver: Callable[[], D],
    *,
    payloads: Mapping[str, st.SearchStrategy[Any]] | None = None,
    context: Callable[[D], Any] | None = None,
) -> type[RuleBasedStateMachine]:
    """A Hypothesis state machine; its ``TestCase`` is collected by pytest and unittest.

    The ``TestCase`` first tries every cell of the table that it finds a way to, the same ones each time, with events
    drawn from `payloads`, and a new system for each way. For cells that are hard to reach it goes on for up to half
    of the steps that Hypothesis' settings allow the random orders, which follow. Without ``Phase.explicit`` in the
    settings' phases there are only these. What couldn't be tried is named at the end of a pytest run; elsewhere it is a
    warning.

    Args:
        chart: the protocol's table.
        driver: makes what drives a fresh system. If it has ``effects``, the system's requests are compared; if the
            chart has timers it needs ``advance``. See `StackDriver`.
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
    coverage = ChartCoverage(chart, getattr(driver, "__name__", type(driver).__name__))

    class Machine(_RuleMachine):
        _setup = Setup(chart, driver, context, frozenset(given), coverage)
        _payloads = given
        _attributes: ClassVar[dict[str, str]] = {}
        _ways: ClassVar[list[Way]] = []
        begin_again = _again_rule(_ways)

    for wait in Wait if chart.chart.timers else ():
        setattr(Machine, wait.value, _wait_rule(wait))
    for name in Machine._setup.triggers:
        # Hypothesis has methods of its own, such as teardown; a trigger of that name must not take their place.
        attribute = name
        while hasattr(Machine, attribute):
            attribute += "_"
        Machine._attributes[name] = attribute
        setattr(Machine, attribute, _rule(name, attribute, given.get(name, st.none())))
    Machine.__name__ = Machine.__qualname__ = f"{chart.__name__}Test"
    return Machine


class _TestCaseOfMachine:
    """In the place of Hypothesis' own: the test case that tries every cell before the random orders."""

    def __get__(self, machine: object, cls: type[_RuleMachine]) -> type[Any]:
        return _test_case(cls)


@cache
def _test_case(machine: type[_RuleMachine]) -> type[Any]:
    orders: type[Any] = vars(RuleBasedStateMachine)["TestCase"].__get__(None, machine)

    class TestCase(orders):  # type: ignore[misc]
        def runTest(self) -> None:  # noqa: N802
            phases = self.settings.phases
            note_coverage(machine._setup.coverage)
            if Phase.explicit in phases:
                machine._try_every_cell(self.settings)
            if Phase.explicit not in phases or {Phase.reuse, Phase.generate} & set(phases):
                super().runTest()
            machine._warn_of_missing_cells()

    TestCase.runTest.__dict__.update(vars(orders.runTest))
    TestCase.__name__ = TestCase.__qualname__ = machine.__name__
    return TestCase


class _RuleMachine(RuleBasedStateMachine):
    """The chart and the system, side by side; `machine_test` adds a rule for each trigger."""

    TestCase = _TestCaseOfMachine()
    _setup: ClassVar[Setup]
    _payloads: ClassVar[Mapping[str, st.SearchStrategy[Any]]]
    _attributes: ClassVar[dict[str, str]]
    _ways: ClassVar[list[Way]]

    def __init__(self) -> None:
        super().__init__()
        self._side = SideBySide(self._setup)

    def _do(self, step: ComparedStep) -> None:
        for cell in self._side.do(step):
            hypothesis.event(cell)

    def _begin_again(self, after: _After) -> None:
        self._side.stop()
        self._side = SideBySide(self._setup)
        for step in after.way:
            self._do(ComparedStep(step.name, fresh(step.event)))

    def teardown(self) -> None:
        self._side.stop()

    @classmethod
    def _try_every_cell(cls, settings: hypothesis.settings) -> None:
        more = settings.max_examples * settings.stateful_step_count // MORE_STEPS
        cls._ways[:] = walk_every_cell(cls._setup, cls._payloads, more_steps=more, written=cls._written)

    @classmethod
    def _written(cls, steps: tuple[ComparedStep, ...]) -> str:
        """An order of events as Hypothesis writes it."""
        lines = [
            f"state.{step.name}()"
            if isinstance(step.name, Wait)
            else f"state.{cls._attributes[step.name]}(event={step.event!r})"
            for step in steps
        ]
        return "\n".join([f"state = {cls.__name__}()", *lines, "state.teardown()"])

    @classmethod
    def _warn_of_missing_cells(cls) -> None:
        report = cls._setup.coverage.report()
        if report.missing and "PYTEST_CURRENT_TEST" not in os.environ:
            warnings.warn("\n  ".join([report.line(), *report.missing]), stacklevel=2)


def _assert_given(chart: type[Chart[Any, Any]], given: Mapping[str, object]) -> None:
    """Fired without an event, such a trigger would be refused each time, and what lies behind it never tried."""
    table = chart.chart
    for name, trigger in table.triggers.items():
        guards = [guard for state in table.states for row in table.rows(name, state) for guard in row.when]
        reading = next((one for one in (*trigger.checks, *guards) if reads_event(one)), None)
        if name not in given and name not in table.timers and reading is not None:
            raise ConformanceError(
                f"{chart.__name__}.{name} needs an event, which {reading.__name__} reads; give payloads a strategy for "
                f"{name!r}, or hypothesis.strategies.none() if it is always fired without"
            )


def _rule(trigger: str, attribute: str, events: st.SearchStrategy[Any]) -> Any:
    def step(self: Any, event: Any) -> None:
        self._do(ComparedStep(trigger, event))

    step.__name__ = step.__qualname__ = attribute
    return rule(event=events)(step)


def _wait_rule(wait: Wait) -> Any:
    def step(self: Any) -> None:
        self._do(ComparedStep(wait))

    step.__name__ = step.__qualname__ = wait.value
    return precondition(lambda self: self._side.can_wait(wait))(rule()(step))


def _again_rule(ways: list[Way]) -> Any:
    """A new system, brought at once to one of the places that the walk found: left alone, few orders come far."""

    def begin_again(self: Any, after: _After) -> None:
        self._begin_again(after)

    places = st.deferred(lambda: st.sampled_from([_After(way) for way in ways]))
    return precondition(lambda self: bool(ways))(rule(after=places)(begin_again))


class _After:
    def __init__(self, way: Way) -> None:
        self.way = way

    def __repr__(self) -> str:
        return f"[{', '.join(f'{step.name}({step.event!r})' for step in self.way)}]"

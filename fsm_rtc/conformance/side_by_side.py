"""SideBySide: a chart and a system that get the same events and the same time, compared after each."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, NamedTuple

from hypothesis.errors import UnsatisfiedAssumption

from fsm_rtc.conformance.chart_coverage import ChartCoverage
from fsm_rtc.conformance.comparing import Seen, compare_event, compare_start, compare_time
from fsm_rtc.conformance.driver import StackDriver
from fsm_rtc.engine import Chart, Row
from fsm_rtc.errors import ConformanceError, Rejected

__all__ = ["Setup", "SideBySide", "ComparedStep", "Wait", "Way"]

BEFORE_SECONDS = 0.001
"""How long before a deadline the system is looked at for the last time; not, for what is due almost at once."""

PAST_SECONDS = 1e-6
"""So much more time passes at the first deadline that is waited for, twice as much at the second, and so on: sums of
floats differ in the last bits, and a system that looks at its timers now and then arms the next one a little later than
the chart, which is ticked at the deadline itself."""

ROUNDS_AT_ONCE = 100


class Wait(StrEnum):
    """Steps in which time passes."""

    BEFORE = "wait_until_just_before_timeout"
    UNTIL = "wait_until_timeout"


class ComparedStep(NamedTuple):
    """One step.

    Attributes:
        name: a trigger, or a `Wait`.
        event: the trigger's payload.
    """

    name: str
    event: Any = None


Way = tuple[ComparedStep, ...]
"""Steps from the beginning."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What one call of `machine_test` was given; `given` are the triggers that have a strategy."""

    chart: type[Chart[Any, Any]]
    driver: Callable[[], StackDriver]
    context: Callable[[Any], Any] | None
    given: frozenset[str]
    coverage: ChartCoverage

    @property
    def triggers(self) -> tuple[str, ...]:
        """The triggers that are fired; time does the others."""
        table = self.chart.chart
        return tuple(name for name in table.triggers if name not in table.timers)


class SideBySide:
    """A new machine of the chart, and a new system.

    Args:
        setup: what they are made of.

    Raises:
        ConformanceError: the chart has timers, and the driver can't let time pass.
        AssertionError: the system begins elsewhere than the chart.
    """

    def __init__(self, setup: Setup) -> None:
        chart = setup.chart
        self._setup = setup
        self._loop: asyncio.Runner | None = None
        self._now = 0.0
        self._past = 0.0
        self._driver = setup.driver()
        self._tells_effects = hasattr(self._driver, "effects")
        timers = chart.chart.timers
        if timers and not hasattr(self._driver, "advance"):
            told = ", ".join(f"{name} {timer.describe()}" for name, timer in timers.items())
            raise ConformanceError(
                f"{chart.__name__} has timers ({told}), so its driver needs advance(seconds), which lets so much time "
                "pass for the system: on a clock that is set by hand, or a loop whose time is"
            )
        self._longest = max((timer.after for timer in timers.values() if not callable(timer.after)), default=0.0)
        timing: dict[str, Any] = {"clock": lambda: self._now, "uniform": lambda low, high: high} if timers else {}
        context = setup.context(self._driver) if setup.context is not None else None
        self._machine: Chart[Any, Any] = chart(context, **timing)
        try:
            compare_start(chart, self._machine.state, self._look(None))
        except BaseException:
            self.stop()
            raise

    def do(self, step: ComparedStep) -> list[str]:
        """Do a step on both, and fail if they differ; the cells of the table that were tried, in words."""
        return self._wait(step.name) if isinstance(step.name, Wait) else self._fire(step.name, step.event)

    def stop(self) -> None:
        """Let the system go."""
        try:
            self._call(self._driver.stop)
        finally:
            if self._loop is not None:
                self._loop.close()

    # What the chart knows.

    @property
    def state(self) -> StrEnum:
        """Where both are."""
        return self._machine.state  # type: ignore[no-any-return]

    @property
    def context(self) -> Any:
        """What the guards read."""
        return self._machine.context

    def remaining(self) -> dict[str, float]:
        """The timers that run, and how many seconds they have left."""
        return {name: round(due - self._now, 6) for name, due in self._machine.armed().items()}

    def can_wait(self, wait: Wait) -> bool:
        """Whether there is anything to wait for: a timer, or that none comes too late."""
        due = self._machine.next_timeout()
        if wait is Wait.BEFORE:
            return due is not None and due - self._now > 2 * BEFORE_SECONDS
        return due is not None or self._longest > 0

    def verdict(self, trigger: str, event: object) -> Row[Any, Any, Any] | Rejected:
        """What the chart would say; nothing is changed."""
        return self._on_chart(self._machine.permits, trigger, event)  # type: ignore[no-any-return]

    def _on_chart(self, method: Callable[[str, object], Any], trigger: str, event: object) -> Any:
        try:
            return method(trigger, event)
        except (AttributeError, TypeError) as error:
            if event is None and trigger not in self._setup.given:
                raise ConformanceError(
                    f"{self._setup.chart.__name__}.{trigger} needs an event ({error}); give payloads a strategy for it"
                ) from error
            raise

    # Steps.

    def _fire(self, trigger: str, event: object) -> list[str]:
        before = self._machine.state
        outcome = self._on_chart(self._machine.fire, trigger, event)
        refusal = None
        try:
            self._call(self._driver.fire, trigger, event)
        except UnsatisfiedAssumption:
            raise
        except Exception as error:
            refusal = error
        compare_event(self._setup.chart, before, trigger, outcome, self._look(refusal))
        return [self._setup.coverage.saw(before, trigger, outcome)]

    def _wait(self, wait: Wait) -> list[str]:
        machine, before, began = self._machine, self._machine.state, self._now
        due = machine.next_timeout()
        if due is None:
            self._now += self._longest
        elif wait is Wait.UNTIL:
            self._now = due
        else:
            self._now = due - BEFORE_SECONDS
        self._longest = max(self._longest, self._now - began)
        waited, outcomes = self._now - began, self._due_now()
        if due is not None and wait is Wait.UNTIL:
            self._past += PAST_SECONDS
            self._now += self._past  # for both: when the system heard something is a time of the chart's too
        self._call(self._driver.advance, self._now - began)  # type: ignore[attr-defined]
        waits = [f"{name} is due in {seconds:g} s" for name, seconds in self.remaining().items()]
        said = ", ".join(waits) or "no timer runs in this state"
        compare_time(self._setup.chart, before, waited, outcomes, machine.state, said, self._look(None))
        coverage = self._setup.coverage
        if due is None:
            return [coverage.saw(before, name, None) for name in self._setup.chart.chart.timers]
        return [coverage.saw(outcome.source, outcome.trigger, outcome) for outcome in outcomes]

    def _due_now(self) -> list[Any]:
        """What the chart's timers fire at this time, those of no seconds too."""
        fired: list[Any] = []
        for _ in range(ROUNDS_AT_ONCE):
            due = self._machine.next_timeout()
            if due is None or due > self._now:
                return fired
            fired.extend(self._machine.tick(self._now))
        raise ConformanceError(
            f"{self._setup.chart.__name__}: its timers fire without end at one time; give {fired[-1].trigger} an after "
            "above 0"
        )

    def _look(self, refusal: Exception | None) -> Seen:
        state = self._call(self._driver.state)
        effects = tuple(self._call(self._driver.effects)) if self._tells_effects else None  # type: ignore[attr-defined]
        return Seen(str(state.value if isinstance(state, Enum) else state), refusal, effects)

    def _call(self, method: Callable[..., Any], *arguments: Any) -> Any:
        answer = method(*arguments)
        if not inspect.isawaitable(answer):
            return answer
        if self._loop is None:
            self._loop = asyncio.Runner()

        async def awaited() -> Any:
            return await answer

        return self._loop.run(awaited())

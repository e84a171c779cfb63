"""The machines that belong together: made by one engine, labelled, watched by one journal, released together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fsm_rtc.bridge import chart_class
from fsm_rtc.engine import Accepted, Chart, Clock, Journal
from fsm_rtc.errors import Rejected

ChartT = TypeVar("ChartT", bound=Chart[Any, Any])


class MachineSet:
    """Makes machines and remembers them.

    Args:
        label: the owner's label; a machine's is this, a dot and its name.
        generation: of which peer connection the machines are.
        engine: ``compiled`` or ``transitions``.
        journal: watches each machine, or None.

    Raises:
        UnknownEngineError: there is no such engine.
    """

    def __init__(self, label: str, *, generation: int, engine: str, journal: Journal | None) -> None:
        self._label = label
        self._generation = generation
        self._engine = engine
        self._journal = journal
        self._machines: dict[str, Chart[Any, Any]] = {}
        self._made: Counter[str] = Counter()
        self._unwatch: dict[str, Callable[[], None]] = {}

    def make(
        self,
        chart: type[ChartT],
        name: str,
        context: object = None,
        *,
        clock: Clock | None = None,
        uniform: Callable[[float, float], float] | None = None,
    ) -> ChartT:
        """A machine in its initial state, watched from its first event on.

        Args:
            chart: its table.
            name: behind the owner's label.
            context: what its guards read.
            clock: of one with timers.
            uniform: draws the times of timers with jitter.
        """
        label = f"{self._label}.{name}"
        made = chart_class(chart, self._engine)
        machine = made(context, generation=self._generation, clock=clock, uniform=uniform)
        self._machines[label] = machine
        if self._journal is not None:
            self._unwatch[label] = self._journal.watch(machine, label)
        return machine

    def numbered(self, name: str, mark: str = "#") -> str:
        """A name that none of them has had: the name itself, and from the second time on a number behind it."""
        self._made[name] += 1
        return name if self._made[name] == 1 else f"{name}{mark}{self._made[name]}"

    def by_label(self) -> Mapping[str, Chart[Any, Any]]:
        """Every machine that is not forgotten."""
        return dict(self._machines)

    def label_of(self, machine: Chart[Any, Any]) -> str:
        """The label of one of them."""
        return next(label for label, one in self._machines.items() if one is machine)

    def forget(self, *names: str) -> None:
        """Let go of machines that have come to their end."""
        for name in names:
            label = f"{self._label}.{name}"
            self._machines.pop(label, None)
            if (unwatch := self._unwatch.pop(label, None)) is not None:
                unwatch()

    def forget_one(self, machine: Chart[Any, Any]) -> None:
        """Let go of one of them."""
        self.forget(self.label_of(machine).removeprefix(f"{self._label}."))

    def release(self) -> None:
        """Let the journal watch no longer."""
        for unwatch in self._unwatch.values():
            unwatch()
        self._unwatch.clear()


def carry_out(machine: Chart[Any, Any], handlers: Mapping[type[object], Callable[[Any], object]]) -> None:
    """Do what a machine asks for, from now on: call the handler of each effect's type, where there is one."""

    def moved(_: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
        for effect in outcome.effects if isinstance(outcome, Accepted) else ():
            if (handler := handlers.get(type(effect))) is not None:
                handler(effect)

    machine.observe(moved)

"""Which mutants are no change at all, so that no test could tell them from the original.

A chart's: the compiled table is the same, as where an `Observed` chart's reports are idempotent whatever is written.
A timer's scope, `reenters` and the effects of states are looked for in the cells, where they do something or not. A
derived table's: it gives the same answer to every input. Transports are told apart by no rule, so all sets of up to
three cover every condition that a rule can make.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from enum import StrEnum
from itertools import combinations_with_replacement, product
from random import Random
from typing import Any, TypeVar

from fsm_rtc.engine import Chart
from fsm_rtc.machines.call_status import CallFacts
from fsm_rtc.machines.connection_state import TransportStates
from fsm_rtc.machines.dtls import DtlsTransportState
from fsm_rtc.machines.gathering import IceGatheringState
from fsm_rtc.machines.ice import IceTransportState
from tests.mutation.mutants import AnyChart, AnyDerived

E = TypeVar("E", bound=StrEnum)

MOST_FACTS = 6000


def behaviour_of(cls: AnyChart | AnyDerived) -> object:
    """What a mutant must change to be one."""
    if issubclass(cls, Chart):
        errors = [trigger.error for trigger in cls.chart.triggers.values()]
        seconds = [timer.after for timer in cls.chart.timers.values()]
        return rows_of(cls), errors, seconds, [*steps_of(cls)], [timers_of(cls, state) for state in cls.chart.states]
    return [cls.of(inputs) for inputs in inputs_of(cls.__name__)]


def rows_of(cls: AnyChart) -> str:
    """The table's text without what is seen in the steps alone."""
    text = re.sub(r" per=\w+| reenters$", "", cls.chart.text(), flags=re.MULTILINE)
    return re.sub(r"^(entry|exit) .*\n", "", text, flags=re.MULTILINE)


def steps_of(cls: AnyChart) -> Iterator[object]:
    """What each row asks for from each of its states, and which timers then run on, or begin."""
    for place in cls._places.values():
        for cell in (cell for cells in place.cells for cell in cells):
            effects = cls.chart.effects(cell.row, cell.accepted.source)
            if (arming := cell.arming) is None:
                yield effects
            else:
                names = timers_of(cls, place.state) & timers_of(cls, cell.place.state)
                kept = names if arming.keeps is None else {n for n in names if cls._indices[n] in arming.keeps}
                yield effects, kept, [timer.trigger for timer in arming.arms]


def timers_of(cls: AnyChart, state: StrEnum) -> set[str]:
    """The timers that may run in a state."""
    return {timer.trigger for timer in cls._timers_of[state]}


def inputs_of(machine: str) -> Iterator[object]:
    """Every input of a derived table, by its class name."""
    if machine == "IceGathering":
        return iter(up_to_three(IceGatheringState))
    if machine in ("CallProgress", "CallPhase"):
        return facts_of_calls()
    return (
        TransportStates(closed, ice, dtls)
        for closed, ice, dtls in product((False, True), up_to_three(IceTransportState), up_to_three(DtlsTransportState))
    )


def facts_of_calls() -> Iterator[CallFacts]:
    """Some thousand, the same ones each time: all would be too many. Half of what one says is as it is at first."""
    random, first = Random(0), CallFacts()
    for _ in range(MOST_FACTS):
        drawn: dict[str, Any] = {}
        for field in fields(CallFacts):
            value = getattr(first, field.name)
            if random.random() < 0.5:
                continue
            if isinstance(value, bool):
                drawn[field.name] = random.random() < 0.5
            elif isinstance(value, StrEnum):
                drawn[field.name] = random.choice([*type(value)])
            else:
                drawn[field.name] = frozenset(random.choice(up_to_three(DtlsTransportState)))
        yield CallFacts(**drawn)


def up_to_three(states: type[E]) -> list[tuple[E, ...]]:
    """All choices of none to three states, in order."""
    return [choice for count in range(4) for choice in combinations_with_replacement(states, count)]

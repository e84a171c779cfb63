"""Which mutants are no change at all, so that no test could tell them from the original.

A chart's: the compiled table is the same, as where an `Observed` chart's reports are idempotent whatever is written. A
derived table's: it gives the same answer to every input. Transports are told apart by no rule, so all sets of up to
three cover every condition that a rule can make.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import combinations_with_replacement, product
from typing import TypeVar

from fsm_rtc.engine import Chart
from fsm_rtc.machines.connection_state import TransportStates
from fsm_rtc.machines.dtls import DtlsTransportState
from fsm_rtc.machines.gathering import IceGatheringState
from fsm_rtc.machines.ice import IceTransportState
from tests.mutation.mutants import AnyChart, AnyDerived

E = TypeVar("E", bound=StrEnum)


def behaviour_of(cls: AnyChart | AnyDerived) -> object:
    """What a mutant must change to be one."""
    if issubclass(cls, Chart):
        return cls.chart.text(), [trigger.error for trigger in cls.chart.triggers.values()]
    return [cls.of(inputs) for inputs in inputs_of(cls.__name__)]


def inputs_of(machine: str) -> Iterator[object]:
    """Every input of a derived table, by its class name."""
    if machine == "IceGathering":
        return iter(up_to_three(IceGatheringState))
    return (
        TransportStates(closed, ice, dtls)
        for closed, ice, dtls in product((False, True), up_to_three(IceTransportState), up_to_three(DtlsTransportState))
    )


def up_to_three(states: type[E]) -> list[tuple[E, ...]]:
    """All choices of none to three states, in order."""
    return [choice for count in range(4) for choice in combinations_with_replacement(states, count)]

"""Which mutants of a derived table give the same answer to every input, so that no test could tell them apart.

Transports are told apart by no rule, so all sets of up to three cover every condition that a rule can make.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import combinations_with_replacement, product
from typing import TypeVar

from fsm_rtc.machines.connection_state import TransportStates
from fsm_rtc.machines.dtls import DtlsTransportState
from fsm_rtc.machines.gathering import IceGatheringState
from fsm_rtc.machines.ice import IceTransportState

E = TypeVar("E", bound=StrEnum)


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

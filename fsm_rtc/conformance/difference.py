"""Difference: one thing that a stack did otherwise than the tables, in one sequence."""

from __future__ import annotations

from dataclasses import dataclass

from fsm_rtc.conformance.findings import Kind

__all__ = ["Difference", "Key"]

Key = tuple[str, str, str, Kind, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """What was expected and what was observed.

    Attributes:
        machine: the chart's name in the registry.
        state: the state in which it happened.
        operation: what was done.
        expected: what the table says, in words.
        observed: what the stack did, in words.
        kind: how grave it is.
        source: the passage.
        rule: the sentence of the guard or rule, or empty.
    """

    machine: str
    state: str
    operation: str
    expected: str
    observed: str
    kind: Kind
    source: str
    rule: str = ""

    @property
    def key(self) -> Key:
        """What makes two of them the same finding."""
        return (self.machine, self.state, self.operation, self.kind, self.observed)

"""What a run says about a stack, and how it is written down: one list, one object a stack."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from fsm_rtc.errors import ConformanceError

__all__ = [
    "FindingCell",
    "CellVerdict",
    "Coverage",
    "FindingEdge",
    "Finding",
    "Kind",
    "StackReport",
    "read_reports",
    "write_reports",
]


class Kind(StrEnum):
    """How a stack differs, the gravest first."""

    CRASH = "crash"
    HANG = "hang"
    VERDICT = "verdict"
    STATE = "state"
    ERROR = "error"
    EVENT = "event"
    INEXPRESSIBLE = "inexpressible"


class CellVerdict(StrEnum):
    """What is known of one cell, (machine, state, operation)."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNREACHABLE = "unreachable"
    INEXPRESSIBLE = "inexpressible"
    NOT_TRIED = "not tried"


class FindingCell(msgspec.Struct, frozen=True):
    """One operation in one state of one machine.

    Attributes:
        machine: the chart's name in the registry, e.g. ``negotiation``.
        state: the specification's string.
        operation: e.g. ``setLocalDescription(rollback)``.
        verdict: what came of it.
    """

    machine: str
    state: str
    operation: str
    verdict: CellVerdict


class FindingEdge(msgspec.Struct, frozen=True):
    """A change of state that was observed.

    Attributes:
        machine: the chart's name in the registry.
        source: the state before.
        target: the state after.
        times: how often.
        is_legal: whether the table has it for what caused it, each time.
    """

    machine: str
    source: str
    target: str
    times: int
    is_legal: bool


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a stack leaves the specification.

    Attributes:
        machine: the chart's name in the registry, e.g. ``negotiation``.
        state: the state in which it happens, as the specification writes it.
        operation: what was done, e.g. ``setLocalDescription(rollback)``.
        expected: what the table says, in words.
        observed: what the stack did, in words.
        kind: how grave it is.
        sequence: the shortest sequence of steps that shows it; the last one is the operation.
        reproduced: how many of the reruns showed it again, e.g. ``10/10``.
        source: the passage of the specification.
        rule: the sentence of the guard or row that is broken, or empty.
        reading: what the specification's text says, read for this kind of finding; empty if nobody has read it yet.
        note: what else is known: that it is flaky and why, or a deviation that the stack declares.
        is_deterministic: whether the enumeration of all cells found it, rather than a random ordering.
    """

    machine: str
    state: str
    operation: str
    expected: str
    observed: str
    kind: Kind
    sequence: tuple[str, ...]
    reproduced: str
    source: str
    rule: str = ""
    reading: str = ""
    note: str = ""
    is_deterministic: bool = True


class Coverage(msgspec.Struct, frozen=True):
    """How much was tried.

    Attributes:
        cells: how many cells were reached on the stack.
        of: how many cells the stack can reach.
        unreachable: how many more there are, in states that the stack never enters; a finding says why.
    """

    cells: int
    of: int
    unreachable: int = 0


class StackReport(msgspec.Struct, frozen=True, kw_only=True):
    """All that one run says about one stack.

    Attributes:
        name: the stack.
        version: its own version.
        profile: the tables it was held to: ``webrtc-pc`` or ``jsep``.
        coverage: how much was tried.
        findings: where it differs, in the tables' order.
        seed: of the random orderings.
        sequences: how many sequences were run, in all.
        steps: how many operations, in all.
        seconds: how long it took.
        command: what runs it again.
        cells: each cell and what came of it.
        edges: each change of state that was observed.
    """

    name: str
    version: str
    profile: str
    coverage: Coverage
    findings: tuple[Finding, ...]
    seed: int = 0
    sequences: int = 0
    steps: int = 0
    seconds: float = 0.0
    command: str = ""
    cells: tuple[FindingCell, ...] = ()
    edges: tuple[FindingEdge, ...] = ()


def write_reports(reports: list[StackReport], path: Path) -> None:
    """Write what `read_reports` reads, indented."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(reports), indent=1) + b"\n")


def read_reports(path: Path) -> list[StackReport]:
    """The reports of a file.

    Raises:
        ConformanceError: the file can't be read, or holds something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[StackReport])
    except OSError as error:
        raise ConformanceError(f"{path} can't be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ConformanceError(f"{path} holds no findings ({error}); it is made by fsm-rtc conform --json") from error

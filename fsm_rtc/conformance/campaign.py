"""Campaign: one run over one stack: every cell by its shortest way, then random orderings, then each finding again.

It is synchronous, since Hypothesis is; the adapter lives in an event loop of the campaign's own.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from fsm_rtc.conformance.adapter import Adapter
from fsm_rtc.conformance.cells import PAIR_CELLS, PAIR_WAYS, PlannedCell, cells
from fsm_rtc.conformance.difference import Difference, Key
from fsm_rtc.conformance.findings import CellVerdict, Coverage, Finding, FindingCell, FindingEdge, Kind, StackReport
from fsm_rtc.conformance.operations import BY_NAME, OPERATIONS
from fsm_rtc.conformance.pair import can_connect
from fsm_rtc.conformance.readings import reading_of
from fsm_rtc.conformance.sequences import TOGETHER, Runner, Sequence, shortened
from fsm_rtc.conformance.side import Record
from fsm_rtc.conformance.trial import Trial, pattern_of
from fsm_rtc.machines import CHARTS, DERIVED

__all__ = ["Campaign", "Options", "Progress"]

Place = tuple[str, str, str]
"""(machine, state, operation)."""

RERUNS = 10
TRIES = 30
"""How many runs the shortening of one sequence may cost."""
TRIES_OF_A_HANG = 4

Progress = Callable[[str, int, int], None]
"""Called with what is under way, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Options:
    """How much to do.

    Attributes:
        profile: ``webrtc-pc`` or ``jsep``.
        examples: how many random orderings.
        seconds: how long random orderings may take, or None.
        seed: of the random orderings.
        reruns: how often each finding is tried again.
        command: what the report says runs it again.
    """

    profile: str = "webrtc-pc"
    examples: int = 300
    seconds: float | None = None
    seed: int = 0
    reruns: int = RERUNS
    command: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A difference, and the shortest sequence so far that shows it."""

    difference: Difference
    sequence: Sequence
    is_deterministic: bool


class Campaign:
    """One run over one stack; use it in ``with``.

    Args:
        make: makes the adapter; called within the campaign's own event loop.
        options: how much to do.
        progress: told what is under way.
    """

    def __init__(
        self, make: Callable[[], Adapter], options: Options | None = None, progress: Progress = lambda *_: None
    ) -> None:
        self.options = options or Options()
        self.progress = progress
        self.record = Record()
        self.sightings: dict[Key, Sighting] = {}
        self._make = make
        self._loop = asyncio.Runner()

    def __enter__(self) -> Self:
        self._loop.__enter__()
        try:
            self.adapter = self._loop.run(self._started())
            self.record.lacks = frozenset(self.adapter.hello.lacks)
            self.pattern = self._loop.run(pattern_of(self.adapter))
        except BaseException:
            self._loop.close()
            raise
        self.runner = Runner(self.adapter, self.record, self.pattern, self.options.profile)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._loop.run(self.adapter.aclose())
        finally:
            self._loop.close()

    async def _started(self) -> Adapter:
        adapter = self._make()
        await adapter.start()
        return adapter

    def run(self) -> StackReport:
        """Everything; what it says of the stack."""
        began = time.monotonic()
        reached = self.try_cells()
        if self.options.examples > 0:
            from fsm_rtc.conformance.orderings import try_orderings

            options = self.options
            try_orderings(self, options.examples, options.seconds, options.seed, self.progress)
        findings = self.confirm()
        return self._report(findings, reached, time.monotonic() - began)

    @property
    def connects(self) -> bool:
        """Whether two connections of the stack can be tried."""
        return can_connect(self.record)

    def try_sequence(self, sequence: Sequence) -> list[tuple[int, Difference]]:
        """Run one sequence."""
        return self._loop.run(self.runner.run(sequence))

    def saw(self, sequence: Sequence, difference: Difference, *, is_deterministic: bool) -> None:
        """A sequence showed a difference; the shortest one is kept."""
        if self._is_echo(difference):
            return
        known = self.sightings.get(difference.key)
        if known is None or (
            known.is_deterministic <= is_deterministic and len(sequence.steps) < len(known.sequence.steps)
        ):
            self.sightings[difference.key] = Sighting(difference, sequence, is_deterministic)

    def knows(self, difference: Difference) -> bool:
        """Whether a difference is no news."""
        return difference.key in self.sightings or self._is_echo(difference)

    def _is_echo(self, difference: Difference) -> bool:
        """Whether operations that began together show what one of them shows alone in that state."""
        parts = difference.operation.split(TOGETHER)
        if len(parts) > 1 and difference.observed.startswith("in "):
            return any(
                one.operation in parts and one.kind in (Kind.STATE, Kind.VERDICT)
                for one in (sighting.difference for sighting in self.sightings.values())
            )
        did = difference.observed.partition(", in ")[0]
        return len(parts) > 1 and any(
            (one.machine, one.state, one.kind) == (difference.machine, difference.state, difference.kind)
            and one.operation in parts
            and one.observed.partition(", in ")[0] == did
            for one in (sighting.difference for sighting in self.sightings.values())
        )

    # Every cell.

    def try_cells(self) -> dict[Place, CellVerdict]:
        """Each cell by its shortest way; what came of it, but for what differs."""
        planned = list(cells(self.options.profile))
        total = len(planned) + len(PAIR_WAYS)
        verdicts = {}
        for number, cell in enumerate(planned):
            self.progress("cells", number, total)
            verdicts[cell.machine, cell.state, cell.operation] = self._try_cell(cell)
        unseen = CellVerdict.UNREACHABLE if self.connects else CellVerdict.INEXPRESSIBLE
        for number, way in enumerate(PAIR_WAYS if self.connects else (), len(planned)):
            self.progress("cells", number, total)
            self._look_at(Sequence(way))
        for place in PAIR_CELLS:
            verdicts[place] = CellVerdict.AGREES if place in self.record.cells else unseen
        self.progress("cells", total, total)
        return verdicts

    def _try_cell(self, cell: PlannedCell) -> CellVerdict:
        if not all(self.record.can_say(BY_NAME[name]) for name in cell.operation.split(TOGETHER)):
            return CellVerdict.INEXPRESSIBLE
        sequence = Sequence(tuple(TOGETHER.join(step) for step in cell.way))
        is_elsewhere = False

        def elsewhere(trial: Trial) -> bool:
            nonlocal is_elsewhere
            is_elsewhere = trial.state_of(cell.machine) != cell.state
            return is_elsewhere

        self._note(sequence, self._loop.run(self.runner.run(sequence, stop_before_last=elsewhere)))
        return CellVerdict.UNREACHABLE if is_elsewhere else CellVerdict.AGREES

    def _look_at(self, sequence: Sequence) -> None:
        self._note(sequence, self.try_sequence(sequence))

    def _note(self, sequence: Sequence, found: list[tuple[int, Difference]]) -> None:
        for number, difference in found:
            self.saw(Sequence(sequence.steps[:number]), difference, is_deterministic=True)

    # Each finding again.

    def confirm(self) -> list[Finding]:
        """Each finding, with its shortest sequence and how often it showed again."""
        findings = []
        total = len(self.sightings)
        for number, sighting in enumerate(sorted(self.sightings.values(), key=_place)):
            self.progress("findings again", number, total)
            findings.append(self._confirmed(sighting))
        self.progress("findings again", total, total)
        return [*findings, *self._declared()]

    def _confirmed(self, sighting: Sighting) -> Finding:
        difference, sequence = sighting.difference, sighting.sequence
        is_slow = difference.kind in (Kind.HANG, Kind.CRASH)
        tries = TRIES_OF_A_HANG if is_slow else TRIES
        if sequence.is_pair or not sighting.is_deterministic:
            sequence = self._loop.run(shortened(self.runner, sequence, difference.key, tries=tries))
        reruns = self.options.reruns
        again = sum(self._loop.run(self.runner.shows(sequence, difference.key)) for _ in range(reruns))
        note = "" if again == reruns else f"flaky: seen in {again} of {reruns} reruns, so it depends on timing"
        return Finding(
            machine=difference.machine,
            state=difference.state,
            operation=difference.operation,
            expected=difference.expected,
            observed=difference.observed,
            kind=difference.kind,
            sequence=sequence.steps,
            reproduced=f"{again}/{reruns}",
            source=difference.source,
            rule=difference.rule,
            reading=reading_of(difference),
            note=note,
            is_deterministic=sighting.is_deterministic,
        )

    def _declared(self) -> list[Finding]:
        """What the stack's adapter says that its API has no way to say."""
        machines = {name: one.machine for one in OPERATIONS for name in (one.name, one.method)}
        return [
            Finding(
                machine=machines.get(lack, "negotiation_needed" if "negotiationneeded" in lack else "negotiation"),
                state="",
                operation=lack,
                expected="part of the API",
                observed="not part of it, says its adapter",
                kind=Kind.INEXPRESSIBLE,
                sequence=(),
                reproduced="declared",
                source="",
            )
            for lack in sorted(self.record.lacks)
        ]

    # What is said of the stack.

    def _report(self, findings: list[Finding], reached: dict[Place, CellVerdict], seconds: float) -> StackReport:
        differing = {(one.machine, one.state, one.operation) for one in findings}
        verdicts = {place: self._verdict(place, verdict, differing) for place, verdict in reached.items()}
        counts = Counter(verdicts.values())
        tried = counts[CellVerdict.AGREES] + counts[CellVerdict.DIFFERS]
        hello = self.adapter.hello
        return StackReport(
            name=hello.name,
            version=hello.version,
            profile=self.options.profile,
            coverage=Coverage(tried, tried + counts[CellVerdict.NOT_TRIED], counts[CellVerdict.UNREACHABLE]),
            findings=tuple(findings),
            seed=self.options.seed,
            sequences=self.record.sequences,
            steps=self.record.steps,
            seconds=round(seconds, 1),
            command=self.options.command,
            cells=tuple(FindingCell(*place, verdict) for place, verdict in verdicts.items()),
            edges=tuple(
                FindingEdge(machine, source, target, times, is_legal)
                for (machine, source, target, is_legal), times in sorted(self.record.edges.items())
            ),
        )

    def _verdict(self, place: Place, verdict: CellVerdict, differing: set[Place]) -> CellVerdict:
        """What is said of a cell: one whose way ended before it, as by a crash, was not tried."""
        if verdict is not CellVerdict.AGREES:
            return verdict
        if place in differing:
            return CellVerdict.DIFFERS
        return verdict if place in self.record.cells else CellVerdict.NOT_TRIED


def _place(sighting: Sighting) -> tuple[int, str, str, str, str]:
    order = [*CHARTS, *DERIVED]
    one = sighting.difference
    machine = order.index(one.machine) if one.machine in order else len(order)
    return (machine, one.state, one.operation, one.kind.value, one.observed)

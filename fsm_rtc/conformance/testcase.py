"""ConformanceTest: a stack's conformance as tests of its own project, one for each cell of the tables."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from fsm_rtc.conformance.adapter import ProcessAdapter
from fsm_rtc.conformance.campaign import Campaign, Options
from fsm_rtc.conformance.cells import PAIR_CELLS, cells
from fsm_rtc.conformance.findings import CellVerdict, Finding, Kind, StackReport
from fsm_rtc.errors import AdapterError

__all__ = ["ConformanceTest", "Place", "told"]

Place = tuple[str, str, str]
"""(machine, state, operation)."""


@cache
def report_of(adapter: tuple[str, ...], options: Options) -> StackReport:
    """The one run behind all tests of a class."""
    with Campaign(lambda: ProcessAdapter(adapter), options) as campaign:
        return campaign.run()


def told(finding: Finding) -> str:
    """A finding in words, as a test fails with it."""
    lines = [
        f"{finding.machine}, {finding.state}: {finding.operation}",
        f"  expected: {finding.expected}",
        f"  observed: {finding.observed} ({finding.kind.value}, again {finding.reproduced})",
        f"  sequence: {'; '.join(finding.sequence)}",
        f"  the rule: {' '.join(filter(None, (finding.rule, finding.source)))}",
    ]
    return "\n".join(lines)


class ConformanceTest:
    """Derive a class whose name begins with Test, and give it an adapter; pytest collects a test for each cell.

    Attributes:
        adapter: the adapter's command line, or its arguments.
        profile: ``webrtc-pc`` or ``jsep``.
        examples: how many random orderings are tried.
        seed: of the random orderings.
        reruns: how often each finding is tried again.
        known: differences that are accepted, by (machine, state, operation); the value says why. One that is gone
            fails, so that the list stays true.
    """

    adapter: ClassVar[str | Sequence[str]] = ""
    profile: ClassVar[str] = "webrtc-pc"
    examples: ClassVar[int] = 200
    seed: ClassVar[int] = 0
    reruns: ClassVar[int] = 3
    known: ClassVar[Mapping[Place, str]] = {}
    overridden: ClassVar[Mapping[str, Any]] = {}
    """What pytest's command line says instead, for every class; see the plugin."""

    @classmethod
    def report(cls) -> StackReport:
        """What the run says; the stack is run once for all tests of the class.

        Raises:
            AdapterError: the adapter can't be started, or breaks the protocol.
        """
        given = {"adapter": cls.adapter, "examples": cls.examples, "seed": cls.seed, **ConformanceTest.overridden}
        if not given["adapter"]:
            raise AdapterError(f"{cls.__name__} has no adapter; give it one, or pytest --conform-adapter COMMAND")
        command = ProcessAdapter(given["adapter"]).command
        options = Options(profile=cls.profile, examples=given["examples"], seed=given["seed"], reruns=cls.reruns)
        return report_of(tuple(command), options)

    @classmethod
    def places(cls) -> Iterator[Place]:
        """Every cell of the profile's tables."""
        yield from ((cell.machine, cell.state, cell.operation) for cell in cells(cls.profile))
        yield from PAIR_CELLS

    def test_cell(self, place: Place) -> None:
        """One operation in one state."""
        import pytest

        report = self.report()
        verdict = next(
            (cell.verdict for cell in report.cells if (cell.machine, cell.state, cell.operation) == place), None
        )
        found = [one for one in _grave(report) if (one.machine, one.state, one.operation) == place]
        if place in self.known:
            if not found:
                pytest.fail(f"{place} does not differ any more; take it out of `known`", pytrace=False)
            pytest.xfail(self.known[place])
        if found:
            pytest.fail("\n".join(map(told, found)), pytrace=False)
        if verdict in (CellVerdict.UNREACHABLE, CellVerdict.INEXPRESSIBLE):
            pytest.skip(f"{verdict.value}: the stack doesn't enter the state, or its API doesn't have the operation")

    def test_everything_else(self) -> None:
        """What the stack reports by itself, and what random orderings find."""
        import pytest

        planned = set(self.places())
        found = [
            one
            for one in _grave(self.report())
            if (one.machine, one.state, one.operation) not in planned | self.known.keys()
        ]
        if found:
            pytest.fail("\n".join(map(told, found)), pytrace=False)


def _grave(report: StackReport) -> list[Finding]:
    return [finding for finding in report.findings if finding.kind is not Kind.INEXPRESSIBLE]


def parametrize(metafunc: Any) -> None:
    """For the plugin: a test for each cell of a class' tables."""
    cls = metafunc.cls
    if inspect.isclass(cls) and issubclass(cls, ConformanceTest) and "place" in metafunc.fixturenames:
        places = list(cls.places())
        metafunc.parametrize("place", places, ids=["-".join(place) for place in places])

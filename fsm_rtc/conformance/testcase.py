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
from fsm_rtc.conformance.model import PROFILES
from fsm_rtc.errors import AdapterError, ConformanceError
from fsm_rtc.machines import CHARTS, DERIVED

__all__ = ["ConformanceTest", "Place", "told"]

Place = tuple[str, str, str]
"""(machine, state, operation)."""


@cache
def report_of(adapter: tuple[str, ...], options: Options) -> StackReport | ConformanceError:
    """The one run behind all tests of a class; one that fails is not made again for each of them."""
    try:
        with Campaign(lambda: ProcessAdapter(adapter), options) as campaign:
            return campaign.run()
    except ConformanceError as error:
        return error


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
    reports: ClassVar[dict[type[ConformanceTest], StackReport]] = {}
    """What was found in this run, by class; for the summary at its end."""

    @classmethod
    def report(cls) -> StackReport:
        """What the run says; the stack is run once for all tests of the class.

        Raises:
            ConformanceError: the adapter can't be started, or breaks the protocol; or the profile is none.
        """
        given = {"adapter": cls.adapter, "examples": cls.examples, "seed": cls.seed, **ConformanceTest.overridden}
        if not given["adapter"]:
            raise AdapterError(f"{cls.__name__} has no adapter; give it one, or pytest --conform-adapter COMMAND")
        command = ProcessAdapter(given["adapter"]).command
        options = Options(profile=cls.profile, examples=given["examples"], seed=given["seed"], reruns=cls.reruns)
        report = report_of(tuple(command), options)
        if isinstance(report, ConformanceError):
            raise report.with_traceback(None)
        cls.reports[cls] = report
        return report

    @classmethod
    def places(cls) -> Iterator[Place]:
        """Every cell of the profile's tables.

        Raises:
            ConformanceError: there is no such profile.
        """
        if cls.profile not in PROFILES:
            known = ", ".join(PROFILES)
            raise ConformanceError(f"{cls.__name__} has the profile {cls.profile!r}; choose one of {known}")
        yield from ((cell.machine, cell.state, cell.operation) for cell in cells(cls.profile))
        yield from PAIR_CELLS

    def test_cell(self, place: Place) -> None:
        """One operation in one state."""
        import pytest

        report = self._report_or_fail()
        verdict = next(
            (cell.verdict for cell in report.cells if (cell.machine, cell.state, cell.operation) == place), None
        )
        found = [one for one in _grave(report) if _place(one) == place]
        if place in self.known:
            if not found:
                pytest.fail(f"{place} does not differ any more; take it out of `known`", pytrace=False)
            pytest.xfail(self.known[place])
        if found:
            pytest.fail("\n".join(map(told, found)), pytrace=False)
        if verdict is CellVerdict.NOT_TRIED:
            pytest.fail("not tried: the way to this cell ended before it; see the other failures", pytrace=False)
        if verdict in (CellVerdict.UNREACHABLE, CellVerdict.INEXPRESSIBLE):
            pytest.skip(f"{verdict.value}: the stack doesn't enter the state, or its API doesn't have the operation")

    def test_everything_else(self) -> None:
        """What the stack reports by itself, what random orderings find, and whether `known` names places that exist."""
        import pytest

        planned = set(self.places())
        found = [one for one in _grave(self._report_or_fail()) if _place(one) not in planned]
        wrong = [
            f"`known` has {place}; {said}"
            for place in self.known
            if place not in planned and place not in map(_place, found) and (said := _what_is_wrong_with(place))
        ]
        told_of = [told(one) for one in found if _place(one) not in self.known]
        if told_of or wrong:
            pytest.fail("\n".join([*told_of, *wrong]), pytrace=False)

    def _report_or_fail(self) -> StackReport:
        import pytest

        try:
            return self.report()
        except ConformanceError as error:
            pytest.fail(str(error), pytrace=False)


def _place(finding: Finding) -> Place:
    return (finding.machine, finding.state, finding.operation)


def _what_is_wrong_with(place: Place) -> str:
    """Why no finding can ever be in this place, or empty; what the operation is called can't be known."""
    machine, state, _ = place
    states = _states_of(machine)
    if not states:
        return f"there is no machine {machine!r}"
    return "" if state in states else f"{machine} has the states {', '.join(states)}"


def _states_of(machine: str) -> list[str]:
    if machine in CHARTS:
        return [state.value for state in CHARTS[machine].chart.states]
    rules = DERIVED[machine].rules if machine in DERIVED else ()
    return list(dict.fromkeys(rule.target.value for rule in rules))


def _grave(report: StackReport) -> list[Finding]:
    return [finding for finding in report.findings if finding.kind is not Kind.INEXPRESSIBLE]


def parametrize(metafunc: Any) -> None:
    """For the plugin: a test for each cell of a class' tables."""
    cls = metafunc.cls
    if inspect.isclass(cls) and issubclass(cls, ConformanceTest) and "place" in metafunc.fixturenames:
        places = list(cls.places())
        metafunc.parametrize("place", places, ids=["-".join(place) for place in places])


def summarize(terminal: Any) -> None:
    """For the plugin: what was found, a line each."""
    for cls, report in ConformanceTest.reports.items():
        findings, coverage = _grave(report), report.coverage
        terminal.section(f"WebRTC conformance: {cls.__name__}")
        terminal.line(
            f"{report.name} {report.version}, {report.profile}: {coverage.cells} of {coverage.of} cells tried, "
            f"{report.sequences} sequences, seed {report.seed}, findings: {len(findings)}"
        )
        for one in findings:
            reason = cls.known.get(_place(one))
            known = f", known: {reason}" if reason is not None else ""
            terminal.line(f"  {one.kind.value:8}{' · '.join(_place(one))}  ({one.reproduced}{known})")
        planned = set(cls.places())
        for place in sorted(cls.known.keys() - planned - set(map(_place, findings))):
            terminal.line(f"  known, but not seen in this run: {' · '.join(place)}")


def forget() -> None:
    """For the plugin: the run is over, and what was said for it holds for no other."""
    ConformanceTest.overridden = {}
    ConformanceTest.reports.clear()

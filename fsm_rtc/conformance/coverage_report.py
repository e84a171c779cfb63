"""How much of each chart the run tried: what the pytest plugin prints at its end, and holds to a bound."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fsm_rtc.conformance.chart_coverage import ChartCoverage, CoverageReport

__all__ = ["forget", "handed_over", "note_coverage", "summarize", "take_over", "taken", "under"]

taken: list[ChartCoverage] = []
"""Of every `machine_test` that was run in this process."""

elsewhere: list[CoverageReport] = []
"""Of those that were run in other processes."""


def note_coverage(coverage: ChartCoverage) -> None:
    """Tell of it at the end of the run."""
    if coverage not in taken:
        taken.append(coverage)


def reports() -> list[CoverageReport]:
    """Of every `machine_test` of the run, by name."""
    return sorted([*(one.report() for one in taken), *elsewhere])


def under(percent: float | None) -> list[CoverageReport]:
    """Those of whose cells less was tried; none without a bound."""
    return [] if percent is None else [report for report in reports() if report.percent < percent]


def summarize(terminal: Any, names_all: bool, percent: float | None) -> None:
    """A line for each chart, and for each cell that was not tried.

    Args:
        terminal: pytest's reporter.
        names_all: also the charts of which every cell was tried.
        percent: the bound, or None.
    """
    told = [report for report in reports() if names_all or report.missing]
    short = under(percent)
    if told or short:
        terminal.section("cells of charts")
    for report in told:
        terminal.line(report.line())
        for cell in report.missing:
            terminal.line(f"  not tried: {cell}")
    for report in short:
        terminal.line(f"FAIL {report.name}: {report.percent:.1f} % of the cells were tried, less than {percent:g} %")


def handed_over() -> list[tuple[Any, ...]]:
    """What was tried in this process, in plain values."""
    return [tuple(report) for report in reports()]


def take_over(given: Iterable[tuple[Any, ...]]) -> None:
    """What was tried in another process."""
    elsewhere.extend(CoverageReport(*one) for one in given)


def forget() -> None:
    """The run is over."""
    taken.clear()
    elsewhere.clear()

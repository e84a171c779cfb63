"""The pytest plugin: collects a test for each cell of a `ConformanceTest`, adds ``--conform-adapter``, and ends with a
summary of the findings; and of the cells that each `machine_test` tried, with ``--fsm-coverage`` and its bound.

pytest loads this module in every run, so it imports nothing until it is used.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = [
    "pytest_addoption",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "pytest_unconfigure",
]


def pytest_addoption(parser: Any) -> None:
    """Options of every pytest run."""
    group = parser.getgroup("fsm_rtc", "WebRTC conformance")
    group.addoption(
        "--conform-adapter",
        metavar="COMMAND",
        help="the adapter of every ConformanceTest in this run, instead of the one in its class",
    )
    group.addoption("--conform-examples", type=int, metavar="N", help="how many random orderings each tries")
    group.addoption("--conform-seed", type=int, metavar="N", help="the seed of the random orderings")
    group = parser.getgroup("fsm_rtc_charts", "charts of machine_test")
    group.addoption(
        "--fsm-coverage", action="store_true", help="how many cells of each chart were tried, and which not"
    )
    group.addoption(
        "--fsm-fail-under", type=float, metavar="PERCENT", help="fail if less of the cells of any chart was tried"
    )


def pytest_configure(config: Any) -> None:
    """What the command line says holds for all classes of the run."""
    given = {name: config.getoption(f"conform_{name}") for name in ("adapter", "examples", "seed")}
    if any(value is not None for value in given.values()):
        from fsm_rtc.conformance.testcase import ConformanceTest

        ConformanceTest.overridden = {name: value for name, value in given.items() if value is not None}


def pytest_generate_tests(metafunc: Any) -> None:
    """A test for each cell."""
    if (module := _used("testcase")) is not None:
        module.parametrize(metafunc)


def pytest_sessionfinish(session: Any) -> None:
    """A worker of pytest-xdist hands over what was tried; elsewhere too little of it fails the run."""
    if (module := _used("coverage_report")) is None:
        return
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["fsm_coverage"] = module.handed_over()
    elif session.exitstatus == 0 and module.under(session.config.getoption("fsm_fail_under")):
        session.exitstatus = 1


def pytest_testnodedown(node: Any) -> None:
    """What a worker of pytest-xdist tried."""
    if handed_over := getattr(node, "workeroutput", {}).get("fsm_coverage"):
        from fsm_rtc.conformance import coverage_report

        coverage_report.take_over(handed_over)


vars(pytest_testnodedown)["pytest_impl"] = {"optionalhook": True}  # as pytest.hookimpl does, which would import pytest


def pytest_terminal_summary(terminalreporter: Any, config: Any) -> None:
    """All findings of the run, a line each, and the cells of charts that were not tried."""
    if (module := _used("testcase")) is not None:
        module.summarize(terminalreporter)
    if (module := _used("coverage_report")) is not None:
        module.summarize(terminalreporter, config.getoption("fsm_coverage"), config.getoption("fsm_fail_under"))


def pytest_unconfigure() -> None:
    """What the command line said ends with the run, and so does what was seen in it."""
    for name in ("testcase", "coverage_report"):
        if (module := _used(name)) is not None:
            module.forget()


def _used(name: str) -> Any:
    """A module of this package, if any test file has imported it."""
    return sys.modules.get(f"fsm_rtc.conformance.{name}")

"""The pytest plugin: collects a test for each cell of a `ConformanceTest`, adds ``--conform-adapter``, and ends with a
summary of the findings.

pytest loads this module in every run, so it imports nothing until it is used.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = [
    "pytest_addoption",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_terminal_summary",
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


def pytest_configure(config: Any) -> None:
    """What the command line says holds for all classes of the run."""
    given = {name: config.getoption(f"conform_{name}") for name in ("adapter", "examples", "seed")}
    if any(value is not None for value in given.values()):
        from fsm_rtc.conformance.testcase import ConformanceTest

        ConformanceTest.overridden = {name: value for name, value in given.items() if value is not None}


def pytest_generate_tests(metafunc: Any) -> None:
    """A test for each cell."""
    if (module := _used()) is not None:
        module.parametrize(metafunc)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """All findings of the run, a line each."""
    if (module := _used()) is not None:
        module.summarize(terminalreporter)


def pytest_unconfigure() -> None:
    """What the command line said ends with the run."""
    if (module := _used()) is not None:
        module.forget()


def _used() -> Any:
    """The module of `ConformanceTest`, if any test file has imported it."""
    return sys.modules.get("fsm_rtc.conformance.testcase")

"""Conformance: the tables against real WebRTC stacks, each behind an adapter (docs/conformance-protocol.md).

For tests of one's own: `ConformanceTest` holds a WebRTC stack to the specification, `machine_test` any implementation
to any chart, `paths` enumerates a chart's ways for tests with a parameter. Each name loads when it is used; they need
the extra ``conformance``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsm_rtc.conformance.chart_paths import ChartPath, paths
    from fsm_rtc.conformance.driver import StackDriver
    from fsm_rtc.conformance.rule_based import machine_test
    from fsm_rtc.conformance.testcase import ConformanceTest

__all__ = ["ChartPath", "ConformanceTest", "StackDriver", "machine_test", "paths"]

_ELSEWHERE = {
    "ChartPath": "fsm_rtc.conformance.chart_paths",
    "ConformanceTest": "fsm_rtc.conformance.testcase",
    "StackDriver": "fsm_rtc.conformance.driver",
    "machine_test": "fsm_rtc.conformance.rule_based",
    "paths": "fsm_rtc.conformance.chart_paths",
}


def __getattr__(name: str) -> object:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ELSEWHERE[name]), name)


def __dir__() -> list[str]:
    return __all__

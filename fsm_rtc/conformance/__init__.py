"""Conformance: the tables against real WebRTC stacks, each behind an adapter (docs/conformance-protocol.md).

For tests of one's own: `ConformanceTest` holds a WebRTC stack to the specification, `machine_test` any implementation
to any chart. Each name loads when it is used; they need the extra ``conformance``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsm_rtc.conformance.rule_based import Driver, machine_test
    from fsm_rtc.conformance.testcase import ConformanceTest

__all__ = ["ConformanceTest", "Driver", "machine_test"]

_ELSEWHERE = {
    "ConformanceTest": "fsm_rtc.conformance.testcase",
    "Driver": "fsm_rtc.conformance.rule_based",
    "machine_test": "fsm_rtc.conformance.rule_based",
}


def __getattr__(name: str) -> object:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ELSEWHERE[name]), name)


def __dir__() -> list[str]:
    return __all__

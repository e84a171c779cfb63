"""What a drawing is made from: the class of a chart, or that of a derived table."""

from __future__ import annotations

import inspect
from typing import Any

from fsm_rtc.engine import Chart, Derived, Observed

__all__ = ["ChartClass", "DerivedClass", "kind_of", "opening_of"]

ChartClass = type[Chart[Any, Any]]
"""A chart's class, whatever its states and context."""

DerivedClass = type[Derived[Any, Any]]
"""A derived table's class, whatever its states and inputs."""


def kind_of(drawn: ChartClass | DerivedClass) -> str:
    """``derived`` for a table of rules, ``observed`` for a machine that follows reports, else ``commanded``."""
    if issubclass(drawn, Derived):
        return "derived"
    return "observed" if issubclass(drawn, Observed) else "commanded"


def opening_of(doc: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join(inspect.cleandoc(doc or "").partition("\n\n")[0].split())

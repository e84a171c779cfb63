"""What the drawings read of a chart or a derived table: its class, without its type parameters."""

from __future__ import annotations

import inspect
from typing import Protocol

from fsm_rtc.engine import ChartTable, Observed

__all__ = ["ChartClass", "kind_of", "opening_of"]


class ChartClass(Protocol):
    """A class made with `Chart`: any of them, whatever its states and context."""

    @property
    def chart(self) -> ChartTable:
        """The table."""
        ...

    @property
    def source(self) -> str:
        """The document that the table follows, or an empty string."""
        ...


def kind_of(chart_class: ChartClass) -> str:
    """``observed`` for a machine that follows a library's reports, else ``commanded``."""
    return "observed" if isinstance(chart_class, type) and issubclass(chart_class, Observed) else "commanded"


def opening_of(doc: str) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join(inspect.cleandoc(doc).partition("\n\n")[0].split())

"""One call for each language: a chart or a derived table in, text out."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from fsm_rtc.diagrams.dot import dot_text
from fsm_rtc.diagrams.drawing import Drawing, chart_drawing, derived_drawing
from fsm_rtc.diagrams.journaled import journal_drawing
from fsm_rtc.diagrams.matrix import matrix
from fsm_rtc.diagrams.mermaid import mermaid_text
from fsm_rtc.diagrams.rules import rule_table
from fsm_rtc.diagrams.scxml import scxml as chart_scxml
from fsm_rtc.diagrams.svg import DiagramError, svg_text
from fsm_rtc.engine import Derived, Record

if TYPE_CHECKING:
    from fsm_rtc.diagrams.drawable import ChartClass, DerivedClass

__all__ = ["Format", "dot", "drawing_of", "journal_text", "mermaid", "render", "scxml", "svg", "table_text"]


class Format(StrEnum):
    """The languages of a drawing."""

    MERMAID = "mermaid"
    DOT = "dot"
    SVG = "svg"
    SCXML = "scxml"

    @property
    def suffix(self) -> str:
        """How a file in this language ends."""
        return ".mmd" if self is Format.MERMAID else f".{self.value}"

    def draws(self, drawn: ChartClass | DerivedClass) -> bool:
        """Whether this can be said in the language: SCXML knows machines, no rules."""
        return self is not Format.SCXML or not issubclass(drawn, Derived)


def drawing_of(drawn: ChartClass | DerivedClass) -> Drawing:
    """The drawing of a chart or a derived table, as data."""
    return derived_drawing(drawn) if issubclass(drawn, Derived) else chart_drawing(drawn)


def mermaid(drawn: ChartClass | DerivedClass) -> str:
    """A chart as Mermaid's `stateDiagram-v2`; a derived table as its `flowchart`."""
    return mermaid_text(drawing_of(drawn))


def dot(drawn: ChartClass | DerivedClass) -> str:
    """A chart or a derived table in Graphviz' DOT language."""
    return dot_text(drawing_of(drawn))


def svg(drawn: ChartClass | DerivedClass) -> str:
    """A chart or a derived table as SVG.

    Raises:
        DiagramError: pygraphviz is not installed.
    """
    return svg_text(drawing_of(drawn))


def scxml(drawn: ChartClass | DerivedClass) -> str:
    """A chart as SCXML.

    Raises:
        DiagramError: it is a derived table, which is no machine.
    """
    if issubclass(drawn, Derived):
        raise DiagramError(
            f"{drawn.__name__} is derived from other machines by rules and has no transitions of its own, which SCXML "
            "needs; draw it with --format mermaid, dot or svg"
        )
    return chart_scxml(drawn)


def render(drawn: ChartClass | DerivedClass, language: Format) -> str:
    """A chart or a derived table in one of the languages.

    Raises:
        DiagramError: it is SVG, and pygraphviz is not installed; or SCXML, and the table is derived.
    """
    return {Format.MERMAID: mermaid, Format.DOT: dot, Format.SVG: svg, Format.SCXML: scxml}[language](drawn)


def journal_text(drawn: ChartClass | DerivedClass, language: Format, records: Iterable[Record]) -> str:
    """A chart in one of the languages, with how often a journal's machines took each arrow, and what was rejected.

    Raises:
        DiagramError: the journal has none of it, or the language or the table knows no events.
    """
    if issubclass(drawn, Derived):
        raise DiagramError(f"{drawn.__name__} is derived by rules; a journal has no events of it")
    if language is Format.SCXML:
        raise DiagramError("SCXML has no place for what a journal says; use --format mermaid, dot or svg")
    drawing = journal_drawing(drawn, records)
    return {Format.MERMAID: mermaid_text, Format.DOT: dot_text, Format.SVG: svg_text}[language](drawing)


def table_text(drawn: ChartClass | DerivedClass) -> str:
    """A chart's by-state matrix, or a derived table's rules, as Markdown."""
    return rule_table(drawn) if issubclass(drawn, Derived) else matrix(drawn)

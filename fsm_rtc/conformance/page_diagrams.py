"""The state diagrams of the page of findings: what was observed of each machine, with the wrong edges in red."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from fsm_rtc.conformance.findings import StackReport
from fsm_rtc.diagrams.drawable import ChartClass, DerivedClass
from fsm_rtc.diagrams.observed import observed_drawing
from fsm_rtc.diagrams.svg import DiagramError, svg_text
from fsm_rtc.machines import CHARTS, DERIVED

__all__ = ["diagrams"]


def diagrams(report: StackReport) -> Iterator[str]:
    """HTML: a figure for each machine of which changes were observed, in the order of the tables."""
    drawable: dict[str, ChartClass | DerivedClass] = {**CHARTS, **DERIVED}
    for machine, drawn in drawable.items():
        edges = [edge for edge in report.edges if edge.machine == machine and edge.source != edge.target]
        if not edges:
            continue
        seen = {(edge.source, edge.target): edge.times for edge in edges if edge.is_legal}
        wrong = {(edge.source, edge.target): edge.times for edge in edges if not edge.is_legal}
        title = f"{report.name}: {machine}"
        try:
            svg = svg_text(observed_drawing(drawn, title, seen, wrong))
        except DiagramError as missing:
            yield f"<p>{escape(str(missing))}</p>"
            return
        wrongs = f", {len(wrong)} wrong" if wrong else ""
        yield (
            f"<details{' open' if wrong else ''}><summary>{escape(machine)}: {len(seen)} changes{wrongs}</summary>"
            f'<figure role="img" aria-label="{escape(title)}">{_inline(svg)}</figure></details>'
        )


def _inline(svg: str) -> str:
    """The SVG as part of a page: without its prologue, and without ids, which would be there more than once."""
    return re.sub(r' id="[^"]*"', "", svg[svg.index("<svg") :])

"""All coupled machines in one drawing: a box a machine, an arrow where one's events or state reach another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_rtc.diagrams.dot import dot_text
from fsm_rtc.diagrams.drawing import Arrow, Box, Drawing, unreserved, wrapped
from fsm_rtc.diagrams.mermaid import mermaid_text
from fsm_rtc.diagrams.render import Format
from fsm_rtc.diagrams.svg import DiagramError, svg_text

if TYPE_CHECKING:
    from fsm_rtc.machines.couplings import Coupling

__all__ = ["overview_drawing", "overview_text"]


def overview_drawing(couplings: tuple[Coupling, ...] | None = None) -> Drawing:
    """The machines and what couples them; those that nothing couples are left out."""
    from fsm_rtc.machines.couplings import COUPLINGS, Way

    couplings = COUPLINGS if couplings is None else couplings
    names = list(dict.fromkeys(name for one in couplings for name in (one.source, one.target)))
    lines: dict[tuple[str, str], list[str]] = {}
    for one in couplings:
        words = _read(one) if one.way is Way.READS else ", ".join(one.by)
        lines.setdefault((one.source, one.target), []).extend(wrapped(words))
    ids = {name: unreserved(name, "machine") for name in names}
    boxes = tuple(Box(ids[name], (name,)) for name in names)
    arrows = tuple(Arrow(ids[source], ids[target], tuple(words)) for (source, target), words in lines.items())
    return Drawing("The machines of one peer", "What couples them.", boxes, arrows, flow=True)


def _read(coupling: Coupling) -> str:
    return f"is read by {', '.join(coupling.by)}" if coupling.by else "is read"


def overview_text(language: Format) -> str:
    """The overview in one of the languages.

    Raises:
        DiagramError: it is SVG, and pygraphviz is not installed; or SCXML, which knows one machine at a time.
    """
    if language is Format.SCXML:
        raise DiagramError("SCXML has one machine in a document; draw the overview with --format mermaid, dot or svg")
    return {Format.MERMAID: mermaid_text, Format.DOT: dot_text, Format.SVG: svg_text}[language](overview_drawing())

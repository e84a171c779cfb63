"""A drawing in Mermaid: `stateDiagram-v2` for a machine, `flowchart` for rules.

Where arrows have colours it is a flowchart too: a state diagram can't give them any.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from fsm_rtc.diagrams.drawing import SHADES, Look, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_rtc.diagrams.drawing import Arrow, Box, Drawing

__all__ = ["heading", "mermaid_text", "plain"]


def mermaid_text(drawing: Drawing) -> str:
    """The drawing as Mermaid, ending with a line end."""
    coloured = any(arrow.look is not Look.PLAIN for arrow in drawing.arrows)
    lines = _flowchart(drawing) if drawing.flow or coloured else _state_diagram(drawing)
    return "\n".join((*heading(drawing.title), *lines)) + "\n"


def heading(title: str) -> tuple[str, ...]:
    """The lines before a diagram, which are YAML: they give it its title."""
    return ("---", f"title: {title if re.fullmatch(r'[A-Za-z][A-Za-z0-9 ,_]*', title) else json.dumps(title)}", "---")


def _state_diagram(drawing: Drawing) -> Iterator[str]:
    yield "stateDiagram-v2"
    yield f"    direction {'LR' if drawing.wide else 'TB'}"
    states = [box for box in drawing.boxes if box.shape is Shape.STATE]
    for box in states:
        yield f'    state "{_quoted(box.lines)}" as {box.id}'
    yield f"    [*] --> {drawing.initial}"
    for arrow in drawing.arrows[1:]:
        yield f"    {arrow.source} --> {arrow.target}: {'<br/>'.join(map(plain, _unwrapped(arrow.lines)))}"
    for box in states:
        if box.final:
            yield f"    {box.id} --> [*]"
    for note in drawing.notes:
        yield f"    note right of {drawing.initial}"
        yield from (f"        {plain(line)}" for line in _unwrapped(note))
        yield "    end note"


def _flowchart(drawing: Drawing) -> Iterator[str]:
    yield f"flowchart {'LR' if drawing.wide else 'TB'}"
    for box in drawing.boxes:
        yield f"    {_flow_box(box)}"
    for arrow in drawing.arrows:
        yield f"    {_flow_arrow(arrow)}"
    for number, note in enumerate(drawing.notes, start=1):
        yield f'    note_{number}>"{"<br/>".join(plain(line) for line in _unwrapped(note))}"]'
    for number, arrow in enumerate(drawing.arrows):
        if arrow.look is not Look.PLAIN:
            yield f"    linkStyle {number} {_looks(arrow)}"


def _looks(arrow: Arrow) -> str:
    if arrow.look is Look.TAKEN:
        return f"stroke:{SHADES[arrow.level]},stroke-width:{arrow.level + 1}px"
    return "stroke:#c81e1e,stroke-width:3px" if arrow.look is Look.WRONG else "stroke:#b8c0c8,stroke-dasharray:4"


def _flow_box(box: Box) -> str:
    if box.shape is Shape.START:
        return f"{box.id}(( ))"
    words = _quoted(box.lines)
    return f'{box.id}{{"{words}"}}' if box.shape is Shape.QUESTION else f'{box.id}(["{words}"])'


def _flow_arrow(arrow: Arrow) -> str:
    words = f'|"{"<br/>".join(plain(line) for line in _unwrapped(arrow.lines))}"|' if arrow.lines else ""
    return f"{arrow.source} -->{words} {arrow.target}"


def _unwrapped(lines: tuple[str, ...]) -> list[str]:
    """The lines without the breaks that a fixed width made; Mermaid wraps by itself."""
    whole: list[str] = []
    for line in lines:
        if line.startswith("  ") and whole:
            whole[-1] += " " + line.strip()
        else:
            whole.append(line)
    return whole


def _quoted(lines: tuple[str, ...]) -> str:
    return plain(" ".join(lines))


def plain(text: str) -> str:
    """The text without what Mermaid would read as its own."""
    named = {"#": "#35;", ";": "#59;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "\n": " "}
    return "".join(named.get(character, character) for character in text)

"""A drawing in Graphviz' DOT language, with the looks that the SVG has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_rtc.diagrams.drawing import SHADES, Look, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_rtc.diagrams.drawing import Arrow, Box, Drawing

__all__ = ["dot_text"]

FONT = "Helvetica,Arial,sans-serif"
INK = "#1f2933"
STATE = {"fillcolor": "#e8f0fa", "color": "#3a6ea5"}
FINAL = {"fillcolor": "#eceff1", "color": "#607d8b", "peripheries": "2"}
RESULT = {"fillcolor": "#e8f0fa", "color": "#3a6ea5"}
QUESTION = {"fillcolor": "#fff8e6", "color": "#b98900", "style": "filled", "margin": "0.2,0.12", "group": "questions"}
START = {"shape": "circle", "style": "filled", "fillcolor": INK, "color": INK, "width": "0.16", "fixedsize": "true"}
COLOURS = ("#1d5a9e", "#9a4a00", "#1f7437", "#7b3596", "#a3203a", "#0c6f75", "#4f5b66")
"""Of arrows and their words, by where they lead, so that a word is never taken for a neighbour's; all dark on white."""

LOOKS = {
    Look.TAKEN: {"color": "#1f7437", "fontcolor": "#1f7437", "penwidth": "1.6"},
    Look.NOT_TAKEN: {"color": "#b8c0c8", "style": "dashed"},
    Look.WRONG: {"color": "#c81e1e", "fontcolor": "#c81e1e", "penwidth": "2.4"},
}
"""Of arrows that say what was observed."""

NOTE = {"shape": "note", "style": "filled", "fillcolor": "#fffbe0", "color": "#c2b280", "fontsize": "10"}


def dot_text(drawing: Drawing) -> str:
    """The drawing as DOT, ending with a line end."""
    return "\n".join((f"digraph {_string(drawing.title)} {{", *_body(drawing), "}")) + "\n"


def _body(drawing: Drawing) -> Iterator[str]:
    looks = {
        "rankdir": "LR" if drawing.wide else "TB",
        "label": f"{drawing.title}\v ",
        "labelloc": "t",
        "fontname": FONT,
        "fontsize": "16",
        "fontcolor": INK,
        "bgcolor": "white",
        "pad": "0.25",
        "nodesep": "0.45",
        "ranksep": "0.55",
    }
    yield f"    graph {_attributes(looks)};"
    box = {"shape": "box", "style": "rounded,filled", "fontname": FONT, "fontsize": "13", "fontcolor": INK}
    yield f"    node {_attributes({**box, 'margin': '0.18,0.09', 'penwidth': '1.4'})};"
    edge = {"fontname": FONT, "fontsize": "10", "fontcolor": INK, "color": "#52606d", "arrowsize": "0.8"}
    yield f"    edge {_attributes(edge)};"
    for one in drawing.boxes:
        yield f"    {one.id} {_attributes(_box(one, flow=drawing.flow))};"
    for number, note in enumerate(drawing.notes, start=1):
        yield f"    note_{number} {_attributes({'label': _left(note), **NOTE})};"
    ids = [one.id for one in drawing.boxes if one.shape is Shape.STATE]
    for arrow in drawing.arrows:
        looks = _rule_arrow(arrow) if drawing.flow else _arrow(arrow, COLOURS[ids.index(arrow.target) % len(COLOURS)])
        yield f"    {arrow.source} -> {arrow.target}{f' {_attributes(looks)}' if looks else ''};"
    if drawing.flow:
        yield from _beside(drawing)


def _beside(drawing: Drawing) -> Iterator[str]:
    """Each answer stands beside the first question that gives it; the questions stand in one column."""
    placed: set[str] = set()
    for arrow in drawing.arrows:
        if arrow.lines == ("yes",) and arrow.target not in placed:
            placed.add(arrow.target)
            yield f"    {{ rank=same; {arrow.source}; {arrow.target}; }}"


def _box(box: Box, *, flow: bool) -> dict[str, str]:
    if box.shape is Shape.START:
        return {"label": "", **START}
    if box.shape is Shape.QUESTION:
        return {"label": _centred(box.lines), **QUESTION}
    return {"label": _centred(box.lines), **(RESULT if flow else FINAL if box.final else STATE)}


def _arrow(arrow: Arrow, colour: str) -> dict[str, str]:
    if arrow.look is Look.TAKEN and arrow.level:
        shade = SHADES[arrow.level]
        return {**_words(arrow), "color": shade, "fontcolor": shade, "penwidth": f"{1.6 + arrow.level * 0.6:.1f}"}
    if arrow.look is not Look.PLAIN:
        return {**_words(arrow), **LOOKS[arrow.look]}
    return {**_words(arrow), "color": colour, "fontcolor": colour} if arrow.lines else {}


def _rule_arrow(arrow: Arrow) -> dict[str, str]:
    return _words(arrow) if arrow.lines == ("yes",) else {**_words(arrow), "weight": "20"}


def _words(arrow: Arrow) -> dict[str, str]:
    return {"label": _left(tuple(f" {line} " for line in arrow.lines))} if arrow.lines else {}


def _attributes(attributes: dict[str, str]) -> str:
    return "[" + ", ".join(f"{key}={_string(value)}" for key, value in attributes.items()) + "]"


def _centred(lines: tuple[str, ...]) -> str:
    return "\v".join(lines)


def _left(lines: tuple[str, ...]) -> str:
    return "".join(f"{line}\f" for line in lines)


def _string(text: str) -> str:
    """A DOT string; the two controls above become DOT's line ends, centred and left."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return '"' + escaped.replace("\v", "\\n").replace("\f", "\\l") + '"'

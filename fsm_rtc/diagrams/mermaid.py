"""A drawing in Mermaid: `stateDiagram-v2` for a machine, `flowchart` for rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_rtc.diagrams.drawing import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_rtc.diagrams.drawing import Arrow, Box, Drawing

__all__ = ["mermaid_text"]


def mermaid_text(drawing: Drawing) -> str:
    """The drawing as Mermaid, ending with a line end."""
    lines = _flowchart(drawing) if drawing.flow else _state_diagram(drawing)
    return "\n".join(("---", f"title: {drawing.title}", "---", *lines)) + "\n"


def _state_diagram(drawing: Drawing) -> Iterator[str]:
    yield "stateDiagram-v2"
    yield f"    direction {'LR' if drawing.wide else 'TB'}"
    states = [box for box in drawing.boxes if box.shape is Shape.STATE]
    for box in states:
        yield f'    state "{_quoted(box.lines)}" as {box.id}'
    yield f"    [*] --> {drawing.initial}"
    for arrow in drawing.arrows[1:]:
        yield f"    {arrow.source} --> {arrow.target}: {'<br/>'.join(map(_plain, _unwrapped(arrow.lines)))}"
    for box in states:
        if box.final:
            yield f"    {box.id} --> [*]"
    for note in drawing.notes:
        yield f"    note right of {drawing.initial}"
        yield from (f"        {_plain(line)}" for line in _unwrapped(note))
        yield "    end note"


def _flowchart(drawing: Drawing) -> Iterator[str]:
    yield "flowchart TB"
    for box in drawing.boxes:
        yield f"    {_flow_box(box)}"
    for arrow in drawing.arrows:
        yield f"    {_flow_arrow(arrow)}"


def _flow_box(box: Box) -> str:
    if box.shape is Shape.START:
        return f"{box.id}(( ))"
    words = _quoted(box.lines)
    return f'{box.id}{{"{words}"}}' if box.shape is Shape.QUESTION else f'{box.id}(["{words}"])'


def _flow_arrow(arrow: Arrow) -> str:
    words = f'|"{", ".join(arrow.lines)}"|' if arrow.lines else ""
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
    return _plain(" ".join(lines))


def _plain(text: str) -> str:
    """The text without what Mermaid would read as its own."""
    named = {"#": "#35;", ";": "#59;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "\n": " "}
    return "".join(named.get(character, character) for character in text)

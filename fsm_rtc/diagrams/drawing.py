"""A drawing as data: boxes and arrows with their words, before any language; Mermaid, DOT and SVG say the same of it.

Arrows with the same two ends are one arrow with several lines. A trigger that leads from many states to many states, as
the `on_desync` of an observed machine does, would hide all the others; it is told in a note.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fsm_rtc.diagrams.drawable import opening_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsm_rtc.diagrams.drawable import ChartClass, DerivedClass
    from fsm_rtc.engine import ChartTable, TriggerTable
    from fsm_rtc.engine.compile import AnyRow

__all__ = ["SHADES", "Arrow", "Box", "Drawing", "Look", "Shape", "box_ids", "chart_drawing", "derived_drawing"]

LONGEST_LINE = 36
"""Characters of a label's line before it is continued on the next."""

BLANKET = 3
"""A trigger from at least this many states to each of at least this many is told in a note."""

RESERVED = frozenset(
    {
        *(
            "accdescr",
            "acctitle",
            "as",
            "call",
            "callback",
            "choice",
            "class",
            "classdef",
            "click",
            "concurrency",
            "default",
            "digraph",
        ),
        *(
            "direction",
            "edge",
            "end",
            "flowchart",
            "fork",
            "graph",
            "hide",
            "href",
            "interpolate",
            "join",
            "linkstyle",
            "node",
            "note",
        ),
        *("scale", "start", "state", "statediagram", "strict", "style", "subgraph", "title"),
    }
)
"""Words that Mermaid or DOT read as their own."""


SHADES = ("#57a773", "#3b8f57", "#1f7437", "#0f4f22")
"""Of arrows that were taken, from seldom to often."""


class Shape(StrEnum):
    """What a box stands for."""

    STATE = "state"
    QUESTION = "question"
    START = "start"


class Look(StrEnum):
    """What an arrow's colour says."""

    PLAIN = "plain"
    TAKEN = "taken"
    NOT_TAKEN = "not taken"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Box:
    """A state, or a rule's question.

    Attributes:
        id: unique in its drawing, also when case is ignored.
        lines: the words in the box.
        shape: what it stands for.
        final: whether nothing leads out of it.
    """

    id: str
    lines: tuple[str, ...]
    shape: Shape = Shape.STATE
    final: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """Everything that leads from one box to another.

    Attributes:
        source: the id of the box it leads from.
        target: the id of the box it leads to.
        lines: its words, wrapped, continued ones indented.
        look: what its colour says.
        level: of a taken one, how often, from 0 (seldom) to 3 (as often as any).
    """

    source: str
    target: str
    lines: tuple[str, ...] = ()
    look: Look = Look.PLAIN
    level: int = 0


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing.

    Attributes:
        title: its heading.
        summary: what it shows, in one sentence.
        boxes: in the order of the enum, or of the rules.
        arrows: sorted by their ends.
        notes: what is told beside the arrows, each of some lines.
        wide: whether it reads from left to right.
        flow: whether it is a flowchart of rules, not a machine.
    """

    title: str
    summary: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    notes: tuple[tuple[str, ...], ...] = ()
    wide: bool = False
    flow: bool = False

    @property
    def initial(self) -> str:
        """The id of the box in which everything begins."""
        return self.arrows[0].target


def chart_drawing(chart_class: ChartClass) -> Drawing:
    """The states of a chart and what leads from one to the other."""
    table = chart_class.chart
    ids = box_ids(table.states)
    boxes = [Box("start", (), Shape.START)]
    boxes += [Box(ids[state], _state_lines(table, state), final=state in table.final) for state in table.states]
    blankets = [trigger for trigger in table.triggers.values() if _is_blanket(trigger)]
    told = {trigger.name for trigger in blankets}
    lines: dict[tuple[StrEnum, StrEnum], list[str]] = {}
    for source, row, target in table.edges():
        if row.trigger not in told:
            lines.setdefault((source, target), []).extend(_arrow_lines(table, row))
    order = {state: place for place, state in enumerate(table.states)}
    ends = sorted(lines, key=lambda pair: (order[pair[0]], order[pair[1]]))
    arrows = [Arrow("start", ids[table.initial])]
    arrows += [Arrow(ids[source], ids[target], tuple(lines[source, target])) for source, target in ends]
    notes = [_blanket_note(table, trigger) for trigger in blankets]
    notes += [_resolving_note(trigger) for trigger in table.triggers.values() if _resolves(trigger)]
    wide = len(table.states) <= 4
    return Drawing(table.name, opening_of(table.doc), tuple(boxes), tuple(arrows), tuple(notes), wide=wide)


def derived_drawing(derived: DerivedClass) -> Drawing:
    """The rules of a derived table as questions, asked from the top; the first that is answered yes gives the state."""
    enum: type[StrEnum] = type(derived.rules[0].target)
    states = tuple(enum)
    ids = box_ids(states)
    questions = [f"rule_{place}" for place in range(1, len(derived.rules))]
    boxes = [Box("start", (), Shape.START)]
    arrows = [Arrow("start", questions[0] if questions else ids[derived.rules[0].target])]
    for place, (question, rule) in enumerate(zip(questions, derived.rules, strict=False)):
        boxes.append(Box(question, wrapped(f"{place + 1}. {rule.sentence}", indent=""), Shape.QUESTION))
        arrows.append(Arrow(question, ids[rule.target], ("yes",)))
        last = place == len(questions) - 1
        arrows.append(Arrow(question, ids[derived.rules[-1].target] if last else questions[place + 1], ("no",)))
    boxes += [Box(ids[state], (state.value,), final=True) for state in states]
    return Drawing(derived.__name__, opening_of(derived.__doc__), tuple(boxes), _merged(arrows), flow=True)


def box_ids(states: Sequence[StrEnum]) -> dict[StrEnum, str]:
    """An id for each state, from its member's name; no two differ only by case, none is a reserved word."""
    ids: dict[StrEnum, str] = {}
    for state in states:
        word = re.sub(r"[^0-9a-z_]+", "_", state.name.lower()).strip("_") or "state"
        word = f"state_{word}" if word[0].isdigit() or word.startswith(("note_", "rule_")) else word
        word = unreserved(word, "state")
        taken = set(ids.values())
        ids[state] = next(name for name in _numbered(word, len(states)) if name not in taken)
    return ids


def unreserved(word: str, suffix: str) -> str:
    """The word as an id, which no language of drawings takes for its own."""
    return f"{word}_{suffix}" if word in RESERVED else word


def _numbered(word: str, count: int) -> Iterable[str]:
    yield word
    yield from (f"{word}_{number}" for number in range(2, count + 2))


def wrapped(line: str, *, indent: str = "  ") -> tuple[str, ...]:
    """A label's line in pieces that are short enough for a drawing."""
    wrapper = textwrap.TextWrapper(
        LONGEST_LINE, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return tuple(wrapper.wrap(line)) or ("",)


def _arrow_lines(table: ChartTable, row: AnyRow) -> tuple[str, ...]:
    """``trigger after first [check c and guard] / effect``; where it is too long, broken before its parts."""
    asked = [f"check {check.__name__}" for check in table.triggers[row.trigger].checks]
    asked += [guard.__name__ for guard in row.when]
    timer = table.triggers[row.trigger].timer
    first = f" ({timer.describe()})" if timer is not None else ""
    first += f" after {row.first}" if row.first else ""
    when = f" [{' and '.join(asked)}]" if asked else ""
    parts = (row.trigger + first, when, _effects(row))
    whole = "".join(parts)
    if len(whole) <= LONGEST_LINE:
        return (whole,)
    lines = [piece for part in parts[1:] if part for piece in wrapped(part.strip(), indent="")]
    return (parts[0], *(f"  {line}" for line in lines))


def _effects(row: AnyRow) -> str:
    then = f" / {', '.join(effect.__name__ for effect in row.then)}" if row.then else ""
    return then + (f", restarts {', '.join(row.restarts)}" if row.restarts else "")


def _state_lines(table: ChartTable, state: StrEnum) -> tuple[str, ...]:
    """What stands in a state's box: its name, and what entering and leaving it asks for."""
    told = [state.value]
    for kind, effects in (("entry", table.entry.get(state, ())), ("exit", table.exit.get(state, ()))):
        if effects:
            told += wrapped(f"{kind} / {', '.join(effect.__name__ for effect in effects)}")
    return tuple(told)


def _is_blanket(trigger: TriggerTable) -> bool:
    pairs = {edge for row in trigger.rows if row.resolves is None for edge in row.edges()}
    sources = {source for source, _ in pairs}
    targets = {target for _, target in pairs}
    every = {(source, target) for source in sources for target in targets if source is not target}
    return len(sources) >= BLANKET and len(targets) >= BLANKET and pairs >= every


def _resolves(trigger: TriggerTable) -> bool:
    return any(row.resolves for row in trigger.rows)


def _blanket_note(table: ChartTable, trigger: TriggerTable) -> tuple[str, ...]:
    sources = {source for row in trigger.rows for source in row.sources}
    named = ", ".join(state.value for state in table.states if state in sources)
    lines = list(wrapped(f"{trigger.name}, from any other of {named}:"))
    lines += [f"to {_target(row)}{_guards(row)}{_effects(row)}" for row in trigger.rows]
    return tuple(lines)


def _resolving_note(trigger: TriggerTable) -> tuple[str, ...]:
    lines = [f"{trigger.name} stands for"]
    for row in trigger.rows:
        if row.resolves:
            lines += wrapped(f"{row.resolves} in {', '.join(source.value for source in row.sources)}")
    return tuple(lines)


def _target(row: AnyRow) -> str:
    return "the same" if row.target is None else row.target.value


def _guards(row: AnyRow) -> str:
    return f" [{' and '.join(guard.__name__ for guard in row.when)}]" if row.when else ""


def _merged(arrows: Iterable[Arrow]) -> tuple[Arrow, ...]:
    """One arrow for each pair of ends, their words in the order in which they came."""
    lines: dict[tuple[str, str], tuple[str, ...]] = {}
    for arrow in arrows:
        ends = (arrow.source, arrow.target)
        lines[ends] = (*lines.get(ends, ()), *arrow.lines)
    return tuple(Arrow(source, target, words) for (source, target), words in lines.items())

"""A chart with what a journal says of it: how often each arrow was taken, and what was rejected where.

The counts stand in the labels; colour and width say the same again, for those who see them. Every machine of the chart
in the journal counts, whatever its label. A rejection is an arrow from its state to itself, in red.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from fsm_rtc.diagrams.drawable import ChartClass
from fsm_rtc.diagrams.drawing import Arrow, Drawing, Look, box_ids, chart_drawing, wrapped
from fsm_rtc.diagrams.svg import DiagramError
from fsm_rtc.engine import Entry, Record
from fsm_rtc.engine.compile import ChartTable

__all__ = ["journal_drawing", "machines_in"]

Ends = tuple[str, str]


def machines_in(records: Iterable[Record]) -> frozenset[str]:
    """The charts' names of all machines of a journal."""
    return frozenset(record.machine for record in records)


def journal_drawing(chart_class: ChartClass, records: Iterable[Record]) -> Drawing:
    """The states of a chart, and how often a journal's machines went from one to the other.

    Args:
        chart_class: the chart.
        records: a `Journal`, or the records of a file.

    Raises:
        DiagramError: the journal has no machine of this chart, or has states that the chart doesn't have.
    """
    table = chart_class.chart
    mine = [record for record in records if record.machine == table.name]
    if not mine:
        raise DiagramError(f"the journal has no {table.name}; `fsm-rtc replay JOURNAL` lists the machines that it has")
    entries = [record for record in mine if isinstance(record, Entry)]
    ids = {state.value: name for state, name in box_ids(table.states).items()}
    for entry in entries:
        for value in (entry.source, entry.target):
            if value not in ids:
                raise DiagramError(
                    f"the journal has a {table.name} in {value!r}, which is no state of it any longer; "
                    "draw it with the version that wrote it"
                )
    taken = Counter((entry.source, entry.target, entry.trigger) for entry in entries if entry.accepted)
    base = chart_drawing(chart_class)
    arrows = (base.arrows[0], *_taken_arrows(table, taken, ids), *_rejected_arrows(table, entries, ids))
    refused = sum(not entry.accepted for entry in entries)
    labels = len({record.label for record in mine})
    title = f"{table.name}, {_counted(len(entries), 'event')}, {refused} rejected, {_counted(labels, 'machine')}"
    return replace(base, title=title, summary="What a journal says.", arrows=arrows, notes=())


def _taken_arrows(table: ChartTable, taken: Counter[tuple[str, str, str]], ids: dict[str, str]) -> list[Arrow]:
    """The table's arrows and those that were taken beside them, in the order of their ends."""
    lines: dict[Ends, dict[str, int]] = {}
    for source, row, target in table.edges():
        if row.trigger != "on_desync":
            lines.setdefault((source.value, target.value), {})[row.trigger] = 0
    for (source_value, target_value, trigger), times in sorted(taken.items()):
        lines.setdefault((source_value, target_value), {})[trigger] = times
    most = max((sum(counts.values()) for counts in lines.values()), default=0)
    order = {value: place for place, value in enumerate(ids)}
    arrows = []
    for source_value, target_value in sorted(lines, key=lambda ends: (order[ends[0]], order[ends[1]])):
        counts = lines[source_value, target_value]
        words = tuple(f"{times}\u00d7 {trigger}" for trigger, times in counts.items())
        times = sum(counts.values())
        look = Look.TAKEN if times else Look.NOT_TAKEN
        level = (times.bit_length() * 4 - 1) // most.bit_length() if times else 0
        arrows.append(Arrow(ids[source_value], ids[target_value], words, look, level))
    return arrows


def _rejected_arrows(table: ChartTable, entries: list[Entry], ids: dict[str, str]) -> list[Arrow]:
    refused: dict[str, Counter[str]] = {}
    for entry in entries:
        if not entry.accepted:
            why = f"{entry.reason}, {entry.guard}" if entry.guard else str(entry.reason)
            refused.setdefault(entry.source, Counter())[f"{entry.trigger}: {why}"] += 1
    arrows = []
    states: tuple[StrEnum, ...] = table.states
    for state in states:
        if counts := refused.get(state.value):
            words = [piece for line in sorted(counts) for piece in wrapped(f"rejected {counts[line]}\u00d7 {line}")]
            arrows.append(Arrow(ids[state.value], ids[state.value], tuple(words), Look.WRONG))
    return arrows


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"

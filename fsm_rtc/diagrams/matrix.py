"""The by-state matrix of a chart, as Markdown: what may happen in each state, and where it leads.

Rows are the states in the order of the enum, columns the triggers in the order of the table. The text depends on the
chart alone, so it can be committed, reviewed and compared byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from fsm_rtc.diagrams.drawable import ChartClass, kind_of, opening_of
from fsm_rtc.engine.compile import AnyRow, ChartTable, TriggerTable
from fsm_rtc.engine.effects import Effect, sentence_of_effect
from fsm_rtc.engine.row import Predicate
from fsm_rtc.errors import Reason

__all__ = ["markdown_table", "matrix"]

WIDEST_PADDED = 48
"""Columns up to this many characters are padded, so that the text is readable as it is."""

NONE = "\u2013"

LEGEND = (
    "A cell names the state that the trigger leads to; *stays* permits it without moving; "
    f"{NONE} has no row, so the event is rejected; "
    "*already* is rejected too, but because there is nothing left to do. Alternatives stand in the order in which "
    "they are tried. `[guard]` must agree, `/ effect` is requested, *after t* means that t is fired first, "
    "as a transition of its own."
)

TIMED_LEGEND = (
    " A trigger *after* some seconds is due by itself, so long after the machine has come to a state in which it has a "
    "row; *anew* leaves a state and enters it again."
)


def matrix(chart_class: ChartClass) -> str:
    """The chart's states and triggers as a Markdown table, with its checks, guards, effects and sources beneath.

    Args:
        chart_class: the chart, as a class.

    Returns:
        Markdown that ends with a line end; the same for the same chart.
    """
    table = chart_class.chart
    head = ["state", *(_head(trigger) for trigger in table.triggers.values())]
    body = [
        [_state_cell(table, state), *(_cell(table, name, state) for name in table.triggers)] for state in table.states
    ]
    parts = [
        f"# {table.name}",
        opening_of(table.doc),
        f"{kind_of(chart_class).capitalize()} machine, {len(table.states)} states, {len(table.triggers)} triggers."
        + (f" Source: {chart_class.source}" if chart_class.source else ""),
        markdown_table(head, body),
        LEGEND + (TIMED_LEGEND if table.timers else ""),
        *_sections(table),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown_table(head: list[str], body: list[list[str]], *, widest: int = WIDEST_PADDED) -> str:
    """A Markdown table; its columns are padded up to `widest` characters."""
    lines = [[text.replace("|", "\\|") for text in line] for line in (head, *body)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [width if width <= widest else 3 for width in widths]
    rule = ["-" * width for width in padded]
    return "\n".join(_line(cells, padded) for cells in (lines[0], rule, *lines[1:]))


def _line(cells: list[str], widths: list[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _head(trigger: TriggerTable) -> str:
    return f"`{trigger.name}`" + (f" *{trigger.timer.describe()}*" if trigger.timer is not None else "")


def _state_cell(table: ChartTable, state: StrEnum) -> str:
    marks = [word for word, holds in (("initial", state is table.initial), ("final", state in table.final)) if holds]
    return f"**{state.value}**" + (f" ({', '.join(marks)})" if marks else "")


def _cell(table: ChartTable, trigger: str, state: StrEnum) -> str:
    rows = table.triggers[trigger].rows_from(state)
    if rows:
        return "<br>".join(_alternative(table, row, state) for row in rows)
    return "*already*" if table.why_no_row(trigger, state) is Reason.ALREADY else NONE


def _alternative(table: ChartTable, row: AnyRow, state: StrEnum) -> str:
    if row.resolves:
        possible = "" if table.rows(row.resolves, state) else f" ({NONE})"
        return f"as `{row.resolves}`{possible}"
    anew = " *anew*" if row.reenters and row.target is state else ""
    to = "*stays*" if row.target is None else f"{row.target.value}{anew}"
    first = f" *after {row.first}*" if row.first else ""
    first += "" if table.is_possible(row, state) else f" ({NONE})"
    when = f" [{' and '.join(_names(row.when))}]" if row.when else ""
    then = f" / {', '.join(_names(row.then))}" if row.then else ""
    restarts = f", restarts {', '.join(row.restarts)}" if row.restarts else ""
    return to + first + when + then + restarts


def _sections(table: ChartTable) -> Iterator[str]:
    triggers = tuple(table.triggers.values())
    rows = tuple(row for trigger in triggers for row in trigger.rows)
    yield _section("Checks, before the state is looked at", map(_check_line, triggers))
    yield _section("Implicit first transitions", map(_first_line, rows))
    yield _section("Guards", _function_lines(guard for row in rows for guard in row.when))
    of_states = (effect for by in (table.entry, table.exit) for effects in by.values() for effect in effects)
    yield _section("Entry and exit", _state_lines(table))
    yield _section("Timers", map(_timer_line, triggers))
    yield _section("Effects", _function_lines(effect for effect in (*(e for r in rows for e in r.then), *of_states)))
    yield _section("Sources", _source_lines(triggers))


def _section(title: str, lines: Iterable[str]) -> str:
    kept = list(dict.fromkeys(line for line in lines if line))
    return f"## {title}\n\n" + "\n".join(f"- {line}" for line in kept) if kept else ""


def _check_line(trigger: TriggerTable) -> str:
    if not trigger.checks:
        return ""
    error = f"; refused with {trigger.error.__name__}" if trigger.error else ""
    return f"`{trigger.name}`: " + "; ".join(_told(check) for check in trigger.checks) + error


def _first_line(row: AnyRow) -> str:
    if row.first is None:
        return ""
    sources = ", ".join(source.value for source in row.sources)
    return f"`{row.trigger}` from {sources}: `{row.first}` comes first, and the row fails if it is refused"


def _state_lines(table: ChartTable) -> Iterator[str]:
    for state in table.states:
        told = [
            f"{kind} / {', '.join(_names(effects))}"
            for kind, effects in (("entry", table.entry.get(state, ())), ("exit", table.exit.get(state, ())))
            if effects
        ]
        if told:
            yield f"**{state.value}**: {'; '.join(told)}"


def _timer_line(trigger: TriggerTable) -> str:
    timer = trigger.timer
    if timer is None:
        return ""
    late = "is put off" if timer.late == "postpone" else "runs on"
    return f"`{trigger.name}`: {timer.describe()}; {late} while the process stands still"


def _function_lines(functions: Iterable[Predicate | Effect]) -> list[str]:
    return sorted({_told(function) for function in functions})


def _source_lines(triggers: Iterable[TriggerTable]) -> Iterator[str]:
    for trigger in triggers:
        cites = dict.fromkeys(cite for cite in (trigger.cite, *(row.cite for row in trigger.rows)) if cite)
        if cites:
            yield f"`{trigger.name}`: " + "; ".join(cites)


def _told(function: Predicate | Effect) -> str:
    told = sentence_of_effect(function)
    return f"`{function.__name__}`" + (f": {told}" if told else "")


def _names(functions: Iterable[Predicate | Effect]) -> list[str]:
    return [function.__name__ for function in functions]

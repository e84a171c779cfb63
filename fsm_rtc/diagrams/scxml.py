"""A chart as SCXML, for tools that know it from elsewhere: simulators, editors, other engines.

What a table has and SCXML has not is said with what SCXML has:

* A trigger is an event of its name. A row is a transition; one that stays is a transition without target.
* Guards and checks read a context that a document doesn't have. Whoever sends the event says what they answer, in the
  event's data: ``cond="_event.data.has_key"``. One that isn't said is not met.
* `first` is a transition of its own in a table; here the row asks for both guards, and raises the effects of both.
* `resolves_to` is followed: the transitions of the trigger that it stands for, in those states.
* An effect is raised as the internal event ``effect.NAME``, which nothing in the document waits for.
* A rejected event is one that no transition takes. Generations are left out.

Source: W3C, State Chart XML (SCXML), Recommendation 2015-09-01, sections 3.2 to 3.7, 4.2, 5.10.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from xml.sax.saxutils import escape, quoteattr

from fsm_rtc.diagrams.drawable import ChartClass, opening_of
from fsm_rtc.diagrams.drawing import box_ids
from fsm_rtc.engine.compile import AnyRow, ChartTable
from fsm_rtc.engine.timer import Timer

__all__ = ["scxml", "scxml_ids"]

NAMESPACE = "http://www.w3.org/2005/07/scxml"

AND = " &amp;&amp; "


def scxml(chart_class: ChartClass) -> str:
    """A chart as an SCXML document that ends with a line end; the same for the same chart."""
    table = chart_class.chart
    ids = scxml_ids(table)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<!-- {_comment(opening_of(table.doc))} -->",
        f'<scxml xmlns="{NAMESPACE}" version="1.0" datamodel="ecmascript" name="{table.name}" '
        f'initial="{ids[table.initial]}">',
    ]
    for state in table.states:
        lines.extend(_state(table, state, ids))
    return "\n".join([*lines, "</scxml>"]) + "\n"


def scxml_ids(table: ChartTable) -> dict[StrEnum, str]:
    """The id under which the document has each state: the one of the other drawings."""
    return box_ids(table.states)


def _state(table: ChartTable, state: StrEnum, ids: dict[StrEnum, str]) -> Iterator[str]:
    if state.value != ids[state]:
        yield f"  <!-- {_comment(state.value)} -->"
    if state in table.final:
        lines = list(_entry_and_exit(table, state))
        yield f'  <final id="{ids[state]}"{"" if lines else "/"}>'
        if lines:
            yield from lines
            yield "  </final>"
        return
    transitions = [*_entry_and_exit(table, state)]
    transitions += [line for trigger in table.triggers for line in _transitions(table, trigger, state, ids)]
    if not transitions:
        yield f'  <state id="{ids[state]}"/>'
        return
    yield f'  <state id="{ids[state]}">'
    yield from transitions
    yield "  </state>"


def _entry_and_exit(table: ChartTable, state: StrEnum) -> Iterator[str]:
    """What a state asks for, and its timers; SCXML has no timer over several states, so each of them has one."""
    timers = [timer for timer in table.timers.values() if state in timer.sources]
    entry = [f'<raise event="effect.{effect.__name__}"/>' for effect in table.entry.get(state, ())]
    entry += [_send(timer) for timer in timers]
    leave = [f'<cancel sendid="{timer.trigger}"/>' for timer in timers]
    leave += [f'<raise event="effect.{effect.__name__}"/>' for effect in table.exit.get(state, ())]
    for name, lines in (("onentry", entry), ("onexit", leave)):
        if lines:
            yield f"    <{name}>"
            yield from (f"      {line}" for line in lines)
            yield f"    </{name}>"


def _transitions(table: ChartTable, trigger: str, state: StrEnum, ids: dict[StrEnum, str]) -> Iterator[str]:
    checks = tuple(check.__name__ for check in table.triggers[trigger].checks)
    for row in table.rows(trigger, state):
        target = row.target_from(state)
        for guards, effects in _ways(table, row, state):
            cond = AND.join(f"_event.data.{name}" for name in dict.fromkeys((*checks, *guards)))
            attributes = f'event="{trigger}"'
            attributes += f' cond="{cond}"' if cond else ""
            # One to the state itself leaves and enters it there; only a row that says so does.
            moves = row.moves_from(state) or (
                row.target is not None and not (table.entry or table.exit or table.timers)
            )
            attributes += f" target={quoteattr(ids[target])}" if moves else ""
            anew = [line for name in row.restarts for line in _restart(table.timers[name])]
            if not effects and not anew:
                yield f"    <transition {attributes}/>"
                continue
            yield f"    <transition {attributes}>"
            yield from (f'      <raise event="effect.{name}"/>' for name in effects)
            yield from anew
            yield "    </transition>"


def _restart(timer: Timer) -> Iterator[str]:
    yield f'      <cancel sendid="{timer.trigger}"/>'
    yield f"      {_send(timer)}"


def _send(timer: Timer) -> str:
    delay = f'delayexpr="{timer.after.__name__}"' if callable(timer.after) else f'delay="{timer.after:g}s"'
    return f'<send event="{timer.trigger}" id="{timer.trigger}" {delay}/>'


def _ways(table: ChartTable, row: AnyRow, state: StrEnum) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Each way to take a row: what must agree, and what is requested; as many as its first trigger has rows here."""
    guards = tuple(guard.__name__ for guard in row.when)
    effects = tuple(effect.__name__ for effect in row.then)
    if row.first is None:
        yield guards, effects
        return
    checks = tuple(check.__name__ for check in table.triggers[row.first].checks)
    for earlier in table.rows(row.first, state):
        before = tuple(guard.__name__ for guard in earlier.when)
        yield (*guards, *checks, *before), (*(effect.__name__ for effect in earlier.then), *effects)


def _comment(text: str) -> str:
    return escape(text.replace("--", "- -"))

"""Charts and figures for the browser: ``python -m fsm_rtc.browser.tables`` writes all of its generated files anew.

`machine.js` steps any chart, with the functions that it names given by name. What it doesn't know is generations,
observers, and that a trigger which is already there is no mistake: it refuses that one too. What is a setting or a
bound on both sides has its one home in Python, and goes into `figures.js`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import Any

from fsm_rtc.connection.delivery.frames import CHANNEL_PROTOCOL, FEATURE, MAX_DATA_BYTES, MAX_STREAMS
from fsm_rtc.connection.delivery.message_channel import ACKNOWLEDGE_WITHIN_SECONDS
from fsm_rtc.connection.delivery.message_store import KEPT_PEERS, KEPT_STREAMS
from fsm_rtc.connection.delivery.reliable_stream import (
    ACKNOWLEDGE_AT_ONCE,
    MAX_UNACKNOWLEDGED_BYTES,
    MAX_UNACKNOWLEDGED_MESSAGES,
)
from fsm_rtc.connection.events import LossReason
from fsm_rtc.connection.exchange.candidates import CANDIDATE_CHARACTERS, KEPT_CANDIDATES
from fsm_rtc.connection.exchange.retransmission import GIVE_UP_SECONDS
from fsm_rtc.connection.recovery.driver import FOLLOWER_PATIENCE, SIGNALED_BYE_SECONDS
from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from fsm_rtc.engine import Chart, Row
from fsm_rtc.engine.effects import StateEffects
from fsm_rtc.engine.timer import Timer
from fsm_rtc.machines.candidates import Candidates
from fsm_rtc.machines.data_channel import Flow, FlowLimits
from fsm_rtc.machines.delivery import Deliveries
from fsm_rtc.machines.exchange import WINDOW, Exchange
from fsm_rtc.machines.recovery import CUT_SECONDS, RECOVERING, WATCHED, Recovery
from fsm_rtc.messages import CODES_FEATURE, SENTENCES, EndCode

__all__ = ["CHARTS", "FOLDER", "generated", "table_of", "table_text"]

FOLDER = Path(__file__).parent

CHARTS: Mapping[str, type[Chart[Any, Any]]] = {
    "candidates_table.js": Candidates,
    "deliveries_table.js": Deliveries,
    "exchange_table.js": Exchange,
    "flow_table.js": Flow,
    "recovery_table.js": Recovery,
}
"""What the browser steps, by file."""

FIGURES: Mapping[str, object] = {
    "ACKNOWLEDGE_AT_ONCE": ACKNOWLEDGE_AT_ONCE,
    "ACKNOWLEDGE_SECONDS": GIVE_UP_SECONDS,
    "ACKNOWLEDGE_WITHIN_SECONDS": ACKNOWLEDGE_WITHIN_SECONDS,
    "CANDIDATE_CHARACTERS": CANDIDATE_CHARACTERS,
    "CHANNEL_PROTOCOL": CHANNEL_PROTOCOL,
    "CODES_FEATURE": CODES_FEATURE,
    "CUT_SECONDS": CUT_SECONDS,
    "FEATURE": FEATURE,
    "FLOW_LIMITS": asdict(FlowLimits()),
    "SIGNALED_BYE_SECONDS": SIGNALED_BYE_SECONDS,
    "FOLLOWER_PATIENCE": FOLLOWER_PATIENCE,
    "KEPT_CANDIDATES": KEPT_CANDIDATES,
    "KEPT_PEERS": KEPT_PEERS,
    "KEPT_STREAMS": KEPT_STREAMS,
    "END_CODES": {code.name: code.value for code in EndCode},
    "END_SENTENCES": {code.name: SENTENCES[code] for code in EndCode},
    "LOSS_REASONS": {reason.name: reason.value for reason in LossReason},
    "MAX_DATA_BYTES": MAX_DATA_BYTES,
    "MAX_STREAMS": MAX_STREAMS,
    "MAX_UNACKNOWLEDGED_BYTES": MAX_UNACKNOWLEDGED_BYTES,
    "MAX_UNACKNOWLEDGED_MESSAGES": MAX_UNACKNOWLEDGED_MESSAGES,
    "RECOVERING": [state.value for state in RECOVERING],
    "RECOVERY_POLICY": asdict(RecoveryPolicy()),
    "WATCHED": [state.value for state in WATCHED],
    "WINDOW": WINDOW,
}


def generated() -> dict[Path, str]:
    """What stands in each generated file."""
    texts = {FOLDER / name: table_text(chart) for name, chart in CHARTS.items()}
    texts[FOLDER / "figures.js"] = figures_text()
    return texts


def table_of(chart: type[Chart[Any, Any]]) -> dict[str, Any]:
    """The chart as `machine.js` reads it, for JSON; guards, effects and times by name."""
    table = chart.chart
    written: dict[str, Any] = {
        "machine": table.name,
        "digest": table.digest,
        "initial": table.initial.value,
        "final": sorted(state.value for state in table.final),
        "triggers": {
            name: {
                "checks": [check.__name__ for check in trigger.checks],
                "rows": [_row(row) for row in trigger.rows],
            }
            for name, trigger in sorted(table.triggers.items())
        },
    }
    if table.entry:
        written["entry"] = _effects(table.entry)
    if table.exit:
        written["exit"] = _effects(table.exit)
    if table.timers:
        written["timers"] = [_timer(timer) for timer in table.timers.values()]
    return written


def table_text(chart: type[Chart[Any, Any]]) -> str:
    """The chart as a JavaScript module, a row a line; the same text each time."""
    source = chart.__module__.replace(".", "/")
    table = table_of(chart)
    lines = [
        f"// Generated from {source}.py: python -m fsm_rtc.browser.tables",
        "",
        "/** @type {import('./machine.js').Table} */",
        f"export const {chart.__name__.upper()} = {{",
    ]
    for key, value in table.items():
        if key == "triggers":
            lines.append('  "triggers": {')
            for name, trigger in value.items():
                lines.append(f'    "{name}": {{ "checks": {json.dumps(trigger["checks"])}, "rows": [')
                lines += (f"      {json.dumps(row)}," for row in trigger["rows"])
                lines.append("    ] },")
            lines.append("  },")
        elif key == "timers":
            lines += ['  "timers": [', *(f"    {json.dumps(timer)}," for timer in value), "  ],"]
        else:
            lines.append(f'  "{key}": {json.dumps(value)},')
    return "\n".join([*lines, "};", ""])


def figures_text() -> str:
    """The figures as a JavaScript module; fields named as JavaScript names them."""
    lines = ["// Generated from the figures of fsm_rtc: python -m fsm_rtc.browser.tables"]
    for name, value in sorted(FIGURES.items()):
        if isinstance(value, Mapping):
            fields = (f"  {_camel(key)}: {_figure(one)}," for key, one in value.items())
            lines += ["", f"export const {name} = Object.freeze({{", *fields, "});"]
        else:
            lines += ["", f"export const {name} = {_figure(value)};"]
    return "\n".join([*lines, ""])


def write(texts: Mapping[Path, str]) -> None:
    """Write the files."""
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")


def _camel(name: str) -> str:
    first, *rest = name.lower().split("_")
    return "".join([first, *(word.capitalize() for word in rest)])


def _figure(value: object) -> str:
    if value == inf:
        return "Infinity"
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def _row(row: Row[Any, Any, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {
        "sources": [source.value for source in row.sources],
        "target": row.target.value if row.target is not None else None,
        "when": _names(row.when),
        "then": _names(row.then),
    }
    if row.reenters:
        written["reenters"] = True
    if row.restarts:
        written["restarts"] = list(row.restarts)
    if row.first is not None:
        written["first"] = row.first
    if row.resolves is not None:
        written["resolves"] = row.resolves
    return written


def _names(functions: Iterable[Any]) -> list[str]:
    return [function.__name__ for function in functions]


def _effects(by_state: StateEffects) -> dict[str, list[str]]:
    return {state.value: _names(effects) for state, effects in by_state.items()}


def _timer(timer: Timer) -> dict[str, Any]:
    return {
        "trigger": timer.trigger,
        "sources": sorted(state.value for state in timer.sources),
        "after": timer.after.__name__ if callable(timer.after) else timer.after,
        "per": timer.per,
        "since": timer.since.__name__ if timer.since is not None else None,
        "late": timer.late,
        "jitter": timer.jitter,
    }


if __name__ == "__main__":
    write(generated())

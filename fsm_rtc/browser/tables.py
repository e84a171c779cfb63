"""The exchange's table for the browser: ``python -m fsm_rtc.browser.tables`` writes ``exchange_table.js`` anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fsm_rtc.engine import Chart
from fsm_rtc.errors import ChartError
from fsm_rtc.machines.exchange import Exchange

__all__ = ["PATH", "table_text"]

PATH = Path(__file__).with_name("exchange_table.js")


def table_text(chart: type[Chart[Any, Any]] = Exchange) -> str:
    """The chart as a JavaScript module; the same text each time."""
    if chart.chart.timers or chart.chart.entry or chart.chart.exit:
        raise ChartError(f"{chart.chart.name}: the browser's machine knows no timers, entry and exit effects yet")
    table = {
        "machine": chart.chart.name,
        "digest": chart.chart.digest,
        "initial": chart.chart.initial.value,
        "final": sorted(state.value for state in chart.chart.final),
        "triggers": {
            name: {
                "checks": [check.__name__ for check in trigger.checks],
                "rows": [
                    {
                        "sources": [source.value for source in row.sources],
                        "target": row.target.value if row.target is not None else None,
                        "when": [guard.__name__ for guard in row.when],
                        "then": [effect.__name__ for effect in row.then],
                    }
                    for row in trigger.rows
                ],
            }
            for name, trigger in sorted(chart.chart.triggers.items())
        },
    }
    return (
        "// Generated from fsm_rtc/machines/exchange.py: python -m fsm_rtc.browser.tables\n\n"
        f"/** @type {{import('./machine.js').Table}} */\nexport const EXCHANGE = {json.dumps(table, indent=2)};\n"
    )


if __name__ == "__main__":
    PATH.write_text(table_text(), encoding="utf-8")

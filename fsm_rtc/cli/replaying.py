"""`replay`: a journal file walked through the charts again."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsm_rtc.cli.output import console, errors_told

if TYPE_CHECKING:
    from fsm_rtc.diagrams.drawable import ChartClass
    from fsm_rtc.engine.replay import Replayed
    from fsm_rtc.messages import JournalFile

__all__ = ["journal_of", "replay"]


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A journal in JSON Lines; - reads standard input.")],
    chart: Annotated[
        list[str] | None,
        typer.Option("--chart", metavar="package.module:MyChart", help="A chart of your own; may be repeated."),
    ] = None,
    despite_changes: Annotated[
        bool, typer.Option("--despite-changes", help="Go on if a chart has changed since the journal was written.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Walk a journal through the charts again; exit with 0 only if the tables allow all that was recorded."""
    from fsm_rtc.engine.replay import replay as replayed_through

    with errors_told():
        journal = journal_of(file)
        result = replayed_through(journal.records, _charts(chart or []), despite_changes=despite_changes)
    if as_json:
        typer.echo(_json(result, journal))
    else:
        _print(result)
    if not result.agrees:
        raise typer.Exit(1)


def journal_of(file: Path) -> JournalFile:
    """The journal in a file; ``-`` is standard input."""
    from fsm_rtc.messages import load_journal, read_journal

    return read_journal(sys.stdin.buffer) if str(file) == "-" else load_journal(file)


def _charts(own: list[str]) -> dict[str, ChartClass]:
    from fsm_rtc.cli.lookup import find_chart
    from fsm_rtc.machines import CHARTS

    charts: list[ChartClass] = [*CHARTS.values(), *map(find_chart, own)]
    return {one.__name__: one for one in charts}


def _json(result: Replayed, journal: JournalFile) -> str:
    walks = [
        {
            "label": walk.label,
            "machine": walk.machine,
            "events": walk.accepted + walk.rejected,
            "accepted": walk.accepted,
            "rejected": walk.rejected,
            "state": walk.state,
            "agrees": walk.agrees,
        }
        for walk in result.walks
    ]
    mismatches = [asdict(mismatch) for mismatch in result.mismatches]
    return json.dumps(
        {"agrees": result.agrees, "records": len(journal.records), "walks": walks, "mismatches": mismatches}
    )


def _print(result: Replayed) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in ("label", "machine", "accepted", "rejected", "final state", "agrees"):
        table.add_column(head, justify="right" if head in ("accepted", "rejected") else "left")
    for walk in result.walks:
        agreement = Text("yes", "green") if walk.agrees else Text(f"no, {len(walk.mismatches)} times", "red")
        counts = (str(walk.accepted), str(walk.rejected))
        table.add_row(Text(walk.label), Text(walk.machine), *counts, Text(walk.state), agreement)
    screen = console()
    screen.print(table)
    for mismatch in result.mismatches:
        screen.print(Text(f"line {mismatch.line}: {mismatch.label}: {mismatch.message}"), style="red")

"""`inspect`: the inspector's page on a journal file; and what the other commands that show the page share."""

from __future__ import annotations

import asyncio
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsm_rtc.cli.output import errors_told
from fsm_rtc.cli.stopping import STOPPED_TWICE, calls_when_stopped

if TYPE_CHECKING:
    from fsm_rtc.inspector import Inspector

__all__ = ["inspect", "show"]


def inspect(
    file: Annotated[Path, typer.Argument(metavar="JOURNAL", help="A journal in JSON Lines; - reads standard input.")],
    chart: Annotated[
        list[str] | None,
        typer.Option("--chart", metavar="package.module:MyChart", help="A chart of your own; may be repeated."),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; elsewhere than on loopback the page has a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for a free one.")] = 0,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the default browser.")] = True,
) -> None:
    """Look at a journal in the browser: each machine's diagram at every moment, what was rejected and why.

    It is shown until Ctrl-C.
    """
    from fsm_rtc.cli.lookup import find_chart
    from fsm_rtc.inspector import ChartBook, Feed, Inspector, RecordLog
    from fsm_rtc.inspector.access import Gate, token_for
    from fsm_rtc.messages import load_journal, read_journal

    with errors_told():
        journal = read_journal(sys.stdin.buffer) if str(file) == "-" else load_journal(file)
        book = ChartBook(map(find_chart, chart or []))
        name = "standard input" if str(file) == "-" else file.name
        feed = Feed(RecordLog(journal.records), book, name, history=None, is_live=False)
        inspector = Inspector(feed, Gate(token_for(host)), host, port)
        try:
            asyncio.run(_run(inspector, open_page=open_page))
        except KeyboardInterrupt:
            raise typer.Exit(STOPPED_TWICE) from None


def show(inspector: Inspector, *, open_page: bool, err: bool = False) -> None:
    """Say where an inspector is, and open it if that is wanted."""
    typer.echo(f"inspector: {inspector.url}", err=err)
    if open_page and not webbrowser.open(inspector.url):
        typer.echo("no browser could be opened; open this address in one", err=True)


async def _run(inspector: Inspector, *, open_page: bool) -> None:
    stop = asyncio.Event()
    with calls_when_stopped(stop.set):
        async with inspector:
            show(inspector, open_page=open_page)
            await stop.wait()

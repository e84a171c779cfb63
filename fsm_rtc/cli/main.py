"""The command's app: its commands are in modules of their own, and load what they need when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from fsm_rtc._version import __version__
from fsm_rtc.cli.charts import diagram, machines, matrix
from fsm_rtc.cli.demo import demo
from fsm_rtc.cli.replaying import replay

__all__ = ["app"]

app = typer.Typer(
    name="fsm-rtc",
    help="WebRTC connections as finite state machines: read their tables, draw them, replay what happened.",
    epilog="Begin with: fsm-rtc demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fsm-rtc {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command(epilog="Examples: fsm-rtc demo; fsm-rtc demo --json --seconds 3 > call.jsonl")(demo)
app.command(epilog="Example: fsm-rtc machines")(machines)
app.command(epilog="Examples: fsm-rtc matrix negotiation; fsm-rtc matrix my_package.door:Door > door.md")(matrix)
app.command(
    epilog="Examples: fsm-rtc diagram negotiation; fsm-rtc diagram my_package.door:Door --format svg -o docs; "
    "fsm-rtc diagram --all -o diagrams --check"
)(diagram)
app.command(epilog="Examples: fsm-rtc replay call.jsonl; fsm-rtc demo --json | fsm-rtc replay -")(replay)

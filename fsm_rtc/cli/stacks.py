"""`stacks`: the WebRTC stacks that are known, and which of them are here."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from fsm_rtc.cli.output import console

__all__ = ["stacks"]


def stacks(
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the WebRTC stacks that can be checked, which of them are installed, and how to get the others."""
    from fsm_rtc.conformance.stacks import STACKS

    versions = {stack.name: stack.version() for stack in STACKS}
    if as_json:
        rows = [
            {
                "name": stack.name,
                "version": versions[stack.name],
                "language": stack.language,
                "library": stack.library,
                "install": stack.install,
            }
            for stack in STACKS
        ]
        typer.echo(json.dumps(rows, indent=2))
        return

    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in ("name", "version", "language", "library", "to install it"):
        table.add_column(head, no_wrap=head in ("name", "version", "language"))
    for stack in STACKS:
        version = versions[stack.name]
        install = "" if version else stack.install
        table.add_row(stack.name, version or "not here", stack.language, stack.library, Text(install))
    console().print(table)

"""What every command does alike: refuse in one or two lines, and draw tables."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from fsm_rtc.errors import FsmRtcError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

__all__ = ["REFUSED", "console", "errors_told"]

REFUSED = 2
"""The exit code for a command that could not be done as it was given."""

UNBOUNDED_COLUMNS = 160
"""The width of a table that goes to a file or a pipe, in characters."""


@contextmanager
def errors_told() -> Iterator[None]:
    """Tell an error of fsm_rtc's own on stderr and exit with `REFUSED`; any other is a bug and keeps its traceback."""
    try:
        yield
    except FsmRtcError as error:
        typer.echo(f"fsm-rtc: {error}", err=True)
        raise typer.Exit(REFUSED) from None


def console() -> Console:
    """Where tables are drawn; in a file or a pipe they are not squeezed."""
    from rich.console import Console

    drawn = Console()
    return drawn if drawn.is_terminal else Console(width=UNBOUNDED_COLUMNS)

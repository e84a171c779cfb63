"""`machines`, `matrix` and `diagram`: the tables, to be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsm_rtc.cli.output import REFUSED, console, errors_told
from fsm_rtc.diagrams.render import Format

if TYPE_CHECKING:
    from fsm_rtc.cli.lookup import Found
    from fsm_rtc.diagrams import Fault

__all__ = ["diagram", "machines", "matrix"]

DEFAULT_DIRECTORY = Path("diagrams")

NAME_HELP = "A machine of `fsm-rtc machines`, or package.module:MyChart."

Name = Annotated[str, typer.Argument(metavar="NAME", help=NAME_HELP)]


def machines() -> None:
    """List every machine: its kind, size and source."""
    from rich.table import Table
    from rich.text import Text

    from fsm_rtc.diagrams import all_machines, kind_of
    from fsm_rtc.engine import Derived

    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in ("name", "kind", "states", "triggers", "source"):
        table.add_column(head, justify="right" if head in ("states", "triggers") else "left", no_wrap=head != "source")
    for name, drawn in all_machines().items():
        if issubclass(drawn, Derived):
            states, triggers, source = len({rule.target for rule in drawn.rules}), "", drawn.cite
        else:
            states, triggers, source = len(drawn.chart.states), str(len(drawn.chart.triggers)), drawn.source
        table.add_row(name, kind_of(drawn), str(states), triggers, Text(source))
    console().print(table)


def matrix(name: Name) -> None:
    """Print what may happen in each state, as a Markdown table; of a derived status, its rules."""
    from fsm_rtc.cli.lookup import find
    from fsm_rtc.diagrams import table_text

    with errors_told():
        typer.echo(table_text(find(name).drawn), nl=False)


def diagram(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help=NAME_HELP)] = None,
    every: Annotated[bool, typer.Option("--all", help="Every machine, instead of one NAME.")] = False,
    language: Annotated[
        Format | None,
        typer.Option("--format", help="The language; mermaid for one machine, Mermaid, SVG and matrix for --all."),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where files go; without it one machine is printed."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if a file in DIR doesn't agree with its table.")
    ] = False,
) -> None:
    """Draw one machine, or all of them; or check that drawings are up to date."""
    if every == (name is not None):
        typer.echo("fsm-rtc: give either one NAME or --all; `fsm-rtc machines` lists the names", err=True)
        raise typer.Exit(REFUSED)
    with errors_told():
        if name is None and language is None:
            _whole_folder(directory or DEFAULT_DIRECTORY, check=check)
        else:
            _single_files(name, language or Format.MERMAID, directory, check=check)


def _whole_folder(folder: Path, *, check: bool) -> None:
    from fsm_rtc.diagrams import check_all, render_all

    if check:
        _tell_faults(check_all(folder), folder, f"fsm-rtc diagram --all -o {folder}")
    else:
        typer.echo(f"{len(render_all(folder))} files written to {folder}", err=True)


def _single_files(name: str | None, language: Format, directory: Path | None, *, check: bool) -> None:
    from fsm_rtc.diagrams import check_file, render, write_file

    found = [one for one in _named(name) if name is not None or language.draws(one.drawn)]
    folder = directory or DEFAULT_DIRECTORY
    paths = {folder / f"{one.name}{language.suffix}": one.drawn for one in found}
    if check:
        faults = tuple(fault for path, drawn in paths.items() if (fault := check_file(path, drawn)))
        _tell_faults(faults, folder, f"fsm-rtc diagram {name or '--all'} --format {language.value} -o {folder}")
    elif name is not None and directory is None:
        typer.echo(render(found[0].drawn, language), nl=False)
    else:
        for path, drawn in paths.items():
            write_file(path, render(drawn, language))
        typer.echo(f"{len(paths)} {'file' if len(paths) == 1 else 'files'} written to {folder}", err=True)


def _named(name: str | None) -> list[Found]:
    from fsm_rtc.cli.lookup import Found, find
    from fsm_rtc.diagrams import all_machines

    return [find(name)] if name is not None else [Found(key, drawn) for key, drawn in all_machines().items()]


def _tell_faults(faults: tuple[Fault, ...], folder: Path, mend: str) -> None:
    if not faults:
        typer.echo(f"the diagrams in {folder} are up to date", err=True)
        return
    for fault in faults:
        typer.echo(str(fault), err=True)
    typer.echo(f"{len(faults)} of the files in {folder} don't agree with the tables; mend them with: {mend}", err=True)
    raise typer.Exit(1)

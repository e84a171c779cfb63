"""`machines`, `matrix` and `diagram`: the tables, to be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

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
    overview: Annotated[
        bool, typer.Option("--overview", help="Instead, draw all machines of a peer and what couples them.")
    ] = False,
    journal: Annotated[
        Path | None,
        typer.Option("--journal", metavar="FILE", help="Count how often each edge was taken in this journal."),
    ] = None,
    sequence: Annotated[
        Path | None,
        typer.Option("--sequence", metavar="FILE", help="Instead, draw this journal's call as a sequence diagram."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if a file in DIR doesn't agree with its table.")
    ] = False,
) -> None:
    """Draw one machine, or all of them; or check that drawings are up to date; or draw a call from its journal."""
    if (journal or sequence) and check:
        _refuse("--check compares with the tables; a journal's drawing isn't compared, so leave one of the two out")
    if overview:
        if name is not None or every or journal or sequence or check:
            _refuse("--overview draws all machines; give it alone, or with --format and --output")
        with errors_told():
            _overview(language or Format.MERMAID, directory)
        return
    if sequence is not None:
        if name is not None or every or journal is not None or language not in (None, Format.MERMAID):
            _refuse("--sequence draws the whole journal, in Mermaid; give it alone, or with --output")
        with errors_told():
            _sequence(sequence, directory)
        return
    if every == (name is not None):
        _refuse("give either one NAME or --all; `fsm-rtc machines` lists the names")
    with errors_told():
        if journal is not None:
            _journaled(name, language or Format.MERMAID, journal, directory)
        elif name is None and language is None:
            _whole_folder(directory or DEFAULT_DIRECTORY, check=check)
        else:
            _single_files(name, language or Format.MERMAID, directory, check=check)


def _refuse(why: str) -> NoReturn:
    typer.echo(f"fsm-rtc: {why}", err=True)
    raise typer.Exit(REFUSED)


def _overview(language: Format, directory: Path | None) -> None:
    from fsm_rtc.diagrams import overview_text

    _told_or_written({f"overview{language.suffix}": overview_text(language)}, directory)


def _sequence(journal: Path, directory: Path | None) -> None:
    from fsm_rtc.cli.replaying import journal_of
    from fsm_rtc.diagrams import sequence_text

    text = sequence_text(journal_of(journal).records, title=f"The call in {journal.name}")
    _told_or_written({f"{journal.stem}.sequence.mmd": text}, directory)


def _journaled(name: str | None, language: Format, journal: Path, directory: Path | None) -> None:
    from fsm_rtc.cli.replaying import journal_of
    from fsm_rtc.diagrams import journal_text, machines_in

    records = journal_of(journal).records
    machines = machines_in(records)
    found = [one for one in _named(name) if name is not None or one.drawn.__name__ in machines]
    texts = {f"{one.name}{language.suffix}": journal_text(one.drawn, language, records) for one in found}
    _told_or_written(texts, directory if name is not None else directory or DEFAULT_DIRECTORY)


def _told_or_written(texts: dict[str, str], directory: Path | None) -> None:
    """Printed where there is no directory, else written to it, each to its file."""
    from fsm_rtc.diagrams import write_file

    if directory is None:
        for text in texts.values():
            typer.echo(text, nl=False)
        return
    for file, text in texts.items():
        write_file(directory / file, text)
    typer.echo(f"{len(texts)} {'file' if len(texts) == 1 else 'files'} written to {directory}", err=True)


def _whole_folder(folder: Path, *, check: bool) -> None:
    from fsm_rtc.diagrams import check_all, render_all

    if check:
        _tell_faults(check_all(folder), folder, f"fsm-rtc diagram --all -o {folder}")
    else:
        typer.echo(f"{len(render_all(folder))} files written to {folder}", err=True)


def _single_files(name: str | None, language: Format, directory: Path | None, *, check: bool) -> None:
    from fsm_rtc.diagrams import check_file, render

    found = [one for one in _named(name) if name is not None or language.draws(one.drawn)]
    folder = directory or DEFAULT_DIRECTORY
    paths = {folder / f"{one.name}{language.suffix}": one.drawn for one in found}
    if check:
        faults = tuple(fault for path, drawn in paths.items() if (fault := check_file(path, drawn)))
        _tell_faults(faults, folder, f"fsm-rtc diagram {name or '--all'} --format {language.value} -o {folder}")
    else:
        texts = {f"{one.name}{language.suffix}": render(one.drawn, language) for one in found}
        _told_or_written(texts, directory if name is not None else folder)


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

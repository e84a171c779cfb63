"""`conform`: WebRTC stacks held to the tables."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsm_rtc.cli.output import console, errors_told
from fsm_rtc.errors import ConformanceError

if TYPE_CHECKING:
    from fsm_rtc.conformance.campaign import Options, Progress
    from fsm_rtc.conformance.findings import Finding, StackReport

__all__ = ["conform"]


class TableProfile(StrEnum):
    """The tables."""

    WEBRTC_PC = "webrtc-pc"
    JSEP = "jsep"


def conform(
    stacks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STACK]...", help="Which to check, as fsm-rtc stacks lists them; all that are here."),
    ] = None,
    adapter: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="A stack of your own: the program that is its adapter.")
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Only check whether the adapter keeps the adapter protocol.")
    ] = False,
    profile: Annotated[TableProfile, typer.Option(help="Which tables to hold it to.")] = TableProfile.WEBRTC_PC,
    examples: Annotated[int, typer.Option(min=0, help="How many random orderings to try.")] = 300,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="How long to try random orderings, at most, for each stack.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random orderings.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the findings here.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page here.")] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write the findings as Markdown here.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Run the sequences of the findings in this --json file again.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if there is any finding.")] = False,
) -> None:
    """Hold WebRTC stacks to the tables: every operation in every state, then random orderings; tell what differs."""
    with errors_told():
        targets = _targets(stacks or [], adapter)
        if self_test:
            if sum(not _self_test(name, command) for name, command in targets.items()):
                raise typer.Exit(1)
            return
        if replay is not None:
            if not _replay(replay, targets, is_own=adapter is not None):
                raise typer.Exit(1)
            return
        if examples and find_spec("hypothesis") is None:
            raise ConformanceError(
                "random orderings need Hypothesis, which is not installed; run: pip install hypothesis, "
                "or leave them out with --examples 0"
            )
        reports = []
        for name, command in targets.items():
            again = (
                f"fsm-rtc conform {name}" if adapter is None else f"fsm-rtc conform --adapter {shlex.quote(adapter)}"
            )
            options = _options(profile.value, examples, seconds, seed, again)
            with _progress(name) as progress:
                reports.append(_campaign(command, options, progress))
            _print(reports[-1])
        _write(reports, json_file, html_file, markdown_file)
    if strict and any(_grave(report) for report in reports):
        raise typer.Exit(1)


def _targets(names: list[str], adapter: str | None) -> dict[str, list[str]]:
    """By name, the command of each adapter to run."""
    from fsm_rtc.conformance.stacks import STACKS, stack_named

    if adapter is not None:
        if names:
            raise ConformanceError("name stacks, or give --adapter, not both")
        return {adapter: shlex.split(adapter)}
    if not names:
        return {stack.name: list(stack.command) for stack in STACKS if stack.version() is not None}
    for name in names:
        stack = stack_named(name)
        if stack.version() is None:
            raise ConformanceError(f"{name} is not installed; run: {stack.install}")
    return {name: list(stack_named(name).command) for name in names}


def _options(profile: str, examples: int, seconds: float | None, seed: int, command: str) -> Options:
    from fsm_rtc.conformance.campaign import Options

    further = f" --examples {examples}" if examples != 300 else ""
    further += f" --seed {seed}" if seed else ""
    further += f" --profile {profile}" if profile != TableProfile.WEBRTC_PC else ""
    return Options(profile=profile, examples=examples, seconds=seconds, seed=seed, command=command + further)


def _campaign(command: list[str], options: Options, progress: Progress) -> StackReport:
    from fsm_rtc.conformance.adapter import ProcessAdapter
    from fsm_rtc.conformance.campaign import Campaign

    with Campaign(lambda: ProcessAdapter(command), options, progress) as campaign:
        return campaign.run()


@contextmanager
def _progress(name: str) -> Iterator[Progress]:
    """A bar on the terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal) as bar:
        task = bar.add_task(name)
        yield lambda what, done, total: bar.update(task, description=f"{name}: {what}", completed=done, total=total)


def _grave(report: StackReport) -> list[Finding]:
    return [finding for finding in report.findings if finding.kind != "inexpressible"]


def _print(report: StackReport) -> None:
    from rich.text import Text

    screen = console()
    coverage = report.coverage
    beyond = f", {coverage.unreachable} more in states that it never enters" if coverage.unreachable else ""
    screen.print(
        Text(
            f"{report.name} {report.version}, {report.profile}: {coverage.cells} of {coverage.of} cells{beyond}; "
            f"{report.sequences} sequences, {report.steps} operations, {report.seconds} s",
            "bold",
        )
    )
    for finding in _grave(report):
        place = f"{finding.machine} · {finding.state} · {finding.operation}"
        screen.print(Text.assemble((f"{finding.kind.value:8}", "yellow"), place, f"  ({finding.reproduced})"))
        screen.print(Text(f"        expected {finding.expected}; observed {finding.observed}", "dim"), soft_wrap=True)
    if not _grave(report):
        screen.print("It does what the tables say.")
    lacks = [finding.operation for finding in report.findings if finding.kind == "inexpressible"]
    if lacks:
        screen.print(Text(f"Its API has no: {', '.join(lacks)}"))
    screen.print()


def _write(reports: list[StackReport], json_file: Path | None, html: Path | None, markdown: Path | None) -> None:
    try:
        if json_file is not None:
            from fsm_rtc.conformance.findings import write_reports

            write_reports(reports, json_file)
        if html is not None:
            from fsm_rtc.conformance.page import findings_page

            html.write_text(findings_page(reports), encoding="utf-8")
        if markdown is not None:
            from fsm_rtc.conformance.findings_text import findings_markdown

            markdown.write_text(findings_markdown(reports), encoding="utf-8")
    except OSError as error:
        raise ConformanceError(f"{error.filename} can't be written: {error.strerror}") from error


def _self_test(name: str, command: list[str]) -> bool:
    """Print each check; whether all went well."""
    from fsm_rtc.conformance.adapter import ProcessAdapter
    from fsm_rtc.conformance.self_test import self_test

    async def check() -> bool:
        adapter = ProcessAdapter(command)
        await adapter.start()
        try:
            faults = 0
            async for checked in self_test(adapter):
                faults += bool(checked.fault)
                typer.echo(f"{'no ' if checked.fault else 'yes'}  {checked.name}")
                if checked.fault:
                    typer.echo(f"     {checked.fault}")
            return not faults
        finally:
            await adapter.aclose()

    typer.echo(name)
    return asyncio.run(check())


def _replay(file: Path, targets: dict[str, list[str]], *, is_own: bool) -> bool:
    """Run each finding's sequence again, on the stack that it is about or on one's own; whether none shows any more."""
    from fsm_rtc.conformance.adapter import ProcessAdapter
    from fsm_rtc.conformance.campaign import Campaign, Options
    from fsm_rtc.conformance.findings import read_reports
    from fsm_rtc.conformance.sequences import Sequence

    shown = 0
    for report in read_reports(file):
        command = next(iter(targets.values())) if is_own else targets.get(report.name)
        if command is None:
            typer.echo(f"{report.name}: left out")
            continue
        with Campaign(lambda command=command: ProcessAdapter(command), Options(profile=report.profile)) as campaign:  # type: ignore[misc]
            for finding in report.findings:
                if not finding.sequence:
                    continue
                sequence = Sequence(finding.sequence)
                sequence.check()
                what = (finding.machine, finding.state, finding.operation, finding.kind, finding.observed)
                again = any(one.key == what for _, one in campaign.try_sequence(sequence))
                shown += again
                typer.echo(f"{'shows' if again else 'gone '}  {report.name}: {'; '.join(finding.sequence)}")
    return shown == 0

"""`fsm-rtc demo`: two peers in processes of their own make a call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated

import typer
from rich.console import Console

from fsm_rtc.cli.demo_call import DemoCall, Summary
from fsm_rtc.cli.demo_page import DemoPage
from fsm_rtc.cli.demo_view import DemoView
from fsm_rtc.cli.output import errors_told

__all__ = ["demo"]

SECONDS = 5.0
OPEN_SECONDS = 60.0
"""How long the two talk if nobody says how long: with the page long enough to look at it."""


def demo(
    seconds: Annotated[
        float | None,
        typer.Option(min=0.0, max=3600.0, help="How long the two talk, once connected: 5, with --open 60 by default."),
    ] = None,
    open_page: Annotated[
        bool,
        typer.Option("--open", help="Show the call in the browser, until --seconds are over or, without, till Ctrl-C."),
    ] = False,
    no_video: Annotated[bool, typer.Option("--no-video", help="Chat only, without video.")] = False,
    stun: Annotated[
        str | None, typer.Option(metavar="URL", help="A STUN server, e.g. stun:stun.example.org:3478.")
    ] = None,
    loopback: Annotated[
        bool, typer.Option("--loopback", help="Stay on 127.0.0.1; for hosts without a network.")
    ] = False,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Print the journal as JSON Lines; the last line is the summary.")
    ] = False,
    pipe: Annotated[
        bool, typer.Option("--pipe", help="Without a signalling server: pass descriptions by hand, unsigned.")
    ] = False,
    engine: Annotated[str, typer.Option(help="What steps the machines: compiled or transitions.")] = "compiled",
) -> None:
    """Let two peers in processes of their own connect, chat, show each other video and close.

    They find each other over a signalling server that runs meanwhile on 127.0.0.1; each message is signed.

    The exit code is 0 only if both connected, exchanged and closed, and no table rejected an event.
    """
    talk_seconds = seconds if seconds is not None else OPEN_SECONDS if open_page else SECONDS
    arguments = ["--seconds", repr(talk_seconds), "--engine", _engine(engine)]
    arguments += ["--no-video"] if no_video else []
    arguments += ["--stun", _stun(stun)] if stun is not None else []
    arguments += ["--loopback"] if loopback else []
    page = DemoPage(stays=seconds is None, err=json_lines) if open_page else None
    run = _run_json if json_lines else _run_shown
    summary = run(DemoCall(tuple(arguments), not no_video, pipe=pipe), page)
    raise typer.Exit(0 if summary.ok else 1)


def _run_json(call: DemoCall, page: DemoPage | None) -> Summary:
    def show(_: str, message: dict[str, object]) -> None:
        if "record" in message:
            typer.echo(message["record"])

    def summarise(summary: Summary) -> None:
        for failure in dict.fromkeys(call.failures):
            typer.echo(failure, err=True)
        for role, why in call.why.items():
            typer.echo(json.dumps({"failure": why, "role": role}), err=True)
        typer.echo(summary.to_line())

    call.observe = show
    return _made(call, nullcontext(), summarise, page)


def _run_shown(call: DemoCall, page: DemoPage | None) -> Summary:
    view = DemoView(Console())
    call.observe = view.take
    return _made(call, view, lambda summary: view.summarise(call, summary), page)


def _made(
    call: DemoCall,
    view: AbstractContextManager[object],
    summarise: Callable[[Summary], None],
    page: DemoPage | None,
) -> Summary:
    async def made() -> Summary:
        async with page.beside(call) if page is not None else nullcontext():
            with view:
                summary = await call.run()
            summarise(summary)
        return summary

    try:
        with errors_told():
            return asyncio.run(made())
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _engine(name: str) -> str:
    if name not in ("compiled", "transitions"):
        raise typer.BadParameter(f"{name!r} is no engine; choose compiled or transitions", param_hint="--engine")
    return name


def _stun(url: str) -> str:
    from fsm_rtc.peer.configuration import IceServer

    try:
        IceServer(url)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--stun") from None
    return url

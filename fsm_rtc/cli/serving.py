"""`serve`: a signalling server in the foreground."""

from __future__ import annotations

import asyncio
import os
import ssl
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fsm_rtc.cli.inspecting import show
from fsm_rtc.cli.output import errors_told
from fsm_rtc.cli.serve_file import read_options
from fsm_rtc.cli.serve_log import LogFormat, log_told
from fsm_rtc.cli.stopping import STOPPED_TWICE, calls_when_stopped
from fsm_rtc.cli.tokens import SECRET_VARIABLE, secret_in
from fsm_rtc.engine.regular_file import read_regular

if TYPE_CHECKING:
    from fsm_rtc.engine import Journal
    from fsm_rtc.inspector import Inspector
    from fsm_rtc.signaling import SignalingServer
    from fsm_rtc.signaling.access import Access
    from fsm_rtc.signaling.turn import TurnServers

__all__ = ["serve"]

EVERY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104

JOURNAL_RECORDS = 20_000
"""So many are kept for the inspector."""

TURN_SECRET_VARIABLE = "FSM_RTC_TURN_SECRET"  # noqa: S105

BOUNDS = "Bounds"
INSPECTOR = "The inspector"
ACCESS = "Who may join"
RELAYS = "TURN servers to offer"


def serve(
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="FSM_RTC_CONFIG",
            callback=read_options,
            is_eager=True,
            help="These options in a TOML file, e.g. port = 8765. Flags and the environment go before it.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; 0.0.0.0 for every address of this host.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for a free one.")] = 8765,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A certificate chain in PEM, to serve wss:// instead of ws://.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The certificate's private key, if it is not in the same file.")
    ] = None,
    page: Annotated[
        bool, typer.Option("--page/--no-page", help="Give browsers a page to call with, at http://ADDRESS:PORT/.")
    ] = True,
    log_format: Annotated[
        LogFormat, typer.Option(help="text: what is refused; json: every event, one object a line, on stderr.")
    ] = LogFormat.TEXT,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            rich_help_panel=ACCESS,
            help="Only these may join, by their id (`fsm-rtc keygen --show`); may be repeated.",
        ),
    ] = None,
    token_secret_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=ACCESS,
            help="Only who has a join token (`fsm-rtc token`) may join; its secret is in this file, or in the "
            f"environment as {SECRET_VARIABLE}.",
        ),
    ] = None,
    turn: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            rich_help_panel=RELAYS,
            help="A TURN server, turn:host:port, for which members get credentials that expire; may be repeated.",
        ),
    ] = None,
    turn_secret_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=RELAYS,
            help="The secret that the TURN server knows as static-auth-secret; or in the environment as "
            f"{TURN_SECRET_VARIABLE}.",
        ),
    ] = None,
    turn_seconds: Annotated[
        float, typer.Option(min=1.0, rich_help_panel=RELAYS, help="How long those credentials hold.")
    ] = 86_400.0,
    inspect: Annotated[
        bool,
        typer.Option(
            "--inspect",
            rich_help_panel=INSPECTOR,
            help="Show the members' sessions on a page, by numbers; its address is printed.",
        ),
    ] = False,
    inspect_host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            rich_help_panel=INSPECTOR,
            help="Where the page listens; elsewhere than on loopback it has a token.",
        ),
    ] = "127.0.0.1",
    inspect_port: Annotated[
        int, typer.Option(min=0, max=65535, rich_help_panel=INSPECTOR, help="Its port; 0 for a free one.")
    ] = 8766,
    members: Annotated[
        int, typer.Option(min=2, rich_help_panel=BOUNDS, help="How many members a room has at most.")
    ] = 16,
    rooms: Annotated[int, typer.Option(min=1, rich_help_panel=BOUNDS, help="How many rooms there are at most.")] = (
        10_000
    ),
    connections_per_address: Annotated[
        int, typer.Option(min=1, rich_help_panel=BOUNDS, help="How many sockets one IP address may have.")
    ] = 200,
    messages_per_second: Annotated[
        float, typer.Option(min=0.001, rich_help_panel=BOUNDS, help="How many messages a member may send on average.")
    ] = 50.0,
    burst: Annotated[
        int, typer.Option(min=1, rich_help_panel=BOUNDS, help="How many messages a member may send at once.")
    ] = 200,
    message_bytes: Annotated[
        int, typer.Option(min=1024, max=262_144, rich_help_panel=BOUNDS, help="How long a message may be.")
    ] = 262_144,
    unread_messages: Annotated[
        int, typer.Option(min=1, rich_help_panel=BOUNDS, help="How many messages are kept for who doesn't read them.")
    ] = 1024,
    unread_bytes: Annotated[int, typer.Option(min=1024, rich_help_panel=BOUNDS, help="How much is kept for it.")] = 4
    * 1024
    * 1024,
    handshake_seconds: Annotated[
        float, typer.Option(min=0.001, rich_help_panel=BOUNDS, help="How long a client may take to say who it is.")
    ] = 10.0,
    grace_seconds: Annotated[
        float,
        typer.Option(min=0.001, rich_help_panel=BOUNDS, help="How long a member that lost its socket may stay away."),
    ] = 30.0,
    stall_seconds: Annotated[
        float, typer.Option(min=0.001, rich_help_panel=BOUNDS, help="How long a client may read nothing.")
    ] = 20.0,
) -> None:
    """Run a signalling server: who join the same room find each other.

    It passes on what they sign, and can neither forge nor alter it. What they say to each other doesn't come by here.
    Each option may also be given in the environment, as FSM_RTC_ and its name, e.g. FSM_RTC_GRACE_SECONDS.

    Ctrl-C ends it. SIGTERM lets nobody new in, tells those who are there, and ends when all have left or the grace
    time is over; a second one ends at once. /healthz and /metrics answer on the same port.
    """
    from fsm_rtc.engine import Journal
    from fsm_rtc.signaling import Limits, Settings, SignalingServer

    if key is not None and certificate is None:
        raise typer.BadParameter("a key serves nothing without --certificate FILE", param_hint="--key")
    with errors_told():
        try:
            limits = Limits(
                message_bytes=message_bytes,
                messages_per_second=messages_per_second,
                burst=burst,
                unread_messages=unread_messages,
                unread_bytes=unread_bytes,
                handshake_seconds=handshake_seconds,
                members=members,
                rooms=rooms,
                connections_per_address=connections_per_address,
                grace_seconds=grace_seconds,
                stall_seconds=stall_seconds,
            )
        except ValueError as wrong:
            raise typer.BadParameter(str(wrong)) from None
        settings = Settings(
            limits=limits,
            access=_access(allow or [], token_secret_file),
            turn=_turn(turn or [], turn_secret_file, turn_seconds),
            page=page,
            journal=Journal(capacity=JOURNAL_RECORDS) if inspect else None,
        )
        server = SignalingServer(host, port, settings, ssl=_tls(certificate, key) if certificate is not None else None)
        inspector = _inspector(settings.journal, inspect_host, inspect_port) if settings.journal is not None else None
        try:
            asyncio.run(_run(server, host, inspector, log_format))
        except KeyboardInterrupt:
            raise typer.Exit(STOPPED_TWICE) from None


async def _run(server: SignalingServer, host: str, inspector: Inspector | None, log_format: LogFormat) -> None:
    stop, terminate = asyncio.Event(), asyncio.Event()

    def drain() -> None:
        terminate.set()
        stop.set()

    with calls_when_stopped(stop.set, terminate=drain):
        async with server, inspector or nullcontext():
            typer.echo(_greeting(server, host))
            if inspector is not None:
                show(inspector, open_page=False)
            with log_told(log_format):
                await stop.wait()
                if terminate.is_set():
                    await server.drain()


def _greeting(server: SignalingServer, host: str) -> str:
    scheme, _, place = server.url.partition("://")
    where = ""
    if host in EVERY_ADDRESS:
        place, where = f"HOST:{server.port}", ", where HOST is this machine's name or address"
    greeting = f"listening; join with: fsm-rtc join {scheme}://{place}/ROOM{where}"
    if server.service.settings.page:
        greeting += f"\nin a browser: {scheme.replace('ws', 'http')}://{place}/"
        greeting += _https_needed(server, host) if scheme == "ws" else ""
    return greeting


def _https_needed(server: SignalingServer, host: str) -> str:
    """What somebody who opens the page from elsewhere would find out too late; empty if nobody can."""
    from fsm_rtc.inspector.access import is_loopback

    if is_loopback(host):
        return ""
    here = f"; on this machine open http://localhost:{server.port}/" if host in EVERY_ADDRESS else ""
    return (
        "\nbrowsers on other machines need https for that: give --certificate FILE, "
        f"or put a proxy that has one in front{here}"
    )


def _inspector(journal: Journal, host: str, port: int) -> Inspector:
    from fsm_rtc.inspector import serve_inspector
    from fsm_rtc.inspector.access import token_for

    return serve_inspector(journal, host, port, token_for(host), name="signalling server")


def _access(allowed: list[str], file: Path | None) -> Access:
    from fsm_rtc.signaling.access import JoinTokens, Open, RoomAllowlist

    secret: Any = secret_in(file, "--token-secret-file") if file is not None else os.environ.get(SECRET_VARIABLE)
    if allowed and secret:
        raise typer.BadParameter("there are a list and a secret; give one of the two", param_hint="--allow")
    if secret:
        return JoinTokens(secret)
    return RoomAllowlist(allowed) if allowed else Open()


def _turn(urls: list[str], file: Path | None, seconds: float) -> TurnServers | None:
    from fsm_rtc.signaling.turn import TurnServers

    if not urls:
        return None
    secret: Any = secret_in(file, "--turn-secret-file") if file is not None else os.environ.get(TURN_SECRET_VARIABLE)
    try:
        return TurnServers(urls, secret or "", seconds)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--turn, --turn-secret-file") from None


def _tls(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        for file in (certificate, key or certificate):
            read_regular(file)  # the library would wait for what is none
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as wrong:
        why = wrong.reason or str(wrong)
        raise typer.BadParameter(
            f"they can't be used ({why}); give a certificate in PEM and the private key that belongs to it",
            param_hint="--certificate, --key",
        ) from None
    except OSError as refused:
        raise typer.BadParameter(
            f"a file can't be read: {refused.strerror}; give two files in PEM", param_hint="--certificate, --key"
        ) from None
    return context

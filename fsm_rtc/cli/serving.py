"""`serve`: a signalling server in the foreground."""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsm_rtc.cli.output import errors_told
from fsm_rtc.cli.plain import plain
from fsm_rtc.cli.stopping import STOPPED_TWICE, calls_when_stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_rtc.signaling import SignalingServer

__all__ = ["serve"]

EVERY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104


def serve(
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
) -> None:
    """Run a signalling server, until Ctrl-C or SIGTERM: two who join the same room find each other.

    It passes on what they sign, and can neither forge nor alter it. What they say to each other doesn't come by here.
    """
    from fsm_rtc.signaling import SignalingServer

    if key is not None and certificate is None:
        raise typer.BadParameter("a key serves nothing without --certificate FILE", param_hint="--key")
    server = SignalingServer(host, port, ssl=_tls(certificate, key) if certificate is not None else None)
    try:
        with errors_told():
            asyncio.run(_run(server, host))
    except KeyboardInterrupt:
        raise typer.Exit(STOPPED_TWICE) from None


async def _run(server: SignalingServer, host: str) -> None:
    stop = asyncio.Event()
    with calls_when_stopped(stop.set):
        async with server:
            typer.echo(_greeting(server, host))
            with _refusals_told():
                await stop.wait()


def _greeting(server: SignalingServer, host: str) -> str:
    if host in EVERY_ADDRESS:
        url = f"{server.url.partition('://')[0]}://HOST:{server.port}"
        return f"listening; join with: fsm-rtc join {url}/ROOM, where HOST is this machine's name or address"
    return f"listening; join with: fsm-rtc join {server.url}/ROOM"


def _tls(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
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


class _Told(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        typer.echo(plain(record.getMessage()), err=True)


@contextmanager
def _refusals_told() -> Iterator[None]:
    """Tell on stderr what the server logs: what it refuses, by code; it logs no key, no name and no address."""
    logger = logging.getLogger("fsm_rtc.signaling")
    handler = _Told(logging.INFO)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)

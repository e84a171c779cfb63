"""`known-peers`: whose keys are remembered."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsm_rtc.cli.folder import default_known_peers
from fsm_rtc.cli.output import REFUSED, console, errors_told
from fsm_rtc.cli.plain import plain

if TYPE_CHECKING:
    from fsm_rtc.messages.trust import KnownPeers

__all__ = ["add", "forget", "known_peers"]

File = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="The known-peers file; by default in your configuration folder."),
]

Name = Annotated[str, typer.Argument(metavar="NAME", help="How that person calls himself or herself.")]


def known_peers(context: typer.Context, file: File = None) -> None:
    """List those whose keys are remembered: under that name nobody else is talked to.

    A name is remembered with the first call that is agreed on. If somebody has a new key, forget the old one.
    """
    context.obj = file
    if context.invoked_subcommand is None:
        with errors_told():
            _print(_opened(context, None), file or default_known_peers())


def forget(context: typer.Context, name: Name, file: File = None) -> None:
    """Forget the key of NAME; the next one under that name is accepted, and remembered."""
    with errors_told():
        if not _opened(context, file).forget(name):
            typer.echo(f"fsm-rtc: nobody is known as {name!r}; `fsm-rtc known-peers` lists the names", err=True)
            raise typer.Exit(REFUSED)
    typer.echo(f"{plain(name)} is forgotten")


def add(
    context: typer.Context,
    name: Name,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The public key, as `fsm-rtc keygen --show` prints it.")],
    file: File = None,
) -> None:
    """Remember a key before the first call, so that not even that one has to be trusted."""
    from fsm_rtc.messages import key_id

    with errors_told():
        public_key = _public_key(key)
        _opened(context, file).add(name, public_key)
    typer.echo(f"{plain(name)} is known by the id {key_id(public_key)}")


def _opened(context: typer.Context, file: Path | None) -> KnownPeers:
    from fsm_rtc.messages.trust import KnownPeers

    above: Path | None = context.obj if isinstance(context.obj, Path) else None
    return KnownPeers(file or above or default_known_peers())


def _public_key(text: str) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        public_key = base64.b64decode(text, validate=True)
        key = load_der_public_key(public_key)
        if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
            return public_key
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        pass
    raise typer.BadParameter(
        "it is no public key of this protocol; give what `fsm-rtc keygen --show` prints there", param_hint="KEY"
    )


def _print(known: KnownPeers, path: Path) -> None:
    from rich.table import Table
    from rich.text import Text

    entries = known.entries()
    if not entries:
        typer.echo(f"nobody is known yet; {path} fills with the first calls", err=True)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("name")
    table.add_column("id", no_wrap=True)
    for entry in entries:
        table.add_row(Text(plain(entry.name)), entry.id)
    console().print(table)

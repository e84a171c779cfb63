"""`token`: a join token for a room; and how each command reads the secret behind it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from fsm_rtc.cli.output import errors_told
from fsm_rtc.engine.regular_file import read_regular

__all__ = ["SECRET_VARIABLE", "secret_in", "token"]

SECRET_VARIABLE = "FSM_RTC_TOKEN_SECRET"  # noqa: S105

MAX_MINUTES = 24 * 60
"""What a server takes by default."""

ID = re.compile(r"[A-Za-z0-9_-]{43}")
"""A fingerprint as `fsm_rtc.messages.key_id` gives it."""


def token(
    context: typer.Context,
    room: Annotated[str, typer.Argument(metavar="ROOM", help="The room's name, the last part of its address.")],
    secret_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The file with the server's secret, at least 32 bytes; a last line end is cut."
        ),
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            envvar=SECRET_VARIABLE,
            help="The secret itself; better in the environment, others on this host see a command line.",
        ),
    ] = None,
    key_id: Annotated[
        str | None,
        typer.Option(
            "--id",
            metavar="ID",
            help="Whose token it is, as `fsm-rtc keygen --show` prints it; by default for anybody who has it.",
        ),
    ] = None,
    minutes: Annotated[
        int, typer.Option(min=1, max=MAX_MINUTES, metavar="N", help="How long it may be used; at most a day.")
    ] = 10,
) -> None:
    """Print a join token, with which somebody may join ROOM for a while on a server that wants one.

    It is made from the secret that the server has; the server need not run. Give it to nobody but whom it is for.
    """
    if room.startswith(("ws://", "wss://")):
        raise typer.BadParameter("that is an address; give the room's name alone, its last part", param_hint="ROOM")
    if key_id is not None and not ID.fullmatch(key_id):
        raise typer.BadParameter("it has 43 letters; copy it from `fsm-rtc keygen --show`", param_hint="--id")
    with errors_told():
        key = _secret(context, secret_file, secret)
        from fsm_rtc.signaling.access import join_token
        from fsm_rtc.signaling.address import MAX_ROOM_CHARACTERS

        if not 0 < len(room) <= MAX_ROOM_CHARACTERS:
            raise typer.BadParameter(f"give a name of 1 to {MAX_ROOM_CHARACTERS} characters", param_hint="ROOM")
        made = join_token(key, room, id=key_id, seconds=minutes * 60)
    typer.echo(made)


def secret_in(file: Path, option: str) -> bytes:
    """The secret in a file, without the line end that an editor leaves.

    Args:
        file: where it is.
        option: the option that named it.

    Raises:
        typer.BadParameter: it can't be read.
    """
    try:
        return read_regular(file).rstrip(b"\r\n")
    except OSError as refused:
        raise typer.BadParameter(
            f"the file can't be read: {refused.strerror}; give one with the server's secret", param_hint=option
        ) from None


def _secret(context: typer.Context, file: Path | None, given: str | None) -> bytes:
    source = context.get_parameter_source("secret")
    typed = source is not None and source.name == "COMMANDLINE"
    if file is not None and typed:
        raise typer.BadParameter("there are two secrets; give one of the two", param_hint="--secret-file, --secret")
    if file is not None:
        return secret_in(file, "--secret-file")
    if given:
        return os.fsencode(given)
    raise typer.BadParameter(
        f"there is no secret; give the server's by --secret-file FILE, or in the environment as {SECRET_VARIABLE}",
        param_hint="--secret-file",
    )

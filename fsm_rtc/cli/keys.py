"""`keygen`: the user's own key; and how each command loads it."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsm_rtc.cli.folder import default_identity
from fsm_rtc.cli.output import errors_told
from fsm_rtc.engine.regular_file import read_regular
from fsm_rtc.errors import IdentityError

if TYPE_CHECKING:
    from fsm_rtc.messages import Identity

__all__ = ["PASSWORD_VARIABLE", "keygen", "load_identity"]

PASSWORD_VARIABLE = "FSM_RTC_PASSWORD"  # noqa: S105

ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
"""How an encrypted file begins: RFC 7468, section 11."""


def keygen(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where it is kept; by default in your configuration folder.")
    ] = None,
    password: Annotated[
        bool,
        typer.Option("--password", help=f"Encrypt it; asks for the password, unless {PASSWORD_VARIABLE} holds one."),
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Make nothing; print the id and public key of FILE.")] = False,
) -> None:
    """Make a key of your own, by which others recognise you, and print its id.

    A file that exists is never overwritten. Tell your id to the people whom you call, so that they can compare it.
    """
    path = file or default_identity()
    with errors_told():
        if show:
            identity = load_identity(path)
        else:
            identity = _made(path, _new_password(asked=password))
    typer.echo(f"id:         {identity.id}")
    if show:
        typer.echo(f"public key: {base64.b64encode(identity.public_key).decode()}")
    typer.echo(f"file:       {path}")


def load_identity(path: Path) -> Identity:
    """The key in a file; if it is encrypted its password comes from the environment, or a person is asked for it.

    Raises:
        IdentityError: it can't be read, or not be decrypted.
    """
    from fsm_rtc.messages import Identity

    return Identity.load(path, _password_of(path) if _is_encrypted(path) else None)


def _made(path: Path, password: str | None) -> Identity:
    from fsm_rtc.messages import Identity

    identity = Identity.generate()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as refused:
        why = refused.strerror or str(refused)
        raise IdentityError(f"the folder {path.parent} can't be made: {why}; choose another FILE") from refused
    identity.save(path, password)
    return identity


def _new_password(*, asked: bool) -> str | None:
    given = os.environ.get(PASSWORD_VARIABLE)
    if given or not asked:
        return given or None
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _password_of(path: Path) -> str:
    given = os.environ.get(PASSWORD_VARIABLE)
    if given:
        return given
    if not _is_person_there():
        raise IdentityError(f"{path} is encrypted; give its password in the environment variable {PASSWORD_VARIABLE}")
    return str(typer.prompt(f"Password of {path}", hide_input=True, err=True))


def _is_encrypted(path: Path) -> bool:
    try:
        return ENCRYPTED in read_regular(path)
    except OSError:
        return False  # loading it says what is wrong


def _is_person_there() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()

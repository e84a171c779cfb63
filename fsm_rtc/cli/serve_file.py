"""The file of `serve`'s options: TOML, each key an option's name.

Flags go before the environment, and that before the file.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import typer

from fsm_rtc.engine.regular_file import read_regular

__all__ = ["read_options"]


def read_options(context: typer.Context, file: Path | None) -> Path | None:
    """Let an option's default be what the file says; the callback of ``--config``.

    Raises:
        typer.BadParameter: it can't be read, is no TOML, or has a key that is no option.
    """
    if file is None:
        return None
    try:
        found = tomllib.loads(read_regular(file).decode())
    except OSError as refused:
        raise typer.BadParameter(f"the file can't be read: {refused.strerror}; give one in TOML") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise typer.BadParameter(f"it is no TOML ({wrong}); write lines like: port = 8765") from None
    names = {name_of(parameter): parameter.name for parameter in context.command.params if parameter.name != "config"}
    unknown = sorted(set(found) - set(names))
    if unknown:
        known = ", ".join(sorted(names))
        raise typer.BadParameter(f"there is no option {unknown[0]!r}; write one of {known}")
    context.default_map = {names[key] or "": _value(key, value) for key, value in found.items()}
    return file


def name_of(parameter: Any) -> str:
    """An option's key in the file: its long name."""
    names: list[str] = parameter.opts
    return next(name for name in names if name.startswith("--")).removeprefix("--")


def _value(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        raise typer.BadParameter(f"{key!r} is a table; write it as key = value")
    return value

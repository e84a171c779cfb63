"""Where the command begins: it needs the extra `cli`, and says so where that is missing."""

from __future__ import annotations

import io
import sys

__all__ = ["main"]

NEEDED = ("rich", "typer")


def main() -> None:
    """Run the `fsm-rtc` command with the process' arguments."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        from fsm_rtc.cli.main import app
    except ModuleNotFoundError as missing:
        if missing.name not in NEEDED:
            raise
        sys.stderr.write(f"fsm-rtc needs {missing.name}, which is not installed; run: pip install rich typer\n")
        raise SystemExit(1) from None
    app(prog_name="fsm-rtc")

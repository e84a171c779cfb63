"""Runs a program for as long as its standard input is open, and leaves nothing behind: ``keeper.py FOLDER COMMAND…``.

A browser is many processes and a profile. Whoever started it can be killed at any moment, without a chance to tidy up;
the pipe to this process closes then, and this process ends the browser's process group and removes the folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

PLACES = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
"""Where programs leave files besides the profile that they are given."""

REMOVALS = 100
BETWEEN_REMOVALS_SECONDS = 0.02


def keep(folder: Path, command: list[str]) -> int:
    """The program's exit code, after it has ended or was ended.

    Args:
        folder: where its files are, also the temporary ones; removed at the end.
        command: program and arguments; run in a session of its own.
    """
    environment = {**os.environ, **dict.fromkeys(PLACES, str(folder))}
    program = subprocess.Popen(  # noqa: S603 - it is the caller's own command
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment, start_new_session=True
    )
    Thread(target=_end_with_input, args=(program.pid,), daemon=True).start()
    code = program.wait()
    _kill(program.pid)
    _remove(folder)
    return code


def _end_with_input(group: int) -> None:
    os.read(0, 1)  # not sys.stdin, whose lock this thread would still hold when the interpreter ends
    _kill(group)


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _remove(folder: Path) -> None:
    """The last of the killed processes may still be writing, so once is not always enough."""
    for _ in range(REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(BETWEEN_REMOVALS_SECONDS)


if __name__ == "__main__":
    sys.exit(1 if keep(Path(sys.argv[1]), sys.argv[2:]) else 0)

"""An adapter whose stack lives in a browser: starts it on the adapter's page and carries the lines to and fro.

A browser needs three things to become an adapter: its program, its arguments, its name; see `chromium`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from fsm_rtc.conformance.adapters import keeper
from fsm_rtc.errors import AdapterError

if TYPE_CHECKING:
    from fsm_rtc.conformance.adapters.page import Page

__all__ = ["Browser", "serve"]

START_SECONDS = 30.0


@dataclass(frozen=True)
class Browser:
    """How one kind of browser is found and started.

    Attributes:
        name: the stack's name.
        variable: an environment variable that may name the program.
        programs: what it is called on the PATH, by system; the first that is there is taken.
        arguments: from the address of a page and the folder of a fresh profile, the command's arguments.
    """

    name: str
    variable: str
    programs: Sequence[str]
    arguments: Callable[[str, Path], Sequence[str]]

    def installed(self) -> list[str]:
        """Where programs of that name are, the one to take first."""
        named = os.environ.get(self.variable)
        return list(filter(None, map(shutil.which, [named] if named else self.programs)))


def serve(browser: Browser) -> None:
    """Answer the requests on standard input by a browser until it ends; then nothing of the browser is left.

    Raises:
        SystemExit: the browser isn't installed, doesn't start, or has gone; a sentence on standard error says so.
    """
    try:
        asyncio.run(_serve(browser))
    except AdapterError as error:
        sys.exit(f"{browser.name}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


async def _serve(browser: Browser) -> None:
    from fsm_rtc.conformance.adapters.page import Page

    program = next(iter(browser.installed()), None)
    if program is None:
        raise AdapterError(
            f"no {browser.programs[0]} was found on the PATH; install it, or name the program in {browser.variable}"
        )
    async with Page(browser.name) as page:
        profile = Path(tempfile.mkdtemp(prefix="fsm-rtc-"))
        command = [program, *browser.arguments(page.url, profile)]
        kept = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", keeper.__file__, str(profile), *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=sys.stderr,
            start_new_session=True,  # who ends this process with its group, does not end the keeper
        )
        ended = asyncio.create_task(kept.wait())
        try:
            await _until_open(page, ended, program)
            await _relay(page)
        finally:
            if kept.stdin is not None:
                kept.stdin.close()
            await ended


async def _until_open(page: Page, ended: asyncio.Task[int], program: str) -> None:
    opened = asyncio.create_task(page.is_open())
    await asyncio.wait((opened, ended), timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if opened.done():
        return
    opened.cancel()
    how = "ended" if ended.done() else f"did not open the adapter's page within {START_SECONDS:.0f} s"
    raise AdapterError(f"{program} {how}; see what it wrote above, and try whether it runs headless by itself")


async def _relay(page: Page) -> None:
    """Carry lines until the input ends."""
    carrying = asyncio.create_task(_carry(page))
    gone = asyncio.create_task(page.is_gone())
    try:
        await asyncio.wait((carrying, gone), return_when=asyncio.FIRST_COMPLETED)
        if not carrying.done():
            raise AdapterError(gone.result())
        carrying.result()
    finally:
        carrying.cancel()
        gone.cancel()


async def _carry(page: Page) -> None:
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        # Not sys.stdin, whose lock this thread would still hold when the interpreter ends before the input does.
        with suppress(RuntimeError), open(0, "rb", closefd=False) as requests:
            for line in requests:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, b"")

    Thread(target=read, name="requests", daemon=True).start()
    while line := await lines.get():
        sys.stdout.buffer.write((await page.ask(line.decode())).encode() + b"\n")
        sys.stdout.buffer.flush()

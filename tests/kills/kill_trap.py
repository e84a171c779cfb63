"""A trap: the process kills itself, as kill -9 does, at an event of a kind that it is told on its standard input.

``arm KIND NTH`` sets it: at the NTH event of that kind from then on.
Every kind that is met is written to the file `seen` once, so that who draws kinds knows which there are.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from fsm_rtc import Journal
from fsm_rtc.engine.journal import Entry, Record


class Trap:
    def __init__(self, seen: Path) -> None:
        self._seen = seen.open("a", buffering=1)
        self._kinds: set[str] = set()
        self._kind, self._left = "", 0
        self.journal = Journal(capacity=100)
        self.journal.subscribe(self._recorded)

    def meets(self, kind: str) -> None:
        """An event of this kind happens now."""
        if kind == self._kind:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        if kind not in self._kinds:
            self._kinds.add(kind)
            self._seen.write(f"{kind}\n")

    def told(self, line: str) -> None:
        """``arm KIND NTH``."""
        match line.split():
            case ["arm", kind, nth]:
                self._kind, self._left = kind, int(nth)

    def _recorded(self, record: Record) -> None:
        if isinstance(record, Entry):
            self.meets(f"{record.machine}.{record.trigger}")


def wait_to_begin() -> None:
    """Everything is loaded: wait for the first line, so that a new run begins as soon as the one before is dead."""
    while os.read(0, 1) not in (b"\n", b""):
        pass


async def read_commands(take: Callable[[str], None]) -> None:
    """Give each line of the standard input to `take`, until it ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        take(line.decode())

"""A program that is killed and started again: ``python -m tests.connection.saving.restarted_peer URL KEY FOLDER``.

It keeps its call in FOLDER/call.db, sends numbered messages, and commits what it gets to FOLDER/committed, a line each:
the message's id and text. Of what is committed already it leaves a second delivery out. Ends when it is told ``end``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from fsm_rtc import Configuration, Connection, Identity, WebSocketSignaling
from fsm_rtc.connection import SqliteFile


class Commits:
    """A file to which each line is written at once."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600)
        lines = path.read_text().splitlines()
        self.known = {line.split()[0] for line in lines}

    def add(self, name: str, text: str) -> None:
        os.write(self._file, f"{name} {text}\n".encode())
        self.known.add(name)


async def run(url: str, key: str, folder: Path, committed: Commits, numbered: Commits) -> None:
    call = Connection(
        WebSocketSignaling(url),
        Identity.load(key),
        configuration=Configuration(loopback=True),
        persistence=SqliteFile(folder / "call.db"),
    )

    async def send() -> None:
        await call.wait_for_ready()
        while True:
            number = len(numbered.known) + 1
            await call.send(f"{number}")
            numbered.add(f"{number}", "sent")
            await asyncio.sleep(0.01)

    async with call:
        sending = asyncio.create_task(send())
        async for delivery in call.deliveries():
            if delivery.data == "end":
                delivery.ack()
                break
            if delivery.id not in committed.known:
                committed.add(delivery.id, str(delivery.data))
            delivery.ack()
        sending.cancel()
        await asyncio.wait({sending})


def main() -> None:
    url, key, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    asyncio.run(run(url, key, folder, Commits(folder / "committed"), Commits(folder / "numbered")))


if __name__ == "__main__":
    main()

"""One of the two sides: ``python -m tests.kills.killed_peer WHO URL FOLDER``.

It keeps its call in FOLDER, says numbers and commits what it hears. A number is used once: it is noted in WHO.meant
before it is sent, and in WHO.sent when `send` has returned. What it hears is committed, with its id, to WHO.heard,
before it is acknowledged; what was committed under its id before is left out. It ends with 5 when its call has ended.
It begins at a line on its standard input.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from fsm_rtc import Allowlist, Configuration, Connection, Identity, WebSocketSignaling
from fsm_rtc.connection import Ended, Persistence, SqliteFile
from fsm_rtc.errors import ChannelClosedError
from tests.kills.kill_trap import Trap, read_commands, wait_to_begin

SAVES = ("save", "alive", "message_sent", "messages_acknowledged", "messages_taken")
SIDES = ("s", "r")


def deadly(place: Persistence, trap: Trap) -> Any:
    """The same place; to keep something is an event of two kinds, before and behind."""

    class Deadly:
        def __getattr__(self, name: str) -> Any:
            method = getattr(place, name)
            if name not in SAVES:
                return method

            def keep(*arguments: object) -> None:
                trap.meets(f"save.{name}_before")
                method(*arguments)
                trap.meets(f"save.{name}_behind")

            return keep

    return Deadly()


class Log:
    """A file of lines, each there as soon as it is written."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600)
        self.lines = path.read_text().splitlines()

    def add(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())


class Side:
    def __init__(self, who: str, url: str, folder: Path) -> None:
        self.trap = Trap(folder / f"{who}.seen")
        keys = [Identity.load(folder / f"{one}.pem") for one in SIDES]
        self.call = Connection(
            WebSocketSignaling(url),
            keys[SIDES.index(who)],
            name=who,
            trust=Allowlist([key.id for key in keys]),
            configuration=Configuration(loopback=True),
            persistence=deadly(SqliteFile(folder / f"{who}.call"), self.trap),
            journal=self.trap.journal,
        )
        self.meant, self.sent = Log(folder / f"{who}.meant"), Log(folder / f"{who}.sent")
        self.heard = Log(folder / f"{who}.heard")

    async def run(self) -> None:
        await self.call.open()
        async with asyncio.TaskGroup() as works:
            for work in (self.say(), self.listen(), self.follow(), read_commands(self.told)):
                works.create_task(work)

    def told(self, line: str) -> None:
        self.trap.told(line)
        if line.startswith("poke") and self.call.data_channel is not None:
            self.call.data_channel.close()  # it is lost, and recovered by a new peer connection

    async def say(self) -> None:
        number = int(self.meant.lines[-1]) if self.meant.lines else 0
        await self.call.wait_for_ready()
        while True:
            number += 1
            self.meant.add(f"{number}")
            while True:
                try:
                    await self.call.send(f"{number}" + " " * (number % 7 * 1000))
                    break
                except ChannelClosedError:
                    await asyncio.sleep(0.1)
            self.sent.add(f"{number}")
            await asyncio.sleep(0.05)

    async def listen(self) -> None:
        known = {line.split()[0] for line in self.heard.lines}
        async for delivery in self.call.deliveries():
            if delivery.id not in known:
                self.heard.add(f"{delivery.id} {int(delivery.data)}")
                known.add(delivery.id)
            self.trap.meets("ack.before")
            delivery.ack()
            self.trap.meets("ack.behind")

    async def follow(self) -> None:
        async for event in self.call.events():
            if isinstance(event, Ended):
                print(event.reason, file=sys.stderr, flush=True)
                os._exit(5)


if __name__ == "__main__":
    wait_to_begin()
    asyncio.run(Side(sys.argv[1], sys.argv[2], Path(sys.argv[3])).run())

"""The signalling server that is killed: ``python -m tests.kills.server PORT FOLDER``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from fsm_rtc import SignalingServer
from fsm_rtc.signaling import Settings
from tests.kills.kill_trap import Trap, read_commands, wait_to_begin


async def serve(port: int, folder: Path) -> None:
    trap = Trap(folder / "server.seen")
    async with SignalingServer(port=port, settings=Settings(journal=trap.journal)) as server:
        hub: Any = server.service.hub
        join, post = hub.join, hub.post

        def joining(*arguments: Any, **options: Any) -> Any:
            trap.meets("server.hello")
            return join(*arguments, **options)

        def posting(socket: Any, message: Any, *arguments: Any) -> Any:
            trap.meets(f"server.{message.type}")
            return post(socket, message, *arguments)

        hub.join, hub.post = joining, posting
        await read_commands(trap.told)


if __name__ == "__main__":
    wait_to_begin()
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))

"""A program with a camera that is killed and started again.

Started as ``python -m tests.connection.saving.restarted_camera URL KEY FOLDER``.
It keeps its call in FOLDER/call.db, and prints a line for each track of the other side of which it has seen a frame.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from fsm_rtc import Configuration, Connection, Identity, WebSocketSignaling
from fsm_rtc.connection import SqliteFile
from fsm_rtc.media import SyntheticVideoTrack


async def run(url: str, key: str, folder: Path) -> None:
    call = Connection(
        WebSocketSignaling(url),
        Identity.load(key),
        configuration=Configuration(loopback=True),
        persistence=SqliteFile(folder / "call.db"),
    )
    tracks: asyncio.Queue[object] = asyncio.Queue()
    call.on_track(tracks.put_nowait)
    call.add_track(SyntheticVideoTrack(64, 48))
    async with call:
        while True:
            track = await tracks.get()
            await track.recv()  # type: ignore[attr-defined]
            print("seen", flush=True)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], Path(sys.argv[3])))

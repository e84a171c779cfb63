"""One end of a `Connection`, in a process of its own: ``python -m tests.network.caller``. It is asked as any peer is.

It understands ``new`` with the address of a room, its own name, tracks and servers, and ``send``, ``look``, ``close``
(see tests/interop/peer.py). Its offers and answers are its own affair.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiortc.mediastreams import AudioStreamTrack, MediaStreamError

from fsm_rtc import Configuration, Connection, IceServer, Identity, WebSocketSignaling
from tests.interop.peers.aiortc_shaped import Picture
from tests.interop.peers.serving import run


class Caller:
    """One connection, and what it has received."""

    def __init__(self) -> None:
        self.call: Connection | None = None
        self.tasks: list[asyncio.Task[None]] = []
        self.heard: list[str] = []
        self.received: dict[str, list[int]] = {"audio": [], "video": []}

    async def do(self, operation: str, **details: Any) -> Any:
        return await getattr(self, f"do_{operation}")(**details)

    async def do_new(
        self,
        room: str,
        name: str,
        tracks: list[str],
        servers: list[dict[str, Any]],
    ) -> None:
        configuration = Configuration(tuple(IceServer(**server) for server in servers))
        self.call = Connection(WebSocketSignaling(room), Identity.generate(), name=name, configuration=configuration)
        self.call.on_track(lambda track: self.tasks.append(asyncio.create_task(self.read(track))))
        for kind in tracks:
            self.call.add_track(Picture() if kind == "video" else AudioStreamTrack())
        await self.call.open()
        self.tasks.append(asyncio.create_task(self.listen(self.call)))

    async def listen(self, call: Connection) -> None:
        async for message in call.messages():
            self.heard.append(message if isinstance(message, str) else f"{len(message)} bytes")

    async def read(self, track: Any) -> None:
        counts = self.received[track.kind]
        number = len(counts)
        counts.append(0)
        try:
            while True:
                await track.recv()
                counts[number] += 1
        except MediaStreamError:
            return

    async def do_send(self, text: str) -> None:
        assert self.call is not None
        await self.call.send(text)

    async def do_look(self) -> dict[str, Any]:
        assert self.call is not None
        return {
            "connection": self.call.connection_state or "new",
            "signaling": self.call.exchange_state,
            "channel": "open" if self.call.is_ready else None,
            "heard": self.heard,
            "received": self.received,
        }

    async def do_close(self) -> None:
        assert self.call is not None
        await self.call.aclose()


if __name__ == "__main__":
    run(Caller().do)

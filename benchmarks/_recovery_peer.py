"""One peer of recovery.py, in a process of its own: ``_recovery_peer.py ours|bare URL KEY [OPTIONS as JSON]``.

It sends a numbered message every 20 ms and writes what happens as JSON Lines, each with the time of the host's
monotonic clock: ``sent``, ``got`` (with what was sent: the sender's run and number), ``event``.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

SEND_EVERY_SECONDS = 0.02

RUN = os.urandom(4).hex()
"""Which run of the peer a message is from."""


def tell(what: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"t": time.monotonic(), "what": what, **fields}) + "\n")
    sys.stdout.flush()


def identity_in(key: Path) -> Any:
    """The same one in every run."""
    from fsm_rtc.messages import Identity

    if not key.exists():
        Identity.generate().save(key)
    return Identity.load(key)


async def ours(url: str, identity: Any, options: dict[str, Any]) -> None:
    """A Connection, as a program would use it."""
    from fsm_rtc import Connection
    from fsm_rtc.peer import Configuration, IceServer
    from fsm_rtc.signaling import WebSocketSignaling

    servers = tuple(IceServer(**server) for server in options.get("servers", ()))
    configuration = Configuration(servers, ice_transport_policy=options.get("policy", "all"))
    tell("event", name="Started", text="")
    async with Connection(WebSocketSignaling(url), identity, configuration=configuration) as call:

        async def follow() -> None:
            async for event in call.events():
                tell("event", name=type(event).__name__, text=str(event)[:200])

        async def listen() -> None:
            async for message in call.messages():
                tell("got", message=message)

        tasks = [asyncio.create_task(follow()), asyncio.create_task(listen())]
        await call.wait_for_ready(60)
        tell("event", name="Open", text="")
        for number in itertools.count(1):
            await call.send(f"{RUN}.{number}")
            tell("sent", message=f"{RUN}.{number}")
            await asyncio.sleep(SEND_EVERY_SECONDS)
        await asyncio.gather(*tasks)


class Bare:
    """aiortc alone: a new RTCPeerConnection when the state says that the old one is lost; the caller offers."""

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        import aiortc

        self.url = url
        self.calls = bool(options.get("calls"))
        servers = [
            aiortc.RTCIceServer(one["urls"], one.get("username"), one.get("credential"))
            for one in options.get("servers", ())
        ]
        self.configuration = aiortc.RTCConfiguration(iceServers=servers)
        self.peer: Any = None
        self.channel: Any = None
        self.socket: Any = None
        self.tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        import aiortc

        self.peer = peer = aiortc.RTCPeerConnection(self.configuration)
        self.channel = None
        peer.on("datachannel", self.take)

        @peer.on("connectionstatechange")
        def changed() -> None:
            tell("event", name=peer.connectionState, text="")
            if peer is self.peer and peer.connectionState in ("failed", "closed"):
                self.begin()
                if self.calls:
                    self.own(self.call())

    def own(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def take(self, channel: Any) -> None:
        self.channel = channel
        channel.on("message", lambda message: tell("got", message=message))

    async def call(self) -> None:
        self.take(self.peer.createDataChannel("chat"))
        await self.peer.setLocalDescription(await self.peer.createOffer())
        await self.say(self.peer.localDescription)

    async def say(self, description: Any) -> None:
        await self.socket.send(json.dumps({"type": description.type, "sdp": description.sdp}))

    async def run(self) -> None:
        import aiortc
        from websockets.asyncio.client import connect

        self.begin()
        tell("event", name="Started", text="")
        async with connect(self.url) as self.socket:
            self.own(self.send())
            await self.socket.send(json.dumps({"type": "here"}))
            async for text in self.socket:
                message = json.loads(text)
                if message["type"] == "here":
                    if self.calls:
                        if self.peer.signalingState != "stable" or self.peer.remoteDescription:
                            self.begin()
                        await self.call()
                    else:
                        await self.socket.send(json.dumps({"type": "ready"}))
                elif message["type"] == "ready" and self.calls and self.peer.localDescription is None:
                    await self.call()
                elif message["type"] == "offer":
                    if self.peer.remoteDescription is not None:
                        self.begin()
                    await self.peer.setRemoteDescription(aiortc.RTCSessionDescription(message["sdp"], "offer"))
                    await self.peer.setLocalDescription(await self.peer.createAnswer())
                    await self.say(self.peer.localDescription)
                elif message["type"] == "answer" and self.peer.signalingState == "have-local-offer":
                    await self.peer.setRemoteDescription(aiortc.RTCSessionDescription(message["sdp"], "answer"))
        tell("event", name="signaling lost", text="")
        await asyncio.Event().wait()

    async def send(self) -> None:
        number, was_open = 0, False
        while True:
            if self.channel is not None and self.channel.readyState == "open":
                if not was_open:
                    was_open = True
                    tell("event", name="Open", text="")
                number += 1
                self.channel.send(f"{RUN}.{number}")
                tell("sent", message=f"{RUN}.{number}")
            await asyncio.sleep(SEND_EVERY_SECONDS)


def main() -> None:
    kind, url, key, options = *sys.argv[1:4], json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}
    asyncio.run(ours(url, identity_in(Path(key)), options) if kind == "ours" else Bare(url, options).run())


if __name__ == "__main__":
    main()

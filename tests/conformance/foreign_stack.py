"""A peer connection of another stack, and one of ours beside it, for the tests of interoperation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fsm_rtc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from fsm_rtc.conformance.adapter import ProcessAdapter
from fsm_rtc.conformance.protocol import Operation, Reply, StackDescription, States

LIMIT_SECONDS = 30
LABEL = "chat"


class Foreign:
    """A peer connection of another stack, asked through its adapter.

    Attributes:
        heard: the messages that its channel got.
        states: what it showed last.
    """

    def __init__(self, adapter: ProcessAdapter) -> None:
        self._adapter = adapter
        self._lock = asyncio.Lock()
        self.heard: list[str] = []
        self.states = States()

    async def begin(self) -> None:
        """Forget the connections before, and make a new one."""
        await self._adapter.ask(Operation("reset"))
        await self.ask("new")

    async def ask(self, operation: str, **arguments: Any) -> Any:
        """Do one operation; what it returned."""
        async with self._lock:
            reply = await self._adapter.ask(Operation(operation, "peer", **arguments))
        self._see(reply)
        (result,) = reply.results
        assert result.error is None, f"{self._adapter.hello.name}: {operation}: {result.error}"
        return result.value

    async def until(self, holds: Callable[[], bool]) -> None:
        """Look until it holds."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while not holds():
                await self.ask("look", wait_seconds=0.05)

    async def offer(self) -> RTCSessionDescription:
        """Make and apply an offer; the offer with its candidates."""
        return await self._describe("createOffer")

    async def answer(self, offer: RTCSessionDescription) -> RTCSessionDescription:
        """Apply an offer, make and apply an answer; the answer with its candidates."""
        await self.apply(offer)
        return await self._describe("createAnswer")

    async def apply(self, description: RTCSessionDescription) -> None:
        """Apply the other side's description."""
        await self.ask("setRemoteDescription", description=StackDescription(str(description.type), description.sdp))

    async def _describe(self, maker: str) -> RTCSessionDescription:
        made = await self.ask(maker)
        await self.ask("setLocalDescription", description=StackDescription(made["type"], made["sdp"]))
        await self.until(lambda: self.states.iceGatheringState == "complete")
        local = await self.ask("localDescription")
        return RTCSessionDescription(local["sdp"], local["type"])

    async def open_channel(self) -> None:
        await self.ask("createDataChannel", label=LABEL)

    async def add(self, kind: str) -> None:
        await self.ask("addTransceiver", kind=kind)

    async def restart(self) -> None:
        await self.ask("restartIce")

    async def send(self, message: str) -> None:
        await self.ask("send", label=LABEL, data=message)

    async def ready(self) -> None:
        """Wait until it is connected and its channel is open."""
        await self.until(
            lambda: self.states.connectionState == "connected" and self.states.channels.get(LABEL) == "open"
        )

    async def heard_all(self, messages: list[str]) -> None:
        """Wait until it has heard these, and nothing else."""
        await self.until(lambda: len(self.heard) >= len(messages))
        assert self.heard == messages

    def _see(self, reply: Reply) -> None:
        self.heard += [event.data for event in reply.events if event.event == "message"]
        self.states = reply.states.get("peer", self.states)


class Ours:
    """An RTCPeerConnection of ours, used in the same way.

    Attributes:
        pc: the connection.
        channel: its channel, made here or announced.
        heard: the messages that the channel got.
    """

    def __init__(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(loopback=True))
        self.channel: RTCDataChannel | None = None
        self.heard: list[str] = []
        self._changed = asyncio.Event()
        for event in ("icegatheringstatechange", "connectionstatechange", "signalingstatechange"):
            self.pc.on(event, self._changed.set)
        self.pc.on("datachannel", lambda event: self._adopt(event.channel))

    def _adopt(self, channel: RTCDataChannel) -> None:
        self.channel = channel
        channel.on("open", self._changed.set)
        channel.on("message", self._hear)
        self._changed.set()

    def _hear(self, message: str) -> None:
        self.heard.append(message)
        self._changed.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for an event after which it holds."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def offer(self) -> RTCSessionDescription:
        return await self._describe()

    async def answer(self, offer: RTCSessionDescription) -> RTCSessionDescription:
        await self.apply(offer)
        return await self._describe()

    async def apply(self, description: RTCSessionDescription) -> None:
        await self.pc.setRemoteDescription(description)

    async def _describe(self) -> RTCSessionDescription:
        await self.pc.setLocalDescription()
        if self.pc.iceGatheringState != "complete" or "a=end-of-candidates" not in self.pc.localDescription.sdp:
            await self.until(lambda: "a=end-of-candidates" in self.pc.localDescription.sdp)
        return RTCSessionDescription(self.pc.localDescription.sdp, self.pc.localDescription.type)

    async def open_channel(self) -> None:
        self._adopt(self.pc.createDataChannel(LABEL))

    async def add(self, kind: str) -> None:
        self.pc.addTransceiver(kind)

    async def restart(self) -> None:
        self.pc.restartIce()

    async def send(self, message: str) -> None:
        assert self.channel is not None
        self.channel.send(message)

    async def ready(self) -> None:
        await self.until(
            lambda: (
                self.pc.connectionState == "connected"
                and self.channel is not None
                and self.channel.readyState == "open"
            )
        )

    async def heard_all(self, messages: list[str]) -> None:
        await self.until(lambda: len(self.heard) >= len(messages))
        assert self.heard == messages


Side = Foreign | Ours


async def exchange(offerer: Side, answerer: Side) -> None:
    """An offer and its answer."""
    await offerer.apply(await answerer.answer(await offerer.offer()))


def ufrags(description: RTCSessionDescription) -> set[str]:
    """The ICE user fragments of a description."""
    lines = description.sdp.splitlines()
    return {line.removeprefix("a=ice-ufrag:") for line in lines if line.startswith("a=ice-ufrag:")}

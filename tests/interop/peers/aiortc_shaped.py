"""A peer of ours, or of bare aiortc: ``python -m tests.interop.peers.aiortc_shaped fsm_rtc``. See ../peer.py."""

from __future__ import annotations

import asyncio
import sys
from fractions import Fraction
from typing import Any

import aiortc
import av
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack

import fsm_rtc
from tests.interop.peers.serving import run

STACKS: dict[str, Any] = {"fsm_rtc": fsm_rtc, "aiortc": aiortc}
FRAMES_PER_SECOND = 15
CLOCK_RATE = 90000
LOOK_SECONDS = 0.02


class Picture(VideoStreamTrack):
    """Small frames of one shade after the other."""

    _number = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(1 / FRAMES_PER_SECOND)
        self._number += 1
        frame = av.VideoFrame(160, 120, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([self._number * 5 % 255]) * plane.buffer_size)
        frame.pts, frame.time_base = self._number * CLOCK_RATE // FRAMES_PER_SECOND, Fraction(1, CLOCK_RATE)
        return frame


class Peer:
    """One connection, and what it has received."""

    def __init__(self, stack: str) -> None:
        self.stack = stack
        self.rtc = STACKS[stack]
        self.pc: Any = None

    async def do(self, operation: str, **details: Any) -> Any:
        return await getattr(self, f"do_{operation}")(**details)

    async def do_new(self, servers: list[dict[str, Any]] | None = None, policy: str = "all") -> None:
        if self.pc is not None:
            await self.pc.close()
        self.channel: Any = None
        self.heard: list[str] = []
        self.received: dict[str, list[int]] = {"audio": [], "video": []}
        self.reading: list[asyncio.Task[None]] = []
        configuration = self.rtc.RTCConfiguration([aiortc.RTCIceServer(**server) for server in servers or []])
        configuration.iceTransportPolicy = aiortc.RTCIceTransportPolicy(policy)
        self.pc = self.rtc.RTCPeerConnection(configuration)
        self.pc.on("datachannel", lambda event: self.adopt(getattr(event, "channel", event)))
        self.pc.on("track", lambda event: self.reading.append(asyncio.create_task(self.read(_track(event)))))

    def adopt(self, channel: Any) -> None:
        self.channel = channel
        channel.on("message", lambda message: self.heard.append(str(message)))

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

    async def do_hello(self) -> str:
        return f"{self.stack} {self.rtc.__version__}"

    async def do_channel(self) -> None:
        self.adopt(self.pc.createDataChannel("chat"))

    async def do_track(self, kind: str) -> None:
        self.pc.addTrack(Picture() if kind == "video" else AudioStreamTrack())

    async def do_offer(self, restart: bool = False) -> dict[str, str]:
        if restart:
            self.pc.restartIce()
        return await self.described(await self.pc.createOffer())

    async def do_answer(self) -> dict[str, str]:
        return await self.described(await self.pc.createAnswer())

    async def described(self, made: Any) -> dict[str, str]:
        await self.pc.setLocalDescription(made)
        # Behind a restart the state is still "complete" for a moment, and there are no candidates.
        while self.pc.iceGatheringState != "complete" or "a=candidate" not in self.pc.localDescription.sdp:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)
        return {"type": str(self.pc.localDescription.type), "sdp": self.pc.localDescription.sdp}

    async def do_apply(self, description: dict[str, str]) -> None:
        await self.pc.setRemoteDescription(self.rtc.RTCSessionDescription(description["sdp"], description["type"]))

    async def do_rollback(self) -> None:
        await self.pc.setLocalDescription(self.rtc.RTCSessionDescription("", "rollback"))

    async def do_send(self, text: str) -> None:
        self.channel.send(text)

    async def do_look(self) -> dict[str, Any]:
        return {
            "connection": self.pc.connectionState,
            "signaling": self.pc.signalingState,
            "channel": self.channel and self.channel.readyState,
            "heard": self.heard,
            "received": self.received,
            "pair": self.pair(),
        }

    def pair(self) -> str | None:
        """The way to the other side that is in use."""
        sctp = self.pc.sctp
        if self.stack != "fsm_rtc" or sctp is None or sctp.transport is None:
            return None
        pair = sctp.transport.transport.getSelectedCandidatePair()
        return pair and f"{_place(pair.local)} {_place(pair.remote)}"

    async def do_close(self) -> None:
        await self.pc.close()


def _track(event: Any) -> Any:
    return getattr(event, "track", event)


def _place(candidate: Any) -> str:
    return f"{candidate.type} {candidate.ip}:{candidate.port}"


if __name__ == "__main__":
    run(Peer(sys.argv[1]).do)

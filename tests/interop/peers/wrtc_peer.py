"""A peer of wrtc, libwebrtc in Python: ``python -m tests.interop.peers.wrtc_peer``. What it understands: ../peer.py."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any, cast

import webrtc

from tests.interop.peers.serving import run

LOOK_SECONDS = 0.02


class Peer:
    """One connection. Its media come from the library's own camera and microphone, which make them up."""

    def __init__(self) -> None:
        self.pc: Any = None

    async def do(self, operation: str, **details: Any) -> Any:
        return await getattr(self, f"do_{operation}")(**details)

    async def do_hello(self) -> str:
        return f"wrtc {version('wrtc')}"

    async def do_new(self) -> None:
        if self.pc is not None:
            self.pc.close()
        self.pc = cast(Any, webrtc.RTCPeerConnection())
        self.channel: Any = None
        self.heard: list[str] = []
        self.tracks: list[Any] = []
        self.pc.on("datachannel", lambda event: self.adopt(event.channel))
        self.pc.on("track", lambda event: self.tracks.append(webrtc.MediaStreamTrackProcessor(event.track)))

    def adopt(self, channel: Any) -> None:
        self.channel = channel
        channel.on("message", lambda event: self.heard.append(str(event.data)))

    async def do_channel(self) -> None:
        self.adopt(self.pc.create_data_channel("chat"))

    async def do_track(self, kind: str) -> None:
        stream = await webrtc.media_devices.get_user_media(webrtc.MediaStreamConstraints(**{kind: True}))
        (track,) = stream.get_tracks()
        self.pc.add_track(track, stream)

    async def do_offer(self, restart: bool = False) -> dict[str, str]:
        if restart:
            self.pc.restart_ice()
        return await self.described(await self.pc.create_offer())

    async def do_answer(self) -> dict[str, str]:
        return await self.described(await self.pc.create_answer())

    async def described(self, made: Any) -> dict[str, str]:
        await self.pc.set_local_description(made)
        # Behind a restart the state is still "complete" for a moment, and there are no candidates.
        while self.pc.ice_gathering_state.value != "complete" or "a=candidate" not in self.pc.local_description.sdp:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)
        return {"type": self.pc.local_description.type.value, "sdp": self.pc.local_description.sdp}

    async def do_apply(self, description: dict[str, str]) -> None:
        kind = webrtc.RTCSdpType(description["type"])
        await self.pc.set_remote_description(webrtc.RTCSessionDescriptionInit(kind, description["sdp"]))

    async def do_rollback(self) -> None:
        await self.pc.set_local_description(webrtc.RTCSessionDescriptionInit(webrtc.RTCSdpType("rollback")))

    async def do_send(self, text: str) -> None:
        self.channel.send(text)

    async def do_look(self) -> dict[str, Any]:
        return {
            "connection": self.pc.connection_state.value,
            "signaling": self.pc.signaling_state.value,
            "channel": self.channel and self.channel.ready_state.value,
            "heard": self.heard,
            "received": await self.received(),
        }

    async def received(self) -> dict[str, list[int]]:
        """Decoded video frames and audio packets of each track."""
        counts: dict[str, list[int]] = {"audio": [], "video": []}
        if self.pc.signaling_state.value == "closed":
            return counts
        sections = [one.mid for one in self.pc.get_transceivers()]
        reports = [one for one in (await self.pc.get_stats()).values() if one.type.value == "inbound-rtp"]
        for report in sorted(reports, key=lambda one: sections.index(one.mid)):
            count = report.frames_decoded if report.kind == "video" else report.packets_received
            counts[report.kind].append(count or 0)
        return counts

    async def do_close(self) -> None:
        self.pc.close()


if __name__ == "__main__":
    run(Peer().do)

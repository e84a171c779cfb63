"""The adapter of bare aiortc: ``python -m fsm_rtc.conformance.adapters.aiortc``.

Its ICE uses 127.0.0.1 alone, so that a run is the same on each machine; aioice leaves that address out by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import aiortc
from aioice import ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

from fsm_rtc.conformance.adapters.base import AdaptedPeer, Happened, Inexpressible, Stack
from fsm_rtc.conformance.adapters.session import serve
from fsm_rtc.conformance.protocol import StackCandidate, StackDescription, States

__all__ = ["Aiortc"]

CHANGES = ("signalingstatechange", "icegatheringstatechange", "iceconnectionstatechange", "connectionstatechange")


class AiortcPeer(AdaptedPeer):
    """One RTCPeerConnection of aiortc."""

    def __init__(self, happened: Happened) -> None:
        self._happened = happened
        self._channels: dict[str, Any] = {}
        self._pc = pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for change in CHANGES:
            pc.on(change, lambda change=change: happened(change))
        pc.on("datachannel", self._announced)
        pc.on("track", lambda track: happened("track", kind=track.kind))
        pc.on("error", lambda error: None)

    def states(self) -> States:
        pc = self._pc
        dtls = tuple(self._transports())
        return States(
            signalingState=pc.signalingState,
            iceGatheringState=pc.iceGatheringState,
            iceConnectionState=pc.iceConnectionState,
            connectionState=pc.connectionState,
            ice=tuple(one.transport.state for one in dtls),
            dtls=tuple(one.state for one in dtls),
            sctp=pc.sctp.state if pc.sctp is not None else None,
            channels={label: channel.readyState for label, channel in self._channels.items()},
        )

    def _transports(self) -> Iterator[Any]:
        users: list[Any] = [*self._pc.getSenders()]
        if self._pc.sctp is not None:
            users.insert(0, self._pc.sctp)
        yield from {id(user.transport): user.transport for user in users}.values()

    def create_offer(self) -> Any:
        return self._described(self._pc.createOffer())

    def create_answer(self) -> Any:
        return self._described(self._pc.createAnswer())

    async def _described(self, making: Any) -> StackDescription:
        made = await making
        return StackDescription(made.type, made.sdp)

    async def set_local_description(self, description: StackDescription | None) -> None:
        if description is None:
            raise Inexpressible
        await self._pc.setLocalDescription(RTCSessionDescription(description.sdp, description.type))

    async def set_remote_description(self, description: StackDescription) -> None:
        await self._pc.setRemoteDescription(RTCSessionDescription(description.sdp, description.type))

    async def add_ice_candidate(self, candidate: StackCandidate) -> None:
        parsed = None
        if candidate.candidate:
            parsed = candidate_from_sdp(candidate.candidate.removeprefix("candidate:"))
            parsed.sdpMid, parsed.sdpMLineIndex = candidate.sdpMid, candidate.sdpMLineIndex
        await self._pc.addIceCandidate(parsed)

    def create_data_channel(self, label: str) -> None:
        self._listen(self._pc.createDataChannel(label))

    def add_transceiver(self, kind: str) -> None:
        self._pc.addTransceiver(kind)

    def close(self) -> Any:
        return self._pc.close()

    def send(self, label: str, data: str) -> None:
        self._channel(label).send(data)

    def close_channel(self, label: str) -> None:
        self._channel(label).close()

    def _channel(self, label: str) -> Any:
        if label not in self._channels:
            raise Inexpressible
        return self._channels[label]

    def local_description(self) -> StackDescription | None:
        local: Any = self._pc.localDescription
        return StackDescription(local.type, local.sdp) if local else None

    def _announced(self, channel: Any) -> None:
        self._listen(channel)
        self._happened("datachannel", label=channel.label)

    def _listen(self, channel: Any) -> None:
        label = channel.label
        self._channels[label] = channel
        for event in ("open", "closing", "close"):
            channel.on(event, lambda event=event: self._happened(event, label=label))
        channel.on("message", lambda data: self._happened("message", label=label, data=str(data)))
        channel.on("error", lambda *_: self._happened("error", label=label))


class Aiortc(Stack):
    """aiortc as it is installed."""

    name = "aiortc"
    version = aiortc.__version__
    lacks = (
        "restartIce",
        "setLocalDescription(none)",
        "addIceCandidate(unknown ufrag)",
        "attribute currentLocalDescription",
        "attribute pendingLocalDescription",
        "attribute currentRemoteDescription",
        "attribute pendingRemoteDescription",
        "event icecandidate",
        "event negotiationneeded",
        "event closing",
    )

    def __init__(self) -> None:
        ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
        logging.getLogger("aiortc").setLevel(logging.ERROR)

    def new(self, happened: Happened) -> AiortcPeer:
        return AiortcPeer(happened)


if __name__ == "__main__":
    serve(Aiortc())

"""The adapter of wrtc, libwebrtc in Python: ``python -m fsm_rtc.conformance.adapters.wrtc``.

wrtc has threads of its own, but it hands every event to the event loop and changes its attributes there, one with the
other; so what is read in a handler is what the specification says a handler sees. Its ICE takes 127.0.0.1 too, which
libwebrtc leaves out by itself, so that it works on a host without a network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import Any, cast

import webrtc

from fsm_rtc.conformance.adapters.base import AdaptedPeer, Happened, Inexpressible, Stack
from fsm_rtc.conformance.adapters.session import serve
from fsm_rtc.conformance.protocol import StackCandidate, StackDescription, States

__all__ = ["Wrtc"]

CHANGES = (
    "signalingstatechange",
    "icegatheringstatechange",
    "iceconnectionstatechange",
    "connectionstatechange",
    "negotiationneeded",
)

SPECIFIED = {
    webrtc.RTCError: "OperationError",
    webrtc.InvalidSyntaxError: "SyntaxError",
    webrtc.InvalidRangeError: "RangeError",
}
"""The specification's name of those errors whose class is called otherwise."""


class WrtcPeer(AdaptedPeer):
    """One RTCPeerConnection of wrtc."""

    def __init__(self, happened: Happened) -> None:
        self._happened = happened
        self._channels: dict[str, Any] = {}
        self._pc = cast(Any, webrtc.RTCPeerConnection())
        for change in CHANGES:
            self._pc.on(change, lambda _, change=change: happened(change))
        self._pc.on("icecandidate", self._found)
        self._pc.on("datachannel", self._announced)
        self._pc.on("track", lambda event: happened("track", kind=event.track.kind.value))

    def states(self) -> States:
        pc = self._pc
        dtls = tuple(self._transports())
        return States(
            signalingState=pc.signaling_state.value,
            iceGatheringState=pc.ice_gathering_state.value,
            iceConnectionState=pc.ice_connection_state.value,
            connectionState=pc.connection_state.value,
            currentLocalDescription=_type(pc.current_local_description),
            pendingLocalDescription=_type(pc.pending_local_description),
            currentRemoteDescription=_type(pc.current_remote_description),
            pendingRemoteDescription=_type(pc.pending_remote_description),
            ice=tuple(one.ice_transport.state.value for one in dtls),
            dtls=tuple(one.state.value for one in dtls),
            sctp=pc.sctp.state.value if pc.sctp is not None else None,
            channels={label: channel.ready_state.value for label, channel in self._channels.items()},
        )

    def _transports(self) -> Iterator[Any]:
        users = [self._pc.sctp, *self._pc.get_senders()]
        found = [user.transport for user in users if user is not None and user.transport is not None]
        yield from {id(transport): transport for transport in found}.values()

    async def create_offer(self) -> StackDescription:
        return _description(await self._pc.create_offer())

    async def create_answer(self) -> StackDescription:
        return _description(await self._pc.create_answer())

    def set_local_description(self, description: StackDescription | None) -> Any:
        if description is None:
            return self._pc.set_local_description()
        return self._pc.set_local_description(_init(description))

    def set_remote_description(self, description: StackDescription) -> Any:
        return self._pc.set_remote_description(_init(description))

    def add_ice_candidate(self, candidate: StackCandidate) -> Any:
        init = webrtc.RTCIceCandidateInit(
            candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex, candidate.usernameFragment
        )
        return self._pc.add_ice_candidate(init)

    def create_data_channel(self, label: str) -> None:
        self._listen(self._pc.create_data_channel(label))

    def add_transceiver(self, kind: str) -> None:
        self._pc.add_transceiver(kind)

    def restart_ice(self) -> None:
        self._pc.restart_ice()

    def close(self) -> None:
        self._pc.close()

    def send(self, label: str, data: str) -> None:
        self._channel(label).send(data)

    def close_channel(self, label: str) -> None:
        self._channel(label).close()

    def local_description(self) -> StackDescription | None:
        local = self._pc.local_description
        return _description(local) if local is not None else None

    async def rest(self) -> None:
        """Wait until each of the library's threads has had its turn."""
        with suppress(webrtc.RTCException):
            await self._pc.get_stats()

    def _found(self, event: Any) -> None:
        found = event.candidate
        candidate = None
        if found is not None:
            candidate = StackCandidate(found.candidate, found.sdp_mid, found.sdp_m_line_index, found.username_fragment)
        self._happened("icecandidate", candidate=candidate)

    def _channel(self, label: str) -> Any:
        if label not in self._channels:
            raise Inexpressible
        return self._channels[label]

    def _announced(self, event: Any) -> None:
        self._listen(event.channel)
        self._happened("datachannel", label=event.channel.label)

    def _listen(self, channel: Any) -> None:
        label = channel.label
        self._channels[label] = channel
        for event in ("open", "closing", "close", "error"):
            channel.on(event, lambda _, event=event: self._happened(event, label=label))
        channel.on("message", lambda event: self._happened("message", label=label, data=str(event.data)))


def _description(given: Any) -> StackDescription:
    return StackDescription(given.type.value, given.sdp)


def _init(description: StackDescription) -> webrtc.RTCSessionDescriptionInit:
    return webrtc.RTCSessionDescriptionInit(webrtc.RTCSdpType(description.type), description.sdp)


def _type(description: Any) -> str | None:
    return description.type.value if description is not None else None


class Wrtc(Stack):
    """wrtc as it is installed."""

    name = "wrtc"
    version = version("wrtc")

    def __init__(self) -> None:
        webrtc.allow_loopback()
        for error, name in SPECIFIED.items():
            error.__name__ = name

    def new(self, happened: Happened) -> WrtcPeer:
        return WrtcPeer(happened)

    async def rest(self, peers: Sequence[AdaptedPeer]) -> None:
        await asyncio.gather(*(peer.rest() for peer in peers if isinstance(peer, WrtcPeer)))


if __name__ == "__main__":
    serve(Wrtc())

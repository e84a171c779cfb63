"""The adapter of this project's own `RTCPeerConnection`: ``python -m fsm_rtc.conformance.adapters.own``.

Its errors are told under the specification's names: a ChannelClosedError is an InvalidStateError.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fsm_rtc._version import __version__
from fsm_rtc.conformance.adapters.base import AdaptedPeer, Happened, Inexpressible, Stack
from fsm_rtc.conformance.adapters.session import serve
from fsm_rtc.conformance.protocol import StackCandidate, StackDescription, States
from fsm_rtc.errors import SpecificationError
from fsm_rtc.peer.w3c.rtc_configuration import RTCConfiguration
from fsm_rtc.peer.w3c.rtc_data_channel import RTCDataChannel
from fsm_rtc.peer.w3c.rtc_ice_candidate import RTCIceCandidate, RTCPeerConnectionIceEvent, RTCSessionDescription
from fsm_rtc.peer.w3c.rtc_peer_connection import RTCDataChannelEvent, RTCPeerConnection

__all__ = ["Own"]

CHANGES = (
    "signalingstatechange",
    "icegatheringstatechange",
    "iceconnectionstatechange",
    "connectionstatechange",
    "negotiationneeded",
)

LABEL = "peer"


class OwnPeer(AdaptedPeer):
    """One `RTCPeerConnection`."""

    def __init__(self, happened: Happened) -> None:
        self._happened = happened
        self._channels: dict[str, RTCDataChannel] = {}
        self._pc = pc = RTCPeerConnection(RTCConfiguration(loopback=True), label=LABEL)
        for change in CHANGES:
            pc.on(change, lambda change=change: happened(change))
        pc.on("icecandidate", self._found)
        pc.on("datachannel", self._announced)
        pc.on("track", lambda event: happened("track", kind=event.track.kind))

    def states(self) -> States:
        pc = self._pc
        sctp = tuple(self._of("sctp"))
        return States(
            signalingState=pc.signalingState,
            iceGatheringState=pc.iceGatheringState,
            iceConnectionState=pc.iceConnectionState,
            connectionState=pc.connectionState,
            currentLocalDescription=_type(pc.currentLocalDescription),
            pendingLocalDescription=_type(pc.pendingLocalDescription),
            currentRemoteDescription=_type(pc.currentRemoteDescription),
            pendingRemoteDescription=_type(pc.pendingRemoteDescription),
            ice=tuple(self._of("ice")),
            dtls=tuple(self._of("dtls")),
            sctp=sctp[0] if sctp else None,
            channels={label: channel.readyState for label, channel in self._channels.items()},
        )

    def _of(self, machine: str) -> Iterator[str]:
        """The states of the machines of that name, the first transport's without a number."""
        for label, one in self._pc.peer.machines.items():
            owner, name, *_ = label.split(".")
            if (owner, name) == (LABEL, machine):
                yield one.state.value

    async def create_offer(self) -> StackDescription:
        with specified():
            return _described(await self._pc.createOffer())

    async def create_answer(self) -> StackDescription:
        with specified():
            return _described(await self._pc.createAnswer())

    async def set_local_description(self, description: StackDescription | None) -> None:
        with specified():
            await self._pc.setLocalDescription(_session(description) if description is not None else None)

    async def set_remote_description(self, description: StackDescription) -> None:
        with specified():
            await self._pc.setRemoteDescription(_session(description))

    async def add_ice_candidate(self, candidate: StackCandidate) -> None:
        with specified():
            await self._pc.addIceCandidate(
                RTCIceCandidate(
                    candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex, candidate.usernameFragment
                )
            )

    def create_data_channel(self, label: str) -> None:
        with specified():
            self._listen(self._pc.createDataChannel(label))

    def add_transceiver(self, kind: str) -> None:
        with specified():
            self._pc.addTransceiver(kind)

    def restart_ice(self) -> None:
        self._pc.restartIce()

    def close(self) -> Any:
        return self._pc.close()

    def send(self, label: str, data: str) -> None:
        with specified():
            self._channel(label).send(data)

    def close_channel(self, label: str) -> None:
        self._channel(label).close()

    def local_description(self) -> StackDescription | None:
        local = self._pc.localDescription
        return _described(local) if local is not None else None

    def _channel(self, label: str) -> RTCDataChannel:
        if label not in self._channels:
            raise Inexpressible
        return self._channels[label]

    def _found(self, event: RTCPeerConnectionIceEvent) -> None:
        found = event.candidate
        candidate = None
        if found is not None:
            candidate = StackCandidate(found.candidate, found.sdpMid, found.sdpMLineIndex, found.usernameFragment)
        self._happened("icecandidate", candidate=candidate)

    def _announced(self, event: RTCDataChannelEvent) -> None:
        self._listen(event.channel)
        self._happened("datachannel", label=event.channel.label)

    def _listen(self, channel: RTCDataChannel) -> None:
        label = channel.label
        self._channels[label] = channel
        for event in ("open", "closing", "close"):
            channel.on(event, lambda event=event: self._happened(event, label=label))
        channel.on("error", lambda _: self._happened("error", label=label))
        channel.on("message", lambda data: self._happened("message", label=label, data=str(data)))


@contextmanager
def specified() -> Iterator[None]:
    """Raise an error of the specification's again as the class that the specification names."""
    try:
        yield
    except SpecificationError as error:
        named = next(one for one in type(error).__mro__ if SpecificationError in one.__bases__)
        raise named(str(error)) from error


def _described(made: Any) -> StackDescription:
    return StackDescription(made.type, made.sdp)


def _session(description: StackDescription) -> RTCSessionDescription:
    return RTCSessionDescription(description.sdp, description.type)


def _type(description: Any) -> str | None:
    return description.type if description is not None else None


class Own(Stack):
    """fsm_rtc, over aiortc."""

    name = "fsm_rtc"
    version = __version__

    def new(self, happened: Happened) -> OwnPeer:
        return OwnPeer(happened)


if __name__ == "__main__":
    serve(Own())

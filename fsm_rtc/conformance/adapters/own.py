"""The adapter of this project's own `PeerConnection`: ``python -m fsm_rtc.conformance.adapters.own``.

Its errors are told under the specification's names: a ChannelClosedError is an InvalidStateError.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fsm_rtc._version import __version__
from fsm_rtc.conformance.adapters.base import AdaptedPeer, Happened, Inexpressible, Stack, serve
from fsm_rtc.conformance.protocol import Candidate, Description, States
from fsm_rtc.errors import SpecificationError
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.peer_connection import PeerConnection

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
    """One `PeerConnection`."""

    def __init__(self, happened: Happened) -> None:
        self._happened = happened
        self._channels: dict[str, DataChannel] = {}
        self._pc = pc = PeerConnection(Configuration(loopback=True), label=LABEL)
        for change in CHANGES:
            pc.on(change, lambda change=change: happened(change))
        pc.on("icecandidate", self._found)
        pc.on("datachannel", self._announced)
        pc.on("track", lambda event: happened("track", kind=event.track.kind))

    def states(self) -> States:
        pc = self._pc
        sctp = tuple(self._of("sctp"))
        return States(
            signalingState=pc.signaling_state.value,
            iceGatheringState=pc.ice_gathering_state.value,
            iceConnectionState=pc.ice_connection_state.value,
            connectionState=pc.connection_state.value,
            ice=tuple(self._of("ice")),
            dtls=tuple(self._of("dtls")),
            sctp=sctp[0] if sctp else None,
            channels={label: channel.ready_state.value for label, channel in self._channels.items()},
        )

    def _of(self, machine: str) -> Iterator[str]:
        """The states of the machines of that name, the first transport's without a number."""
        for label, one in self._pc.machines.items():
            owner, name, *_ = label.split(".")
            if (owner, name) == (LABEL, machine):
                yield one.state.value

    def create_offer(self) -> Any:
        return _described(self._pc.create_offer())

    def create_answer(self) -> Any:
        return _described(self._pc.create_answer())

    async def set_local_description(self, description: Description | None) -> None:
        with specified():
            await self._pc.set_local_description(_session(description) if description is not None else None)

    async def set_remote_description(self, description: Description) -> None:
        with specified():
            await self._pc.set_remote_description(_session(description))

    async def add_ice_candidate(self, candidate: Candidate) -> None:
        with specified():
            await self._pc.add_ice_candidate(
                IceCandidate(candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex)
            )

    def create_data_channel(self, label: str) -> None:
        with specified():
            self._listen(self._pc.create_data_channel(label))

    def add_transceiver(self, kind: Any) -> None:
        with specified():
            self._pc.add_transceiver(kind)

    def close(self) -> Any:
        return self._pc.close()

    def send(self, label: str, data: str) -> None:
        with specified():
            self._channel(label).send(data)

    def close_channel(self, label: str) -> None:
        self._channel(label).close()

    def local_description(self) -> Description | None:
        local = self._pc.local_description
        return Description(local.type, local.sdp) if local is not None else None

    def _channel(self, label: str) -> DataChannel:
        if label not in self._channels:
            raise Inexpressible
        return self._channels[label]

    def _found(self, found: IceCandidate | None) -> None:
        candidate = None
        if found is not None:
            candidate = Candidate(found.candidate, found.sdp_mid, found.sdp_m_line_index)
        self._happened("icecandidate", candidate=candidate)

    def _announced(self, channel: DataChannel) -> None:
        self._listen(channel)
        self._happened("datachannel", label=channel.label)

    def _listen(self, channel: DataChannel) -> None:
        label = channel.label
        self._channels[label] = channel
        for event in ("open", "closing", "close"):
            channel.on(event, lambda event=event: self._happened(event, label=label))
        channel.on("message", lambda data: self._happened("message", label=label, data=str(data)))


@contextmanager
def specified() -> Iterator[None]:
    """Raise an error of the specification's again as the class that the specification names."""
    try:
        yield
    except SpecificationError as error:
        named = next(one for one in type(error).__mro__ if SpecificationError in one.__bases__)
        raise named(str(error)) from error


async def _described(making: Any) -> Description:
    with specified():
        made = await making
    return Description(made.type, made.sdp)


def _session(description: Description) -> SessionDescription:
    return SessionDescription.from_dict({"type": description.type, "sdp": description.sdp})


class Own(Stack):
    """fsm_rtc, over aiortc."""

    name = "fsm_rtc"
    version = __version__
    lacks = (
        "restartIce",
        "addIceCandidate(unknown ufrag)",
        "attribute currentLocalDescription",
        "attribute pendingLocalDescription",
        "attribute currentRemoteDescription",
        "attribute pendingRemoteDescription",
        "event error",
    )

    def new(self, happened: Happened) -> OwnPeer:
        return OwnPeer(happened)


if __name__ == "__main__":
    serve(Own())

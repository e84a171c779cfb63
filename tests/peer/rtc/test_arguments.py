"""Whatever a public method is given, what it raises has a sentence, and none of Python's about the inside."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from typing import Any

import aiortc
import pytest
from aiortc.mediastreams import AudioStreamTrack

from fsm_rtc import RTCConfiguration, RTCIceCandidate, RTCPeerConnection, RTCSessionDescription
from fsm_rtc.aiortc import RTCPeerConnection as DropIn
from fsm_rtc.errors import FsmRtcError
from fsm_rtc.peer import Configuration, IceCandidate, IceServer, PeerConnection, SessionDescription
from tests.peer.wpt.conftest import MakeRtc

CANDIDATE = {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0"}

WRONG: list[Any] = [
    None,
    5,
    1.5,
    True,
    "",
    "x",
    b"x",
    [],
    ["x"],
    {},
    {"candidate": 5},
    {"type": "smell", "sdp": ""},
    object(),
    json.dumps(CANDIDATE),
    "a" * 70_000,
    "\ud800",
    float("nan"),
    10**30,
]

PYTHONS = (
    "has no attribute",
    "not subscriptable",
    "not iterable",
    "unexpected keyword",
    "positional argument",
    "codec can't",
    "not supported between",
    "has no len",
    "is not a valid",
    "out of range",
    "not reversible",
)
"""What only Python's own texts say."""

Call = Callable[[Any], Any]


def calls(pc: Any, channel: Any, transceiver: Any) -> dict[str, Call]:
    """Every method of a connection, its channel and its transceiver that takes something."""

    def turn(value: Any) -> None:
        transceiver.direction = value

    def threshold(value: Any) -> None:
        channel.bufferedAmountLowThreshold = value

    options = ("maxPacketLifeTime", "maxRetransmits", "protocol")
    fields = ("candidate", "sdpMid", "sdpMLineIndex", "usernameFragment")
    return {
        "setLocalDescription": pc.setLocalDescription,
        "setRemoteDescription": pc.setRemoteDescription,
        "addIceCandidate": pc.addIceCandidate,
        "createDataChannel": pc.createDataChannel,
        **{name: lambda value, name=name: pc.createDataChannel("x", **{name: value}) for name in options},
        "id": lambda value: pc.createDataChannel("x", negotiated=True, id=value),
        "addTrack": pc.addTrack,
        "a stream": lambda value: pc.addTrack(AudioStreamTrack(), value),
        "removeTrack": pc.removeTrack,
        "addTransceiver": pc.addTransceiver,
        "addTransceiver's direction": lambda value: pc.addTransceiver("audio", value),
        "addTransceiver's streams": lambda value: pc.addTransceiver("audio", "sendrecv", value),
        "getStats": pc.getStats,
        "setConfiguration": pc.setConfiguration,
        "replaceTrack": transceiver.sender.replaceTrack,
        "setStreams": transceiver.sender.setStreams,
        "direction": turn,
        "setCodecPreferences": transceiver.setCodecPreferences,
        "send": channel.send,
        "bufferedAmountLowThreshold": threshold,
        **{name: lambda value, name=name: pc.addIceCandidate({**CANDIDATE, name: value}) for name in fields},
        "RTCIceCandidate": RTCIceCandidate,
        "RTCSessionDescription": lambda value: RTCSessionDescription(value, value),
    }


CONFIGURATION = ("iceServers", "bundlePolicy", "iceTransportPolicy", "iceCandidatePoolSize", "gatherTimeoutSeconds")


def constructions(kind: Any) -> dict[str, Call]:
    """What a connection can be made with."""
    return {
        "configuration": kind,
        **{name: lambda value, name=name: kind(RTCConfiguration(**{name: value})) for name in CONFIGURATION},
        "urls": lambda value: kind(RTCConfiguration(iceServers=[aiortc.RTCIceServer(value)])),
        "username": lambda value: kind(RTCConfiguration(iceServers=[aiortc.RTCIceServer("turn:a", value, "x")])),
    }


def of_peer(peer: PeerConnection, channel: Any) -> dict[str, Call]:
    """The same for a PeerConnection."""
    return {
        "create_data_channel": peer.create_data_channel,
        "protocol": lambda value: peer.create_data_channel("x", protocol=value),
        "add_track": peer.add_track,
        "add_transceiver": peer.add_transceiver,
        "receive": peer.receive,
        "set_local_description": peer.set_local_description,
        "set_remote_description": peer.set_remote_description,
        "add_ice_candidate": peer.add_ice_candidate,
        "send": channel.send,
        "PeerConnection": PeerConnection,
        "ice_servers": lambda value: Configuration(ice_servers=value),
        "bundle_policy": lambda value: Configuration(bundle_policy=value),
        "gather_timeout_seconds": lambda value: Configuration(gather_timeout_seconds=value),
        "IceServer": IceServer,
        "SessionDescription": lambda value: SessionDescription(value, value),
        "SessionDescription.from_dict": SessionDescription.from_dict,
        "IceCandidate": IceCandidate,
        "IceCandidate.from_dict": IceCandidate.from_dict,
    }


async def faults(calls: dict[str, Call]) -> list[str]:
    """What is raised that has no sentence of the project's."""
    found = []
    for name, call in calls.items():
        for value in WRONG:
            try:
                result = call(value)
                if inspect.isawaitable(result):
                    await result
            except (FsmRtcError, TypeError, ValueError) as error:
                text = str(error)
                if not text or any(words in text for words in PYTHONS):
                    found.append(f"{name}({str(value)[:40]!r}): {error!r}")
            except Exception as error:
                found.append(f"{name}({str(value)[:40]!r}): {error!r}")
    return found


@pytest.mark.parametrize("kind", [RTCPeerConnection, DropIn])
async def test_no_error_is_pythons_own(rtc: MakeRtc, kind: Any) -> None:
    other = rtc()
    channel = other.createDataChannel("x")
    other.addTrack(AudioStreamTrack())
    await other.setLocalDescription()
    pc = kind(RTCConfiguration(iceServers=[], loopback=True))
    await pc.setRemoteDescription(other.localDescription)
    try:
        assert await faults(calls(pc, channel, pc.getTransceivers()[0])) == []
        assert await faults(constructions(kind)) == []
    finally:
        await pc.close()


async def test_nor_those_of_a_peer_connection(make_peer: Callable[[], PeerConnection]) -> None:
    peer = make_peer()
    assert await faults(of_peer(peer, peer.create_data_channel("x"))) == []


async def test_json_text_is_told_from_a_candidate_and_a_description(rtc: MakeRtc) -> None:
    pc = rtc()
    with pytest.raises(TypeError, match=r"json\.loads"):
        await pc.addIceCandidate(json.dumps(CANDIDATE))
    with pytest.raises(TypeError, match=r"json\.loads"):
        await pc.setRemoteDescription('{"type": "offer", "sdp": "v=0"}')


async def test_a_description_may_be_what_to_json_gives(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    one.createDataChannel("x")
    await one.setLocalDescription((await one.createOffer()).toJSON())
    await other.setRemoteDescription(one.localDescription.toJSON())
    assert (one.signalingState, other.signalingState) == ("have-local-offer", "have-remote-offer")


@pytest.mark.parametrize("kind", [RTCPeerConnection, DropIn])
def test_a_connection_needs_no_loop_to_be_made_configured_and_closed(kind: Any) -> None:
    pc = kind(RTCConfiguration(iceServers=[], loopback=True))
    pc.restartIce()
    pc.setConfiguration(RTCConfiguration(iceServers=[], loopback=True))
    makes: list[Callable[[], object]] = [
        lambda: pc.createDataChannel("x"),
        lambda: pc.addTransceiver("audio"),
        lambda: pc.addTrack(AudioStreamTrack()),
    ]
    for make in makes:
        with pytest.raises(RuntimeError, match="in a coroutine"):
            make()
    closing = pc.close()
    if kind is RTCPeerConnection:
        assert (pc.signalingState, pc.connectionState) == ("closed", "closed")

    async def close() -> None:
        await closing

    asyncio.run(close())
    assert pc.connectionState == "closed"


def test_a_connection_that_was_used_on_one_loop_is_closed_on_the_next() -> None:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[], loopback=True))
    with asyncio.Runner() as runner:

        async def use() -> None:
            pc.addTrack(AudioStreamTrack())
            await pc.setLocalDescription(await pc.createOffer())

        runner.run(use())
        pc.getTransceivers()[0].stop()
        closing = pc.close()
        assert pc.connectionState == "closed"

        async def close() -> None:
            await closing

        runner.run(close())

"""What a connection is made with, and what of it can be changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import aiortc
import pytest

from fsm_rtc import RTCConfiguration, RTCPeerConnection
from fsm_rtc.aiortc import RTCPeerConnection as DropIn
from fsm_rtc.errors import CredentialsError, InvalidModificationError, InvalidStateError, UrlSyntaxError
from fsm_rtc.peer import IceServer, PeerConnection
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import until, watched

Silent = Callable[[], int]


def asks(port: int) -> RTCConfiguration:
    return RTCConfiguration(
        iceServers=[aiortc.RTCIceServer(f"stun:127.0.0.1:{port}")], loopback=True, gatherTimeoutSeconds=0.2
    )


def test_the_configuration_is_what_was_given() -> None:
    configuration = RTCConfiguration(iceServers=[], loopback=True)
    assert RTCPeerConnection(configuration).getConfiguration() is configuration
    assert isinstance(RTCPeerConnection().getConfiguration(), aiortc.RTCConfiguration)


def test_no_server_is_asked_unless_one_is_named() -> None:
    assert RTCPeerConnection.default_servers == ()


async def test_other_servers_are_asked_from_the_next_gathering_on(rtc: MakeRtc, silent: Silent) -> None:
    pc, port = rtc(), silent()
    failures = watched(pc, "icecandidateerror")
    pc.setConfiguration(asks(port))
    pc.createDataChannel("chat")
    await pc.setLocalDescription()
    await until(pc, "icegatheringstatechange", lambda: pc.iceGatheringState == "complete")
    assert [(one.url, one.errorCode) for one in failures] == [(f"stun:127.0.0.1:{port}", 701)]
    assert failures[0].errorText == "no answer within 0.2 s"


TURN = "turn:127.0.0.1:9"

REFUSED = {
    "no URL": (aiortc.RTCIceServer([]), UrlSyntaxError),
    "an empty URL": (aiortc.RTCIceServer(""), UrlSyntaxError),
    "another scheme": (aiortc.RTCIceServer("http://example.org"), UrlSyntaxError),
    "no host": (aiortc.RTCIceServer("stun:"), UrlSyntaxError),
    "a port that is no number": (aiortc.RTCIceServer("turn:host:port", "a", "b"), UrlSyntaxError),
    "a port too high": (aiortc.RTCIceServer("stun:host:65536"), UrlSyntaxError),
    "a query for STUN": (aiortc.RTCIceServer("stun:host?transport=udp"), UrlSyntaxError),
    "an unknown transport": (aiortc.RTCIceServer("turn:host?transport=sctp", "a", "b"), UrlSyntaxError),
    "a path": (aiortc.RTCIceServer("stun://host"), UrlSyntaxError),
    "a user in the URL": (aiortc.RTCIceServer("turn:a@host", "a", "b"), UrlSyntaxError),
    "a fragment": (aiortc.RTCIceServer("stun:host#1"), UrlSyntaxError),
    "one wrong of two": (aiortc.RTCIceServer(["stun:host", "sip:host"]), UrlSyntaxError),
    "no username": (aiortc.RTCIceServer(TURN, None, "b"), CredentialsError),
    "no credential": (aiortc.RTCIceServer(TURN, "a"), CredentialsError),
    "neither, among others": (aiortc.RTCIceServer(["stun:host", f"{TURN}?transport=tcp"]), CredentialsError),
    "an empty credential": (aiortc.RTCIceServer("turns:host", "a", ""), CredentialsError),
    "a username too long": (aiortc.RTCIceServer(TURN, "ä" * 255, "b"), CredentialsError),
    "a control character": (aiortc.RTCIceServer(TURN, "a", "b\n"), CredentialsError),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_server_that_is_none_is_refused_and_nothing_is_changed(rtc: MakeRtc, case: str) -> None:
    server, error = REFUSED[case]
    pc = rtc()
    before = pc.getConfiguration()
    with pytest.raises(error) as caught:
        pc.setConfiguration(RTCConfiguration(iceServers=[server], loopback=True))
    assert isinstance(caught.value, ValueError)
    assert pc.getConfiguration() is before
    for kind in (RTCPeerConnection, DropIn):
        with pytest.raises(error):
            kind(RTCConfiguration(iceServers=[server]))
    urls = server.urls if isinstance(server.urls, str) else tuple(server.urls)
    with pytest.raises(error):
        IceServer(urls, server.username, server.credential)


@pytest.mark.parametrize("policy", list(aiortc.RTCBundlePolicy))
async def test_what_means_the_same_is_no_modification(rtc: MakeRtc, policy: aiortc.RTCBundlePolicy) -> None:
    pc = rtc(bundlePolicy=policy)
    pc.setConfiguration(RTCConfiguration(bundlePolicy=policy.value, loopback=True))  # type: ignore[arg-type]
    pc.setConfiguration(RTCConfiguration(bundlePolicy=policy, iceServers=[], loopback=True))
    server = aiortc.RTCIceServer(["stun:127.0.0.1"])
    pc.setConfiguration(RTCConfiguration(bundlePolicy=policy, iceServers=[server], loopback=True))
    assert IceServer(["stun:127.0.0.1"]) == IceServer(("stun:127.0.0.1",))  # type: ignore[arg-type]


async def test_a_configuration_that_is_changed_where_it_lies_is_a_modification_too(rtc: MakeRtc) -> None:
    pc = rtc()
    configuration = pc.getConfiguration()
    configuration.bundlePolicy = aiortc.RTCBundlePolicy.MAX_COMPAT
    with pytest.raises(InvalidModificationError, match="bundlePolicy"):
        pc.setConfiguration(configuration)


async def test_the_pool_size_stays_once_there_is_a_local_description(rtc: MakeRtc) -> None:
    pc = rtc()
    pc.setConfiguration(RTCConfiguration(iceCandidatePoolSize=1, loopback=True))
    pc.createDataChannel("x")
    await pc.setLocalDescription()
    pc.setConfiguration(RTCConfiguration(iceCandidatePoolSize=1, loopback=True))
    with pytest.raises(InvalidModificationError, match="iceCandidatePoolSize"):
        pc.setConfiguration(RTCConfiguration(iceCandidatePoolSize=2, loopback=True))


async def test_the_bundle_policy_stays(rtc: MakeRtc) -> None:
    pc = rtc()
    with pytest.raises(InvalidModificationError, match="make a new connection"):
        pc.setConfiguration(RTCConfiguration(bundlePolicy=aiortc.RTCBundlePolicy.MAX_BUNDLE))


async def test_a_closed_connection_is_not_configured(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.close()
    with pytest.raises(InvalidStateError):
        pc.setConfiguration(RTCConfiguration())


async def test_a_peer_connection_takes_other_servers_but_no_other_bundle_policy(
    make_peer: Callable[[], PeerConnection],
) -> None:
    peer = make_peer()
    servers = replace(peer.configuration, ice_servers=(IceServer("turn:127.0.0.1:9", "name", "secret"),))
    peer.set_configuration(servers)
    assert (peer.configuration, peer.is_relayed) == (servers, False)
    with pytest.raises(InvalidModificationError, match="bundle_policy"):
        peer.set_configuration(replace(servers, bundle_policy="balanced"))
    with pytest.raises(ValueError, match="can't use the ICE servers"):
        peer.set_configuration(replace(servers, ice_servers=(IceServer("stun:[::1]:3478"),)))
    assert peer.configuration == servers
    await peer.close()
    with pytest.raises(InvalidStateError):
        peer.set_configuration(servers)

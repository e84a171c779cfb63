"""What a connection is made with, and what of it can be changed."""

from __future__ import annotations

from collections.abc import Callable

import aiortc
import pytest

from fsm_rtc import RTCConfiguration, RTCPeerConnection
from fsm_rtc.errors import InvalidModificationError, InvalidStateError
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


@pytest.mark.parametrize("url", ["", "http://example.org", "stun:", "turn:host:port"])
async def test_a_url_that_is_no_servers_is_refused_and_nothing_is_changed(rtc: MakeRtc, url: str) -> None:
    pc = rtc()
    before = pc.getConfiguration()
    wrong = RTCConfiguration(iceServers=[aiortc.RTCIceServer(url)], loopback=True)
    with pytest.raises(ValueError, match=r"uri|URL|url"):
        pc.setConfiguration(wrong)
    assert pc.getConfiguration() is before
    with pytest.raises(ValueError, match=r"uri|URL|url"):
        rtc(iceServers=[aiortc.RTCIceServer(url)])


async def test_the_bundle_policy_stays(rtc: MakeRtc) -> None:
    pc = rtc()
    with pytest.raises(InvalidModificationError, match="make a new connection"):
        pc.setConfiguration(RTCConfiguration(bundlePolicy=aiortc.RTCBundlePolicy.MAX_BUNDLE))


async def test_a_closed_connection_is_not_configured(rtc: MakeRtc) -> None:
    pc = rtc()
    await pc.close()
    with pytest.raises(InvalidStateError):
        pc.setConfiguration(RTCConfiguration())

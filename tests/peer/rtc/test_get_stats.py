"""getStats of a live connection, on both faces."""

from __future__ import annotations

from typing import Any

import aiortc
import pytest

from fsm_rtc import RTCConfiguration
from fsm_rtc import aiortc as drop_in
from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import channel_pair, exchange, happens


def of_type(report: Any, kind: str) -> list[Any]:
    return [one for one in report.values() if one.type == kind]


async def test_a_call_s_pair_its_transport_and_its_channel_are_told(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    channel, heard = await channel_pair(one, other)
    channel.send("hello")
    assert await happens(heard, "message") == "hello"
    report = await one.getStats()

    (transport,) = of_type(report, "transport")
    pair = report[transport.selectedCandidatePairId]
    assert (pair.state, pair.nominated) == ("succeeded", True)
    assert report[pair.localCandidateId].address == report[pair.remoteCandidateId].address == "127.0.0.1"
    assert report[transport.localCertificateId].fingerprint.lower() in one.localDescription.sdp.lower()
    assert transport.dtlsState == "connected"

    (data,) = of_type(report, "data-channel")
    assert (data.label, data.state, data.messagesSent, data.bytesSent) == ("test", "open", 1, 5)
    (connection,) = of_type(report, "peer-connection")
    assert (connection.dataChannelsOpened, connection.dataChannelsClosed) == (1, 0)

    channel.close()
    await happens(channel, "close")
    (connection,) = of_type(await one.getStats(), "peer-connection")
    assert (connection.dataChannelsOpened, connection.dataChannelsClosed) == (1, 1)


async def test_before_anything_is_negotiated_there_is_the_connection_alone(rtc: MakeRtc) -> None:
    assert [one.type for one in (await rtc().getStats()).values()] == ["peer-connection"]


async def test_after_close_there_is_still_a_report(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    await channel_pair(one, other)
    await one.close()
    assert len(of_type(await one.getStats(), "peer-connection")) == 1


async def test_a_selector_leaves_what_belongs_to_its_track(rtc: MakeRtc) -> None:
    one, other = rtc(), rtc()
    track = aiortc.mediastreams.AudioStreamTrack()
    one.addTrack(track)
    one.createDataChannel("chat")
    await exchange(one, other)
    kinds = {stat.type for stat in (await one.getStats(track)).values()}
    assert "data-channel" not in kinds
    assert kinds <= {
        "outbound-rtp", "remote-inbound-rtp", "media-source", "codec", "transport", "certificate",
        "candidate-pair", "local-candidate", "remote-candidate",
    }  # fmt: skip
    assert "outbound-rtp" in kinds


@pytest.mark.parametrize("has_track", [False, True])
async def test_the_drop_in_gives_aiortcs_types_alone(has_track: bool) -> None:
    pc = drop_in.RTCPeerConnection(RTCConfiguration(iceServers=[], loopback=True))
    if has_track:
        pc.addTrack(aiortc.mediastreams.AudioStreamTrack())
    pc.createDataChannel("chat")
    await pc.setLocalDescription(await pc.createOffer())
    kinds = {one.type for one in (await pc.getStats()).values()}
    await pc.close()
    assert kinds == ({"outbound-rtp", "transport"} if has_track else set())

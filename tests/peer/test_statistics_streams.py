"""The statistics of RTP streams, and of what they refer to."""

from __future__ import annotations

from typing import Any

import aiortc
import pytest
import pytest_asyncio

from fsm_rtc.peer.statistics.report import report_of
from tests.peer.conftest import MakeBare
from tests.peer.statistics_call import NOW, Call, called, has_remote_streams, of_type, report_when, visible

pytestmark = pytest.mark.live


@pytest_asyncio.fixture
async def call(bare: MakeBare) -> Call:
    return await called(bare)


async def test_the_streams_keep_aiortcs_classes_and_know_their_other_half(call: Call) -> None:
    report = await report_when(call[0], has_remote_streams)
    for kind, expected in {
        "inbound-rtp": aiortc.RTCInboundRtpStreamStats,
        "outbound-rtp": aiortc.RTCOutboundRtpStreamStats,
        "remote-inbound-rtp": aiortc.RTCRemoteInboundRtpStreamStats,
        "remote-outbound-rtp": aiortc.RTCRemoteOutboundRtpStreamStats,
        "transport": aiortc.RTCTransportStats,
    }.items():
        assert all(isinstance(stats, expected) for stats in of_type(report, kind))
    for stats in (*of_type(report, "inbound-rtp"), *of_type(report, "outbound-rtp")):
        assert report[stats.remoteId].localId == stats.id
        assert report[stats.remoteId].kind == stats.kind
        (transceiver,) = [one for one in call[0].connection.getTransceivers() if one.kind == stats.kind]
        assert stats.mid == transceiver.mid


async def test_a_transceiver_without_a_transport_has_no_streams(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    rtp = await call[0].connection.getStats()
    with monkeypatch.context() as changed:
        for kind in (aiortc.RTCRtpSender, aiortc.RTCRtpReceiver):
            changed.setattr(kind, "transport", None)
        report = report_of(
            connection_id="one",
            transports=[],
            sctp=None,
            channels=[],
            transceivers=call[0].connection.getTransceivers(),
            rtp=rtp,
            opened=0,
            closed=0,
            now=NOW,
        )
    assert {stats.type for stats in report.values()} == {"peer-connection"}


async def test_a_report_may_be_made_from_an_earlier_one(call: Call) -> None:
    first = await report_when(call[0], has_remote_streams)
    again = report_of(
        connection_id="one",
        transports=[],
        sctp=call[0].connection.sctp,
        channels=[call[0].channel],
        transceivers=call[0].connection.getTransceivers(),
        rtp=first,
        opened=1,
        closed=0,
        now=NOW,
    )
    assert set(again) == set(first)
    assert [again[name] for name in again if again[name].type.endswith("rtp")] == [
        first[name] for name in again if first[name].type.endswith("rtp")
    ]


async def test_a_stream_without_a_transceiver_stays_as_aiortc_has_it(call: Call) -> None:
    connection = call[0].connection
    sctp: Any = connection.sctp
    report = report_of(
        connection_id="one",
        transports=[sctp.transport],
        sctp=None,
        channels=[],
        transceivers=[],
        rtp=await connection.getStats(),
        opened=0,
        closed=0,
        now=NOW,
    )
    assert len(of_type(report, "outbound-rtp")) == len(of_type(report, "inbound-rtp")) == 2
    assert all("mid" not in visible(stats) for stats in of_type(report, "outbound-rtp"))


async def test_the_codecs_are_those_in_use_with_the_lines_of_the_answer(call: Call) -> None:
    report = await call[0].report()
    codecs = of_type(report, "codec")
    assert {stats.mimeType for stats in codecs} == {"audio/opus", "video/VP8"}
    for stats in codecs:
        channels = f"/{stats.channels}" if stats.channels else ""
        name = stats.mimeType.split("/")[1]
        assert f"a=rtpmap:{stats.payloadType} {name}/{stats.clockRate}{channels}\r\n" in call[1].sdp
        assert (f"a=fmtp:{stats.payloadType} " in call[1].sdp) is ("sdpFmtpLine" in visible(stats))
    for stats in (*of_type(report, "inbound-rtp"), *of_type(report, "outbound-rtp")):
        assert report[stats.codecId].mimeType.startswith(f"{stats.kind}/")

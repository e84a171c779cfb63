"""What the tests of statistics share: two peers in a call, and how to find things in a report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiortc
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack
from aiortc.stats import RTCStatsReport

from fsm_rtc.media import SyntheticVideoTrack
from fsm_rtc.peer.statistics.report import report_of
from tests.peer.bare_aiortc import connected_bare, exchange_bare, until_bare
from tests.peer.conftest import MakeBare
from tests.peer.peers import LIMIT_SECONDS

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(eq=False)
class Peer:
    """A connection with what the tests need to know of it."""

    connection: aiortc.RTCPeerConnection
    channel: Any = None

    async def report(self, now: datetime = NOW) -> RTCStatsReport:
        return report_of(
            connection_id="one",
            transports=[],
            sctp=self.connection.sctp,
            channels=[] if self.channel is None else [self.channel],
            transceivers=self.connection.getTransceivers(),
            rtp=await self.connection.getStats(),
            opened=1,
            closed=0,
            now=now,
        )

    @property
    def sdp(self) -> str:
        return str(self.connection.localDescription.sdp)

    def track(self, kind: str) -> MediaStreamTrack:
        """The track that is received."""
        return next(one.receiver.track for one in self.connection.getTransceivers() if one.kind == kind)


Call = tuple[Peer, Peer]


async def called(bare: MakeBare) -> Call:
    """Two connected peers with a data channel, and audio and video both ways, of which some has arrived."""
    offerer, answerer = bare(channel=False), bare(channel=False)
    ours = Peer(offerer, offerer.createDataChannel("chat", protocol="talk"))
    theirs = Peer(answerer)
    answerer.on("datachannel", lambda channel: setattr(theirs, "channel", channel))
    for connection in (offerer, answerer):
        connection.addTrack(AudioStreamTrack())
        connection.addTrack(SyntheticVideoTrack())
    await exchange_bare(offerer, answerer)
    await connected_bare(offerer, answerer)
    await until_bare(ours.channel, "open", lambda: ours.channel.readyState == "open")
    await until_bare(answerer, "datachannel", lambda: theirs.channel is not None)
    for peer in (ours, theirs):
        await peer.track("audio").recv()
        await peer.track("video").recv()
    return ours, theirs


async def report_when(peer: Peer, condition: Callable[[RTCStatsReport], bool]) -> RTCStatsReport:
    """The first report of which the condition holds, asked for with each frame that arrives."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while not condition(report := await peer.report()):
            await peer.track("audio").recv()
    return report


def of_type(report: RTCStatsReport, kind: str) -> list[Any]:
    return [stats for stats in report.values() if stats.type == kind]


def the(report: RTCStatsReport, kind: str) -> Any:
    (found,) = of_type(report, kind)
    return found


def has_remote_streams(report: RTCStatsReport) -> bool:
    return all(len(of_type(report, kind)) == 2 for kind in ("remote-inbound-rtp", "remote-outbound-rtp"))


def visible(stats: Any) -> dict[str, object]:
    members: dict[str, object] = stats.to_dict()
    return members

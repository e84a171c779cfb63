"""The statistics of live aiortc connections on loopback, against the specification's names and against bare facts."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiortc
import pytest
import pytest_asyncio
from aioice.candidate import Candidate
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack
from aiortc.stats import RTCStats, RTCStatsReport

from fsm_rtc.media import SyntheticVideoTrack
from fsm_rtc.peer import statistics_private
from fsm_rtc.peer.statistics import report_of, selected
from tests.peer.bare import connected_bare, exchange_bare, ufrag_of, until_bare
from tests.peer.conftest import MakeBare
from tests.peer.peers import LIMIT_SECONDS
from tests.peer.statistics_table import ALWAYS, MEMBERS, REQUIRED, TARGETS

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


@pytest_asyncio.fixture
async def call(bare: MakeBare) -> AsyncIterator[Call]:
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
    yield ours, theirs


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


async def test_types_and_members_are_those_of_the_specification(call: Call) -> None:
    report = await report_when(call[0], has_remote_streams)
    assert {stats.type for stats in report.values()} == set(MEMBERS)
    for name, stats in report.items():
        assert isinstance(stats, RTCStats)
        members = set(visible(stats))
        ours = {"trackId"} if stats.type == "outbound-rtp" else set()  # aiortc's own
        assert members - ours <= ALWAYS | set(MEMBERS[stats.type].split()), stats.type
        assert members >= ALWAYS | set(REQUIRED[stats.type].split()), stats.type
        assert stats.id == name
        assert None not in visible(stats).values()


async def test_every_id_that_is_referred_to_is_that_of_an_object_of_the_right_type(call: Call) -> None:
    report = await report_when(call[0], has_remote_streams)
    seen = set()
    for stats in report.values():
        for name, value in visible(stats).items():
            if name.endswith("Id") and name != "trackId":
                assert report[value].type in TARGETS[name], name
                seen.add(name)
    assert seen == set(TARGETS)


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


async def test_ids_stay_and_only_a_shared_thing_has_the_same_id_at_both_peers(call: Call) -> None:
    first, later = await call[0].report(), await call[0].report(NOW + timedelta(seconds=1))
    assert set(first) <= set(later)
    assert {later[name].type for name in first} == {stats.type for stats in first.values()}
    own = [stats for stats in later.values() if not stats.type.endswith("rtp")]
    assert {stats.timestamp for stats in own} == {NOW + timedelta(seconds=1)}
    shared = set(first) & set(await call[1].report())
    assert {first[name].type for name in shared} == {"certificate", "peer-connection"}  # both are named "one"


async def test_the_selected_pair_is_the_nominated_one_between_the_sockets_in_use(call: Call) -> None:
    ours, theirs = await call[0].report(), await call[1].report()
    for report in (ours, theirs):
        transport, pair = the(report, "transport"), the(report, "candidate-pair")
        assert transport.selectedCandidatePairId == pair.id
        assert transport.selectedCandidatePairChanges == 1
        assert (pair.nominated, pair.state) == (True, "succeeded")
        assert (pair.bytesSent, pair.bytesReceived) == (transport.bytesSent, transport.bytesReceived)
    sctp: Any = call[0].connection.sctp
    (socket,) = [one.transport for one in sctp.transport.transport._connection._protocols]
    address, port = socket.get_extra_info("sockname")
    local, remote = the(ours, "local-candidate"), the(theirs, "remote-candidate")
    assert (local.address, local.port, local.protocol, local.candidateType) == (address, port, "udp", "host")
    assert remote.port == port
    for one, other in ((ours, call[1]), (theirs, call[0])):
        assert the(one, "remote-candidate").usernameFragment == ufrag_of(other.sdp)
        assert the(one, "local-candidate").usernameFragment == the(one, "transport").iceLocalUsernameFragment


async def test_the_traffic_of_a_pair_is_unknown_once_another_one_was_selected(call: Call) -> None:
    sctp: Any = call[0].connection.sctp
    sctp.transport.transport.selectedCandidatePairChanges = 2
    report = await call[0].report()
    assert the(report, "transport").selectedCandidatePairChanges == 2
    assert not {"bytesSent", "bytesReceived", "packetsSent", "packetsReceived"} & set(
        visible(the(report, "candidate-pair"))
    )


async def test_after_close_there_is_no_selected_pair_and_every_id_still_has_its_object(call: Call) -> None:
    before = await call[0].report()
    await call[0].connection.close()
    report = await call[0].report()
    transport = the(report, "transport")
    assert (transport.dtlsState, transport.iceState) == ("closed", "closed")
    assert "selectedCandidatePairId" not in visible(transport)
    assert the(report, "candidate-pair").id == the(before, "candidate-pair").id
    for stats in report.values():
        assert all(value in report for name, value in visible(stats).items() if name in TARGETS)


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


async def test_a_pair_that_is_not_selected_is_in_the_report_too(
    bare: MakeBare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: ["127.0.0.1", "127.0.0.2"])
    offerer, answerer = bare(), bare(channel=False)
    await exchange_bare(offerer, answerer)
    await connected_bare(offerer, answerer)
    report = await Peer(offerer).report()
    assert {stats.address for stats in of_type(report, "local-candidate")} == {"127.0.0.1", "127.0.0.2"}
    sctp: Any = offerer.sctp
    used = sctp.transport.transport._connection._nominated[1]
    pair = report[the(report, "transport").selectedCandidatePairId]
    assert report[pair.localCandidateId].port == used.local_candidate.port
    assert report[pair.remoteCandidateId].port == used.remote_candidate.port
    states = {stats.state for stats in of_type(report, "candidate-pair")}
    assert states <= {"frozen", "waiting", "in-progress", "succeeded", "failed"}


async def test_bytes_grow_with_traffic_and_are_those_that_the_other_side_got(call: Call) -> None:
    before = the(await call[0].report(), "transport")
    arrived = asyncio.Event()
    call[1].channel.on("message", lambda _: arrived.set())
    call[0].channel.send(bytes(10_000))
    async with asyncio.timeout(LIMIT_SECONDS):
        await arrived.wait()
    got = the(await call[1].report(), "transport")
    after = the(await call[0].report(), "transport")
    assert after.bytesSent - before.bytesSent >= 10_000
    assert after.packetsSent - before.packetsSent >= 9
    assert before.bytesSent <= got.bytesReceived <= after.bytesSent
    assert got.bytesReceived >= 10_000


async def test_a_transport_tells_of_its_roles_states_and_ciphers(call: Call) -> None:
    ours, theirs = [the(await peer.report(), "transport") for peer in call]
    assert {ours.iceRole, theirs.iceRole} == {"controlling", "controlled"}
    assert {ours.dtlsRole, theirs.dtlsRole} == {"client", "server"}
    assert (ours.iceState, ours.dtlsState) == ("completed", "connected")
    assert ours.iceLocalUsernameFragment == ufrag_of(call[0].sdp)
    assert ours.tlsVersion in {"FEFD", "FEFC"}  # DTLS 1.2 and 1.3
    assert ours.dtlsCipher.startswith("TLS_")
    assert ours.srtpCipher in {"SRTP_AEAD_AES_256_GCM", "SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_HMAC_SHA1_80"}
    for name in ("tlsVersion", "dtlsCipher", "srtpCipher"):
        assert getattr(ours, name) == getattr(theirs, name)


async def test_the_certificates_are_those_of_the_descriptions(call: Call) -> None:
    report = await call[0].report()
    transport = the(report, "transport")
    for stats, peer in (
        (report[transport.localCertificateId], call[0]),
        (report[transport.remoteCertificateId], call[1]),
    ):
        assert f"a=fingerprint:{stats.fingerprintAlgorithm} {stats.fingerprint}\r\n" in peer.sdp
        certificate = base64.b64decode(stats.base64Certificate)
        assert hashlib.sha256(certificate).digest() == bytes.fromhex(stats.fingerprint.replace(":", ""))


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


async def test_a_channel_has_its_counters_if_it_counts(call: Call) -> None:
    stats = the(await call[0].report(), "data-channel")
    assert visible(stats) == {
        "timestamp": NOW,
        "type": "data-channel",
        "id": stats.id,
        "state": "open",
        "label": "chat",
        "protocol": "talk",
        "dataChannelIdentifier": call[0].channel.id,
    }
    for number, name in enumerate(("messagesSent", "bytesSent", "messagesReceived", "bytesReceived")):
        setattr(call[0].channel, name, number)
    stats = the(await call[0].report(), "data-channel")
    assert (stats.messagesSent, stats.bytesSent, stats.messagesReceived, stats.bytesReceived) == (0, 1, 2, 3)


async def test_the_connection_tells_how_many_channels_were_opened_and_closed(call: Call) -> None:
    stats = the(await call[0].report(), "peer-connection")
    assert (stats.dataChannelsOpened, stats.dataChannelsClosed) == (1, 0)


async def test_a_selector_takes_the_streams_of_its_track_and_all_that_they_refer_to(call: Call) -> None:
    whole = await report_when(call[0], has_remote_streams)
    below = {"codec", "transport", "candidate-pair", "local-candidate", "remote-candidate", "certificate"}
    (sender,) = [one for one in call[0].connection.getSenders() if one.kind == "video"]
    sent = selected(whole, sender.track)
    assert {stats.type for stats in sent.values()} == below | {"outbound-rtp", "remote-inbound-rtp", "media-source"}
    assert {the(sent, kind).kind for kind in ("outbound-rtp", "remote-inbound-rtp", "media-source")} == {"video"}
    received = selected(whole, call[0].track("audio"))
    assert {stats.type for stats in received.values()} == below | {"inbound-rtp", "remote-outbound-rtp"}
    assert the(received, "inbound-rtp").trackIdentifier == call[0].track("audio").id
    assert not selected(whole, AudioStreamTrack())


async def test_a_new_transport_has_a_state_and_no_more_than_is_known(bare: MakeBare) -> None:
    peer = Peer(bare())
    peer.channel = peer.connection.createDataChannel("other")
    report = await peer.report()
    transport = the(report, "transport")
    assert (transport.dtlsState, transport.iceState, transport.dtlsRole) == ("new", "new", "unknown")
    assert transport.selectedCandidatePairChanges == 0
    unknown = {"selectedCandidatePairId", "remoteCertificateId", "tlsVersion", "dtlsCipher", "srtpCipher"}
    assert not unknown & set(visible(transport))
    assert "dataChannelIdentifier" not in visible(the(report, "data-channel"))


async def test_the_address_of_a_candidate_that_was_never_signalled_is_left_out_and_its_id_stays(
    bare: MakeBare,
) -> None:
    peer = Peer(bare())
    sctp: Any = peer.connection.sctp
    connection = sctp.transport.transport._connection
    seen = Candidate("f", 1, "udp", 7, "192.0.2.1", 9, "prflx")
    connection._remote_candidates.append(seen)
    hidden = the(await peer.report(), "remote-candidate")
    assert (hidden.address, hidden.usernameFragment, hidden.port) == (None, None, 9)
    connection.remote_username = "abcd"
    await connection.add_remote_candidate(
        Candidate("g", 1, "udp", 7, "192.0.2.1", 9, "srflx", related_address="198.51.100.1", related_port=5)
    )
    known = the(await peer.report(), "remote-candidate")
    assert (known.id, known.candidateType, known.address) == (hidden.id, "srflx", "192.0.2.1")
    assert (known.relatedAddress, known.relatedPort, known.usernameFragment) == ("198.51.100.1", 5, "abcd")


@pytest.mark.parametrize(
    ("part", "off", "gone"),
    [
        ("_check_list", "candidates and candidate pairs", {"local-candidate", "remote-candidate", "candidate-pair"}),
        ("_ssl", "the remote certificate, the DTLS version and the ciphers", set()),
        ("_RTCDtlsTransport__local_certificate", "the local certificate", set()),
        ("_RTCRtpSender__rtp_task", "the codecs of what is sent", set()),
    ],
)
async def test_a_part_that_another_version_lacks_is_named_once_and_the_rest_stays(
    call: Call,
    part: str,
    off: str,
    gone: set[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(statistics_private, "_switched_off", set())
    whole = {stats.type for stats in (await call[0].report()).values()}
    sctp: Any = call[0].connection.sctp
    owners = [sctp.transport, sctp.transport.transport._connection, *call[0].connection.getSenders()]
    taken = [(owner, owner.__dict__.pop(part)) for owner in owners if part in owner.__dict__]
    assert taken
    with caplog.at_level(logging.WARNING, "fsm_rtc.peer"):
        report = await call[0].report()
        await call[0].report()
    for owner, value in taken:
        setattr(owner, part, value)
    assert [record.getMessage().split(": ")[-1] for record in caplog.records] == [off]
    assert {stats.type for stats in report.values()} == whole - gone
    for stats in report.values():
        assert all(value in report for name, value in visible(stats).items() if name in TARGETS)

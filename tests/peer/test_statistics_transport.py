"""The statistics of transports and certificates, against the descriptions and the traffic."""

from __future__ import annotations

import asyncio
import base64
import hashlib

import pytest
import pytest_asyncio

from tests.peer.bare_aiortc import ufrag_of
from tests.peer.conftest import MakeBare
from tests.peer.peers import LIMIT_SECONDS
from tests.peer.statistics_call import Call, Peer, called, the, visible
from tests.peer.statistics_table import TARGETS

pytestmark = pytest.mark.live


@pytest_asyncio.fixture
async def call(bare: MakeBare) -> Call:
    return await called(bare)


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

"""The statistics of candidates and candidate pairs, against the sockets and the descriptions."""

from __future__ import annotations

from typing import Any

import aiortc
import pytest
import pytest_asyncio
from aioice.candidate import Candidate

from tests.peer.bare_aiortc import connected_bare, exchange_bare, ufrag_of
from tests.peer.conftest import MakeBare
from tests.peer.statistics_call import Call, Peer, called, of_type, the, visible

pytestmark = pytest.mark.live


@pytest_asyncio.fixture
async def call(bare: MakeBare) -> Call:
    return await called(bare)


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


async def test_after_a_restart_on_another_connection_earlier_changes_are_unknown(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    sctp: Any = call[0].connection.sctp
    monkeypatch.setattr(sctp.transport.transport, "_RTCIceTransport__iceGatherer", aiortc.RTCIceGatherer([]))
    report = await call[0].report()
    assert "selectedCandidatePairChanges" not in visible(the(report, "transport"))
    assert "bytesSent" not in visible(the(report, "candidate-pair"))
    assert the(report, "transport").selectedCandidatePairId == the(report, "candidate-pair").id


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

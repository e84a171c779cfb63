"""The statistics of a transport's candidates and candidate pairs, from aioice's checklist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2s
from typing import TYPE_CHECKING

import aiortc

from fsm_rtc.peer import statistics_private as private
from fsm_rtc.peer.statistics_types import RTCIceCandidatePairStats, RTCIceCandidateStats

if TYPE_CHECKING:
    from aioice.candidate import Candidate
    from aioice.ice import CandidatePair, Connection

__all__ = ["IceStatistics", "digest", "ice_statistics"]


@dataclass
class IceStatistics:
    """What is known of the ICE transport under a DTLS transport.

    Attributes:
        candidates: local and remote ones.
        pairs: those of the checklist.
        selected_pair_id: the id of the pair in use.
        changes: how often the selected pair changed, if it is known.
        username_fragment: the local one.
    """

    candidates: list[RTCIceCandidateStats] = field(default_factory=list)
    pairs: list[RTCIceCandidatePairStats] = field(default_factory=list)
    selected_pair_id: str | None = None
    changes: int | None = None
    username_fragment: str | None = None


def digest(*parts: object) -> str:
    """A short text that is the same for the same parts."""
    return blake2s(repr(parts).encode(), digest_size=8).hexdigest()


def ice_statistics(
    dtls: aiortc.RTCDtlsTransport, counters: aiortc.RTCTransportStats, *, now: datetime
) -> IceStatistics:
    """The statistics of the ICE transport under a DTLS transport.

    Args:
        dtls: the transport.
        counters: aiortc's statistics of it.
        now: the time of the statistics.
    """
    connection = private.ice_connection(dtls)
    if connection is None:
        return IceStatistics()
    changes = private.selected_pair_changes(dtls, connection)
    result = IceStatistics(changes=changes, username_fragment=connection.local_username)
    seen = _Candidates(connection, counters.id, now)
    selected = private.selected_pair(connection)
    for pair in private.candidate_pairs(connection):
        stats = RTCIceCandidatePairStats(
            timestamp=now,
            type="candidate-pair",
            id="",
            transportId=counters.id,
            localCandidateId=seen.local(pair.local_candidate),
            remoteCandidateId=seen.remote(pair.remote_candidate),
            state=_state(pair),
            nominated=pair is selected or pair.nominated,
        )
        stats.id = f"candidate-pair_{digest(stats.localCandidateId, stats.remoteCandidateId)}"
        if pair is selected:
            result.selected_pair_id = stats.id
            if changes == 1:
                stats.packetsSent, stats.packetsReceived = counters.packetsSent, counters.packetsReceived
                stats.bytesSent, stats.bytesReceived = counters.bytesSent, counters.bytesReceived
        result.pairs.append(stats)
    result.candidates.extend(seen)
    return result


def _state(pair: CandidatePair) -> str:
    return pair.state.name.lower().replace("_", "-")


class _Candidates:
    """The candidates of a connection, each once."""

    def __init__(self, connection: Connection, transport_id: str, now: datetime) -> None:
        self._connection = connection
        self._transport_id = transport_id
        self._now = now
        self._found: dict[str, RTCIceCandidateStats] = {}
        for candidate in connection.local_candidates:
            self.local(candidate)
        for candidate in connection.remote_candidates:
            self.remote(candidate)

    def __iter__(self) -> Iterator[RTCIceCandidateStats]:
        return iter(self._found.values())

    def local(self, candidate: Candidate) -> str:
        """The id of a local candidate, which is now in the statistics."""
        fragment = self._connection.local_username
        # The same address may be a host candidate and, without a NAT, what a server saw.
        return self._add("local-candidate", candidate, fragment, candidate.type, candidate.foundation)

    def remote(self, candidate: Candidate) -> str:
        """The id of a remote candidate, which is now in the statistics."""
        # Type and foundation change when a candidate that showed in a check is signalled later.
        return self._add("remote-candidate", candidate, self._connection.remote_username)

    def _add(self, kind: str, candidate: Candidate, fragment: str | None, *distinct: str) -> str:
        address = private.candidate_address(candidate)
        generation = self._connection.local_username
        name = f"{kind}_{digest(self._transport_id, generation, candidate.transport, address, *distinct)}"
        unsignalled = kind == "remote-candidate" and candidate.type == "prflx"
        self._found[name] = RTCIceCandidateStats(
            timestamp=self._now,
            type=kind,
            id=name,
            transportId=self._transport_id,
            candidateType=candidate.type,
            address=None if unsignalled else candidate.host,
            port=candidate.port,
            protocol=candidate.transport.lower(),
            priority=candidate.priority,
            foundation=candidate.foundation,
            relatedAddress=candidate.related_address,
            relatedPort=candidate.related_port,
            usernameFragment=None if unsignalled else fragment,
            tcpType=candidate.tcptype,
        )
        return name

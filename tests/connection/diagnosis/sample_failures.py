"""Failures that a test makes up."""

from __future__ import annotations

from typing import Any

from fsm_rtc.connection.diagnosis.evidence import CandidateCount, PairCounts, Phase, Reach, ServerAnswer
from fsm_rtc.connection.diagnosis.failure import Failure

PRIVATE = CandidateCount("host", "udp", "IPv4", Reach.PRIVATE, 2)
PUBLIC_V6 = CandidateCount("host", "udp", "IPv6", Reach.PUBLIC, 1)
LOOPBACK = CandidateCount("host", "udp", "IPv4", Reach.LOOPBACK, 1)
REFLEXIVE = CandidateCount("srflx", "udp", "IPv4", Reach.PUBLIC, 1)
RELAYED = CandidateCount("relay", "udp", "IPv4", Reach.PUBLIC, 1)
NAMED = CandidateCount("host", "udp", "", Reach.NAME, 1)

NO_STUN = ServerAnswer("stun:stun.example.org:3478", 701, "the server doesn't answer")
NO_TURN = ServerAnswer("turn:turn.example.org:3478?transport=udp", 701, "no answer within 2 s")
WRONG_USER = ServerAnswer("turn:turn.example.org:3478", 401, "Unauthorized")
QUOTA = ServerAnswer("turns:turn.example.org:443?transport=tcp", 486, "Allocation Quota Reached")


def at(phase: Phase, **fields: Any) -> Failure:
    """A failure of this phase."""
    return Failure(phase, fields.pop("reason", "it was made up"), **fields)


def checked(local: tuple[CandidateCount, ...], remote: tuple[CandidateCount, ...], **fields: Any) -> Failure:
    """A failure of the checks, all of which failed."""
    tried = PairCounts(failed=len(local) * len(remote))
    return at(Phase.ICE, local_candidates=local, remote_candidates=remote, pairs_tried=tried, **fields)

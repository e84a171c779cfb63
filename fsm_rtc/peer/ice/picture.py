"""What an aioice connection has found and tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_rtc.peer.ice_picture import IcePicture, SeenCandidate
from fsm_rtc.peer.statistics_private import candidate_pairs

if TYPE_CHECKING:
    from aioice.candidate import Candidate
    from aioice.ice import Connection

__all__ = ["picture_of"]


def picture_of(agent: Connection) -> IcePicture:
    """The candidates and pairs of an agent; of an aioice whose checklist can't be read, the candidates alone."""
    can_be_read = hasattr(agent, "_check_list") and hasattr(agent, "_nominated")
    pairs = candidate_pairs(agent) if can_be_read else ()
    return IcePicture(
        tuple(map(_seen, agent.local_candidates)),
        tuple(map(_seen, agent.remote_candidates)),
        tuple(pair.state.name.lower().replace("_", "-") for pair in pairs),
    )


def _seen(candidate: Candidate) -> SeenCandidate:
    return SeenCandidate(candidate.type, candidate.transport.lower(), candidate.host)

"""Which private parts of aioice are used here, and the version they were checked against.

Checked: aioice 0.13.0. With another version that lacks one of them, `missing_parts` says so once, and gathering,
checks and consent are left to aioice itself: everything is gathered before anything is checked, by the first STUN and
the first TURN server, and ICE can't be restarted; calls go on to work.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from aioice import ice

from fsm_rtc.peer.ice_snapshot import IceSnapshot, SeenCandidate
from fsm_rtc.peer.jsep.private import candidate_pairs

if TYPE_CHECKING:
    from aioice.candidate import Candidate
    from aioice.ice import Connection

logger = logging.getLogger("fsm_rtc.peer.ice")

CHECKED_VERSION = "0.13"

PARTS = (
    "_check_list",
    "_check_list_done",
    "_check_list_maybe_fail",
    "_check_list_state",
    "_closing",
    "_early_checks",
    "_early_checks_done",
    "_find_pair",
    "_local_candidates",
    "_local_candidates_end",
    "_local_candidates_start",
    "_nominated",
    "_pair_remote_candidate",
    "_protocols",
    "_prune_components",
    "_query_consent_task",
    "_remote_candidates",
    "_remote_candidates_end",
    "_remote_candidates_expected",
    "_transport_policy",
    "build_request",
    "check_incoming",
    "get_component_candidates",
    "sort_check_list",
    "switch_role",
)
FUNCTIONS = (
    "CandidatePair",
    "StunProtocol",
    "candidate_pair_priority",
    "get_host_addresses",
    "relayed_candidate",
    "server_reflexive_candidate",
)


@cache
def missing_parts() -> tuple[str, ...]:
    """What this aioice lacks of what is used here; told once."""
    probe = ice.Connection(ice_controlling=False)
    missing = (
        *(part for part in PARTS if not hasattr(probe, part)),
        *(function for function in FUNCTIONS if not hasattr(ice, function)),
    )
    if missing:
        logger.warning(
            "aioice is %s, and lacks %s; fsm_rtc was checked against %s: candidates as they are found, several "
            "servers, the state disconnected and ICE restarts are switched off. Install aioice~=%s.0 to have them.",
            version("aioice"),
            ", ".join(missing),
            CHECKED_VERSION,
            CHECKED_VERSION,
        )
    return missing


def abandon_relay(transport: Any) -> None:
    """Don't wait for a TURN server's goodbye any longer; aioice would ask for more than half a minute."""
    client = getattr(transport, "_TurnTransport__inner_protocol", None)
    goodbye = getattr(transport, "_TurnTransport__close_task", None)
    if client is not None and goodbye is not None:
        goodbye.cancel()
        client.transport.close()


def is_closing(transport: Any) -> bool:
    """Whether a socket takes nothing any more; a relayed one doesn't say, and drops what it can't send."""
    asked = getattr(transport, "is_closing", None)
    return asked is not None and bool(asked())


def ice_snapshot_of(agent: Connection) -> IceSnapshot:
    """The candidates and pairs of an agent; of an aioice whose checklist can't be read, the candidates alone."""
    can_be_read = hasattr(agent, "_check_list") and hasattr(agent, "_nominated")
    pairs = candidate_pairs(agent) if can_be_read else ()
    return IceSnapshot(
        tuple(map(_seen, agent.local_candidates)),
        tuple(map(_seen, agent.remote_candidates)),
        tuple(pair.state.name.lower().replace("_", "-") for pair in pairs),
    )


def _seen(candidate: Candidate) -> SeenCandidate:
    return SeenCandidate(candidate.type, candidate.transport.lower(), candidate.host)

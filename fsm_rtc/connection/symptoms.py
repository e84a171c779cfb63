"""What a failed call shows; the rules of `advice` are made of these.

Several may be true of one failure: the order of the rules decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_rtc.connection.evidence import CandidateCount, Phase, Reach
from fsm_rtc.machines.dtls import DtlsTransportState

if TYPE_CHECKING:
    from fsm_rtc.connection.failure import Failure

__all__ = [
    "broke_here",
    "broke_there",
    "could_not_shake_hands",
    "did_not_agree",
    "does_not_trust",
    "found_no_room",
    "has_no_address",
    "has_no_channel",
    "has_no_link",
    "has_no_pair",
    "has_no_relay",
    "hears_of_no_candidate",
    "is_behind_bad_nats",
    "is_blocked_in_its_own_network",
    "is_checking",
    "is_not_trusted",
    "is_still_gathering",
    "lacks_a_relay",
    "met_a_wrong_certificate",
    "met_nobody",
    "needs_a_server",
    "needs_a_server_between_networks",
    "one_stays_on_loopback",
    "said_goodbye",
    "stood",
    "stun_is_out_of_reach",
    "turn_is_full",
    "turn_is_out_of_reach",
    "turn_refused_the_user",
    "was_forged",
    "was_not_let_in",
    "was_refused_by_the_server",
    "was_replaced",
]

REFUSED_USER = (401, 403, 438, 441)
"""Unauthorized, forbidden, stale nonce, wrong credentials. Source: RFC 8489, section 14.8; RFC 8656, section 18.4."""

REFUSED_MORE = (486, 508)
"""Allocation quota reached, insufficient capacity. Source: RFC 8656, section 18.4."""

FORGERIES = ("introduced_itself", "signed_by_the_peer")
"""The guards that refuse what isn't signed by who is said to have sent it."""


# Before the two meet.


def said_goodbye(failure: Failure) -> bool:
    """The other side ended a call that stood."""
    return failure.is_goodbye


def was_replaced(failure: Failure) -> bool:
    """Another program has the same key, and came later."""
    return failure.code == "replaced"


def found_no_room(failure: Failure) -> bool:
    """The room is full."""
    return failure.code == "room_full"


def was_not_let_in(failure: Failure) -> bool:
    """The join token is missing, wrong or too old."""
    return failure.code == "no_access"


def was_refused_by_the_server(failure: Failure) -> bool:
    """The signalling server answers, and refuses."""
    return has_no_link(failure) and failure.code is not None


def has_no_link(failure: Failure) -> bool:
    """The signalling server isn't reached."""
    return failure.phase is Phase.SIGNALING


def met_nobody(failure: Failure) -> bool:
    """Nobody else is in the room."""
    return failure.phase is Phase.WAITING


def met_one_who_is_busy(failure: Failure) -> bool:
    """The other side is in a call with somebody else."""
    return failure.peer_was_busy


def was_forged(failure: Failure) -> bool:
    """Nobody was agreed with, and something came that wasn't signed by its sender."""
    return failure.phase in (Phase.TRUST, Phase.EXCHANGE) and any(failure.rejections.get(one) for one in FORGERIES)


def is_not_trusted(failure: Failure) -> bool:
    """The other side doesn't talk to this key."""
    return does_not_trust(failure) and failure.by_peer


def does_not_trust(failure: Failure) -> bool:
    """Who came isn't one to talk to."""
    return failure.phase is Phase.TRUST


# Addresses and servers.


def turn_refused_the_user(failure: Failure) -> bool:
    """A TURN server doesn't know this user, or no longer."""
    return _turn_answered(failure, *REFUSED_USER)


def turn_is_full(failure: Failure) -> bool:
    """A TURN server has no more addresses to give."""
    return _turn_answered(failure, *REFUSED_MORE)


def turn_is_out_of_reach(failure: Failure) -> bool:
    """A TURN server was asked in vain."""
    return _turn_answered(failure)


def has_no_relay(failure: Failure) -> bool:
    """Nothing but TURN is allowed, and there is none."""
    return has_no_address(failure) and failure.relay_only


def has_no_address(failure: Failure) -> bool:
    """This side has found no candidate."""
    return _looks_for_a_way(failure) and not failure.local_candidates


def is_still_gathering(failure: Failure) -> bool:
    """This side has addresses, and waits for more before it goes on."""
    return failure.phase is Phase.GATHERING


def _turn_answered(failure: Failure, *codes: int) -> bool:
    """Whether TURN gave nothing, with one of these codes if any are named, where it would have been needed."""
    answers = [one for one in failure.candidate_errors if one.is_relay and (not codes or one.code in codes)]
    return _looks_for_a_way(failure) and bool(answers) and not _has(failure.local_candidates, "relay")


def _looks_for_a_way(failure: Failure) -> bool:
    return failure.phase in (Phase.GATHERING, Phase.ICE)


# Checks.


def is_checking(failure: Failure) -> bool:
    """No way to the other side was found."""
    return failure.phase is Phase.ICE


def hears_of_no_candidate(failure: Failure) -> bool:
    """The other side named no address."""
    return is_checking(failure) and not failure.remote_candidates


def one_stays_on_loopback(failure: Failure) -> bool:
    """One of the two has loopback addresses alone, the other has none."""
    reaches = [{one.reach for one in side} for side in _sides(failure)]
    return is_checking(failure) and {Reach.LOOPBACK} in reaches and any(Reach.LOOPBACK not in one for one in reaches)


def has_no_pair(failure: Failure) -> bool:
    """No address of the one side is of the same family as one of the other's."""
    here, there = ({one.family for one in side} for side in _sides(failure))
    return is_checking(failure) and "" not in here | there and here.isdisjoint(there)


def stun_is_out_of_reach(failure: Failure) -> bool:
    """A STUN server was asked in vain."""
    asked_in_vain = any(not one.is_relay for one in failure.candidate_errors)
    return is_checking(failure) and asked_in_vain and not _has(failure.local_candidates, "srflx", "relay")


def needs_a_server_between_networks(failure: Failure) -> bool:
    """Private addresses alone were tried, and the two are not in one network."""
    is_private = any(one.type == "host" and one.reach is Reach.PRIVATE for side in _sides(failure) for one in side)
    return needs_a_server(failure) and is_private and failure.shares_a_network is False


def is_blocked_in_its_own_network(failure: Failure) -> bool:
    """The two are in one network, and don't reach each other."""
    return needs_a_server(failure) and failure.shares_a_network is True


def needs_a_server(failure: Failure) -> bool:
    """Only the hosts' own addresses were tried."""
    return is_checking(failure) and not any(_has(side, "srflx", "relay") for side in _sides(failure))


def is_behind_bad_nats(failure: Failure) -> bool:
    """Both have addresses that a STUN server saw, and no TURN server."""
    return lacks_a_relay(failure) and all(_has(side, "srflx") for side in _sides(failure))


def lacks_a_relay(failure: Failure) -> bool:
    """Neither has a TURN server."""
    return is_checking(failure) and not any(_has(side, "relay") for side in _sides(failure))


def _sides(failure: Failure) -> tuple[tuple[CandidateCount, ...], tuple[CandidateCount, ...]]:
    return failure.local_candidates, failure.remote_candidates


def _has(candidates: tuple[CandidateCount, ...], *types: str) -> bool:
    return any(one.type in types for one in candidates)


# Behind the checks.


def met_a_wrong_certificate(failure: Failure) -> bool:
    """DTLS failed: it takes any certificate, and fails by its fingerprint."""
    failed = DtlsTransportState.FAILED.value
    return could_not_shake_hands(failure) and any(
        ".dtls" in label and state == failed for label, state in failure.states.items()
    )


def could_not_shake_hands(failure: Failure) -> bool:
    """There is a way, and no secure connection over it."""
    return failure.phase is Phase.DTLS


def has_no_channel(failure: Failure) -> bool:
    """There is a secure connection, and no data channel over it."""
    return failure.phase is Phase.CHANNEL


def broke_here(failure: Failure) -> bool:
    """An operation on this side's peer connection failed."""
    return did_not_agree(failure) and failure.error is not None


def broke_there(failure: Failure) -> bool:
    """The other side gave up before the two agreed."""
    return did_not_agree(failure) and failure.by_peer


def did_not_agree(failure: Failure) -> bool:
    """The two met, and have not agreed."""
    return failure.phase is Phase.EXCHANGE


def stood(failure: Failure) -> bool:
    """The call stood."""
    return failure.phase is Phase.CONNECTED

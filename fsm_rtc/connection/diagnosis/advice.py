"""What to do about a failed call: what it shows, and ordered rules, of which the first that applies gives the sentence.

Several symptoms may be true of one failure: the order of the rules decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fsm_rtc.connection.diagnosis.evidence import CandidateCount, FailedCall, Phase, Reach
from fsm_rtc.machines.dtls import DtlsTransportState

__all__ = ["RULES", "AdviceRule", "advice_on", "does_not_trust", "met_a_wrong_certificate", "was_forged"]

REFUSED_USER = (401, 403, 438, 441)
"""Unauthorized, forbidden, stale nonce, wrong credentials. Source: RFC 8489, section 14.8; RFC 8656, section 18.4."""

REFUSED_MORE = (486, 508)
"""Allocation quota reached, insufficient capacity. Source: RFC 8656, section 18.4."""

FORGERIES = ("introduced_itself", "signed_by_the_peer")
"""The guards that refuse what isn't signed by who is said to have sent it."""


# Before the two meet.


def said_goodbye(failure: FailedCall) -> bool:
    """The other side ended a call that stood."""
    return failure.is_goodbye


def was_replaced(failure: FailedCall) -> bool:
    """Another program has the same key, and came later."""
    return failure.code == "replaced"


def found_no_room(failure: FailedCall) -> bool:
    """The room is full."""
    return failure.code == "room_full"


def was_not_let_in(failure: FailedCall) -> bool:
    """The join token is missing, wrong or too old."""
    return failure.code == "no_access"


def was_refused_by_the_server(failure: FailedCall) -> bool:
    """The signalling server answers, and refuses."""
    return has_no_link(failure) and failure.code is not None


def has_no_link(failure: FailedCall) -> bool:
    """The signalling server isn't reached."""
    return failure.phase is Phase.SIGNALING


def met_nobody(failure: FailedCall) -> bool:
    """Nobody else is in the room."""
    return failure.phase is Phase.WAITING


def met_one_who_is_busy(failure: FailedCall) -> bool:
    """The other side is in a call with somebody else."""
    return failure.peer_was_busy


def was_forged(failure: FailedCall) -> bool:
    """Nobody was agreed with, and something came that wasn't signed by its sender."""
    return failure.phase in (Phase.TRUST, Phase.EXCHANGE) and any(failure.rejections.get(one) for one in FORGERIES)


def is_not_trusted(failure: FailedCall) -> bool:
    """The other side doesn't talk to this key."""
    return does_not_trust(failure) and failure.by_peer


def does_not_trust(failure: FailedCall) -> bool:
    """Who came isn't one to talk to."""
    return failure.phase is Phase.TRUST


# Addresses and servers.


def turn_refused_the_user(failure: FailedCall) -> bool:
    """A TURN server doesn't know this user, or no longer."""
    return _turn_answered(failure, *REFUSED_USER)


def turn_is_full(failure: FailedCall) -> bool:
    """A TURN server has no more addresses to give."""
    return _turn_answered(failure, *REFUSED_MORE)


def turn_is_out_of_reach(failure: FailedCall) -> bool:
    """A TURN server was asked in vain."""
    return _turn_answered(failure)


def has_no_relay(failure: FailedCall) -> bool:
    """Nothing but TURN is allowed, and there is none."""
    return has_no_address(failure) and failure.relay_only


def has_no_address(failure: FailedCall) -> bool:
    """This side has found no candidate."""
    return _looks_for_a_way(failure) and not failure.local_candidates


def is_still_gathering(failure: FailedCall) -> bool:
    """This side has addresses, and waits for more before it goes on."""
    return failure.phase is Phase.GATHERING


def _turn_answered(failure: FailedCall, *codes: int) -> bool:
    """Whether TURN gave nothing, with one of these codes if any are named, where it would have been needed."""
    answers = [one for one in failure.candidate_errors if one.is_relay and (not codes or one.code in codes)]
    return _looks_for_a_way(failure) and bool(answers) and not _has(failure.local_candidates, "relay")


def _looks_for_a_way(failure: FailedCall) -> bool:
    return failure.phase in (Phase.GATHERING, Phase.ICE)


# Checks.


def is_checking(failure: FailedCall) -> bool:
    """No way to the other side was found."""
    return failure.phase is Phase.ICE


def hears_of_no_candidate(failure: FailedCall) -> bool:
    """The other side named no address."""
    return is_checking(failure) and not failure.remote_candidates


def one_stays_on_loopback(failure: FailedCall) -> bool:
    """One of the two has loopback addresses alone, the other has none."""
    reaches = [{one.reach for one in side} for side in _sides(failure)]
    return is_checking(failure) and {Reach.LOOPBACK} in reaches and any(Reach.LOOPBACK not in one for one in reaches)


def has_no_pair(failure: FailedCall) -> bool:
    """No address of the one side is of the same family as one of the other's."""
    here, there = ({one.family for one in side} for side in _sides(failure))
    return is_checking(failure) and "" not in here | there and here.isdisjoint(there)


def stun_is_out_of_reach(failure: FailedCall) -> bool:
    """A STUN server was asked in vain."""
    asked_in_vain = any(not one.is_relay for one in failure.candidate_errors)
    return is_checking(failure) and asked_in_vain and not _has(failure.local_candidates, "srflx", "relay")


def needs_a_server_between_networks(failure: FailedCall) -> bool:
    """Private addresses alone were tried, and the two are not in one network."""
    is_private = any(one.type == "host" and one.reach is Reach.PRIVATE for side in _sides(failure) for one in side)
    return needs_a_server(failure) and is_private and failure.shares_a_network is False


def is_blocked_in_its_own_network(failure: FailedCall) -> bool:
    """The two are in one network, and don't reach each other."""
    return needs_a_server(failure) and failure.shares_a_network is True


def needs_a_server(failure: FailedCall) -> bool:
    """Only the hosts' own addresses were tried."""
    return is_checking(failure) and not any(_has(side, "srflx", "relay") for side in _sides(failure))


def is_behind_bad_nats(failure: FailedCall) -> bool:
    """Both have addresses that a STUN server saw, and no TURN server."""
    return lacks_a_relay(failure) and all(_has(side, "srflx") for side in _sides(failure))


def lacks_a_relay(failure: FailedCall) -> bool:
    """Neither has a TURN server."""
    return is_checking(failure) and not any(_has(side, "relay") for side in _sides(failure))


def _sides(failure: FailedCall) -> tuple[tuple[CandidateCount, ...], tuple[CandidateCount, ...]]:
    return failure.local_candidates, failure.remote_candidates


def _has(candidates: tuple[CandidateCount, ...], *types: str) -> bool:
    return any(one.type in types for one in candidates)


# Behind the checks.


def met_a_wrong_certificate(failure: FailedCall) -> bool:
    """DTLS failed: it takes any certificate, and fails by its fingerprint."""
    failed = DtlsTransportState.FAILED.value
    return could_not_shake_hands(failure) and any(
        ".dtls" in label and state == failed for label, state in failure.states.items()
    )


def could_not_shake_hands(failure: FailedCall) -> bool:
    """There is a way, and no secure connection over it."""
    return failure.phase is Phase.DTLS


def has_no_channel(failure: FailedCall) -> bool:
    """There is a secure connection, and no data channel over it."""
    return failure.phase is Phase.CHANNEL


def broke_here(failure: FailedCall) -> bool:
    """An operation on this side's peer connection failed."""
    return did_not_agree(failure) and failure.error is not None


def broke_there(failure: FailedCall) -> bool:
    """The other side gave up before the two agreed."""
    return did_not_agree(failure) and failure.by_peer


def did_not_agree(failure: FailedCall) -> bool:
    """The two met, and have not agreed."""
    return failure.phase is Phase.EXCHANGE


def stands(failure: FailedCall) -> bool:
    """Nothing has happened to the call: it is only asked for."""
    ended = failure.was_lost or failure.by_peer or failure.error is not None or failure.end_code is not None
    return failure.phase is Phase.CONNECTED and not ended


def stood(failure: FailedCall) -> bool:
    """The call stood."""
    return failure.phase is Phase.CONNECTED


# The rules.


@dataclass(frozen=True, slots=True)
class AdviceRule:
    """A rule.

    Attributes:
        applies: whether it is the one.
        sentence: what to do.
    """

    applies: Callable[[FailedCall], bool]
    sentence: str


def advice_on(failure: FailedCall) -> str:
    """The sentence of the first rule that applies."""
    return next(rule.sentence for rule in RULES if rule.applies(failure))


RULES = (
    AdviceRule(
        said_goodbye,
        "The other side ended the call: the way between the two is good.",
    ),
    AdviceRule(
        was_replaced,
        "Another program joined the room with this key and took the place: give one of the two a key of its own.",
    ),
    AdviceRule(found_no_room, "The room has as many as it may hold: use another one, or wait until somebody leaves."),
    AdviceRule(
        was_not_let_in,
        "The server asks for a join token: get one for this room from who runs it, and check that this host's clock "
        "is right.",
    ),
    AdviceRule(
        was_refused_by_the_server,
        "The server is there but refuses, and says why: ask who runs it if that doesn't help.",
    ),
    AdviceRule(
        has_no_link,
        "Check the server's address and port, that `fsm-rtc serve` runs there, and that no firewall is between: "
        "`fsm-rtc doctor --signaling URL` asks it.",
    ),
    AdviceRule(
        met_nobody,
        "Start the other side, and compare the server's address and the room's name with those used there.",
    ),
    AdviceRule(
        was_forged,
        "Messages come that aren't signed by their stated sender: don't trust this signalling server, and try another.",
    ),
    AdviceRule(
        met_one_who_is_busy,
        "The other side is in a call with somebody else, and a call is of two: wait until it is over, use another room "
        "of your own, or a Room (`fsm-rtc join`) on all sides, where many talk.",
    ),
    AdviceRule(
        is_not_trusted,
        "The other side knows another key under this name: compare the ids of both keys in another way, and let it "
        "accept this one (`fsm-rtc known-peers forget NAME` there, or its Allowlist).",
    ),
    AdviceRule(
        does_not_trust,
        "Compare the id of the key that was refused with the other side's in another way; if it is right, accept it "
        "(`fsm-rtc known-peers forget NAME`, or the Allowlist given as trust).",
    ),
    AdviceRule(
        turn_refused_the_user,
        "Check the TURN server's user name and credential, and this host's clock: credentials expire by it.",
    ),
    AdviceRule(turn_is_full, "The TURN server gives no more addresses: ask who runs it, or use another one."),
    AdviceRule(
        turn_is_out_of_reach,
        "The TURN server can't be reached: check its address with `fsm-rtc doctor --turn URL`, and try "
        "?transport=tcp, or turns: on port 443.",
    ),
    AdviceRule(
        has_no_relay,
        "This side may use TURN servers alone and has none: give it one in ice_servers, or allow all candidates.",
    ),
    AdviceRule(
        has_no_address,
        "This host has no network address besides loopback: connect it to a network, or use loopback=True (--loopback) "
        "on both sides to stay on 127.0.0.1.",
    ),
    AdviceRule(
        is_still_gathering,
        "This side's addresses were not gathered in time: wait longer, or check its STUN and TURN servers with "
        "`fsm-rtc doctor`.",
    ),
    AdviceRule(
        hears_of_no_candidate,
        "The other side has found no address, or its messages with them don't arrive: run `fsm-rtc doctor` there.",
    ),
    AdviceRule(
        one_stays_on_loopback,
        "One side stays on 127.0.0.1 and the other doesn't: use loopback=True (--loopback) on both or none.",
    ),
    AdviceRule(
        has_no_pair,
        "One side has IPv4 addresses alone, the other IPv6 alone: give both a network of one kind, or a TURN server.",
    ),
    AdviceRule(
        stun_is_out_of_reach,
        "The STUN server can't be reached, so that only this host's own addresses could be tried: check it with "
        "`fsm-rtc doctor --stun URL`.",
    ),
    AdviceRule(
        needs_a_server_between_networks,
        "The private addresses of the two sides belong to different networks: configure a STUN server on both sides, "
        "and a TURN server if that isn't enough.",
    ),
    AdviceRule(
        is_blocked_in_its_own_network,
        "The two sides are in one network and don't reach each other: look for a firewall on either host, or for "
        "clients kept apart by the access point.",
    ),
    AdviceRule(
        needs_a_server,
        "Only the hosts' own addresses were tried, and they don't reach each other: if they are in different networks "
        "configure a STUN server on both sides, else look for a firewall that lets no UDP through.",
    ),
    AdviceRule(
        is_behind_bad_nats,
        "Both sides know their public addresses and still don't reach each other, as behind symmetric NATs: configure "
        "a TURN server.",
    ),
    AdviceRule(
        lacks_a_relay,
        "There is no direct way between the two: configure a STUN server on both sides, and a TURN server on one.",
    ),
    AdviceRule(
        is_checking,
        "Even by way of the TURN server nothing arrives: check it from both sides with `fsm-rtc doctor --turn URL`.",
    ),
    AdviceRule(
        met_a_wrong_certificate,
        "Don't try again: the program at that address has another certificate than the one whose fingerprint the other "
        "side signed, so somebody may be in the middle; find out who before calling.",
    ),
    AdviceRule(
        could_not_shake_hands,
        "Small packets arrive and the handshake doesn't end: the other side may hang, or a VPN or firewall drops "
        "larger packets; lower the network's MTU or use TURN over TCP.",
    ),
    AdviceRule(
        has_no_channel,
        "The two are connected, but the data channel doesn't open: the other side may offer none, or hang; look at its "
        "own output.",
    ),
    AdviceRule(broke_here, "An operation failed on this side: the error says which, and what to change."),
    AdviceRule(
        broke_there,
        "The other side ended the exchange: see what it shows itself.",
    ),
    AdviceRule(
        did_not_agree,
        "The other side is there but doesn't agree on the call in time: look at its own output; it may hang, or run "
        "another version.",
    ),
    AdviceRule(stands, "The call stands: what is missing isn't the way between the two, but what the other side does."),
    AdviceRule(
        stood,
        "The call stood and was lost: the other side's program or its network is gone, or this host's; call again when "
        "both are there.",
    ),
)
"""By phase, and in a phase what is known for certain comes first; its last rule takes whatever else there is."""

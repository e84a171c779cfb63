"""What to do about a failed call: ordered rules, of which the first that applies gives the sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsm_rtc.connection import symptoms

if TYPE_CHECKING:
    from fsm_rtc.connection.failure import Failure

__all__ = ["RULES", "AdviceRule", "advice_on"]


@dataclass(frozen=True, slots=True)
class AdviceRule:
    """A rule.

    Attributes:
        applies: whether it is the one.
        sentence: what to do.
    """

    applies: Callable[[Failure], bool]
    sentence: str


def advice_on(failure: Failure) -> str:
    """The sentence of the first rule that applies."""
    return next(rule.sentence for rule in RULES if rule.applies(failure))


RULES = (
    AdviceRule(
        symptoms.said_goodbye,
        "The other side ended the call, for the reason that stands here: the way between the two is good.",
    ),
    AdviceRule(
        symptoms.was_replaced,
        "Another program joined the room with this key and took the place: give one of the two a key of its own.",
    ),
    AdviceRule(
        symptoms.found_no_room, "The room has as many as it may hold: use another one, or wait until somebody leaves."
    ),
    AdviceRule(
        symptoms.was_not_let_in,
        "The server asks for a join token: get one for this room from who runs it, and check that this host's clock "
        "is right.",
    ),
    AdviceRule(
        symptoms.was_refused_by_the_server,
        "The server is there but refuses, for the reason that stands here: ask who runs it if that doesn't help.",
    ),
    AdviceRule(
        symptoms.has_no_link,
        "Check the server's address and port, that `fsm-rtc serve` runs there, and that no firewall is between: "
        "`fsm-rtc doctor --signaling URL` asks it.",
    ),
    AdviceRule(
        symptoms.met_nobody,
        "Start the other side, and compare the server's address and the room's name with those used there.",
    ),
    AdviceRule(
        symptoms.was_forged,
        "Somebody sends what isn't signed by who he says he is: don't trust this signalling server, and try another.",
    ),
    AdviceRule(
        symptoms.met_one_who_is_busy,
        "The other side is in a call with somebody else, and a call is of two: wait until it is over, use another room "
        "of your own, or a Room (`fsm-rtc join`) on all sides, where many talk.",
    ),
    AdviceRule(
        symptoms.is_not_trusted,
        "The other side knows another key under this name: compare the ids of both keys in another way, and let it "
        "accept this one (`fsm-rtc known-peers forget NAME` there, or its Allowlist).",
    ),
    AdviceRule(
        symptoms.does_not_trust,
        "Compare the id of the key that was refused with the other side's in another way; if it is right, accept it "
        "(`fsm-rtc known-peers forget NAME`, or the Allowlist given as trust).",
    ),
    AdviceRule(
        symptoms.turn_refused_the_user,
        "Check the TURN server's user name and credential, and this host's clock: credentials expire by it.",
    ),
    AdviceRule(symptoms.turn_is_full, "The TURN server gives no more addresses: ask who runs it, or use another one."),
    AdviceRule(
        symptoms.turn_is_out_of_reach,
        "The TURN server can't be reached: check its address with `fsm-rtc doctor --turn URL`, and try "
        "?transport=tcp, or turns: on port 443.",
    ),
    AdviceRule(
        symptoms.has_no_relay,
        "This side may use TURN servers alone and has none: give it one in ice_servers, or allow all candidates.",
    ),
    AdviceRule(
        symptoms.has_no_address,
        "This host has no network address besides loopback: connect it to a network, or use loopback=True (--loopback) "
        "on both sides to stay on 127.0.0.1.",
    ),
    AdviceRule(
        symptoms.is_still_gathering,
        "This side's addresses were not gathered in time: wait longer, or check its STUN and TURN servers with "
        "`fsm-rtc doctor`.",
    ),
    AdviceRule(
        symptoms.hears_of_no_candidate,
        "The other side has found no address, or its messages with them don't arrive: run `fsm-rtc doctor` there.",
    ),
    AdviceRule(
        symptoms.one_stays_on_loopback,
        "One side stays on 127.0.0.1 and the other doesn't: use loopback=True (--loopback) on both or none.",
    ),
    AdviceRule(
        symptoms.has_no_pair,
        "One side has IPv4 addresses alone, the other IPv6 alone: give both a network of one kind, or a TURN server.",
    ),
    AdviceRule(
        symptoms.stun_is_out_of_reach,
        "The STUN server can't be reached, so that only this host's own addresses could be tried: check it with "
        "`fsm-rtc doctor --stun URL`.",
    ),
    AdviceRule(
        symptoms.needs_a_server_between_networks,
        "The private addresses of the two sides belong to different networks: configure a STUN server on both sides, "
        "and a TURN server if that isn't enough.",
    ),
    AdviceRule(
        symptoms.is_blocked_in_its_own_network,
        "The two sides are in one network and don't reach each other: look for a firewall on either host, or for "
        "clients kept apart by the access point.",
    ),
    AdviceRule(
        symptoms.needs_a_server,
        "Only the hosts' own addresses were tried, and they don't reach each other: if they are in different networks "
        "configure a STUN server on both sides, else look for a firewall that lets no UDP through.",
    ),
    AdviceRule(
        symptoms.is_behind_bad_nats,
        "Both sides know their public addresses and still don't reach each other, as behind symmetric NATs: configure "
        "a TURN server.",
    ),
    AdviceRule(
        symptoms.lacks_a_relay,
        "There is no direct way between the two: configure a STUN server on both sides, and a TURN server on one.",
    ),
    AdviceRule(
        symptoms.is_checking,
        "Even by way of the TURN server nothing arrives: check it from both sides with `fsm-rtc doctor --turn URL`.",
    ),
    AdviceRule(
        symptoms.met_a_wrong_certificate,
        "Don't try again: whoever answers at that address has another certificate than the one whose fingerprint the "
        "other side signed, so somebody may be in the middle; find out who before calling.",
    ),
    AdviceRule(
        symptoms.could_not_shake_hands,
        "Small packets arrive and the handshake doesn't end: the other side may hang, or a VPN or firewall drops "
        "larger packets; lower the network's MTU or use TURN over TCP.",
    ),
    AdviceRule(
        symptoms.has_no_channel,
        "The two are connected, but the data channel doesn't open: the other side may offer none, or hang; look at its "
        "own output.",
    ),
    AdviceRule(symptoms.broke_here, "An operation failed on this side: the error says which, and what to change."),
    AdviceRule(
        symptoms.broke_there,
        "The other side ended the exchange, for the reason that stands here: see what it shows itself.",
    ),
    AdviceRule(
        symptoms.did_not_agree,
        "The other side is there but doesn't agree on the call in time: look at its own output; it may hang, or run "
        "another version.",
    ),
    AdviceRule(
        symptoms.stood,
        "The call stood and was lost: the other side's program or its network is gone, or this host's; call again when "
        "both are there.",
    ),
)
"""By phase, and in a phase what is known for certain comes first; its last rule takes whatever else there is."""

"""What couples the machines: which one's events follow from another's, and which one reads another's state.

No machine knows another: a table is pure, and its owner carries out what it asks for. So the couplings stand nowhere in
the tables; they are what the owners (peer/, connection/) and the library between them do, declared here for a reader.
Left out: what couples two peers, which are the messages of docs/protocol.md; and files, sessions and flow, which stand
for themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["COUPLINGS", "Coupling", "Way"]


class Way(StrEnum):
    """How one machine depends on another."""

    FIRES = "fires"
    READS = "reads"


@dataclass(frozen=True, slots=True)
class Coupling:
    """What one machine has to do with another.

    Attributes:
        source: the machine that acts or is read, by its name in `CHARTS` or `DERIVED`.
        target: the machine that follows or reads.
        by: of `Way.FIRES` the target's triggers; of `Way.READS` its guards, or nothing where it reads by rules.
        way: how.
        in_every_call: whether a call that begins and ends without trouble shows it.
    """

    source: str
    target: str
    by: tuple[str, ...] = ()
    way: Way = Way.FIRES
    in_every_call: bool = True


COUPLINGS: tuple[Coupling, ...] = (
    Coupling("exchange", "negotiation", ("create_offer", "set_local_offer")),
    Coupling("exchange", "negotiation", ("set_remote_offer", "create_answer", "set_local_answer")),
    Coupling("exchange", "negotiation", ("set_remote_answer",)),
    Coupling("exchange", "negotiation", ("rollback",), in_every_call=False),
    Coupling("exchange", "candidates", ("end_of_candidates", "remote_description_set")),
    Coupling("exchange", "candidates", ("add_candidate",), in_every_call=False),
    Coupling("negotiation", "candidates", ("remote_description_set",)),
    Coupling("negotiation", "negotiation_needed", ("on_stable", "update", "on_chain_empty", "close")),
    Coupling("negotiation", "negotiation_needed", ("in_stable",), Way.READS),
    Coupling("negotiation", "api", ("on_descriptions",)),
    Coupling("api", "negotiation", ("close",)),
    Coupling("negotiation", "gatherer", ("gather",)),
    Coupling("gatherer", "gathering", ("on_gathering", "on_complete")),
    Coupling("negotiation", "ice", ("begin_checks", "on_remote_candidate", "close")),
    Coupling("ice", "ice_reported", ("on_checking", "on_closed")),
    Coupling("ice_reported", "dtls", ("on_connecting", "on_connected")),
    Coupling("dtls", "sctp", ("on_connected",)),
    Coupling("sctp", "data_channel", ("on_open",)),
    Coupling("negotiation", "data_channel", ("connection_closed",), in_every_call=False),
    Coupling("negotiation", "remote_track", ("on_removed", "end"), in_every_call=False),
    Coupling("dtls", "remote_track", ("on_disconnected",), in_every_call=False),
    Coupling("negotiation", "transceiver", ("connection_closed",), in_every_call=False),
    Coupling("exchange", "relay_credentials", ("on_agreed",)),
    Coupling("relay_credentials", "exchange", ("negotiate",), in_every_call=False),
    Coupling("data_channel", "deliveries", ("on_open", "on_lost"), in_every_call=False),
    Coupling("exchange", "busy_signal", ("on_call_over",)),
    Coupling("recovery", "exchange", ("negotiate",), in_every_call=False),
    Coupling("recovery", "exchange", ("leave",), in_every_call=False),
    Coupling("recovery", "call", ("on_peer_lost",), in_every_call=False),
    Coupling("exchange", "recovery", ("on_new_call", "on_call_over", "on_agreed")),
    Coupling("exchange", "recovery", ("on_chance", "on_attempt_failed"), in_every_call=False),
    Coupling("deliveries", "recovery", ("on_heard", "on_goodbye"), in_every_call=False),
    Coupling("call", "recovery", ("on_lost", "on_lost_for_good", "on_closed"), in_every_call=False),
    Coupling("call", "recovery", ("on_progress", "on_dtls_failed"), in_every_call=False),
    Coupling("call", "recovery", ("on_heard", "close")),
    Coupling("call", "exchange", ("leave", "abandon"), in_every_call=False),
    Coupling("exchange", "call", ("on_peer", "on_over")),
    Coupling("exchange", "call", ("on_busy",), in_every_call=False),
    Coupling("connection_state", "call", ("on_connecting",)),
    Coupling("connection_state", "call", ("on_disconnected", "on_failed"), in_every_call=False),
    Coupling("connection_state", "call", ("on_closed", "on_progress"), in_every_call=False),
    Coupling("connection_state", "call", ("works", "works_no_longer", "advances"), Way.READS),
    Coupling("data_channel", "call", ("on_closed",), in_every_call=False),
    Coupling("deliveries", "call", ("look",), in_every_call=False),
    Coupling("deliveries", "call", ("works", "works_no_longer"), Way.READS),
    Coupling("dtls", "call", ("wrong_certificate",), Way.READS),
    Coupling("signaling_client", "signaling_link", ("on_connected",), in_every_call=False),
    Coupling("signaling_client", "signaling_link", ("on_disconnected", "on_error"), in_every_call=False),
    Coupling("signaling_client", "call", ("on_given_up",), in_every_call=False),
    Coupling("signaling_client", "recovery", ("on_chance",), in_every_call=False),
    Coupling("consent", "ice", ("on_unanswered", "on_answered", "on_consent_expired"), in_every_call=False),
    Coupling("candidate_pair", "ice", ("on_new_pair", "on_pairs_exhausted"), in_every_call=False),
    Coupling("signaling_link", "recovery", ("link_is_up",), Way.READS),
    Coupling("exchange", "recovery", ("no_exchange", "exchange_under_way"), Way.READS),
    Coupling("negotiation", "recovery", ("can_restart_ice",), Way.READS),
    Coupling("data_channel", "recovery", ("can_restart_ice",), Way.READS),
    Coupling("ice_reported", "ice_connection_state", way=Way.READS),
    Coupling("ice_reported", "connection_state", way=Way.READS),
    Coupling("dtls", "connection_state", way=Way.READS),
    Coupling("connection_state", "peer_status", ("on_connecting", "on_connected")),
)
"""The couplings within one peer, as far as they are between two machines."""

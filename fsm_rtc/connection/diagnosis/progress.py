"""How far a call has come: what tells it, and in words, for errors and for who asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from fsm_rtc.engine import Chart
from fsm_rtc.machines.call_status import CallFacts, CallPhase, Phase
from fsm_rtc.machines.dtls import Dtls, DtlsTransportState

if TYPE_CHECKING:
    from fsm_rtc.peer.peer_connection import PeerConnection

__all__ = ["ExaminedCall", "dtls_states", "facts_of_connection", "how_far", "state_in_words"]


class ExaminedCall(Protocol):
    """What is looked at: a `Call`, or what looks like one."""

    @property
    def facts(self) -> CallFacts: ...
    @property
    def is_open(self) -> bool:
        """Whether the connection isn't closed, or being closed."""

    @property
    def peer_connection(self) -> PeerConnection | None: ...
    @property
    def refused(self) -> Counter[str]: ...
    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]: ...


def facts_of_connection(connection: PeerConnection | None) -> dict[str, Any]:
    """What the present peer connection tells, as fields of `CallFacts`; of none there are none."""
    if connection is None:
        return {}
    dtls = dtls_states(connection)
    return {
        "has_connection": True,
        "is_described": connection.remote_description is not None and connection.local_description is not None,
        "gathering": connection.ice_gathering_state,
        "ice": connection.ice_connection_state,
        "dtls": dtls - {DtlsTransportState.CLOSED},
        "dtls_failed": DtlsTransportState.FAILED in dtls,
    }


def dtls_states(connection: PeerConnection | None) -> frozenset[DtlsTransportState]:
    """The states of a peer connection's DTLS transports; none of none."""
    machines = connection.machines.values() if connection is not None else ()
    return frozenset(machine.state for machine in machines if isinstance(machine, Dtls))


def how_far(call: ExaminedCall) -> str:
    """How far a call has come that isn't ready."""
    facts = call.facts
    match CallPhase.of(facts):
        case Phase.SIGNALING:
            return f"the signalling link is {facts.link.value!r}"
        case Phase.TRUST | Phase.WAITING:
            refused = ", ".join(f"{name} {count}" for name, count in call.refused.items())
            return f"nobody to talk to has joined{f'; refused: {refused}' if refused else ''}"
        case _:
            return f"the exchange is {facts.exchange.value!r}, the peer connection {state_in_words(call)!r}"


def state_in_words(call: ExaminedCall) -> str:
    """RTCPeerConnectionState, or that there is none."""
    connection = call.peer_connection
    return connection.connection_state.value if connection is not None else "not there"

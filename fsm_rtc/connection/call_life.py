"""CallLife: the `Call` machine of a connection at work.

What happens to the call comes in as triggers; what the table asks for goes out to the call. Its guards read the peer
connection, the channel, and what the signalling was given up for: the values are here, the decisions in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fsm_rtc.connection.delivery.message_channel import MessageChannel
from fsm_rtc.connection.diagnosis.progress import dtls_states
from fsm_rtc.connection.events import LossReason
from fsm_rtc.connection.peers import ReplaceablePeer
from fsm_rtc.driver import Driver
from fsm_rtc.engine import Chart
from fsm_rtc.errors import SignalingError
from fsm_rtc.machines.call import REPORTS, Call
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.dtls import DtlsTransportState
from fsm_rtc.messages import ErrorCode
from fsm_rtc.peer.machine_set import MachineSet

__all__ = ["CallLife"]

WHY = {
    PeerConnectionState.DISCONNECTED: LossReason.ICE_DISCONNECTED.value,
    PeerConnectionState.FAILED: LossReason.ICE_FAILED.value,
    PeerConnectionState.CLOSED: LossReason.CONNECTION_CLOSED.value,
}
"""Why the call is lost that has such a connection."""


class CallLife:
    """See the module.

    Args:
        handlers: what carries out what the table asks for, by the request's class.
        peers: the peer connections.
        link: the messages.
        connect_seconds: how long a peer that is there may take to be connected.
        machines: makes the machine.

    Attributes:
        machine: the `Call` machine; this is its context.
        fire: tells it what happens.
        signaling_error: what the signalling was given up for, or None.
    """

    def __init__(
        self,
        handlers: Mapping[type[Any], Callable[[Any], None]],
        peers: ReplaceablePeer,
        link: MessageChannel,
        connect_seconds: float,
        machines: MachineSet,
    ) -> None:
        self.connect_seconds = connect_seconds
        self.signaling_error: Exception | None = None
        self._peers = peers
        self._link = link
        driver = Driver()
        self.fire = driver.fire
        self.machine = machines.make(Call, "call", self, clock=driver.clock)
        driver.add(self.machine, handlers)

    # What the machine's guards read.

    @property
    def connection_state(self) -> PeerConnectionState | None:
        """RTCPeerConnectionState, or None while there is no peer connection."""
        connection = self._peers.connection
        return connection.connection_state if connection is not None else None

    @property
    def messages_flow(self) -> bool:
        """Whether messages go through."""
        return self._link.is_ready

    @property
    def dtls(self) -> frozenset[DtlsTransportState]:
        """The states of the present peer connection's DTLS transports."""
        return dtls_states(self._peers.connection)

    @property
    def is_given_up(self) -> bool:
        """Whether the signalling was given up for good."""
        return self.signaling_error is not None

    @property
    def is_replaced(self) -> bool:
        """Whether that was because another program has joined with this one's key."""
        error = self.signaling_error
        return isinstance(error, SignalingError) and error.code == ErrorCode.REPLACED

    # What happens.

    def reported(self, state: PeerConnectionState) -> None:
        """The peer connection has another state."""
        self.fire(getattr(self.machine, REPORTS[state]), WHY.get(state, state.value))

    def look(self) -> None:
        """Something of the connection or of its channel has changed."""
        self._fire_if_permitted(self.machine.on_progress)
        self.look_at_messages()

    def look_at_messages(self) -> None:
        """A message has come: both sides may have greeted. Each comes here, and most change nothing."""
        self._fire_if_permitted(self.machine.look)

    def _fire_if_permitted(self, trigger: Any) -> None:
        machine: Chart[Any, Any] = self.machine
        if machine.permits(trigger.__name__):
            self.fire(trigger)

"""The observed machines of one peer connection, and the two states derived from them.

What the library reports becomes an event. A report that the table doesn't expect is rejected and journalled; the
library is read once more in the loop's next turn, and if it still says so its state is adopted by the table's
`on_desync` row.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from fsm_rtc.engine import Accepted, Chart, Observed
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.connection_state import (
    ConnectionState,
    IceConnection,
    IceConnectionState,
    IceGathering,
    PeerConnectionState,
    TransportStates,
)
from fsm_rtc.machines.dtls import Dtls
from fsm_rtc.machines.gathering import Gathering, IceGatheringState
from fsm_rtc.machines.ice_reported import IceReported
from fsm_rtc.machines.sctp import Sctp
from fsm_rtc.peer.backend import Report
from fsm_rtc.peer.machine_set import MachineSet

__all__ = ["Transports"]

logger = logging.getLogger("fsm_rtc.peer")


class Transports:
    """The gathering, ICE, DTLS and SCTP machines.

    Args:
        machines: makes them.
        read: the library's present value of a status, by transport.
        negotiation: once it is final the library is no longer listened to.
        emit: tells of a changed state, by the event's name.

    Attributes:
        gathering: the RTCIceGatheringState machine, fed by the state derived from all gatherers.
        ice: the RTCIceTransportState machines, by transport.
        dtls: the RTCDtlsTransportState machines, by transport.
        sctp: the RTCSctpTransportState machine, or None before there is a data channel.
        ice_connection_state: derived from `ice`.
        connection_state: derived from `ice` and `dtls`.
    """

    def __init__(
        self,
        machines: MachineSet,
        read: Callable[[Report], Mapping[int, str]],
        negotiation: Chart[Any, Any],
        emit: Callable[[str], None],
    ) -> None:
        self._machines = machines
        self._read = read
        self._negotiation = negotiation
        self._emit = emit
        self._gatherers: dict[int, str] = {}
        self.gathering = machines.make(Gathering, "gathering")
        self.gathering.observe(self._gathering_moved)
        self.ice: dict[int, IceReported] = {}
        self.dtls: dict[int, Dtls] = {}
        self.sctp: Sctp | None = None
        self.ice_connection_state = IceConnectionState.NEW
        self.connection_state = PeerConnectionState.NEW

    def reported(self, what: Report, transport: int, value: str) -> None:
        """The library says that a status is now `value`."""
        if self._negotiation.is_final:
            return
        machine = self._machine(what, transport)
        if what == "gathering" and value in machine.chart.states:
            self._gatherers[transport] = value
            value = _gathered(self._gatherers)
            if value == machine.state:
                return
        outcome = machine.report(value)
        if isinstance(outcome, Rejected) and outcome.reason is not Reason.ALREADY:
            asyncio.get_running_loop().call_soon(self._read_again, what, transport)

    def added(self, transport: int) -> None:
        """There is a new transport."""
        self._gatherers[transport] = "new"
        self._machine("ice", transport)
        self._gather()
        self._derive()

    def removed(self, transport: int) -> None:
        """A transport is not part of the connection any more."""
        self._gatherers.pop(transport, None)
        ice, dtls = self.ice.pop(transport, None), self.dtls.pop(transport, None)
        for machine in (ice, dtls):
            if machine is not None:
                if not machine.is_final:
                    machine.report("closed")
                self._machines.forget_one(machine)
        if not self._negotiation.is_final:
            self._gather()
            self._derive()

    def _gather(self) -> None:
        value = _gathered(self._gatherers)
        if value != self.gathering.state:
            self.gathering.report(value)

    def close(self) -> None:
        """The connection is closed, and every transport with it."""
        machines: list[Observed[Any, Any]] = [*self.ice.values(), *self.dtls.values()]
        if self.sctp is not None:
            machines.append(self.sctp)
        for machine in machines:
            if not machine.is_final:
                machine.report("closed")
        self._derive()

    def _read_again(self, what: Report, transport: int) -> None:
        if self._negotiation.is_final:
            return
        machine = self._machine(what, transport)
        values = self._read(what)
        value = values.get(transport)
        if what == "gathering":
            self._gatherers.update((number, one) for number, one in values.items() if one in machine.chart.states)
            value = _gathered(self._gatherers)
        if value in machine.chart.states and value != machine.state and not machine.is_final:
            outcome = machine.fire("on_desync", type(machine.state)(value))
            for request in outcome.effects if isinstance(outcome, Accepted) else ():
                logger.warning("%s: %s", self._machines.label_of(machine), request)

    def _machine(self, what: Report, transport: int) -> Observed[Any, Any]:
        if what == "gathering":
            return self.gathering
        if what == "sctp":
            self.sctp = self.sctp or self._machines.make(Sctp, "sctp")
            return self.sctp
        number = f".{transport + 1}" if transport else ""
        if transport not in self.ice:
            # Both at once: with its DTLS machine missing, a transport whose ICE is done would count as connected.
            self.ice[transport] = self._machines.make(IceReported, f"ice{number}")
            self.dtls[transport] = self._machines.make(Dtls, f"dtls{number}")
            self.ice[transport].observe(self._transport_moved)
            self.dtls[transport].observe(self._transport_moved)
        return self.ice[transport] if what == "ice" else self.dtls[transport]

    def _gathering_moved(self, _: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
        if isinstance(outcome, Accepted):
            self._emit("icegatheringstatechange")

    def _transport_moved(self, _: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
        if isinstance(outcome, Accepted) and not self._negotiation.is_final:
            self._derive()

    def _derive(self) -> None:
        transports = TransportStates(
            closed=self._negotiation.is_final,
            ice=tuple(machine.state for machine in self.ice.values()),
            dtls=tuple(machine.state for machine in self.dtls.values()),
        )
        ice, self.ice_connection_state = self.ice_connection_state, IceConnection.of(transports)
        connection, self.connection_state = self.connection_state, ConnectionState.of(transports)
        if ice is not self.ice_connection_state:
            self._emit("iceconnectionstatechange")
        if connection is not self.connection_state:
            self._emit("connectionstatechange")


def _gathered(values: Mapping[int, str]) -> str:
    return IceGathering.of(tuple(IceGatheringState(value) for value in values.values())).value

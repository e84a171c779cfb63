"""What a library's reports do to the machines of one peer connection.

A backend reports, and the machines decide what that means; nothing here asks the library for anything. From the
moment that `Api` no longer permits `on_library_event`, which is when the connection is closed, nothing more is heard:
a library goes on telling while it closes.

A report that the table doesn't expect is rejected and journalled; the library is read once more in the loop's next
turn, for it may tell of one state while it is in the next, and if it still says so its state is adopted by the table's
`on_desync` row.

What holds:

- Each machine is made here, so each is in the journal from its first event on, under a label of its own.
- One that has come to its end (a gatherer, a data channel, a track of the other side) is forgotten at once, so that a
  long call keeps no more of them than are alive; those of a closed connection stay, to be read.
- The other side's names are its own choice, and may repeat: the number in a label tells them apart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from fsm_rtc.engine import Accepted, Chart, Journal, Observed
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines import connection_state as derived
from fsm_rtc.machines.api import Api
from fsm_rtc.machines.connection_state import IceConnectionState, PeerConnectionState
from fsm_rtc.machines.data_channel import Channel, Flow, FlowLimits
from fsm_rtc.machines.dtls import Dtls
from fsm_rtc.machines.gatherer import Gatherer
from fsm_rtc.machines.gathering import Gathering, IceGatheringState
from fsm_rtc.machines.ice import Ice, Ways
from fsm_rtc.machines.ice_reported import IceReported
from fsm_rtc.machines.negotiation import Negotiation, SignalingState
from fsm_rtc.machines.remote_track import RemoteTrackStatus
from fsm_rtc.machines.sctp import Sctp
from fsm_rtc.machines.transceiver import Transceiver
from fsm_rtc.peer.backend import Backend, BackendEvents, ChannelBackend, Report
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate
from fsm_rtc.peer.descriptions import Descriptions
from fsm_rtc.peer.emitter import Emitter
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.peer.machine_set import ChartT, MachineSet
from fsm_rtc.peer.w3c.profile import Profile

logger = logging.getLogger("fsm_rtc.peer")


class Transports:
    """The gathering, ICE, DTLS and SCTP machines.

    Args:
        machines: makes them.
        read: the library's present value of a status, by transport.
        listens: whether the library is listened to; not once the connection is closed.
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
        listens: Callable[[], bool],
        emit: Callable[[str], None],
    ) -> None:
        self._machines = machines
        self._read = read
        self._listens = listens
        self._emit = emit
        self._gatherers: dict[int, str] = {}
        self.gathering = machines.make(Gathering, "gathering")
        self.gathering.observe(self._gathering_moved)
        self.ice: dict[int, IceReported] = {}
        self.dtls: dict[int, Dtls] = {}
        self.sctp: Sctp | None = None
        self.ice_connection_state = derived.IceConnectionState.NEW
        self.connection_state = derived.PeerConnectionState.NEW

    def reported(self, what: Report, transport: int, value: str) -> None:
        """The library says that a status is now `value`."""
        if not self._listens():
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
        if self._listens():
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
        if not self._listens():
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
        if isinstance(outcome, Accepted) and self._listens():
            self._derive()

    def _derive(self) -> None:
        transports = derived.TransportStates(
            closed=not self._listens(),
            ice=tuple(machine.state for machine in self.ice.values()),
            dtls=tuple(machine.state for machine in self.dtls.values()),
        )
        ice, self.ice_connection_state = self.ice_connection_state, derived.IceConnection.of(transports)
        connection, self.connection_state = self.connection_state, derived.ConnectionState.of(transports)
        if ice is not self.ice_connection_state:
            self._emit("iceconnectionstatechange")
        if connection is not self.connection_state:
            self._emit("connectionstatechange")


def _gathered(values: Mapping[int, str]) -> str:
    return derived.IceGathering.of(tuple(IceGatheringState(value) for value in values.values())).value


CHANGES = (
    "signalingstatechange",
    "icegatheringstatechange",
    "iceconnectionstatechange",
    "connectionstatechange",
    "negotiationneeded",
)
"""The events that have no argument."""

MAX_ANNOUNCED_CHANNELS = 1024
"""So many data channels of the other side may be open at once, as in libwebrtc; one more is closed, and counted."""


class ReportedPeer(BackendEvents):
    """The machines of one peer connection, as its library's reports step them.

    Args:
        backend: the library.
        label: how its machines are called in the journal.
        generation: of which of its owner's peer connections this one is.
        engine: ``compiled`` or ``transitions``.
        journal: watches every machine.
        profile: which habits it has.

    Attributes:
        descriptions: the pending and the current descriptions of both sides, to read.
        negotiation: the RTCSignalingState machine.
        api: the machine that permits the methods beside those of negotiation.
        refused_channels: how many data channels of the other side were closed at once, since it had too many open.
    """

    _transports: Transports

    def __init__(
        self, backend: Backend, *, label: str, generation: int, engine: str, journal: Journal | None, profile: Profile
    ) -> None:
        self._backend = backend
        self.profile = profile
        self.label = label
        self.generation = generation
        self._machines = MachineSet(label, generation=generation, engine=engine, journal=journal)
        self._emitter = Emitter(*CHANGES, "icecandidate", "icecandidateerror", "datachannel", "track")
        self.descriptions = Descriptions()
        self.negotiation = self._machines.make(Negotiation, "negotiation", self.descriptions)
        self.api = self._machines.make(Api, "api", self.descriptions)
        self._channels: list[DataChannel] = []
        self._announced_channels = self.refused_channels = 0
        self._found: dict[IceCandidate, None] = {}

    # What it shows of them.

    signaling_state = Forwarded[SignalingState]("negotiation.state")
    """RTCSignalingState."""

    ice_gathering_state = Forwarded[IceGatheringState]("_transports.gathering.state")
    """RTCIceGatheringState."""

    ice_connection_state = Forwarded[IceConnectionState]("_transports.ice_connection_state")
    """RTCIceConnectionState, derived from the ICE transports."""

    connection_state = Forwarded[PeerConnectionState]("_transports.connection_state")
    """RTCPeerConnectionState, derived from the ICE and DTLS transports."""

    @property
    def local_candidates(self) -> tuple[IceCandidate, ...]:
        """The candidates that this side has found."""
        return tuple(self._found)

    @property
    def data_channels(self) -> tuple[DataChannel, ...]:
        """The data channels that are not closed, made here or by the other side; of a closed connection, its last."""
        return tuple(self._channels)

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        """Every machine of this connection, by its label."""
        return self._machines.by_label()

    def _listens(self) -> bool:
        """Whether what the library tells is heard."""
        return bool(self.api.permits("on_library_event"))

    # What the library reports.

    def reported(self, what: Report, transport: int, value: str) -> None:
        """A report for the observed machines; see `Transports`."""
        self._transports.reported(what, transport, value)

    def channel_announced(self, channel: ChannelBackend) -> None:
        """The other side made a data channel."""
        if not self._listens():
            return
        if self._announced_channels >= MAX_ANNOUNCED_CHANNELS:
            self.refused_channels += 1
            channel.close()
            return
        adopted = self._adopt_channel(channel, announced=True)
        # aiortc announces a channel that is open already, and its listeners must be there before the first message
        # (20).
        adopted.open_quietly()
        self._emitter.emit("datachannel", adopted)
        adopted.announce_open()

    def transport_added(self, transport: int) -> None:
        """There is a new transport."""
        if self._listens():
            self._transports.added(transport)

    def transport_removed(self, transport: int) -> None:
        """A transport is not part of the connection any more."""
        if self._listens():
            self._transports.removed(transport)

    def candidate_found(self, candidate: IceCandidate | None) -> None:
        """A local candidate; None when there are no more."""
        if not self._listens():
            return
        if candidate is not None:
            self.descriptions.add_candidate("local", candidate)
            if candidate.candidate:
                self._found[candidate] = None
            elif not self.profile.tells_each_end:
                return
        self._emitter.emit("icecandidate", candidate)

    def candidate_failed(self, error: object) -> None:
        """A server could not be used to gather candidates."""
        if self._listens():
            self._emitter.emit("icecandidateerror", error)

    def track_status(self) -> RemoteTrackStatus:
        """The status of a new track of the other side."""
        return self._passing(RemoteTrackStatus, self._machines.numbered("track", "."))

    def track_added(self, event: Any) -> None:
        """The other side's track is there."""
        if self._listens():
            self._emitter.emit("track", event)

    def transceiver_added(self) -> Transceiver:
        """The machine of a new transceiver."""
        return self._machines.make(Transceiver, self._machines.numbered("transceiver"))

    def transceiver_removed(self, status: Transceiver) -> None:
        """The transceiver of this machine is not part of the connection any more."""
        self._machines.forget_one(status)

    def ice_added(self, table: type[Ice], ways: Ways) -> Ice:
        """The machine of a new ICE transport."""
        return self._machines.make(table, self._machines.numbered("ice_transport"), ways)

    def ice_removed(self, machine: Ice) -> None:
        """Nothing is left of the ICE transport of this machine."""
        self._machines.forget_one(machine)

    def gatherer_added(self) -> Gatherer:
        """The machine of a gatherer that begins."""
        return self._passing(Gatherer, self._machines.numbered("ice_gatherer"))

    def _passing(self, chart: type[ChartT], name: str) -> ChartT:
        """A machine that is let go of when it has come to its end."""
        machine = self._machines.make(chart, name)

        def ended(_: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
            if isinstance(outcome, Accepted) and machine.is_final and self._listens():
                self._machines.forget(name)

        machine.observe(ended)
        return machine

    def closed_by_library(self) -> None:
        """The library closed the connection by itself, as aiortc does when the other side is gone."""
        self.api.on_closed_by_library()

    def _adopt_channel(self, backend: ChannelBackend, *, announced: bool = False) -> DataChannel:
        # The other side chooses its labels, and may choose one twice: the number keeps them apart in the journal.
        name = f"{self._machines.numbered('channel')}.{backend.label}"
        machine = self._machines.make(Channel, name)
        channel = DataChannel(backend, machine, self._machines.make(Flow, f"{name}.flow", FlowLimits()))
        self._channels.append(channel)
        self._announced_channels += announced

        def ended(_: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
            if isinstance(outcome, Accepted) and machine.is_final and self._listens():
                self._channels.remove(channel)
                self._announced_channels -= announced
                self._machines.forget(name, f"{name}.flow")

        machine.observe(ended)
        return channel

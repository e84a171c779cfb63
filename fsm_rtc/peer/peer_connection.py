"""PeerConnection: the machines in front of a library's peer connection.

Negotiation is commanded and two-phase. An operation waits its turn in the operations chain; then the table is asked
whether it permits the event; the library applies; and on success the same event is fired. What the table refuses never
reaches the library, and what fails in the library changes no state. Only `close` can come between.

The transports are observed: what the library reports becomes an event (see `transports`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from fsm_rtc.engine import Accepted, Chart, Journal, Rejected
from fsm_rtc.errors import InvalidStateError, NotSupportedError
from fsm_rtc.machines.connection_state import IceConnectionState, PeerConnectionState
from fsm_rtc.machines.data_channel import Channel, Flow
from fsm_rtc.machines.gathering import IceGatheringState
from fsm_rtc.machines.negotiation import Negotiation, SignalingState
from fsm_rtc.peer.backend import Backend, ChannelBackend, ChannelOptions, Kind, Report
from fsm_rtc.peer.chain import OperationsChain
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.descriptions import Descriptions
from fsm_rtc.peer.emitter import Callback, Emitter
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.peer.sdp import candidates_of, check_candidate, check_description
from fsm_rtc.peer.transports import Transports

__all__ = ["PeerConnection"]

logger = logging.getLogger("fsm_rtc.peer")

LOCAL_TRIGGERS = {
    "offer": "set_local_offer",
    "pranswer": "set_local_pranswer",
    "answer": "set_local_answer",
    "rollback": "rollback",
}
REMOTE_TRIGGERS = {
    "offer": "set_remote_offer",
    "pranswer": "set_remote_pranswer",
    "answer": "set_remote_answer",
    "rollback": "rollback",
}


class PeerConnection:
    """One peer connection, every status of which is a machine.

    Args:
        configuration: servers and time limits; none and the defaults if None.
        backend: the library; aiortc if None.
        engine: ``compiled``, or ``transitions`` to let the machines be stepped by that library.
        journal: watches every machine of this connection.
        label: how its machines are called in the journal, e.g. ``offerer``.
        generation: of which of its owner's peer connections this one is; its machines carry it.

    Attributes:
        negotiation: the RTCSignalingState machine.
    """

    def __init__(
        self,
        configuration: Configuration | None = None,
        *,
        backend: Backend | None = None,
        engine: str = "compiled",
        journal: Journal | None = None,
        label: str = "peer",
        generation: int = 0,
    ) -> None:
        self.configuration = configuration or Configuration()
        self.label = label
        self.generation = generation
        self._machines = MachineSet(label, generation=generation, engine=engine, journal=journal)
        self._descriptions = Descriptions()
        self._emitter = Emitter(
            "signalingstatechange",
            "icegatheringstatechange",
            "iceconnectionstatechange",
            "connectionstatechange",
            "icecandidate",
            "datachannel",
            "track",
        )
        self._chain = OperationsChain()
        self._closing: asyncio.Task[None] | None = None
        self._local_candidates: dict[str, IceCandidate] = {}
        self._channels: list[DataChannel] = []
        self.negotiation = self._machines.make(Negotiation, "negotiation", self._descriptions)
        self.negotiation.observe(self._signaling_moved)
        self._backend = backend or _default_backend(self.configuration)
        self._transports = Transports(self._machines, self._backend.read, self.negotiation, self._emitter.emit)
        self._backend.attach(self)

    # What it is.

    @property
    def signaling_state(self) -> SignalingState:
        """RTCSignalingState."""
        return self.negotiation.state

    @property
    def ice_gathering_state(self) -> IceGatheringState:
        """RTCIceGatheringState."""
        return self._transports.gathering.state

    @property
    def ice_connection_state(self) -> IceConnectionState:
        """RTCIceConnectionState, derived from the ICE transports."""
        return self._transports.ice_connection_state

    @property
    def connection_state(self) -> PeerConnectionState:
        """RTCPeerConnectionState, derived from the ICE and DTLS transports."""
        return self._transports.connection_state

    @property
    def local_description(self) -> SessionDescription | None:
        """The description that this side applied last, with the candidates found so far."""
        return self._descriptions.local

    @property
    def remote_description(self) -> SessionDescription | None:
        """The other side's description that was applied last."""
        return self._descriptions.remote

    @property
    def local_candidates(self) -> tuple[IceCandidate, ...]:
        """The candidates that this side has found."""
        return tuple(self._local_candidates.values())

    @property
    def data_channels(self) -> tuple[DataChannel, ...]:
        """Every data channel, made here or by the other side."""
        return tuple(self._channels)

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        """Every machine of this connection, by its label."""
        return self._machines.by_label()

    def __repr__(self) -> str:
        return f"<PeerConnection {self.label} {self.connection_state.value} {self.signaling_state.value}>"

    # What can be done with it.

    def on(self, event: str, callback: Callback) -> Callable[[], None]:
        """Call `callback` at each `event` until the returned function is called; `close` ends it too.

        Events: ``signalingstatechange``, ``icegatheringstatechange``, ``iceconnectionstatechange``,
        ``connectionstatechange`` (no argument), ``icecandidate`` (an IceCandidate, or None when there are no more),
        ``datachannel`` (a DataChannel), ``track`` (the library's track).

        Raises:
            ValueError: there is no such event.
            TypeError: the callback is a coroutine function.
        """
        return self._emitter.on(event, callback)

    async def create_offer(self) -> SessionDescription:
        """An offer for what this side has: its tracks, transceivers and data channels.

        Raises:
            InvalidStateError: the table doesn't permit it now, or the connection is closed meanwhile.
            OperationError: the library failed.
        """
        return await self._run(self._create, "create_offer")

    async def create_answer(self) -> SessionDescription:
        """An answer to the other side's offer.

        Raises:
            InvalidStateError: there is no offer to answer, or the connection is closed meanwhile.
            OperationError: the library failed.
        """
        return await self._run(self._create, "create_answer")

    async def set_local_description(self, description: SessionDescription | None = None) -> None:
        """Apply this side's description and gather candidates.

        Args:
            description: what create_offer or create_answer returned last; None makes and applies the one that is due.

        Raises:
            InvalidModificationError: it was changed since it was created.
            InvalidStateError: the table doesn't permit it now, or the connection is closed meanwhile.
            NotSupportedError: the library can't do it (rollback, provisional answer).
            NoUsableAddressError: the host has no address to gather.
            OperationError: the library failed.
        """
        await self._run(self._set_local, description)

    async def set_remote_description(self, description: SessionDescription) -> None:
        """Apply the other side's description.

        Raises:
            InvalidStateError: the table doesn't permit it now, or the connection is closed meanwhile.
            InvalidDescriptionError: it is no usable SDP.
            NotSupportedError: the library can't do it (implicit or explicit rollback, provisional answer).
            OperationError: the library failed.
        """
        await self._run(self._set_remote, description)

    async def add_ice_candidate(self, candidate: IceCandidate | None) -> None:
        """Use a candidate of the other side; None says that there are no more.

        Raises:
            TypeError: it names neither a section's mid nor its index.
            InvalidStateError: there is no remote description yet, or the connection is closed.
            InvalidCandidateError: it can't be parsed.
            OperationError: the remote description has no such section.
        """
        if (
            candidate is not None
            and candidate.candidate
            and candidate.sdp_mid is None
            and candidate.sdp_m_line_index is None
        ):
            raise TypeError("a candidate needs sdp_mid or sdp_m_line_index; pass the other side's candidate whole")
        await self._run(self._add_candidate, candidate)

    def create_data_channel(
        self,
        label: str,
        *,
        ordered: bool = True,
        max_retransmits: int | None = None,
        max_packet_life_time: int | None = None,
        protocol: str = "",
        negotiated: bool = False,
        id: int | None = None,  # noqa: A002 - RTCDataChannelInit's own name
    ) -> DataChannel:
        """Make a data channel; the next offer announces the first one.

        Args:
            label: its name.
            ordered: whether messages keep their order.
            max_retransmits: how often a message is sent again, or None for without limit.
            max_packet_life_time: how long it is tried, in milliseconds, or None.
            protocol: the subprotocol's name.
            negotiated: whether both sides make the channel themselves, with the same `id`.
            id: the stream, 0 to 65534; only for a negotiated channel.

        Raises:
            InvalidStateError: the connection is closed.
            ValueError: the options contradict each other.
        """
        options = ChannelOptions(ordered, max_retransmits, max_packet_life_time, protocol, negotiated, id)
        self._assert_open("create_data_channel")
        return self._adopt_channel(self._backend.create_data_channel(label, options))

    def add_track(self, track: Any) -> None:
        """Send a track of the library's own kind (aiortc: a MediaStreamTrack)."""
        self._assert_open("add_track")
        self._backend.add_track(track)

    def add_transceiver(self, kind: Kind, direction: str = "sendrecv") -> None:
        """Add a media section.

        Args:
            kind: ``audio`` or ``video``.
            direction: ``sendrecv``, ``sendonly``, ``recvonly`` or ``inactive``.
        """
        if kind not in ("audio", "video"):
            raise TypeError(f"a transceiver's kind is audio or video, not {kind!r}")
        if direction not in ("sendrecv", "sendonly", "recvonly", "inactive"):
            raise TypeError(f"a transceiver's direction is sendrecv, sendonly, recvonly or inactive, not {direction!r}")
        self._assert_open("add_transceiver")
        self._backend.add_transceiver(kind, direction)

    def receive(self, *kinds: Kind) -> None:
        """Be ready to receive these kinds: a recvonly transceiver for each that has none yet."""
        self._assert_open("receive")
        present = self._backend.transceiver_kinds()
        for kind in kinds:
            if kind not in present:
                self._backend.add_transceiver(kind, "recvonly")

    async def close(self) -> None:
        """Close the connection. Every machine is closed at once; pending operations raise InvalidStateError.

        Idempotent and cancellation-safe: a caller who is cancelled leaves the closing to go on.
        """
        if self._closing is None:
            self._emitter.clear()
            self._shut()
            self._closing = asyncio.create_task(self._close_backend(), name=f"fsm_rtc close {self.label}")
        await asyncio.shield(self._closing)

    # Operations, each in its slot of the chain.

    async def _run(self, operation: Callable[..., Any], *arguments: object) -> Any:
        self._assert_open(operation.__name__.strip("_"))
        return await self._chain.run(lambda: operation(*arguments))

    async def _create(self, trigger: str) -> SessionDescription:
        self._demand(trigger)
        return await self._make(trigger)

    async def _make(self, trigger: str) -> SessionDescription:
        if trigger == "create_offer":
            description = self._descriptions.last_offer = await self._backend.create_offer()
        else:
            description = self._descriptions.last_answer = await self._backend.create_answer()
        self._settle(trigger)
        return description

    async def _set_local(self, description: SessionDescription | None) -> None:
        if description is None:
            trigger = self._demand("set_local_description").trigger
            description = await self._make("create_offer" if trigger == "set_local_offer" else "create_answer")
        else:
            trigger = LOCAL_TRIGGERS[description.type]
            self._demand(trigger, description)
        if trigger == "rollback":
            await self._roll_back()
            return
        self._require_capability(trigger)
        if not description.sdp:
            description = self._descriptions.created(trigger) or await self._make("create_offer")
        applied = await self._backend.set_local_description(description)
        self._settle(trigger, description)
        self._descriptions.applied_local(applied)
        for candidate in candidates_of(applied):
            if candidate.candidate not in self._local_candidates:
                self._local_candidates[candidate.candidate] = candidate
                self._emitter.emit("icecandidate", candidate)
        self._emitter.emit("icecandidate", None)

    async def _set_remote(self, description: SessionDescription) -> None:
        trigger = REMOTE_TRIGGERS[description.type]
        row = self._demand(trigger, description)
        if trigger == "rollback":
            await self._roll_back()
            return
        self._require_capability(trigger)
        check_description(description)
        if row.first is not None:
            await self._roll_back()
        await self._backend.set_remote_description(description)
        self._settle(trigger, description)
        self._descriptions.applied_remote(description)

    async def _roll_back(self) -> None:
        self._require_capability("rollback")
        await self._backend.rollback()
        self._settle("rollback")
        self._descriptions.rolled_back()

    async def _add_candidate(self, candidate: IceCandidate | None) -> None:
        remote = self._descriptions.remote
        if remote is None:
            raise InvalidStateError(
                "a candidate came before the other side's description; set_remote_description first, or let "
                "ConnectionStore keep early candidates"
            )
        if candidate is not None and candidate.candidate:
            await self._backend.add_ice_candidate(check_candidate(candidate, remote))
        else:
            await self._backend.add_ice_candidate(None)

    def _demand(self, trigger: str, event: object = None) -> Any:
        """The row that permits the event; if there is none, journal the refusal and raise the specification's error."""
        verdict = self.negotiation.permits(trigger, event)
        if isinstance(verdict, Rejected):
            self.negotiation.fire(trigger, event)
            raise (verdict.error or InvalidStateError).from_rejected(verdict)
        return verdict

    def _settle(self, trigger: str, event: object = None) -> None:
        """The library has done it, so the event happens; unless the connection was closed meanwhile."""
        outcome = self.negotiation.fire(trigger, event)
        if isinstance(outcome, Rejected):
            raise InvalidStateError(
                f"{trigger} was overtaken: {outcome} What the library did meanwhile is ignored.", rejected=outcome
            )

    def _require_capability(self, trigger: str) -> None:
        able = self._backend.capabilities
        if trigger == "rollback" and not able.rollback:
            raise NotSupportedError(
                f"{type(self._backend).__name__} can't roll back a description; close this connection, make a new one"
            )
        if trigger.endswith("pranswer") and not able.pranswer:
            raise NotSupportedError(f"{type(self._backend).__name__} knows no provisional answers; send a final answer")

    def _signaling_moved(self, _: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
        if isinstance(outcome, Accepted) and outcome.source is not outcome.target:
            self._emitter.emit("signalingstatechange")

    def _assert_open(self, operation: str) -> None:
        if self.negotiation.is_final:
            raise InvalidStateError(f"{operation}: this peer connection is closed; make a new one")

    # What the library reports.

    def reported(self, what: Report, transport: int, value: str) -> None:
        """A report for the observed machines; see `Transports`."""
        self._transports.reported(what, transport, value)

    def channel_announced(self, channel: ChannelBackend) -> None:
        """The other side made a data channel."""
        if self.negotiation.is_final:
            return
        adopted = self._adopt_channel(channel)
        self._emitter.emit("datachannel", adopted)
        adopted.opened()

    def track_added(self, track: Any) -> None:
        """The other side's track is there."""
        self._emitter.emit("track", track)

    def closed_by_library(self) -> None:
        """The library closed the connection by itself, as aiortc does when the other side is gone."""
        if not self.negotiation.is_final:
            self._shut()

    def _adopt_channel(self, backend: ChannelBackend) -> DataChannel:
        name = f"channel.{backend.label}"
        if any(other.label == backend.label for other in self._channels):
            name = f"channel.{len(self._channels) + 1}"
        channel = DataChannel(
            backend,
            self._machines.make(Channel, name),
            self._machines.make(Flow, f"{name}.flow", FlowLimits()),
        )
        self._channels.append(channel)
        return channel

    # The end.

    def _shut(self) -> None:
        """Every machine to closed, now; whoever still listens is told."""
        self.negotiation.close()
        self._chain.abandon(InvalidStateError("the peer connection was closed during this operation; make a new one"))
        for channel in self._channels:
            channel.connection_closed()
        self._transports.close()

    async def _close_backend(self) -> None:
        self._backend.detach()
        limit = self.configuration.close_timeout_seconds
        closing = asyncio.ensure_future(self._backend.close())
        done, _ = await asyncio.wait({closing}, timeout=limit)
        if not done:
            closing.cancel()
            logger.warning("%s: the library did not close within %g s; it is left behind", self.label, limit)
        elif (error := closing.exception()) is not None:
            logger.warning("%s: the library failed while closing: %s", self.label, error)
        await self._chain.settle(limit)
        self._machines.release()


def _default_backend(configuration: Configuration) -> Backend:
    from fsm_rtc.peer.aiortc_backend import AiortcBackend

    return AiortcBackend(configuration)

"""PeerConnection: the machines in front of a library's peer connection.

Negotiation is commanded (see `negotiator`), one operation at a time (see `chain`); the transports are observed (see
`transports`). Only `close` can come between the two steps of an operation.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from fsm_rtc.engine import Accepted, Chart, Journal
from fsm_rtc.engine.doors import told
from fsm_rtc.engine.own_thread import OwnThread, on_own_thread
from fsm_rtc.errors import InvalidModificationError, InvalidStateError, Rejected
from fsm_rtc.machines.connection_state import IceConnectionState, PeerConnectionState
from fsm_rtc.machines.data_channel import Channel, Flow, FlowLimits
from fsm_rtc.machines.gathering import IceGatheringState
from fsm_rtc.machines.ice import Ice, Ways
from fsm_rtc.machines.negotiation import Negotiation, SignalingState
from fsm_rtc.machines.remote_track import RemoteTrackStatus
from fsm_rtc.machines.transceiver import Transceiver
from fsm_rtc.peer.arguments import as_streams, check_direction, check_kind, kind_of
from fsm_rtc.peer.backend import Backend, ChannelBackend, ChannelOptions, Kind, Report, check_name
from fsm_rtc.peer.chain import OperationsChain
from fsm_rtc.peer.closing import Closing
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.descriptions import Descriptions
from fsm_rtc.peer.emitter import Callback, Emitter
from fsm_rtc.peer.ice_picture import IcePicture
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.peer.negotiation_need import NegotiationNeed
from fsm_rtc.peer.negotiator import Negotiator
from fsm_rtc.peer.profile import CALLS, Profile
from fsm_rtc.peer.transports import Transports

__all__ = ["PeerConnection"]

logger = logging.getLogger("fsm_rtc.peer")

T = TypeVar("T")

MAX_ANNOUNCED_CHANNELS = 1024
"""So many data channels of the other side may be open at once, as in libwebrtc; one more is closed, and counted."""


class PeerConnection:
    """One peer connection, every status of which is a machine.

    Args:
        configuration: servers and time limits; none and the defaults if None.
        backend: the library; aiortc if None.
        engine: ``compiled``, or ``transitions`` to let the machines be stepped by that library.
        journal: watches every machine of this connection.
        label: how its machines are called in the journal, e.g. ``offerer``.
        generation: of which of its owner's peer connections this one is; its machines carry it.
        profile: which habits it has; those of `Connection` if None.

    Attributes:
        negotiation: the RTCSignalingState machine.
        refused_channels: how many data channels of the other side were closed at once, since it had too many open.
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
        profile: Profile = CALLS,
    ) -> None:
        self.profile = profile
        if not isinstance(configuration, Configuration | None):
            raise TypeError(f"a configuration is a Configuration, not {type(configuration).__name__}")
        self.configuration = configuration or Configuration()
        self.label = label
        self.generation = generation
        self._machines = MachineSet(label, generation=generation, engine=engine, journal=journal)
        self._emitter = Emitter(
            "signalingstatechange",
            "icegatheringstatechange",
            "iceconnectionstatechange",
            "connectionstatechange",
            "icecandidate",
            "icecandidateerror",
            "negotiationneeded",
            "datachannel",
            "track",
        )
        self._chain = OperationsChain(lambda: self._need.chain_emptied())
        self._closing: Closing | None = None
        self._channels: list[DataChannel] = []
        self._own_thread = OwnThread()
        self._announced_channels = 0
        self.refused_channels = 0
        self._channels_made = self._tracks_made = self._transceivers_made = self._ice_made = 0
        descriptions = Descriptions()
        self.negotiation = self._machines.make(Negotiation, "negotiation", descriptions)
        self.negotiation.observe(self._signaling_moved)
        self._found: dict[IceCandidate, None] = {}
        self._backend = backend or _default_backend(self.configuration, profile)
        self._negotiator = Negotiator(self.negotiation, descriptions, self._backend)
        self._need = NegotiationNeed(
            self.negotiation,
            self._chain,
            self._backend.needs_negotiation,
            lambda: self._emitter.emit("negotiationneeded"),
        )
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
        return self._negotiator.descriptions.local

    @property
    def remote_description(self) -> SessionDescription | None:
        """The other side's description that was applied last."""
        return self._negotiator.descriptions.remote

    @property
    def descriptions(self) -> Descriptions:
        """The pending and the current descriptions of both sides, to read."""
        return self._negotiator.descriptions

    @property
    def local_candidates(self) -> tuple[IceCandidate, ...]:
        """The candidates that this side has found."""
        return tuple(self._found)

    @property
    def ice_pictures(self) -> tuple[IcePicture, ...]:
        """What each ICE agent has found and tried so far, on both sides."""
        return self._backend.ice_pictures()

    @property
    def negotiation_needed(self) -> bool:
        """Whether an offer is due: in stable, with a track, transceiver or data channel that is not negotiated yet."""
        return self._need.is_present

    @property
    def can_roll_back(self) -> bool:
        """Whether the pending description can be rolled back; in stable, whether an offer made now could be.

        Not every library can; where it can't, replace the connection by a new one.
        """
        return not self.negotiation.is_final and self._backend.can_roll_back()

    @property
    def data_channels(self) -> tuple[DataChannel, ...]:
        """The data channels that are not closed, made here or by the other side; of a closed connection, its last."""
        return tuple(self._channels)

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        """Every machine of this connection, by its label."""
        return self._machines.by_label()

    def __repr__(self) -> str:
        return f"<PeerConnection {self.label} {self.connection_state.value} {self.signaling_state.value}>"

    # What can be done with it.

    @on_own_thread
    def on(self, event: str, callback: Callback) -> Callable[[], None]:
        """Call `callback` at each `event` until the returned function is called; `close` ends it too.

        Events: ``signalingstatechange``, ``icegatheringstatechange``, ``iceconnectionstatechange``,
        ``connectionstatechange`` (no argument), ``icecandidate`` (an IceCandidate, or None when there are no more),
        ``icecandidateerror`` (what a server answered, or why it could not be used),
        ``negotiationneeded`` (no argument: an offer is due; told once until a negotiation is complete),
        ``datachannel`` (a DataChannel), ``track`` (an RTCTrackEvent).

        Raises:
            ValueError: there is no such event.
            TypeError: the callback is a coroutine function.
        """
        return self._emitter.on(event, callback)

    async def create_offer(self, *, ice_restart: bool = False) -> SessionDescription:
        """An offer for what this side has: its tracks, transceivers and data channels.

        Args:
            ice_restart: whether it has new ICE credentials, so that a new way to the other side is looked for.

        Raises:
            InvalidStateError: the table doesn't permit it now, or the connection is closed meanwhile.
            OperationError: the library failed.
        """
        return await self._chain.run(lambda: self._negotiator.create_offer(restart=ice_restart))

    async def create_answer(self) -> SessionDescription:
        """An answer to the other side's offer.

        Raises:
            InvalidStateError: there is no offer to answer, or the connection is closed meanwhile.
            OperationError: the library failed.
        """
        return await self._chain.run(self._negotiator.create_answer)

    async def set_local_description(self, description: SessionDescription | None = None) -> None:
        """Apply this side's description and gather candidates.

        Args:
            description: what create_offer or create_answer returned last; None makes and applies the one that is due.

        Raises:
            InvalidModificationError: it was changed since it was created.
            InvalidStateError: the table doesn't permit it now, or the connection is closed meanwhile.
            NotSupportedError: the library can't do it (a provisional answer; a rollback unless `can_roll_back`).
            NoUsableAddressError: the host has no address to gather.
            OperationError: the library failed.
        """
        if description is not None:
            _check_description(description)
        await self._chain.run(lambda: self._negotiator.set_local(description))
        await self._backend.gathered()

    async def set_remote_description(self, description: SessionDescription) -> None:
        """Apply the other side's description.

        Raises:
            InvalidStateError: the table doesn't permit it now, or the connection is closed meanwhile.
            InvalidDescriptionError: it is no usable SDP.
            NotSupportedError: the library can't do it (a provisional answer; a rollback, also the one that an offer in
                have-local-offer implies, unless `can_roll_back`).
            OperationError: the library failed.
        """
        _check_description(description)
        await self._chain.run(lambda: self._negotiator.set_remote(description))

    async def add_ice_candidate(self, candidate: IceCandidate | None) -> None:
        """Use a candidate of the other side; None says that there are no more.

        Raises:
            TypeError: it names neither a section's mid nor its index.
            InvalidStateError: there is no remote description yet, or the connection is closed.
            InvalidCandidateError: it can't be parsed.
            OperationError: the remote description has no such section.
        """
        if not isinstance(candidate, IceCandidate | None):
            raise TypeError(f"a candidate is an IceCandidate or None, not {type(candidate).__name__}; see from_dict")
        if (
            candidate is not None
            and candidate.candidate
            and candidate.sdp_mid is None
            and candidate.sdp_m_line_index is None
        ):
            raise TypeError("a candidate needs sdp_mid or sdp_m_line_index; pass the other side's candidate whole")
        self._assert_open("add_ice_candidate")
        await self._chain.run(lambda: self._negotiator.add_candidate(candidate))

    @on_own_thread
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
            id: the stream, 0 to 65534, of a negotiated channel; else the library chooses it.

        Raises:
            InvalidStateError: the connection is closed.
            ValueError: the options contradict each other, or a number is out of its range.
            TypeError: the label or the protocol has more than 65535 bytes.
        """
        check_name("label", label)
        options = ChannelOptions(ordered, max_retransmits, max_packet_life_time, protocol, negotiated, id)
        self._assert_open("create_data_channel")
        channel = self._adopt_channel(self._backend.create_data_channel(label, options))
        self._need.changed()
        return channel

    @on_own_thread
    def add_track(self, track: Any, *streams: Any) -> Any:
        """Send a track of the library's own kind (aiortc: a MediaStreamTrack); returns the library's sender.

        Args:
            track: the track.
            streams: the MediaStreams that the other side is told it belongs to.

        Raises:
            TypeError: it is no track, or a stream is none.
            InvalidStateError: the connection is closed.
            InvalidAccessError: the track is being sent already.
        """
        kind_of(track)
        streams = as_streams(streams)
        self._assert_open("add_track")
        sender = self._backend.add_track(track, streams)
        self._need.changed()
        return sender

    @on_own_thread
    def restart_ice(self) -> None:
        """Let the next offer look for a new way to the other side; ``negotiationneeded`` tells when it is due."""
        if not self.negotiation.is_final:
            self._backend.restart_ice()
            self._need.changed()

    @property
    def is_relayed(self) -> bool:
        """Whether a TURN server of this side's carries what is sent, or may, as long as no way is chosen."""
        return not self.negotiation.is_final and self._backend.is_relayed

    @on_own_thread
    def set_configuration(self, configuration: Configuration) -> None:
        """Use other servers and limits, from the next gathering on; `restart_ice` brings one about.

        Raises:
            InvalidStateError: the connection is closed.
            InvalidModificationError: the bundle policy is another one.
            ValueError: the library can't use a server; nothing is changed.

        Source: webrtc-pc, #dom-rtcpeerconnection-setconfiguration.
        """
        self._assert_open("set_configuration")
        given: object = configuration
        if not isinstance(given, Configuration):
            raise TypeError(f"configuration is {told(given)}; give fsm_rtc.Configuration(…)")
        if configuration.bundle_policy != self.configuration.bundle_policy:
            raise InvalidModificationError("bundle_policy can't be changed; make a new connection")
        self._backend.use_configuration(configuration)
        self.configuration = configuration

    @on_own_thread
    def add_transceiver(self, track_or_kind: Any, direction: str = "sendrecv", streams: Sequence[Any] = ()) -> Any:
        """Add a media section; returns the library's transceiver.

        Args:
            track_or_kind: a track to send, or ``audio`` or ``video``.
            direction: ``sendrecv``, ``sendonly``, ``recvonly`` or ``inactive``.
            streams: the MediaStreams that the other side is told the track belongs to.

        Raises:
            InvalidStateError: the connection is closed.
            TypeError: there is no such kind or direction.
        """
        check_kind(track_or_kind)
        check_direction(direction)
        streams = as_streams(streams)
        self._assert_open("add_transceiver")
        transceiver = self._backend.add_transceiver(track_or_kind, direction, streams)
        self._need.changed()
        return transceiver

    @on_own_thread
    def receive(self, *kinds: Kind) -> None:
        """Be ready to receive these kinds: a recvonly transceiver for each that has none yet."""
        for kind in kinds:
            check_kind(kind)
        self._assert_open("receive")
        present = self._backend.transceiver_kinds()
        for kind in kinds:
            if kind not in present:
                self._backend.add_transceiver(kind, "recvonly")
        self._need.changed()

    async def close(self) -> None:
        """Close the connection. Every machine is closed at once; pending operations raise InvalidStateError.

        Idempotent and cancellation-safe: a caller who is cancelled leaves the closing to go on.
        """
        await self.begin_closing()

    def begin_closing(self) -> Closing:
        """Close at once, and return what is left to do; it begins now, or when it is awaited if no loop runs now."""
        if self._closing is None:
            if not self.profile.close_tells:
                self._emitter.clear()
            if not self.negotiation.is_final:
                self._shut(tells_channels=self.profile.close_tells)
            self._emitter.clear()
            self._closing = Closing(self._close_backend, f"fsm_rtc close {self.label}")
        self._closing.begin()
        return self._closing

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
        if self._announced_channels >= MAX_ANNOUNCED_CHANNELS:
            self.refused_channels += 1
            channel.close()
            return
        adopted = self._adopt_channel(channel, announced=True)
        adopted.open_quietly()
        self._emitter.emit("datachannel", adopted)
        adopted.announce_open()

    def transport_added(self, transport: int) -> None:
        """There is a new transport."""
        if not self.negotiation.is_final:
            self._transports.added(transport)

    def transport_removed(self, transport: int) -> None:
        """A transport is not part of the connection any more."""
        if not self.negotiation.is_final:
            self._transports.removed(transport)

    def candidate_found(self, candidate: IceCandidate | None) -> None:
        """A local candidate; None when there are no more."""
        if self.negotiation.is_final:
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
        if not self.negotiation.is_final:
            self._emitter.emit("icecandidateerror", error)

    def track_status(self) -> RemoteTrackStatus:
        """The status of a new track of the other side."""
        self._tracks_made += 1
        name = "track" if self._tracks_made == 1 else f"track.{self._tracks_made}"
        machine = self._machines.make(RemoteTrackStatus, name)

        def ended(_: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
            if isinstance(outcome, Accepted) and machine.is_final and not self.negotiation.is_final:
                self._machines.forget(name)

        machine.observe(ended)
        return machine

    def negotiation_changed(self) -> None:
        """A negotiation may be needed."""
        self._need.changed()

    def track_added(self, event: Any) -> None:
        """The other side's track is there."""
        if not self.negotiation.is_final:
            self._emitter.emit("track", event)

    def transceiver_added(self) -> Transceiver:
        """The machine of a new transceiver."""
        self._transceivers_made += 1
        number = "" if self._transceivers_made == 1 else f"#{self._transceivers_made}"
        return self._machines.make(Transceiver, f"transceiver{number}")

    def transceiver_removed(self, status: Transceiver) -> None:
        """The transceiver of this machine is not part of the connection any more."""
        self._machines.forget_one(status)

    def ice_added(self, table: type[Ice], ways: Ways) -> Ice:
        """The machine of a new ICE transport."""
        self._ice_made += 1
        number = "" if self._ice_made == 1 else f"#{self._ice_made}"
        return self._machines.make(table, f"ice_transport{number}", ways)

    def ice_removed(self, machine: Ice) -> None:
        """Nothing is left of the ICE transport of this machine."""
        self._machines.forget_one(machine)

    def closed_by_library(self) -> None:
        """The library closed the connection by itself, as aiortc does when the other side is gone."""
        if not self.negotiation.is_final:
            self._shut()

    def _adopt_channel(self, backend: ChannelBackend, *, announced: bool = False) -> DataChannel:
        # The other side chooses its labels, and may choose one twice: the number keeps them apart in the journal.
        self._channels_made += 1
        number = "" if self._channels_made == 1 else f"#{self._channels_made}"
        name = f"channel{number}.{backend.label}"
        machine = self._machines.make(Channel, name)
        channel = DataChannel(backend, machine, self._machines.make(Flow, f"{name}.flow", FlowLimits()))
        self._channels.append(channel)
        self._announced_channels += announced

        def ended(_: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
            if isinstance(outcome, Accepted) and machine.is_final and not self.negotiation.is_final:
                self._channels.remove(channel)
                self._announced_channels -= announced
                self._machines.forget(name, f"{name}.flow")

        machine.observe(ended)
        return channel

    # The end.

    def _shut(self, *, tells_channels: bool = True) -> None:
        """Every machine to closed, now; whoever still listens is told."""
        self.negotiation.close()
        self._chain.abandon(InvalidStateError("the peer connection was closed during this operation; make a new one"))
        for channel in self._channels:
            channel.connection_closed(tells=tells_channels)
        self._transports.close()
        self._backend.shut()

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


def _check_description(description: object) -> None:
    if not isinstance(description, SessionDescription):
        raise TypeError(f"a description is a SessionDescription, not {type(description).__name__}; see from_dict")


def _default_backend(configuration: Configuration, profile: Profile) -> Backend:
    from fsm_rtc.peer.aiortc_backend import AiortcBackend

    return AiortcBackend(configuration, profile)

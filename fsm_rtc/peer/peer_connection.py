"""PeerConnection: the machines in front of a library's peer connection.

Theory. Negotiation is commanded: an operation waits for its turn in the chain (`chain`), the `Negotiation` table is
asked, the backend applies, and then the same trigger happens (`negotiator`). The other methods are triggers of `Api`,
done at the call. What the library reports is observed: it steps machines that can't refuse reality (`reported`).

What holds:

- Nothing reaches the library that a table refuses, and what fails in the library changes no state.
- Only `close` can come between the two steps of an operation; the operation's result is ignored then.
- At `close`, and before it suspends, every machine is closed and every waiting operation refused. The library has
  `close_timeout_seconds` to follow, in a task that goes on when the caller is cancelled; then it is left behind.
- A callback that raises is logged; the other callbacks are called all the same.
- Methods belong to the thread whose loop runs the connection (`on_own_thread`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from fsm_rtc.engine import Accepted, Chart, Journal
from fsm_rtc.engine.doors import told
from fsm_rtc.engine.own_thread import OwnThread, on_own_thread
from fsm_rtc.errors import InvalidModificationError, InvalidStateError, Rejected
from fsm_rtc.machines.api import RestartIce, Shut, TellShut
from fsm_rtc.machines.negotiation import UpdateNegotiationNeeded
from fsm_rtc.machines.negotiation_needed import NegotiationNeeded
from fsm_rtc.peer.arguments import as_streams, check_direction, check_kind, kind_of
from fsm_rtc.peer.backend import Backend, ChannelOptions, Kind, check_name
from fsm_rtc.peer.chain import OperationsChain
from fsm_rtc.peer.closing import Closing
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.emitter import Callback
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.peer.ice_snapshot import IceSnapshot
from fsm_rtc.peer.machine_set import carry_out
from fsm_rtc.peer.negotiator import NegotiationNeed, Negotiator
from fsm_rtc.peer.reported import ReportedPeer, Transports
from fsm_rtc.peer.w3c.profile import CALLS, Profile

logger = logging.getLogger("fsm_rtc.peer")

T = TypeVar("T")


class PeerConnection(ReportedPeer):
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
        api: the machine that permits the methods beside those of negotiation.
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
        if not isinstance(configuration, Configuration | None):
            raise TypeError(f"a configuration is a Configuration, not {type(configuration).__name__}")
        self.configuration = configuration or Configuration()
        super().__init__(
            backend or _default_backend(self.configuration, profile),
            label=label,
            generation=generation,
            engine=engine,
            journal=journal,
            profile=profile,
        )
        self._chain = OperationsChain(lambda: self._need.flag.on_chain_empty())
        self._closing = Closing(self._close_backend, f"fsm_rtc close {label}")
        self._own_thread = OwnThread()
        self.negotiation.observe(self._signaling_moved)
        carry_out(
            self.api,
            {
                RestartIce: lambda _: self._begin_restart(),
                Shut: lambda _: self._shut(tells=self.profile.close_tells),
                TellShut: lambda _: self._shut(tells=True),
            },
        )
        self._negotiator = Negotiator(self.negotiation, self.api, self.descriptions, self._backend)
        self._need = NegotiationNeed(
            lambda need: self._machines.make(NegotiationNeeded, "negotiation_needed", need),
            self.negotiation,
            self._chain,
            self._backend.needs_negotiation,
            lambda: self._emitter.emit("negotiationneeded"),
        )
        self._transports = Transports(self._machines, self._backend.read, self._listens, self._emitter.emit)
        self._backend.attach(self)

    # What it is.

    local_description = Forwarded[SessionDescription | None]("descriptions.local")
    """The description that this side applied last, with the candidates found so far."""

    remote_description = Forwarded[SessionDescription | None]("descriptions.remote")
    """The other side's description that was applied last."""

    @property
    def ice_snapshots(self) -> tuple[IceSnapshot, ...]:
        """What each ICE agent has found and tried so far, on both sides."""
        return self._backend.ice_snapshots()

    @property
    def negotiation_needed(self) -> bool:
        """Whether an offer is due: in stable, with a track, transceiver or data channel that is not negotiated yet."""
        return self._need.is_present

    @property
    def can_roll_back(self) -> bool:
        """Whether the pending description can be rolled back; in stable, whether an offer made now could be.

        Not every library can; where it can't, replace the connection by a new one.
        """
        return self._listens() and self._backend.can_roll_back()

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
        self.demand("chain")
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
        with self.doing("create_data_channel"):
            channel = self._adopt_channel(self._backend.create_data_channel(label, options))
        self._need.flag.update()
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
        with self.doing("add_track"):
            sender = self._backend.add_track(track, streams)
        self._need.flag.update()
        return sender

    @on_own_thread
    def restart_ice(self) -> None:
        """Let the next offer look for a new way to the other side; ``negotiationneeded`` tells when it is due."""
        self.api.restart_ice()

    @property
    def is_relayed(self) -> bool:
        """Whether a TURN server of this side's carries what is sent, or may, as long as no way is chosen."""
        return self._listens() and self._backend.is_relayed

    @on_own_thread
    def set_configuration(self, configuration: Configuration) -> None:
        """Use other servers and limits, from the next gathering on; `restart_ice` brings one about.

        Raises:
            InvalidStateError: the connection is closed.
            InvalidModificationError: the bundle policy is another one.
            ValueError: the library can't use a server; nothing is changed.

        Source: webrtc-pc, #dom-rtcpeerconnection-setconfiguration.
        """
        self.demand("set_configuration")
        given: object = configuration
        if not isinstance(given, Configuration):
            raise TypeError(f"configuration is {told(given)}; give fsm_rtc.Configuration(…)")
        if configuration.bundle_policy != self.configuration.bundle_policy:
            raise InvalidModificationError("bundle_policy can't be changed; make a new connection")
        with self.doing("set_configuration"):
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
        with self.doing("add_transceiver"):
            transceiver = self._backend.add_transceiver(track_or_kind, direction, streams)
        self._need.flag.update()
        return transceiver

    @on_own_thread
    def receive(self, *kinds: Kind) -> None:
        """Be ready to receive these kinds: a recvonly transceiver for each that has none yet."""
        for kind in kinds:
            check_kind(kind)
        with self.doing("add_transceiver"):
            present = self._backend.transceiver_kinds()
            for kind in kinds:
                if kind not in present:
                    self._backend.add_transceiver(kind, "recvonly")
        self._need.flag.update()

    async def close(self) -> None:
        """Close the connection. Every machine is closed at once; pending operations raise InvalidStateError.

        Idempotent and cancellation-safe: a caller who is cancelled leaves the closing to go on.
        """
        await self.begin_closing()

    def begin_closing(self) -> Closing:
        """Close at once, and return what is left to do; it begins now, or when it is awaited if no loop runs now."""
        self.api.close()
        self._emitter.clear()
        self._closing.begin()
        return self._closing

    def _signaling_moved(self, _: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
        if isinstance(outcome, Rejected):
            return
        for effect in outcome.effects:
            if isinstance(effect, UpdateNegotiationNeeded):
                self._need.returned_to_stable()
        if outcome.source is not outcome.target:
            self._emitter.emit("signalingstatechange")

    def _begin_restart(self) -> None:
        self._backend.restart_ice()
        self._need.flag.update()

    def demand(self, method: str) -> None:
        """Refuse a method, a trigger of `Api`, that the table doesn't permit now.

        Raises:
            InvalidStateError: the connection is closed.
        """
        verdict = self.api.permits(method)
        if isinstance(verdict, Rejected):
            self.api.fire(method)  # into the journal
            raise InvalidStateError(f"{method}: this peer connection is closed; make a new one", rejected=verdict)

    @contextmanager
    def doing(self, method: str) -> Iterator[None]:
        """Do what a method is for: if the table permits it, and as an event of the table once it is done."""
        self.demand(method)
        yield
        self.api.fire(method)

    def negotiation_changed(self) -> None:
        """A negotiation may be needed."""
        self._need.flag.update()

    # The end.

    def _shut(self, *, tells: bool) -> None:
        """Every machine to closed, now; those that still listen are told."""
        if not tells:
            self._emitter.clear()
        self.negotiation.close()
        self._need.flag.close()
        self._chain.abandon(InvalidStateError("the peer connection was closed during this operation; make a new one"))
        for channel in self._channels:
            channel.connection_closed(tells=tells)
        self._transports.close()
        self._backend.shut()

    async def _close_backend(self) -> None:
        self._backend.detach()
        limit = self.configuration.close_timeout_seconds
        # In a task: the library may hang in its own goodbye (aiortc 283), and is left behind then.
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
    from fsm_rtc.peer.aiortc.backend import AiortcBackend

    return AiortcBackend(configuration, profile)

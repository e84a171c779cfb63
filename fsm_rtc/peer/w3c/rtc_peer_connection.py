"""RTCPeerConnection: a `PeerConnection` under the specification's names, with aiortc's types.

Two profiles of one implementation: `fsm_rtc.RTCPeerConnection` is webrtc-pc to the letter, and
`fsm_rtc.aiortc.RTCPeerConnection` keeps the habits that aiortc's users rely on. Source: webrtc-pc,
#rtcpeerconnection-interface.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar

import aiortc

from fsm_rtc.engine import Journal
from fsm_rtc.errors import InvalidAccessError
from fsm_rtc.machines.data_channel import FireClose, FireOpen
from fsm_rtc.peer.aiortc.backend import AiortcBackend
from fsm_rtc.peer.arguments import DIRECTIONS, KINDS, as_streams, kind_of
from fsm_rtc.peer.backend import RTCTrackEvent
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.peer.machine_set import carry_out
from fsm_rtc.peer.peer_connection import PeerConnection
from fsm_rtc.peer.reported import CHANGES
from fsm_rtc.peer.sdp import read
from fsm_rtc.peer.statistics.report import report_of, rtp_statistics, selected
from fsm_rtc.peer.w3c.profile import SPECIFICATION, Profile
from fsm_rtc.peer.w3c.rtc_configuration import Fixed, RTCConfiguration, as_configuration
from fsm_rtc.peer.w3c.rtc_data_channel import EventTarget, RTCDataChannel
from fsm_rtc.peer.w3c.rtc_errors import BadArgumentError, BadKindError, argued, specified
from fsm_rtc.peer.w3c.rtc_ice_candidate import (
    RTCIceCandidate,
    RTCPeerConnectionIceEvent,
    RTCSessionDescription,
    as_candidate,
)


def _as_aiortc(description: SessionDescription | None) -> Any:
    return RTCSessionDescription(description.sdp, description.type) if description is not None else None


class RTCDataChannelEvent:
    """What ``datachannel`` tells.

    Attributes:
        channel: the RTCDataChannel.
    """

    def __init__(self, channel: RTCDataChannel) -> None:
        self.channel = channel


class RTCPeerConnection(EventTarget):
    """A connection to another peer, as the specification has it.

    Args:
        configuration: an RTCConfiguration, aiortc's or ours, or None.
        engine: ``compiled``, or ``transitions`` to let the machines be stepped by that library.
        journal: watches every machine of this connection.
        label: how its machines are called in the journal.

    Events: ``signalingstatechange``, ``icegatheringstatechange``, ``iceconnectionstatechange``,
    ``connectionstatechange``, ``negotiationneeded`` (no argument), ``icecandidate`` (an RTCPeerConnectionIceEvent),
    ``icecandidateerror`` (with url, address, port, errorCode, errorText), ``track`` (an RTCTrackEvent) and
    ``datachannel`` (an RTCDataChannelEvent).

    Attributes:
        peer: the `PeerConnection`, with its machines.

    Raises:
        UrlSyntaxError: a URL is none of a STUN or TURN server, or a server has none.
        CredentialsError: a TURN server has no username or no credential.
        TypeError: a value of the configuration is of no kind that it can be.
    """

    profile: ClassVar[Profile] = SPECIFICATION
    default_servers: ClassVar[tuple[aiortc.RTCIceServer, ...]] = ()

    def __init__(
        self,
        configuration: aiortc.RTCConfiguration | None = None,
        *,
        engine: str = "compiled",
        journal: Journal | None = None,
        label: str = "peer",
    ) -> None:
        super().__init__()
        self._configuration = RTCConfiguration() if configuration is None else configuration
        with specified():
            settings = as_configuration(configuration, list(self.default_servers))
        self._fixed = Fixed.of(self._configuration)
        self._backend = AiortcBackend(settings, self.profile)
        self.peer = PeerConnection(
            settings, backend=self._backend, engine=engine, journal=journal, label=label, profile=self.profile
        )
        self._channels: dict[int, RTCDataChannel] = {}
        self._opened = self._closed = 0
        for change in CHANGES:
            self.peer.on(change, lambda change=change: self.emit(change))
        self.peer.on("icecandidate", self._found)
        self.peer.on("icecandidateerror", lambda error: self.emit("icecandidateerror", error))
        self.peer.on("datachannel", self._announced)
        self.peer.on("track", self._track_came)

    # What it is.

    signalingState = Forwarded[str]("peer.signaling_state.value")
    """RTCSignalingState."""

    iceGatheringState = Forwarded[str]("peer.ice_gathering_state.value")
    """RTCIceGatheringState."""

    iceConnectionState = Forwarded[str]("peer.ice_connection_state.value")
    """RTCIceConnectionState."""

    connectionState = Forwarded[str]("peer.connection_state.value")
    """RTCPeerConnectionState."""

    localDescription = Forwarded[Any]("peer.descriptions.local", _as_aiortc)
    """An aiortc RTCSessionDescription: this side's, pending or current, with the candidates found; or None."""

    currentLocalDescription = Forwarded[Any]("peer.descriptions.current_local", _as_aiortc)
    """This side's of the last complete negotiation, or None."""

    pendingLocalDescription = Forwarded[Any]("peer.descriptions.pending_local", _as_aiortc)
    """This side's of the negotiation under way, or None."""

    remoteDescription = Forwarded[Any]("peer.descriptions.remote", _as_aiortc)
    """The other side's, pending or current, with the candidates added; or None."""

    currentRemoteDescription = Forwarded[Any]("peer.descriptions.current_remote", _as_aiortc)
    """The other side's of the last complete negotiation, or None."""

    pendingRemoteDescription = Forwarded[Any]("peer.descriptions.pending_remote", _as_aiortc)
    """The other side's of the negotiation under way, or None."""

    @property
    def canTrickleIceCandidates(self) -> bool | None:
        """Whether the other side takes candidates later; None before its description is there."""
        remote = self.peer.descriptions.applied_remote
        return read(remote).trickles if remote is not None else None

    @property
    def sctp(self) -> Any:
        """The RTCSctpTransport; None until data channels are negotiated."""
        sctp = self._backend.media.sctp
        is_there = sctp is not None and (sctp.mid is not None or self.profile.shows_transports_early)
        return sctp if is_there else None

    def getConfiguration(self) -> aiortc.RTCConfiguration:
        """What it was made with, or setConfiguration was given."""
        return self._configuration

    def setConfiguration(self, configuration: aiortc.RTCConfiguration | None = None) -> None:
        """Use other servers, from the next gathering on; an ICE restart brings one about.

        Raises:
            InvalidStateError: the connection is closed.
            InvalidModificationError: the bundle policy or a certificate is another one, or, once there was a local
                description, the candidate pool's size.
            UrlSyntaxError, CredentialsError, TypeError: as for the constructor; nothing is changed.
        """
        with specified(), self.peer.doing("set_configuration"):
            given = RTCConfiguration() if configuration is None else configuration
            settings = as_configuration(given, list(self.default_servers))
            fixed = Fixed.of(given)
            self._fixed.check(fixed, has_local=self.peer.local_description is not None)
            self._backend.use_configuration(settings)
            self._configuration, self._fixed = given, fixed

    # Offers and answers.

    async def createOffer(self, iceRestart: bool = False) -> RTCSessionDescription:
        """An offer for what this side has.

        Args:
            iceRestart: whether it has new ICE credentials.

        Raises:
            InvalidStateError: it is not possible in this signaling state, or the connection is closed.
        """
        with specified():
            made = await self.peer.create_offer(ice_restart=iceRestart)
        return RTCSessionDescription(made.sdp, made.type)

    async def createAnswer(self) -> RTCSessionDescription:
        """An answer to the other side's offer.

        Raises:
            InvalidStateError: there is no offer to answer, or the connection is closed.
        """
        with specified():
            made = await self.peer.create_answer()
        return RTCSessionDescription(made.sdp, made.type)

    async def setLocalDescription(self, sessionDescription: Any = None) -> None:
        """Apply this side's description, or make and apply the one that is due.

        Args:
            sessionDescription: what createOffer or createAnswer returned last; a rollback; or None. A dictionary with
                ``type`` and ``sdp`` will do, here and in setRemoteDescription.

        Raises:
            InvalidModificationError: it was changed since it was created.
            InvalidStateError: it is not possible in this signaling state, or the connection is closed.
        """
        with specified():
            await self.peer.set_local_description(self._as_local(sessionDescription))

    async def setRemoteDescription(self, sessionDescription: Any) -> None:
        """Apply the other side's description.

        Raises:
            InvalidStateError: it is not possible in this signaling state, or the connection is closed.
            RTCError: it is no SDP.
            InvalidAccessError: it is no answer to this side's offer, or doesn't multiplex RTCP.
            OperationError: it can't be applied.
        """
        with specified():
            description = _as_description(sessionDescription)
            if description is None or description.type is None:
                raise BadArgumentError("a remote description needs a type: offer, pranswer, answer or rollback")
            await self.peer.set_remote_description(SessionDescription(description.type, description.sdp or ""))

    async def addIceCandidate(self, candidate: Any = None) -> None:
        """Use a candidate of the other side.

        Args:
            candidate: an RTCIceCandidate, aiortc's or ours, or a dictionary; None or an empty one if there are no more.

        Raises:
            TypeError: it names neither a section's mid nor its index.
            InvalidStateError: there is no remote description yet, or the connection is closed.
            OperationError: it can't be read, or there is no such section or user fragment.
        """
        with specified():
            await self.peer.add_ice_candidate(as_candidate(candidate))

    def restartIce(self) -> None:
        """Let the next offer look for a new way to the other side."""
        self.peer.restart_ice()

    # Media and data.

    def createDataChannel(
        self,
        label: str,
        maxPacketLifeTime: int | None = None,
        maxRetransmits: int | None = None,
        ordered: bool = True,
        protocol: str = "",
        negotiated: bool = False,
        id: int | None = None,  # noqa: A002 - RTCDataChannelInit's own name
    ) -> RTCDataChannel:
        """Make a data channel; the first one is announced by the next offer.

        Raises:
            InvalidStateError: the connection is closed.
            TypeError: the options contradict each other, or a number is out of its range.
            OperationError: another channel has this id.
        """
        if maxPacketLifeTime is not None and maxRetransmits is not None:
            raise BadArgumentError("Cannot specify both maxPacketLifeTime and maxRetransmits")
        with specified():
            self.peer.demand("create_data_channel")
            with argued():
                channel = self.peer.create_data_channel(
                    label,
                    ordered=ordered,
                    max_retransmits=maxRetransmits,
                    max_packet_life_time=maxPacketLifeTime,
                    protocol=protocol,
                    negotiated=negotiated,
                    id=id,
                )
        return self._channel(channel)

    def addTrack(self, track: Any, *streams: Any) -> Any:
        """Send a track; returns its RTCRtpSender.

        Raises:
            InvalidStateError: the connection is closed.
            InvalidAccessError: the track is being sent already.
            TypeError: it is no track, or of no such kind.
        """
        with specified():
            self.peer.demand("add_track")
            self._check_track(track)
            with argued():
                return self.peer.add_track(track, *streams)

    def removeTrack(self, sender: Any) -> None:
        """Stop sending a sender's track.

        Raises:
            InvalidStateError: the connection is closed.
            InvalidAccessError: the sender is another connection's.
        """
        with specified(), self.peer.doing("remove_track"):
            owners = [one for one in self.getTransceivers() if one.sender is sender]
            if not owners and not any(sender is one for one in self._backend.media.former_senders):
                raise InvalidAccessError("this sender belongs to another connection")
            for transceiver in owners:
                if sender.track is not None and not transceiver.is_stopping:
                    sender.replaceTrack(None)
                    transceiver.remove_sending()
                    self._backend.events.negotiation_changed()

    def addTransceiver(self, trackOrKind: Any, direction: str = "sendrecv", streams: Iterable[Any] = ()) -> Any:
        """Add a media section; returns its RTCRtpTransceiver.

        Raises:
            InvalidStateError: the connection is closed.
            InvalidAccessError: the track is being sent already.
            TypeError: there is no such kind or direction.
        """
        if isinstance(trackOrKind, str):
            self._check_kind(trackOrKind)
        else:
            self._check_track(trackOrKind)
        if direction not in DIRECTIONS:
            raise BadKindError(f'Invalid direction "{direction}"')
        with specified():
            self.peer.demand("add_transceiver")
            with argued():
                return self.peer.add_transceiver(trackOrKind, direction, as_streams(streams))

    def getTransceivers(self) -> list[Any]:
        """The RTCRtpTransceivers, in the order in which they were added."""
        return list(self._backend.media.transceivers)

    def getSenders(self) -> list[Any]:
        """The RTCRtpSenders of the transceivers that are not stopped."""
        return [one.sender for one in self.getTransceivers() if not one.stopped_for_both]

    def getReceivers(self) -> list[Any]:
        """The RTCRtpReceivers of the transceivers that are not stopped."""
        return [one.receiver for one in self.getTransceivers() if not one.stopped_for_both]

    async def getStats(self, selector: Any = None) -> Any:
        """Statistics, as an aiortc RTCStatsReport: a mapping of ids to objects of the specification's types.

        Args:
            selector: a track that is sent or received, for what belongs to it alone; None for everything.

        Raises:
            InvalidAccessError: no one sender or receiver has this track.
        """
        media = self._backend.media
        transceivers = self.getTransceivers()
        if selector is not None:
            users = [one for one in (*self.getSenders(), *self.getReceivers()) if one.track is selector]
            if len(users) != 1:
                with specified():
                    raise InvalidAccessError("the selector is no track of exactly one sender or receiver")
        rtp = await rtp_statistics(transceivers)
        if self.profile.rtp_statistics_only:
            return rtp
        report = report_of(
            connection_id=f"connection_{self.peer.label}",
            transports=[path.dtls for path in media.paths if path.is_visible],
            sctp=self.sctp,
            channels=list(self._channels.values()),
            transceivers=transceivers,
            rtp=rtp,
            opened=self._opened,
            closed=self._closed,
            now=datetime.now(UTC),
        )
        return report if selector is None else selected(report, selector)

    # Its end.

    def close(self) -> Awaitable[None]:
        """Close the connection. It is closed at the call; await the result to wait until nothing of it is left."""
        return self.peer.begin_closing()

    # What happens.

    def _found(self, candidate: IceCandidate | None) -> None:
        found = None
        if candidate is not None:
            section = candidate.sdp_mid, candidate.sdp_m_line_index
            found = RTCIceCandidate(candidate.candidate, *section, candidate.username_fragment)
        self.emit("icecandidate", RTCPeerConnectionIceEvent(found))

    def _announced(self, channel: DataChannel) -> None:
        adopted = self._channel(channel)
        self.emit("datachannel", adopted if self.profile.plain_events else RTCDataChannelEvent(adopted))

    def _track_came(self, event: RTCTrackEvent) -> None:
        self.emit("track", event.track if self.profile.plain_events else event)

    def _channel(self, channel: DataChannel) -> RTCDataChannel:
        adopted = RTCDataChannel(channel, self._backend.media.sctp)
        self._channels[id(channel)] = adopted

        def closed() -> None:
            self._closed += 1
            del self._channels[id(channel)]

        def opened() -> None:
            self._opened += 1

        carry_out(channel.machine, {FireOpen: lambda _: opened(), FireClose: lambda _: closed()})
        return adopted

    def _check_track(self, track: object) -> None:
        if not hasattr(track, "kind"):
            with argued():
                kind_of(track)
        self._check_kind(getattr(track, "kind", None))

    def _check_kind(self, kind: object) -> None:
        if not isinstance(kind, str) or kind not in KINDS:
            raise BadKindError(f'Invalid track kind "{str(kind)[:80]}"')

    def _as_local(self, description: Any) -> SessionDescription | None:
        """What setLocalDescription was given; one without a type gets the type that is due."""
        description = _as_description(description)
        if description is None or (description.type is None and not description.sdp):
            return None
        kind = description.type
        if kind is None:
            due = self.peer.negotiation.permits("set_local_description")
            kind = "answer" if due.trigger == "set_local_answer" else "offer"
        return SessionDescription(kind, description.sdp or "")


def _as_description(given: Any) -> Any:
    """What a description method was given, in the form of an RTCSessionDescription."""
    if given is None or (hasattr(given, "type") and hasattr(given, "sdp")):
        return given
    if isinstance(given, dict) and given.keys() & {"type", "sdp"}:
        return RTCSessionDescription(given.get("sdp", ""), given.get("type"))
    raise BadArgumentError(
        f"a description is an RTCSessionDescription, or what its toJSON gives, not {type(given).__name__}; "
        "read JSON text with json.loads"
    )

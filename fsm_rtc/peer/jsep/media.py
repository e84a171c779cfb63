"""What a session sends and receives over: its transceivers, the data channels' transport, those beneath.

Each of them uses a transport (`path`), which a description may change until it has begun (`has_begun`). Transports that
nothing uses any more are stopped and forgotten. `start_media` starts what is negotiated once its transport is secure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from typing import Any, Protocol
from weakref import WeakSet

import aiortc
from aiortc import rtcrtpparameters as rtp
from aiortc.codecs import is_rtx

from fsm_rtc.errors import InvalidAccessError
from fsm_rtc.machines.descriptions import Slots
from fsm_rtc.peer.backend import BackendEvents
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.directions import receives, sends
from fsm_rtc.peer.ice import IceGatherer, servers_of
from fsm_rtc.peer.jsep.receiver import RTCRtpReceiver
from fsm_rtc.peer.jsep.sections import groups_of, is_rejected
from fsm_rtc.peer.jsep.transceiver import RTCRtpSender, RTCRtpTransceiver
from fsm_rtc.peer.jsep.transport import Certificate, SctpTransport, Transport
from fsm_rtc.peer.w3c.profile import Profile

User = RTCRtpTransceiver | SctpTransport
"""What a media section stands for."""


class MediaOwner(Protocol):
    """The session that this is the media of.

    Attributes:
        events: makes the machines, and is told when they go.
    """

    events: BackendEvents

    def path_shown(self, path: Transport) -> None:
        """A description brought a transport into being, or it went."""

    def connected(self, path: Transport) -> None:
        """The DTLS of a transport is connected."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do the work in a task that the session owns."""


class Media:
    """The transceivers, the SCTP transport and the transports of a session.

    Args:
        configuration: how they find their way.
        profile: which habits they have.
        session: whose they are.

    Attributes:
        transceivers: in the order in which they were added.
        sctp: the data channels' transport, or None.
        paths: every transport that is not given up.
        former_senders: those of the transceivers that are not part of the session any more, while somebody holds them.
    """

    def __init__(self, configuration: Configuration, profile: Profile, session: MediaOwner) -> None:
        self.use_configuration(configuration)
        self.profile = profile
        self.transceivers: list[RTCRtpTransceiver] = []
        self.sctp: SctpTransport | None = None
        self.paths: list[Transport] = []
        self.former_senders: WeakSet[RTCRtpSender] = WeakSet()
        self._bundled: Transport | None = None
        self.certificates = [Certificate.generateCertificate()]
        self._session = session
        self.spawn = session.spawn

    def use_configuration(self, configuration: Configuration) -> None:
        """Use its servers from the next gathering on.

        Raises:
            ValueError: aiortc can't use a server; nothing is changed.
        """
        self._servers = servers_of(configuration.ice_servers)
        self.configuration = configuration

    def transceiver_changed(self) -> None:
        """A negotiation may be needed."""
        self._session.events.negotiation_changed()

    # Making.

    def add_transceiver(
        self, track_or_kind: Any, direction: str, streams: Iterable[Any] = (), path: Transport | None = None
    ) -> RTCRtpTransceiver:
        """A new transceiver, over this transport or the one that is due."""
        kind = track_or_kind if isinstance(track_or_kind, str) else track_or_kind.kind
        return self.take(self.make_transceiver(track_or_kind, direction, streams, path or self._path_for(kind)))

    def make_transceiver(
        self, track_or_kind: Any, direction: str, streams: Iterable[Any], path: Transport
    ) -> RTCRtpTransceiver:
        """A transceiver that is not the session's yet; making aiortc's sender and receiver takes some 0.2 ms."""
        kind = track_or_kind if isinstance(track_or_kind, str) else track_or_kind.kind
        habit = self.profile.tracks_end_with_sender
        return RTCRtpTransceiver(
            RTCRtpSender(
                track_or_kind, path, self, self._session.events.transceiver_added(), streams, stops_track=habit
            ),
            RTCRtpReceiver(kind, path, lambda: self._session.events.track_status(), ends_with_sender=habit),
            direction,
            self.profile,
            self,
        )

    def take(self, transceiver: RTCRtpTransceiver) -> RTCRtpTransceiver:
        """Let a transceiver be one of the session's."""
        self.transceivers.append(transceiver)
        self._show_early(transceiver.sender.path)
        return transceiver

    def make_sctp(self, path: Transport | None = None) -> SctpTransport:
        """The data channels' transport, made if there is none, over this one or the one that is due."""
        if self.sctp is None:
            self.sctp = SctpTransport(path or self._path_for("application"))
            self._show_early(self.sctp.path)
        return self.sctp

    def make_gatherer(self, credentials: Any = None) -> IceGatherer:
        """A gatherer that has not begun.

        Args:
            credentials: aiortc RTCIceParameters to share with another one, or None for new ones.
        """
        configuration = self.configuration
        return IceGatherer(
            iceServers=self._servers,
            iceTransportPolicy=aiortc.RTCIceTransportPolicy(configuration.ice_transport_policy),
            local_username=credentials.usernameFragment if credentials is not None else None,
            local_password=credentials.password if credentials is not None else None,
            timeout_seconds=configuration.gather_timeout_seconds,
            loopback=configuration.loopback,
        )

    def make_path(self) -> Transport:
        """A transport with the credentials of the others."""
        credentials = self.paths[0].gatherer.getLocalParameters() if self.paths else None
        path = Transport(
            self.make_gatherer(credentials),
            self.certificates,
            lambda: self._session.connected(path),
            lambda ways: self._session.events.ice_added(self.profile.ice, ways),
        )
        self.paths.append(path)
        return path

    def shared_path(self, mid: str, read: Any, shared: dict[str, Transport]) -> Transport:
        """The transport of a section that the other side has brought: its group's, or its own.

        Args:
            mid: of that section.
            read: the offer.
            shared: what this function has found for the offer's mids so far; filled here.
        """
        if not shared:
            users = self.by_mid()
            for mids in groups_of(read):
                present = (users[one].path for one in mids if one in users)
                shared.update(dict.fromkeys(mids, next(present, None) or self.make_path()))
        if mid not in shared:
            shared[mid] = self.make_path()
        return shared[mid]

    def _path_for(self, kind: str) -> Transport:
        """The transport of a new section: the one that an answer has bundled the others to, or as the policy has it.

        Beside sections that an answer has left unbundled it is a new one.
        """
        policy = self.configuration.bundle_policy
        if self._bundled in self.paths:
            return self._bundled
        if any(path.remote is not None for path in self.paths):
            return self.make_path()
        if policy == "max-bundle":
            shared = next((user.path for user in self.users()), None)
        elif policy == "balanced":
            same = (one for one in self.transceivers if one.kind == kind and not one.stopped_for_both)
            shared = next((one.sender.path for one in same), None)
        else:
            shared = None
        return shared or self.make_path()

    def _show_early(self, path: Transport) -> None:
        # It can be looked at; it counts as the connection's when a description has it.
        path.is_visible = path.is_visible or self.profile.shows_transports_early

    def remove(self, transceiver: RTCRtpTransceiver) -> None:
        """A transceiver is not part of the session any more."""
        self.transceivers.remove(transceiver)
        self.former_senders.add(transceiver.sender)
        self._session.events.transceiver_removed(transceiver.status)

    # Finding.

    def users(self) -> Iterator[User]:
        """What uses a transport."""
        yield from (one for one in self.transceivers if not one.stopped_for_both)
        if self.sctp is not None:
            yield self.sctp

    def by_mid(self) -> dict[str, User]:
        """What the sections stand for, by their mids."""
        return {user.mid: user for user in self.users() if user.mid is not None}

    def transceivers_by_mid(self) -> dict[str, RTCRtpTransceiver]:
        """The transceivers that have a section, stopped or not, by its mid."""
        return {one.mid: one for one in self.transceivers if one.mid is not None}

    def first_sections(self) -> dict[Transport, tuple[str | None, int | None]]:
        """The mid and the index of the first section that uses each transport."""
        described = [(user.line, user.mid, user.path) for user in self.users() if user.line is not None]
        return {path: (mid, line) for line, mid, path in sorted(described, key=lambda one: -one[0])}

    # Changing.

    def show(self, path: Transport) -> None:
        """A description brings a transport into being."""
        if not path.is_described:
            path.is_visible = path.is_described = True
            self._session.path_shown(path)

    def bundle(self, groups: Sequence[Sequence[str]]) -> None:
        """Let the sections of each group use its first one's transport; give up those that nobody uses any more.

        A section that is added later uses the first group's, and so does what no description holds yet.
        """
        by_mid = self.by_mid()
        self._bundled = None
        for mids in groups:
            users = [by_mid[mid] for mid in mids if mid in by_mid]
            for user in users:
                if user.path is not users[0].path:
                    user.use(users[0].path)
            if users:
                self._bundled = self._bundled or users[0].path
        if self._bundled is not None:
            for user in self.users():
                if user.mid is None and not user.path.is_described:
                    user.use(self._bundled)
        self.drop_unused()

    def check_groups(self, read: Any) -> None:
        """Refuse a description that takes a section out of a transport that it shares and can't leave any more.

        Raises:
            InvalidAccessError: it does.
        """
        users = self.by_mid()
        grouped = {mid: number for number, mids in enumerate(groups_of(read)) for mid in mids}
        owners: dict[Transport, object] = {}
        for media in read.media:
            user = users.get(media.rtp.muxId)
            if user is None or is_rejected(media):
                continue
            path, owner = user.path, grouped.get(media.rtp.muxId, media)
            is_fixed = read.type != "offer" or user.has_begun
            if is_fixed and owners.setdefault(path, owner) != owner:
                raise InvalidAccessError(
                    f"this {read.type} has section {media.rtp.muxId!r} outside of the BUNDLE group whose transport it "
                    "shares (RFC 9143, section 7.5); use bundle_policy max-compat for a side that doesn't bundle"
                )

    def separate(self, read: Any) -> None:
        """Let sections that an offer doesn't bundle have transports of their own; what has begun stays where it is."""
        users = self.by_mid()
        grouped = groups_of(read)
        named = {mid for mids in grouped for mid in mids}
        alone = [[media.rtp.muxId] for media in read.media if media.rtp.muxId not in named]
        groups = [[users[mid] for mid in mids if mid in users] for mids in (*grouped, *alone)]
        owners = {user.path: number for number, group in enumerate(groups) for user in group if user.has_begun}
        for number, group in enumerate(groups):
            fresh: dict[Transport, Transport] = {}
            for user in group:
                path = user.path
                if owners.setdefault(path, number) != number and not user.has_begun:
                    if path not in fresh:
                        fresh[path] = self.make_path()
                    user.use(fresh[path])
        self.drop_unused()

    def drop_unused(self) -> None:
        """Give up the transports that nobody uses any more."""
        used = {user.path for user in self.users()}
        for path in [path for path in self.paths if path not in used]:
            self.give_up(path)

    def is_needed(self, path: Transport) -> bool:
        """Whether something uses a transport that was not stopped here."""
        return any(user.path is path and not user.is_stopping for user in self.users())

    def give_up(self, path: Transport) -> None:
        """Stop a transport, and forget it."""
        self.paths.remove(path)
        path.is_visible = path.is_described = False
        self._session.path_shown(path)
        self.spawn(self._stop(path))

    async def _stop(self, path: Transport) -> None:
        await path.stop()
        self._session.events.ice_removed(path.ice.machine)

    def renew(self, path: Transport) -> None:
        """Put a new transport, that has not begun, in the place of this one."""
        fresh = self.make_path()
        for user in list(self.users()):
            if user.path is path:
                user.use(fresh)
        self.give_up(path)
        self._show_early(fresh)


async def start_media(media: Media, path: Transport, slots: Slots[Any, Any], cname: str) -> None:
    """Start what is negotiated on this transport and not started yet; aiortc starts each only once.

    Args:
        media: what there is.
        path: the transport.
        slots: what the descriptions say.
        cname: the canonical name of this side's media.
    """
    for transceiver in list(media.transceivers):
        # Asked anew for each: a transceiver may be stopped, or the connection closed, while another one starts.
        if transceiver.sender.path is not path or transceiver.is_stopping or not transceiver.negotiated.codecs:
            continue
        if sends(transceiver.negotiated.current_direction):
            await transceiver.sender.send(_send_parameters(transceiver, cname))
        if receives(transceiver.negotiated.current_direction):
            section = _section(slots.remote, transceiver.mid)
            if section is not None:
                await transceiver.receiver.receive(_receive_parameters(transceiver, section))
    sctp = media.sctp
    if sctp is not None and sctp.path is path and sctp.remote is not None and sctp.state != "closed":
        remote = sctp.remote
        await sctp.start(remote.sctpCapabilities, remote.sctp_port)


def _section(description: Any, mid: str | None) -> Any:
    return next((one for one in description.media if one.rtp.muxId == mid), None)


def _send_parameters(transceiver: RTCRtpTransceiver, cname: str) -> rtp.RTCRtpSendParameters:
    negotiated = transceiver.negotiated
    parameters = rtp.RTCRtpSendParameters(
        codecs=list(negotiated.codecs), headerExtensions=list(negotiated.extensions), muxId=negotiated.mid or ""
    )
    parameters.rtcp.cname = cname
    parameters.rtcp.ssrc = transceiver.sender._ssrc
    parameters.rtcp.mux = True
    return parameters


def _receive_parameters(transceiver: RTCRtpTransceiver, section: Any) -> rtp.RTCRtpReceiveParameters:
    negotiated = transceiver.negotiated
    parameters = rtp.RTCRtpReceiveParameters(
        codecs=list(negotiated.codecs),
        headerExtensions=list(negotiated.extensions),
        muxId=section.rtp.muxId,
        rtcp=section.rtp.rtcp,
    )
    encodings: dict[int, rtp.RTCRtpDecodingParameters] = {}
    for codec in negotiated.codecs if section.ssrc else ():
        if not is_rtx(codec):
            encodings[codec.payloadType] = rtp.RTCRtpDecodingParameters(
                ssrc=section.ssrc[0].ssrc, payloadType=codec.payloadType
            )
        elif codec.parameters.get("apt") in encodings and len(section.ssrc) == 2:
            encodings[codec.parameters["apt"]].rtx = rtp.RTCRtpRtxParameters(ssrc=section.ssrc[1].ssrc)
    parameters.encodings = list(encodings.values())
    return parameters

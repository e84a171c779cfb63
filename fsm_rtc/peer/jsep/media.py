"""What a session sends and receives over: its transceivers, the data channels' transport, those beneath."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import aiortc

from fsm_rtc.machines.ice import Ice, Ways
from fsm_rtc.machines.remote_track import RemoteTrackStatus
from fsm_rtc.machines.transceiver import Transceiver
from fsm_rtc.peer.ice import IceGatherer
from fsm_rtc.peer.jsep.transceiver import RTCRtpReceiver, RTCRtpSender, RTCRtpTransceiver
from fsm_rtc.peer.jsep.transport import Certificate, SctpTransport, Transport
from fsm_rtc.peer.profile import Profile

__all__ = ["Media", "SessionConfiguration", "User"]

User = RTCRtpTransceiver | SctpTransport
"""What a media section stands for."""


@dataclass(frozen=True, slots=True)
class SessionConfiguration:
    """What a session needs to know of its connection's configuration.

    Attributes:
        ice_servers: aiortc's RTCIceServers.
        transport_policy: aiortc's RTCIceTransportPolicy.
        bundle_policy: aiortc's RTCBundlePolicy.
        always_data: whether the first offer has a section for data channels in any case.
        gather_timeout_seconds: how long servers have to answer.
        loopback: whether to use 127.0.0.1 alone.
    """

    ice_servers: tuple[Any, ...] = ()
    transport_policy: aiortc.RTCIceTransportPolicy = aiortc.RTCIceTransportPolicy.ALL
    bundle_policy: aiortc.RTCBundlePolicy = aiortc.RTCBundlePolicy.BALANCED
    always_data: bool = False
    gather_timeout_seconds: float = 5.0
    loopback: bool = False


class Media:
    """The transceivers, the SCTP transport and the transports of a session.

    Args:
        configuration: how they find their way.
        profile: which habits they have.
        connected: called with a transport whose DTLS is connected.
        shown: called with a transport that comes into being for who looks from outside.
        changed: called when a negotiation may be needed.
        spawn: does work in a task that the session owns.
        make_ice: makes an ICE transport's machine.
        forget_ice: the ICE transport of this machine was given up, and nothing is left of it.
        track_status: makes the status of a track of the other side.
        make_status: makes a transceiver's machine.
        forget_status: the transceiver of this machine is not part of the session any more.

    Attributes:
        transceivers: in the order in which they were added.
        sctp: the data channels' transport, or None.
        paths: every transport that is not given up.
        former_senders: those of the transceivers that are not part of the session any more, while somebody holds them.
    """

    def __init__(
        self,
        configuration: SessionConfiguration,
        profile: Profile,
        *,
        connected: Callable[[Transport], None],
        shown: Callable[[Transport], None],
        changed: Callable[[], None],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        make_ice: Callable[[Ways], Ice],
        forget_ice: Callable[[Ice], None],
        track_status: Callable[[], RemoteTrackStatus],
        make_status: Callable[[], Transceiver],
        forget_status: Callable[[Transceiver], None],
    ) -> None:
        self.configuration = configuration
        self.profile = profile
        self.transceivers: list[RTCRtpTransceiver] = []
        self.sctp: SctpTransport | None = None
        self.paths: list[Transport] = []
        self.former_senders: WeakSet[RTCRtpSender] = WeakSet()
        self._bundled: Transport | None = None
        self.certificates = [Certificate.generateCertificate()]
        self._connected = connected
        self._shown = shown
        self.transceiver_changed = changed
        self.spawn = spawn
        self._make_ice = make_ice
        self._forget_ice = forget_ice
        self._track_status = track_status
        self._make_status = make_status
        self._forget_status = forget_status

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
            RTCRtpSender(track_or_kind, path, self, self._make_status(), streams, stops_track=habit),
            RTCRtpReceiver(kind, path, self._track_status, ends_with_sender=habit),
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
            iceServers=list(configuration.ice_servers),
            iceTransportPolicy=configuration.transport_policy,
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
            lambda: self._connected(path),
            self._make_ice,
        )
        self.paths.append(path)
        return path

    def _path_for(self, kind: str) -> Transport:
        """The transport of a new section: the one that an answer has bundled the others to, or as the policy has it.

        Beside sections that an answer has left unbundled it is a new one.
        """
        policy = self.configuration.bundle_policy
        if self._bundled in self.paths:
            return self._bundled
        if any(path.remote is not None for path in self.paths):
            return self.make_path()
        if policy is aiortc.RTCBundlePolicy.MAX_BUNDLE:
            shared = next((self.path_of(user) for user in self.users()), None)
        elif policy is aiortc.RTCBundlePolicy.BALANCED:
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
        self._forget_status(transceiver.status)

    # Finding.

    def users(self) -> Iterator[User]:
        """What uses a transport."""
        yield from (one for one in self.transceivers if not one.stopped_for_both)
        if self.sctp is not None:
            yield self.sctp

    def path_of(self, user: User) -> Transport:
        """The transport that it uses."""
        return user.sender.path if isinstance(user, RTCRtpTransceiver) else user.path

    def by_mid(self) -> dict[str, User]:
        """What the sections stand for, by their mids."""
        return {user.mid: user for user in self.users() if user.mid is not None}

    def transceivers_by_mid(self) -> dict[str, RTCRtpTransceiver]:
        """The transceivers that have a section, stopped or not, by its mid."""
        return {one.mid: one for one in self.transceivers if one.mid is not None}

    def of_mid(self, mid: str) -> User | None:
        """What the section of this mid stands for."""
        return next((user for user in self.users() if user.mid == mid), None)

    def transceiver_of(self, mid: str) -> RTCRtpTransceiver | None:
        """The transceiver of this mid, stopped or not."""
        return next((one for one in self.transceivers if one.mid == mid), None)

    def first_sections(self) -> dict[Transport, tuple[str | None, int | None]]:
        """The mid and the index of the first section that uses each transport."""
        first: dict[Transport, tuple[str | None, int | None]] = {}
        for user in self.users():
            line = user.negotiated.line if isinstance(user, RTCRtpTransceiver) else user.line
            path = self.path_of(user)
            if user.mid is not None and line is not None and line <= (first.get(path, ("", line))[1] or 0):
                first[path] = user.mid, line
        return first

    def section_of(self, path: Transport) -> tuple[str | None, int | None]:
        """The mid and the index of the first section that uses a transport."""
        lines = [
            (user.negotiated.line if isinstance(user, RTCRtpTransceiver) else user.line, user.mid)
            for user in self.users()
            if self.path_of(user) is path and user.mid is not None
        ]
        line, mid = min(((line, mid) for line, mid in lines if line is not None), default=(None, None))
        return mid, line

    # Changing.

    def show(self, path: Transport) -> None:
        """A description brings a transport into being."""
        if not path.is_described:
            path.is_visible = path.is_described = True
            self._shown(path)

    def bundle(self, groups: Sequence[Sequence[str]]) -> None:
        """Let the sections of each group use its first one's transport; give up those that nobody uses any more.

        A section that is added later uses the first group's, and so does what no description holds yet.
        """
        by_mid = self.by_mid()
        self._bundled = None
        for mids in groups:
            users = [by_mid[mid] for mid in mids if mid in by_mid]
            for user in users:
                if self.path_of(user) is not self.path_of(users[0]):
                    user.use(self.path_of(users[0]))
            if users:
                self._bundled = self._bundled or self.path_of(users[0])
        if self._bundled is not None:
            for user in self.users():
                if user.mid is None and not self.path_of(user).is_described:
                    user.use(self._bundled)
        self.drop_unused()

    def has_begun(self, user: User) -> bool:
        """Whether an answer has given it its transport, for good: aiortc's senders and receivers don't move later."""
        if isinstance(user, RTCRtpTransceiver):
            return user.negotiated.current_direction is not None
        return user.remote is not None

    def separate(self, groups: Sequence[Sequence[User]]) -> None:
        """Let no two of these groups use one transport; what has begun stays where it is."""
        owners: dict[Transport, int] = {}
        for number, users in enumerate(groups):
            for user in users:
                if self.has_begun(user):
                    owners[self.path_of(user)] = number
        for number, users in enumerate(groups):
            fresh: dict[Transport, Transport] = {}
            for user in users:
                path = self.path_of(user)
                if owners.setdefault(path, number) != number and not self.has_begun(user):
                    if path not in fresh:
                        fresh[path] = self.make_path()
                    user.use(fresh[path])

    def drop_unused(self) -> None:
        """Give up the transports that nobody uses any more."""
        used = {id(self.path_of(user)) for user in self.users()}
        for path in [path for path in self.paths if id(path) not in used]:
            self.give_up(path)

    def is_needed(self, path: Transport) -> bool:
        """Whether something uses a transport that was not stopped here."""
        return any(
            self.path_of(user) is path and not (isinstance(user, RTCRtpTransceiver) and user.is_stopping)
            for user in self.users()
        )

    def give_up(self, path: Transport) -> None:
        """Stop a transport, and forget it."""
        self.paths.remove(path)
        path.is_visible = path.is_described = False
        self._shown(path)
        self.spawn(self._stop(path))

    async def _stop(self, path: Transport) -> None:
        await path.stop()
        self._forget_ice(path.ice.machine)

    def renew(self, path: Transport) -> None:
        """Put a new transport, that has not begun, in the place of this one."""
        fresh = self.make_path()
        for user in list(self.users()):
            if self.path_of(user) is path:
                user.use(fresh)
        self.give_up(path)
        self._show_early(fresh)

"""What a session sends and receives over: its transceivers, the data channels' transport, those beneath."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import aiortc

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
        candidate_added: called with a transport that has a new candidate of the other side.
        changed: called when a negotiation may be needed.
        spawn: does work in a task that the session owns.

    Attributes:
        transceivers: in the order in which they were added.
        sctp: the data channels' transport, or None.
        paths: every transport that is not given up.
        former_senders: those of the transceivers that are not part of the session any more.
    """

    def __init__(
        self,
        configuration: SessionConfiguration,
        profile: Profile,
        *,
        connected: Callable[[Transport], None],
        shown: Callable[[Transport], None],
        candidate_added: Callable[[Transport], None],
        changed: Callable[[], None],
        spawn: Callable[[Coroutine[Any, Any, None]], Any],
    ) -> None:
        self.configuration = configuration
        self.profile = profile
        self.transceivers: list[RTCRtpTransceiver] = []
        self.sctp: SctpTransport | None = None
        self.paths: list[Transport] = []
        self.former_senders: list[RTCRtpSender] = []
        self._bundled: Transport | None = None
        self.certificates = [Certificate.generateCertificate()]
        self._connected = connected
        self._shown = shown
        self._candidate_added = candidate_added
        self.transceiver_changed = changed
        self.spawn = spawn

    # Making.

    def add_transceiver(self, track_or_kind: Any, direction: str, streams: Iterable[Any] = ()) -> RTCRtpTransceiver:
        """A new transceiver."""
        kind = track_or_kind if isinstance(track_or_kind, str) else track_or_kind.kind
        path = self._path_for(kind)
        transceiver = RTCRtpTransceiver(
            RTCRtpSender(track_or_kind, path, self, streams), RTCRtpReceiver(kind, path), direction, self.profile, self
        )
        self.transceivers.append(transceiver)
        self._show_early(path)
        return transceiver

    def make_sctp(self) -> SctpTransport:
        """The data channels' transport, made if there is none."""
        if self.sctp is None:
            self.sctp = SctpTransport(self._path_for("application"))
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
            lambda: self._candidate_added(path),
        )
        self.paths.append(path)
        return path

    def _path_for(self, kind: str) -> Transport:
        """The transport of a new section: the one that an answer has bundled the others to, or as the policy has it."""
        policy = self.configuration.bundle_policy
        if self._bundled in self.paths:
            return self._bundled
        if policy is aiortc.RTCBundlePolicy.MAX_BUNDLE:
            shared = next((self.path_of(user) for user in self.users()), None)
        elif policy is aiortc.RTCBundlePolicy.BALANCED:
            same = (one for one in self.transceivers if one.kind == kind and not one.stopped)
            shared = next((one.sender.path for one in same), None)
        else:
            shared = None
        return shared or self.make_path()

    def _show_early(self, path: Transport) -> None:
        if self.profile.shows_transports_early:
            self.show(path)

    def remove(self, transceiver: RTCRtpTransceiver) -> None:
        """A transceiver is not part of the session any more."""
        transceiver.set_stopped()
        self.transceivers.remove(transceiver)
        self.former_senders.append(transceiver.sender)

    # Finding.

    def users(self) -> Iterator[User]:
        """What uses a transport."""
        yield from (one for one in self.transceivers if not one.stopped)
        if self.sctp is not None:
            yield self.sctp

    def path_of(self, user: User) -> Transport:
        """The transport that it uses."""
        return user.sender.path if isinstance(user, RTCRtpTransceiver) else user.path

    def of_mid(self, mid: str) -> User | None:
        """What the section of this mid stands for."""
        return next((user for user in self.users() if user.mid == mid), None)

    def transceiver_of(self, mid: str) -> RTCRtpTransceiver | None:
        """The transceiver of this mid, stopped or not."""
        return next((one for one in self.transceivers if one.mid == mid), None)

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
        """Let a transport come into being for who looks from outside."""
        if not path.is_visible:
            path.is_visible = True
            self._shown(path)

    def bundle(self, mids: list[str]) -> None:
        """Let the sections of these mids use the first one's transport; give up the ones that nobody uses any more."""
        users = [user for mid in mids if (user := self.of_mid(mid)) is not None]
        if not users:
            return
        first = self._bundled = self.path_of(users[0])
        for user in users[1:]:
            if self.path_of(user) is not first:
                user.use(first)
        self.drop_unused()

    def drop_unused(self) -> None:
        """Give up the transports that nobody uses any more."""
        used = {id(self.path_of(user)) for user in self.users()}
        for path in [path for path in self.paths if id(path) not in used and path.is_visible]:
            self.give_up(path)

    def give_up(self, path: Transport) -> None:
        """Stop a transport, and forget it."""
        self.paths.remove(path)
        path.is_visible = False
        self._shown(path)
        self.spawn(path.stop())

    def renew(self, path: Transport) -> None:
        """Put a new transport, that has not begun, in the place of this one."""
        fresh = self.make_path()
        for user in list(self.users()):
            if self.path_of(user) is path:
                user.use(fresh)
        self.give_up(path)
        self._show_early(fresh)

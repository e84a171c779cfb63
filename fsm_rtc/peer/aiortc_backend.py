"""aiortc behind a PeerConnection: a JSEP session over aiortc's transports, and what happens in it as reports.

The numbers are those of the facts measured on aiortc 1.16.0. What is handled here: a handler that raises would break
aiortc, unless its emitter has an `error` listener (10); the first messages of an announced channel (20); a host with
loopback alone (16).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiortc
from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.sdp import candidate_to_sdp

from fsm_rtc.errors import InvalidAccessError, NoRunningLoopError, NoUsableAddressError, OperationError
from fsm_rtc.machines.ice import Ice, Ways
from fsm_rtc.machines.remote_track import RemoteTrackStatus
from fsm_rtc.machines.transceiver import Transceiver
from fsm_rtc.peer.aiortc_channel import AiortcChannel, log_error
from fsm_rtc.peer.backend import BackendEvents, Capabilities, ChannelOptions, Report
from fsm_rtc.peer.closing import running_loop
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.ice import IceGatherer, check_servers, host_addresses
from fsm_rtc.peer.ice.picture import picture_of
from fsm_rtc.peer.ice_picture import IcePicture
from fsm_rtc.peer.jsep.effects import RemoteTracks
from fsm_rtc.peer.jsep.media import SessionConfiguration
from fsm_rtc.peer.jsep.parsed import as_aiortc_candidate
from fsm_rtc.peer.jsep.private import CountedInBytes, warn_of_another_version
from fsm_rtc.peer.jsep.session import Session
from fsm_rtc.peer.jsep.transport import Transport
from fsm_rtc.peer.profile import Profile
from fsm_rtc.peer.sdp import read_candidate, with_candidates

__all__ = ["AiortcBackend"]

logger = logging.getLogger("fsm_rtc.peer.aiortc")

GATHERING = {"new": "new", "gathering": "gathering", "completed": "complete"}

warn_of_another_version()


class AiortcBackend:
    """A JSEP session over aiortc as a `Backend`.

    Args:
        configuration: servers and time limits.
        profile: which habits it has.

    Attributes:
        session: the JSEP session.

    Raises:
        ValueError: a server's URL can't be read.
    """

    capabilities = Capabilities(pranswer=True)

    def __init__(self, configuration: Configuration, profile: Profile) -> None:
        self._configuration = configuration
        self._profile = profile
        self._events: BackendEvents | None = None
        self._listeners: list[tuple[Any, str, Callable[..., None]]] = []
        self._numbers: dict[Transport, int] = {}
        self._next_number = 0
        self._followed: set[int] = set()
        self._told: dict[tuple[Report, int], str] = {}
        self._sctp: Any = None
        self._is_rolling_back = False
        self._channels: list[AiortcChannel] = []
        self._tracks: list[RemoteTracks] = []
        self._gathering: set[IceGatherer] = set()
        self._all_gathered = asyncio.Event()
        self._all_gathered.set()
        self.session = Session(_session_configuration(configuration), profile, self)

    def attach(self, events: BackendEvents) -> None:
        self._events = events

    def detach(self) -> None:
        self._events = None
        for emitter, event, handler in self._listeners:
            if handler in emitter.listeners(event):
                emitter.remove_listener(event, handler)
        self._listeners.clear()
        for channel in self._channels:
            channel.detach()
        self._all_gathered.set()

    # Operations.

    async def create_offer(self, *, restart: bool = False) -> SessionDescription:
        offer = self.session.create_offer(restart=restart)
        self._find_sctp()
        return SessionDescription("offer", offer)

    async def create_answer(self) -> SessionDescription:
        return SessionDescription("answer", self.session.create_answer())

    async def set_local_description(self, description: SessionDescription) -> SessionDescription:
        configuration = self._configuration
        is_stuck = self._profile.needs_address and not configuration.loopback and not host_addresses()
        if is_stuck and configuration.ice_transport_policy == "all":
            raise NoUsableAddressError(
                "this host has no network address besides loopback, so no candidate can be gathered; "
                "connect it to a network, or use loopback=True (fsm-rtc demo --loopback) to stay on 127.0.0.1"
            )
        self.session.apply_local(description)
        first = self.session.media.first_sections()
        return with_candidates(
            description,
            (
                _written(candidate, path.newest_gatherer, *first.get(path, (None, None)))
                for path in self._numbers
                for candidate in path.newest_gatherer.getLocalCandidates()
            ),
        )

    def check_remote(self, description: SessionDescription) -> None:
        self.session.read_remote(description)

    async def set_remote_description(self, description: SessionDescription) -> None:
        read = self.session.read_remote(description)
        tracks = self.session.apply_remote(read, await self.session.prepare_remote(read))
        self._find_sctp()
        if self._profile.plain_events:
            self._tell_tracks(tracks)
        else:
            self._tracks.append(tracks)

    def can_roll_back(self) -> bool:
        return True

    async def rollback(self) -> None:
        self._is_rolling_back = True
        self._tracks.append(self.session.roll_back())
        self._is_rolling_back = False
        self._update_gathered()

    def settled(self) -> None:
        tracks, self._tracks = self._tracks, []
        for changes in tracks:
            self._tell_tracks(changes)

    def _tell_tracks(self, tracks: RemoteTracks) -> None:
        tracks.apply()
        for event in tracks.events:
            if self._events is not None:
                self._events.track_added(event)

    async def gathered(self) -> None:
        if self._profile.gathers_first == "all":
            await self._all_gathered.wait()
        elif self._profile.gathers_first == "hosts":
            for gatherer in list(self._gathering):
                # A gatherer that is given up sets it too.
                await gatherer.hosts_found.wait()

    async def add_ice_candidate(self, candidate: IceCandidate | None) -> None:
        if candidate is None or not candidate.candidate:
            index = candidate.sdp_m_line_index if candidate is not None else None
            self.session.add_candidate(None, index, candidate.username_fragment if candidate is not None else None)
            return
        read = as_aiortc_candidate(read_candidate(candidate.candidate))
        self.session.add_candidate(read, candidate.sdp_m_line_index, candidate.username_fragment)

    def create_data_channel(self, label: str, options: ChannelOptions) -> AiortcChannel:
        _need_loop("a data channel")
        sctp = self.session.media.make_sctp()
        self._find_sctp()
        parameters = RTCDataChannelParameters(
            label=CountedInBytes(label),
            ordered=options.ordered,
            maxRetransmits=options.max_retransmits,
            maxPacketLifeTime=options.max_packet_life_time,
            protocol=CountedInBytes(options.protocol),
            negotiated=options.negotiated,
            id=options.id,
        )
        try:
            channel = RTCDataChannel(sctp, parameters)
        except ValueError as error:
            raise OperationError(f"aiortc refused: {error}; choose an id that no other channel has") from error
        sctp.has_channels = True
        if sctp.remote is not None:
            sctp.number_channels()
        return self._channel(channel)

    def add_track(self, track: Any, streams: Sequence[Any] = ()) -> Any:
        _need_loop("a sender")
        transceivers = self.session.media.transceivers
        if any(one.sender.track is track for one in transceivers):
            raise InvalidAccessError("Track already has a sender")
        free = (one for one in transceivers if one.kind == track.kind and one.takes_track)
        transceiver = next(free, None)
        if transceiver is None:
            transceiver = self.session.media.add_transceiver(track, "sendrecv", streams)
            transceiver.is_from_track = True
        else:
            transceiver.attach(track, streams)
        return transceiver.sender

    def add_transceiver(self, track_or_kind: Any, direction: str, streams: Sequence[Any] = ()) -> Any:
        _need_loop("a transceiver")
        return self.session.media.add_transceiver(track_or_kind, direction, streams)

    def transceiver_kinds(self) -> frozenset[str]:
        return frozenset(one.kind for one in self.session.media.transceivers)

    def restart_ice(self) -> None:
        self.session.restart_ice()

    @property
    def is_relayed(self) -> bool:
        return any(_is_relayed(path) for path in self._numbers)

    def needs_negotiation(self) -> bool:
        return self.session.needs_negotiation()

    def ice_pictures(self) -> tuple[IcePicture, ...]:
        return tuple(picture_of(path.newest_gatherer.agent) for path in self._numbers)

    def shut(self) -> None:
        self.session.shut()

    async def close(self) -> None:
        await self.session.close()

    def use_configuration(self, configuration: Configuration) -> None:
        """Use other servers from the next gathering on.

        Raises:
            ValueError: a server's URL can't be read; nothing is changed.
        """
        self.session.media.configuration = _session_configuration(configuration)
        self._configuration = configuration

    # What happens in the session.

    def path_shown(self, path: Transport) -> None:
        if not path.is_described:
            number = self._numbers.pop(path, None)
            if number is not None and self._is_rolling_back:
                # Behind who rolled back: gathering is told to be new once the description is gone.
                loop = asyncio.get_running_loop()
                loop.call_soon(loop.call_soon, self._removed, number)
            elif number is not None:
                self._removed(number)
            self._update_gathered()
            return
        self._numbers[path] = self._next_number
        self._next_number += 1
        if id(path) not in self._followed:
            self._followed.add(id(path))
            self._listen(path.ice, "statechange", lambda: self._report("ice", path))
            self._listen(path.dtls, "statechange", lambda: self._dtls_changed(path))
        if self._events is not None:
            self._events.transport_added(self._numbers[path])
        # It may have got on before anybody looked.
        self._report("ice", path)
        self._report("dtls", path)

    def _removed(self, number: int) -> None:
        if self._events is not None:
            self._events.transport_removed(number)

    def gathering(self, path: Transport, gatherer: IceGatherer) -> None:
        self._gathering.add(gatherer)
        self._all_gathered.clear()
        self._listen(gatherer, "candidate", lambda candidate: self._found(path, gatherer, candidate))
        self._listen(gatherer, "candidateerror", self._failed)
        self._listen(gatherer, "statechange", lambda: self._gatherer_changed(path, gatherer))

    def changed(self) -> None:
        if self._events is not None:
            self._events.negotiation_changed()

    def track_status(self) -> RemoteTrackStatus:
        return self._events.track_status() if self._events is not None else RemoteTrackStatus()

    def transceiver_added(self) -> Transceiver:
        return self._events.transceiver_added() if self._events is not None else Transceiver()

    def ice_added(self, ways: Ways) -> Ice:
        table = self._profile.ice
        return self._events.ice_added(table, ways) if self._events is not None else table(ways)

    def ice_removed(self, machine: Ice) -> None:
        if self._events is not None:
            self._events.ice_removed(machine)

    def transceiver_removed(self, status: Transceiver) -> None:
        if self._events is not None:
            self._events.transceiver_removed(status)

    def read(self, what: Report) -> Mapping[int, str]:
        if what == "sctp":
            return {0: self._sctp.state} if self._sctp is not None else {}
        return {number: self._value(what, path) for path, number in self._numbers.items()}

    def _value(self, what: Report, path: Transport) -> str:
        if what == "gathering":
            return GATHERING[path.newest_gatherer.state]
        if what == "dtls":
            return path.dtls.state
        return path.ice.state

    def _report(self, what: Report, path: Transport) -> None:
        number = self._numbers.get(path)
        if number is None or self._events is None:
            return
        value, before = self._value(what, path), self._told.get((what, number), "new")
        self._told[what, number] = value
        if value != before:
            self._events.reported(what, number, value)

    def _dtls_changed(self, path: Transport) -> None:
        self._report("dtls", path)
        # A transport that this side has given up closes too, and says nothing of the other side; nor does one whose
        # sections this side has stopped: the other side ends it with its answer, which may come later.
        is_needed = any(self.session.media.is_needed(one) for one in self._numbers)
        is_over = path in self._numbers and all(one.dtls.state == "closed" for one in self._numbers) and is_needed
        if is_over and self._profile.closes_with_peer and self._events is not None:
            self._events.closed_by_library()

    def _found(self, path: Transport, gatherer: IceGatherer, candidate: Any) -> None:
        if self._events is not None and gatherer is path.newest_gatherer and path in self._numbers:
            self._events.candidate_found(self._candidate(path, gatherer, candidate))

    def _candidate(self, path: Transport, gatherer: IceGatherer, candidate: Any) -> IceCandidate:
        """A candidate with the first section that uses its transport; an end of candidates if None."""
        return _written(candidate, gatherer, *self.session.media.section_of(path))

    def _failed(self, error: Any) -> None:
        if self._events is not None:
            self._events.candidate_failed(error)

    def _gatherer_changed(self, path: Transport, gatherer: IceGatherer) -> None:
        is_complete = gatherer.state == "completed"
        if is_complete:
            self._found(path, gatherer, None)
        if gatherer is path.newest_gatherer:
            self._report("gathering", path)
        if is_complete:
            self._gathering.discard(gatherer)
            self._update_gathered()
            if not self._gathering and self._events is not None and path in self._numbers:
                self._events.candidate_found(None)

    def _update_gathered(self) -> None:
        live = {path.newest_gatherer for path in self._numbers}
        self._gathering &= live
        if not self._gathering:
            self._all_gathered.set()

    def _find_sctp(self) -> None:
        sctp = self.session.media.sctp
        if sctp is not None and sctp is not self._sctp:
            self._sctp = sctp
            self._listen(sctp, "datachannel", self._channel_announced)
            self._listen(sctp, "statechange", self._sctp_changed)

    def _sctp_changed(self) -> None:
        if self._events is not None:
            self._events.reported("sctp", 0, self._sctp.state)

    def _channel_announced(self, channel: Any) -> None:
        if self._events is not None:
            self._events.channel_announced(self._channel(channel))

    def _channel(self, channel: Any) -> AiortcChannel:
        adapter = AiortcChannel(channel)
        self._channels = [one for one in self._channels if not one.is_closed]
        self._channels.append(adapter)
        return adapter

    def _listen(self, emitter: Any, event: str, handler: Callable[..., None]) -> None:
        if "error" not in emitter.event_names():
            emitter.on("error", log_error)

        def guarded(*arguments: Any) -> None:
            try:
                handler(*arguments)
            except Exception:
                logger.exception("the handler for aiortc's %s raised", event)

        emitter.on(event, guarded)
        self._listeners.append((emitter, event, guarded))


def _is_relayed(path: Transport) -> bool:
    pair = path.ice.getSelectedCandidatePair()
    mine = [pair.local] if pair is not None else path.newest_gatherer.getLocalCandidates()
    return any(candidate.type == "relay" for candidate in mine)


def _need_loop(what: str) -> None:
    # aiortc's keep the loop that is there when they are made; another one than runs later does nothing for them.
    if running_loop() is None:
        raise NoRunningLoopError(f"{what} needs a running event loop; make it in a coroutine, as given to asyncio.run")


def _written(candidate: Any, gatherer: IceGatherer, mid: str | None, line: int | None) -> IceCandidate:
    text = f"candidate:{candidate_to_sdp(candidate)}" if candidate is not None else ""
    return IceCandidate(text, mid, line, gatherer.getLocalParameters().usernameFragment)


def _session_configuration(configuration: Configuration) -> SessionConfiguration:
    servers = [
        aiortc.RTCIceServer(
            urls=list(server.urls) if not isinstance(server.urls, str) else server.urls,
            username=server.username,
            credential=server.credential,
        )
        for server in configuration.ice_servers
    ]
    check_servers(servers)
    return SessionConfiguration(
        ice_servers=tuple(servers),
        transport_policy=aiortc.RTCIceTransportPolicy(configuration.ice_transport_policy),
        bundle_policy=aiortc.RTCBundlePolicy(configuration.bundle_policy),
        always_data=configuration.always_negotiate_data_channels,
        gather_timeout_seconds=configuration.gather_timeout_seconds,
        loopback=configuration.loopback,
    )

"""aiortc behind a PeerConnection: a JSEP session over aiortc's transports, and what happens in it as reports.

aiortc's transports, senders and receivers are used; its RTCPeerConnection is not (see `jsep`). The numbers are those of
the facts measured on aiortc 1.16.0 (tests/peer/test_facts_aiortc_*.py). What is handled here: a handler that raises
would break aiortc, unless its emitter has an `error` listener (10); the first messages of an announced channel (20); a
host with loopback alone (16).

What holds:

- A transport has a number from the moment that a description brings it into being until it goes, and no other one ever
  has the same.
- A status is told when it differs from what was told last, however often aiortc's event comes.
- A gatherer that another one has replaced tells nothing more.
- After `detach` nothing is told, and no handler is left on any emitter of aiortc's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiortc.exceptions import InvalidStateError as AiortcInvalidStateError
from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.sdp import candidate_to_sdp

from fsm_rtc.errors import (
    ChannelClosedError,
    InvalidAccessError,
    NoRunningLoopError,
    NoUsableAddressError,
    OperationError,
    RTCError,
)
from fsm_rtc.peer.backend import BackendEvents, Capabilities, ChannelEvents, ChannelOptions, Report
from fsm_rtc.peer.closing import running_loop
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.peer.ice import IceGatherer, host_addresses
from fsm_rtc.peer.ice.private import ice_snapshot_of
from fsm_rtc.peer.ice_snapshot import IceSnapshot
from fsm_rtc.peer.jsep.private import CountedInBytes, warn_of_another_version
from fsm_rtc.peer.jsep.sections import as_aiortc_candidate
from fsm_rtc.peer.jsep.session import JsepSession
from fsm_rtc.peer.jsep.transceiver import RemoteTracks
from fsm_rtc.peer.jsep.transport import Transport
from fsm_rtc.peer.sdp import read_candidate
from fsm_rtc.peer.sdp.checks import with_candidates
from fsm_rtc.peer.w3c.profile import Profile

logger = logging.getLogger("fsm_rtc.peer.aiortc")


class AiortcChannel:
    """An `aiortc.RTCDataChannel` as a `ChannelBackend`.

    Args:
        channel: aiortc's.
    """

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    label = Forwarded[str]("_channel.label", str)

    id = Forwarded[int | None]("_channel.id")

    protocol = Forwarded[str]("_channel.protocol", str)

    @property
    def options(self) -> ChannelOptions:
        channel = self._channel
        return ChannelOptions(
            channel.ordered,
            channel.maxRetransmits,
            channel.maxPacketLifeTime,
            str(channel.protocol),
            channel.negotiated,
            channel.id,
        )

    @property
    def low_threshold(self) -> int:
        return int(self._channel.bufferedAmountLowThreshold)

    @low_threshold.setter
    def low_threshold(self, low_bytes: int) -> None:
        self._channel.bufferedAmountLowThreshold = low_bytes

    buffered_amount = Forwarded[int]("_channel.bufferedAmount")

    @property
    def max_message_bytes(self) -> int:
        return int(self._channel.transport.maxMessageSize or 0)

    @property
    def is_closed(self) -> bool:
        return bool(self._channel.readyState == "closed")

    def attach(self, events: ChannelEvents) -> None:
        for event, listener in (
            ("error", log_error),
            ("open", events.opened),
            ("close", lambda: self._closed(events)),
            ("message", events.received),
            ("bufferedamountlow", events.drained),
        ):
            self._channel.on(event, listener)
        if self._channel.negotiated and self._channel.readyState == "open":
            # Made on a live association: it opens in a later turn, when its maker can listen.
            asyncio.get_running_loop().call_soon(self._channel.emit, "open")

    def detach(self) -> None:
        self._channel.remove_all_listeners()

    def _closed(self, events: ChannelEvents) -> None:
        if self._channel.transport.state == "closed":
            events.closed(RTCError("the other side is gone, and the channel with it", error_detail="sctp-failure"))
        else:
            events.closing()
            events.closed()

    def send(self, data: str | bytes) -> None:
        try:
            self._channel.send(data)
        except AiortcInvalidStateError as error:
            raise ChannelClosedError(
                f"aiortc's channel {self.label!r} is {self._channel.readyState}, not open"
            ) from error

    def close(self) -> None:
        self._channel.close()


def log_error(error: object) -> None:
    """Listens for `error` on aiortc's emitters; with nobody there, a handler that raises would break aiortc (10)."""
    logger.error("aiortc: a handler failed: %r", error)


warn_of_another_version()


class AiortcBackend(JsepSession):
    """A JSEP session over aiortc as a `Backend`.

    Args:
        configuration: servers and time limits.
        profile: which habits it has.

    Raises:
        ValueError: a server's URL can't be read.
    """

    capabilities = Capabilities(pranswer=True)

    def __init__(self, configuration: Configuration, profile: Profile) -> None:
        super().__init__(configuration, profile)
        self._listeners: list[tuple[Any, str, Callable[..., None]]] = []
        self._numbers: dict[Transport, int] = {}
        self._next_number = 0
        self._followed: set[int] = set()
        self._told: dict[tuple[Report, int], str] = {}
        self._sctp: Any = None
        self._is_rolling_back = False
        self._channels: list[AiortcChannel] = []
        self._changes: list[RemoteTracks] = []
        self._gathering: set[IceGatherer] = set()
        self._all_gathered = asyncio.Event()
        self._all_gathered.set()

    def attach(self, events: BackendEvents) -> None:
        self.events = events

    def detach(self) -> None:
        self.events = BackendEvents()
        for emitter, event, handler in self._listeners:
            if handler in emitter.listeners(event):
                emitter.remove_listener(event, handler)
        self._listeners.clear()
        for channel in self._channels:
            channel.detach()
        self._all_gathered.set()

    # Operations.

    async def create_offer(self, *, restart: bool = False) -> SessionDescription:
        self._offer = self.writer.offer(restart=restart)
        self._find_sctp()
        return SessionDescription("offer", self._offer.sdp)

    async def create_answer(self) -> SessionDescription:
        self._answer = self.writer.answer()
        return SessionDescription("answer", self._answer.sdp)

    async def set_local_description(self, description: SessionDescription) -> SessionDescription:
        configuration = self.media.configuration
        is_stuck = self._profile.needs_address and not configuration.loopback and not host_addresses()
        if is_stuck and configuration.ice_transport_policy == "all":
            raise NoUsableAddressError(
                "this host has no network address besides loopback, so no candidate can be gathered; "
                "connect it to a network, or use loopback=True (fsm-rtc demo --loopback) to stay on 127.0.0.1"
            )
        self.apply_local(description)
        first = self.media.first_sections()
        return with_candidates(
            description,
            (
                _written(candidate, path.newest_gatherer, *first.get(path, (None, None)))
                for path in self._numbers
                for candidate in path.newest_gatherer.getLocalCandidates()
            ),
        )

    def check_remote(self, description: SessionDescription) -> None:
        self.read_remote(description)

    async def set_remote_description(self, description: SessionDescription) -> None:
        read = self.read_remote(description)
        tracks = self.apply_remote(read, await self.prepare_remote(read))
        self._find_sctp()
        if self._profile.plain_events:
            self._tell_tracks(tracks)
        else:
            self._changes.append(tracks)

    def can_roll_back(self) -> bool:
        return True

    async def rollback(self) -> None:
        self._is_rolling_back = True
        self._changes.append(self.roll_back())
        self._is_rolling_back = False
        self._update_gathered()

    def settled(self) -> None:
        tracks, self._changes = self._changes, []
        for changes in tracks:
            self._tell_tracks(changes)

    def _tell_tracks(self, tracks: RemoteTracks) -> None:
        tracks.apply()
        for event in tracks.events:
            self.events.track_added(event)

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
            self.add_candidate(None, index, candidate.username_fragment if candidate is not None else None)
            return
        read = as_aiortc_candidate(read_candidate(candidate))
        self.add_candidate(read, candidate.sdp_m_line_index, candidate.username_fragment)

    def create_data_channel(self, label: str, options: ChannelOptions) -> AiortcChannel:
        _need_loop("a data channel")
        sctp = self.media.make_sctp()
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
        transceivers = self.media.transceivers
        if any(one.sender.track is track for one in transceivers):
            raise InvalidAccessError("Track already has a sender")
        free = (one for one in transceivers if one.kind == track.kind and one.takes_track)
        transceiver = next(free, None)
        if transceiver is None:
            transceiver = self.media.add_transceiver(track, "sendrecv", streams)
            transceiver.is_from_track = True
        else:
            transceiver.attach(track, streams)
        return transceiver.sender

    def add_transceiver(self, track_or_kind: Any, direction: str, streams: Sequence[Any] = ()) -> Any:
        _need_loop("a transceiver")
        return self.media.add_transceiver(track_or_kind, direction, streams)

    def transceiver_kinds(self) -> frozenset[str]:
        return frozenset(one.kind for one in self.media.transceivers)

    @property
    def is_relayed(self) -> bool:
        return any(_is_relayed(path) for path in self._numbers)

    def ice_snapshots(self) -> tuple[IceSnapshot, ...]:
        return tuple(ice_snapshot_of(path.newest_gatherer.agent) for path in self._numbers)

    def use_configuration(self, configuration: Configuration) -> None:
        self.media.use_configuration(configuration)

    # What happens in the session.

    def path_shown(self, path: Transport) -> None:
        if not path.is_described:
            number = self._numbers.pop(path, None)
            if number is not None and self._is_rolling_back:
                # Behind who rolled back: gathering is told to be new once the description is gone.
                loop = asyncio.get_running_loop()
                loop.call_soon(loop.call_soon, lambda: self.events.transport_removed(number))
            elif number is not None:
                self.events.transport_removed(number)
            self._update_gathered()
            return
        self._numbers[path] = self._next_number
        self._next_number += 1
        if id(path) not in self._followed:
            self._followed.add(id(path))
            self._listen(path.ice, "statechange", lambda: self._report("ice", path))
            self._listen(path.dtls, "statechange", lambda: self._dtls_changed(path))
        self.events.transport_added(self._numbers[path])
        # It may have got on before anybody looked.
        self._report("ice", path)
        self._report("dtls", path)

    def gathering(self, path: Transport, gatherer: IceGatherer) -> None:
        self._gathering.add(gatherer)
        self._all_gathered.clear()
        self._listen(gatherer, "candidate", lambda candidate: self._found(path, gatherer, candidate))
        self._listen(gatherer, "candidateerror", lambda error: self.events.candidate_failed(error))
        self._listen(gatherer, "statechange", lambda: self._gatherer_changed(path, gatherer))

    def read(self, what: Report) -> Mapping[int, str]:
        if what == "sctp":
            return {0: self._sctp.state} if self._sctp is not None else {}
        return {number: self._value(what, path) for path, number in self._numbers.items()}

    def _value(self, what: Report, path: Transport) -> str:
        if what == "gathering":
            return path.newest_gatherer.gathering_state
        if what == "dtls":
            return path.dtls.state
        return path.ice.state

    def _report(self, what: Report, path: Transport) -> None:
        number = self._numbers.get(path)
        if number is None:
            return
        # aiortc tells of a state that it was in before, too: connectionState is stale in its own ICE event (fact 21).
        value, before = self._value(what, path), self._told.get((what, number), "new")
        self._told[what, number] = value
        if value != before:
            self.events.reported(what, number, value)

    def _dtls_changed(self, path: Transport) -> None:
        self._report("dtls", path)
        # A transport that this side has given up closes too, and says nothing of the other side; nor does one whose
        # sections this side has stopped: the other side ends it with its answer, which may come later.
        is_needed = any(self.media.is_needed(one) for one in self._numbers)
        is_over = path in self._numbers and all(one.dtls.state == "closed" for one in self._numbers) and is_needed
        if is_over and self._profile.closes_with_peer:
            self.events.closed_by_library()

    def _found(self, path: Transport, gatherer: IceGatherer, candidate: Any) -> None:
        """A candidate, with the first section that uses its transport; an end of candidates if None."""
        if gatherer is path.newest_gatherer and path in self._numbers:
            section = self.media.first_sections().get(path, (None, None))
            self.events.candidate_found(_written(candidate, gatherer, *section))

    def _gatherer_changed(self, path: Transport, gatherer: IceGatherer) -> None:
        is_complete = gatherer.state == "completed"
        if is_complete:
            self._found(path, gatherer, None)
        if gatherer is path.newest_gatherer:
            self._report("gathering", path)
        if is_complete:
            self._gathering.discard(gatherer)
            self._update_gathered()
            if not self._gathering and path in self._numbers:
                self.events.candidate_found(None)

    def _update_gathered(self) -> None:
        live = {path.newest_gatherer for path in self._numbers}
        self._gathering &= live
        if not self._gathering:
            self._all_gathered.set()

    def _find_sctp(self) -> None:
        sctp = self.media.sctp
        if sctp is not None and sctp is not self._sctp:
            self._sctp = sctp
            self._listen(sctp, "datachannel", lambda channel: self.events.channel_announced(self._channel(channel)))
            self._listen(sctp, "statechange", lambda: self.events.reported("sctp", 0, sctp.state))

    def _channel(self, channel: Any) -> AiortcChannel:
        adapter = AiortcChannel(channel)
        self._channels = [one for one in self._channels if not one.is_closed]
        self._channels.append(adapter)
        return adapter

    def _listen(self, emitter: Any, event: str, handler: Callable[..., None]) -> None:
        if "error" not in emitter.event_names():
            emitter.on("error", log_error)

        # A handler that raises ends aiortc's own task, or comes out of setLocalDescription (fact 10).
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

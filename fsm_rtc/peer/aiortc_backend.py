"""aiortc behind a PeerConnection, with its quirks. The numbers are those of the facts measured on aiortc 1.16.0.

What is handled here: a handler that raises would break aiortc, unless its emitter has an `error` listener (10); one
bundled transport, so that adding media doesn't send the states back (11); the first messages of an announced channel
(20); gathering that waits for a dead server (15); a host with loopback alone (16); candidates that are given twice;
errors of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeVar

import aiortc
from aiortc.exceptions import InvalidAccessError as AiortcInvalidAccessError
from aiortc.exceptions import InvalidStateError as AiortcInvalidStateError
from aiortc.sdp import candidate_from_sdp

from fsm_rtc.errors import (
    FsmRtcError,
    InvalidAccessError,
    InvalidCandidateError,
    InvalidStateError,
    NoUsableAddressError,
    OperationError,
)
from fsm_rtc.peer.agreed import Agreed
from fsm_rtc.peer.aiortc_channel import AiortcChannel, log_error
from fsm_rtc.peer.aiortc_offers import AiortcOffers
from fsm_rtc.peer.aiortc_private import (
    CountedInBytes,
    bound_gathering,
    check_servers,
    connect_between_descriptions,
    end_consent_at_close,
    host_addresses,
    keep_unmatched,
    mark_bundle_primary,
)
from fsm_rtc.peer.backend import BackendEvents, Capabilities, ChannelOptions, Kind, Report
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.sdp import sections_of

__all__ = ["AiortcBackend"]

logger = logging.getLogger("fsm_rtc.peer.aiortc")

T = TypeVar("T")

GATHERING = {"new": "new", "gathering": "gathering", "completed": "complete"}


class AiortcBackend:
    """An `aiortc.RTCPeerConnection` as a `Backend`.

    Args:
        configuration: servers and time limits.

    Raises:
        ValueError: aiortc can't read a server's URL.
    """

    capabilities = Capabilities(pranswer=False)

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        servers = [
            aiortc.RTCIceServer(
                urls=list(server.urls) if not isinstance(server.urls, str) else server.urls,
                username=server.username,
                credential=server.credential,
            )
            for server in configuration.ice_servers
        ]
        check_servers(servers)
        self.connection = aiortc.RTCPeerConnection(
            aiortc.RTCConfiguration(iceServers=servers, bundlePolicy=aiortc.RTCBundlePolicy.MAX_BUNDLE)
        )
        connect_between_descriptions(self.connection)
        self._offers = AiortcOffers(self.connection)
        self._agreed = Agreed()
        self._events: BackendEvents | None = None
        self._listeners: list[tuple[Any, str, Callable[..., None]]] = []
        self._transports: list[Any] = []
        self._sctp: Any = None
        self._sctp_state = "connecting"
        self._channels: list[AiortcChannel] = []
        self._remote_candidates: set[str] = set()

    def attach(self, events: BackendEvents) -> None:
        self._events = events
        self._listen(self.connection, "signalingstatechange", self._signaling_changed)
        self._listen(self.connection, "datachannel", self._channel_announced)
        self._listen(self.connection, "track", lambda track: events.track_added(track))

    def detach(self) -> None:
        self._events = None
        for emitter, event, handler in self._listeners:
            if handler in emitter.listeners(event):
                emitter.remove_listener(event, handler)
        self._listeners.clear()
        for channel in self._channels:
            channel.detach()

    # Operations.

    async def create_offer(self) -> SessionDescription:
        return await self._call(self._offers.create())

    async def create_answer(self) -> SessionDescription:
        return _described(await self._call(self.connection.createAnswer()))

    async def set_local_description(self, description: SessionDescription) -> SessionDescription:
        if description.type == "offer" and self._offers.hold(description):
            return description
        self._find_transports()
        if not self._configuration.loopback and not host_addresses():
            raise NoUsableAddressError(
                "this host has no network address besides loopback, so no candidate can be gathered; "
                "connect it to a network, or use loopback=True (fsm-rtc demo --loopback) to stay on 127.0.0.1"
            )
        if description.type == "offer":
            await self._apply(self._offers.give(description))
        else:
            keep_unmatched(self.connection)
            await self._apply(self.connection.setLocalDescription(_as_aiortc(description)))
            self._agree()
        return _described(self.connection.localDescription)

    async def set_remote_description(self, description: SessionDescription) -> None:
        if self._offers.holds:
            self._offers.check_answer(description)
            await self._apply(self._offers.give_held())
        first = sections_of(description.sdp)[0]
        mark_bundle_primary(self.connection, first_kind=first.kind, first_mid=first.mid)
        await self._apply(self.connection.setRemoteDescription(_as_aiortc(description)))
        if description.type == "answer":
            self._agree()
        self._remote_candidates = {
            line[2:].strip() for line in description.sdp.splitlines() if line.startswith("a=candidate")
        }
        self._find_transports()

    def can_roll_back(self) -> bool:
        return self._offers.can_roll_back()

    async def rollback(self) -> None:
        self._offers.forget()

    async def add_ice_candidate(self, candidate: IceCandidate | None) -> None:
        if candidate is None:
            await self._call(self.connection.addIceCandidate(None))
            return
        if candidate.candidate in self._remote_candidates:
            return
        try:
            parsed = candidate_from_sdp(candidate.candidate.removeprefix("candidate:"))
        except (AssertionError, ValueError, IndexError) as error:
            raise InvalidCandidateError(
                f"aiortc can't parse the candidate {candidate.candidate[:80]!r}: {error}"
            ) from error
        parsed.sdpMid = candidate.sdp_mid
        parsed.sdpMLineIndex = candidate.sdp_m_line_index
        await self._call(self.connection.addIceCandidate(parsed))
        self._remote_candidates.add(candidate.candidate)

    def create_data_channel(self, label: str, options: ChannelOptions) -> AiortcChannel:
        channel = self.connection.createDataChannel(
            CountedInBytes(label),
            ordered=options.ordered,
            maxRetransmits=options.max_retransmits,
            maxPacketLifeTime=options.max_packet_life_time,
            protocol=CountedInBytes(options.protocol),
            negotiated=options.negotiated,
            id=options.id,
        )
        self._find_transports()
        return self._channel(channel)

    def add_track(self, track: Any) -> None:
        try:
            self.connection.addTrack(track)
        except Exception as error:
            raise _translated(error) from error
        self._find_transports()

    def add_transceiver(self, kind: Kind, direction: str) -> None:
        self.connection.addTransceiver(kind, direction=direction)
        self._find_transports()

    def transceiver_kinds(self) -> frozenset[str]:
        return frozenset(transceiver.kind for transceiver in self.connection.getTransceivers())

    def needs_negotiation(self) -> bool:
        return (self.connection.sctp is not None and not self._agreed.has_data) or not all(
            self._agreed.covers(mid, direction) for mid, direction in self._wanted()
        )

    async def close(self) -> None:
        await self.connection.close()

    def _wanted(self) -> Iterator[tuple[str | None, str]]:
        for transceiver in self.connection.getTransceivers():
            yield transceiver.mid, transceiver.direction

    def _agree(self) -> None:
        local, remote = self.connection.localDescription, self.connection.remoteDescription
        self._agreed = Agreed.of(_described(local), _described(remote), self._wanted())

    # Reports.

    def read(self, what: Report) -> Mapping[int, str]:
        if what == "sctp":
            return {0: self._sctp.state} if self._sctp is not None else {}
        return {number: _read(dtls, what) for number, dtls in enumerate(self._transports)}

    def _find_transports(self) -> None:
        """Attach to the transports that came since the last look; aiortc has no event for them."""
        for dtls in self._present_transports():
            if dtls not in self._transports:
                number = len(self._transports)
                self._transports.append(dtls)
                gatherer = dtls.transport.iceGatherer
                if gatherer.state == "new":
                    bound_gathering(
                        gatherer,
                        seconds=self._configuration.gather_timeout_seconds,
                        loopback=self._configuration.loopback,
                    )
                end_consent_at_close(gatherer)
                self._follow(gatherer, dtls, "gathering", number)
                self._follow(dtls.transport, dtls, "ice", number)
                self._follow(dtls, dtls, "dtls", number)
        sctp = self.connection.sctp
        if sctp is not None and self._sctp is None:
            self._sctp = sctp
            self._listen(sctp, "error", log_error)

    def _present_transports(self) -> Iterator[Any]:
        for transceiver in self.connection.getTransceivers():
            yield transceiver.receiver.transport
        if self.connection.sctp is not None:
            yield self.connection.sctp.transport

    def _follow(self, emitter: Any, dtls: Any, what: Report, number: int) -> None:
        def changed() -> None:
            self._report(what, number, _read(dtls, what))

        self._listen(emitter, "statechange", changed)
        value = _read(dtls, what)
        if value != "new":
            self._report(what, number, value)

    def _report(self, what: Report, number: int, value: str) -> None:
        if self._events is not None:
            self._events.reported(what, number, value)

    def _read_sctp(self) -> None:
        """Aiortc's SCTP transport tells nobody of its state, so it is read where it must have changed."""
        if self._sctp is not None and self._sctp.state not in ("new", self._sctp_state):
            self._sctp_state = self._sctp.state
            self._report("sctp", 0, self._sctp_state)

    def _signaling_changed(self) -> None:
        if self.connection.signalingState == "closed" and self._events is not None:
            self._events.closed_by_library()

    def _channel_announced(self, channel: Any) -> None:
        self._read_sctp()
        if self._events is not None:
            self._events.channel_announced(self._channel(channel))

    def _channel(self, channel: Any) -> AiortcChannel:
        adapter = AiortcChannel(channel, self._read_sctp)
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

    async def _apply(self, operation: Awaitable[None]) -> None:
        """Apply a description; if aiortc fails halfway, its state is no longer the machine's, so it is given up."""
        before = self.connection.signalingState
        try:
            await self._call(operation)
        except FsmRtcError:
            if self.connection.signalingState != before and self._events is not None:
                # In a turn of its own: the caller hears why first.
                asyncio.get_running_loop().call_soon(self._events.closed_by_library)
            raise

    async def _call(self, operation: Awaitable[T]) -> T:
        try:
            return await operation
        except FsmRtcError:
            raise
        except Exception as error:
            raise _translated(error) from error


def _described(description: Any) -> SessionDescription:
    return SessionDescription(description.type, description.sdp)


def _as_aiortc(description: SessionDescription) -> aiortc.RTCSessionDescription:
    return aiortc.RTCSessionDescription(description.sdp, description.type)


def _read(dtls: Any, what: Report) -> str:
    if what == "gathering":
        return GATHERING.get(dtls.transport.iceGatherer.state, str(dtls.transport.iceGatherer.state))
    return str(dtls.transport.state if what == "ice" else dtls.state)


def _translated(error: Exception) -> FsmRtcError:
    """Aiortc's error as the specification's."""
    sentence = str(error) or type(error).__name__
    if isinstance(error, AiortcInvalidStateError):
        return InvalidStateError(f"aiortc refused: {sentence}")
    if isinstance(error, AiortcInvalidAccessError):
        return InvalidAccessError(f"aiortc refused: {sentence}")
    return OperationError(
        f"aiortc failed: {sentence}; check that the description comes unchanged from a current WebRTC stack"
    )

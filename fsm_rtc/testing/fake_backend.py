"""A WebRTC library in memory: two of them connect when each has the other's description. No socket, no thread, no
clock.

It does what the specification says, and what a test tells it to: fail an operation, hold operations back, report a
state, vanish, die. Everything happens in later turns of the event loop, one step a turn, as with a real library.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any
from weakref import WeakValueDictionary

from fsm_rtc.errors import OperationError
from fsm_rtc.peer.backend import BackendEvents, Capabilities, ChannelEvents, ChannelOptions, Report, RTCTrackEvent
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.ice_snapshot import IceSnapshot, seen
from fsm_rtc.peer.sdp import candidates_of, check_description, sections_of
from fsm_rtc.testing.fake_sections import FakeLine, FakeSections, FakeTrack

__all__ = ["FakeBackend", "FakeNetwork", "FakeTrack"]


NUMBERS = count(1)
"""One for all networks, so that nobody is taken for a member of another one."""


DISCONNECTED_AFTER_SECONDS, FAILED_AFTER_SECONDS = 5.0, 30.0
"""So long after the network is cut ICE is disconnected, and failed."""


class FakeNetwork:
    """Where fakes find each other by the ICE user fragment in their descriptions; it can be cut.

    While it is cut nothing gets through: messages wait, as SCTP would send them again; a side that closes isn't heard
    of; no two connect. ICE is disconnected after 5 s and failed after 30 s, by the loop's clock; then it must be
    restarted.

    Attributes:
        is_cut: whether nothing gets through.
    """

    def __init__(self) -> None:
        self.is_cut = False
        self._backends: WeakValueDictionary[str, FakeBackend] = WeakValueDictionary()

    def cut(self) -> None:
        """Let nothing through any more."""
        self.is_cut = True
        for backend in tuple(self._backends.values()):
            backend.network_cut()

    def heal(self) -> None:
        """Let everything through again."""
        self.is_cut = False
        for backend in tuple(self._backends.values()):
            backend.network_healed()

    def join(self, backend: FakeBackend) -> str:
        """The new member's user fragment."""
        ufrag = f"fake{next(NUMBERS)}"
        self._backends[ufrag] = backend
        return ufrag

    def find(self, ufrag: str | None) -> FakeBackend | None:
        """The member with this user fragment, if it is still there."""
        return self._backends.get(ufrag) if ufrag is not None else None


DEFAULT_NETWORK = FakeNetwork()

SILENT = BackendEvents()
"""Nobody listens: it is not attached, or gone."""


class FakeBackend:
    """A library in memory.

    Args:
        network: where it finds the other side.

    Attributes:
        remote_candidates: what add_ice_candidate was given, in order.
        operations: the names of the operations that were begun, in order.
        pairs: the states of the candidate pairs that it shows; it tries none itself.
        rolls_back: what it answers when it is asked whether it can roll back; set it to False to be like a library
            that can't.
    """

    capabilities = Capabilities(pranswer=True)

    def __init__(self, network: FakeNetwork | None = None) -> None:
        self._network = network or DEFAULT_NETWORK
        self.ufrag = self._network.join(self)
        self._fingerprint = "sha-256 " + hashlib.sha256(self.ufrag.encode()).digest().hex(":").upper()
        self.remote_candidates: list[IceCandidate | None] = []
        self.operations: list[str] = []
        self.rolls_back = True
        self._events = SILENT
        self._states: dict[Report, str] = {}
        self._sections = FakeSections(
            lambda: self._events.track_status(),
            lambda: self._events.transceiver_added(),
            lambda status: self._events.transceiver_removed(status),
        )
        self._remote_ufrag: str | None = None
        self._agreed_ufrag: str | None = None
        self._connecting = False
        self._connected = False
        self._closed = False
        self._follows: list[Callable[[], None]] = []
        self._found: set[IceCandidate] = set()
        self._remote_found: tuple[IceCandidate, ...] = ()
        self.pairs: tuple[str, ...] = ()
        self._failures: dict[str, Exception] = {}
        self._gate = asyncio.Event()
        self._gate.set()
        self._restarts_ice = False
        self._held: list[Callable[[], None]] = []
        self._is_deserted = False
        self._consent: list[asyncio.TimerHandle] = []
        self.channels: list[FakeChannel] = []

    # What a test may tell it.

    def fail_next(self, operation: str, error: Exception | None = None) -> None:
        """Let the next operation of this name fail, with `error` or an OperationError."""
        self._failures[operation] = error or OperationError(f"{operation} was told to fail")

    def hold(self) -> None:
        """Keep every operation waiting until `release`."""
        self._gate.clear()

    def release(self) -> None:
        """Let the operations go on."""
        self._gate.set()

    def report(self, what: Report, value: str) -> None:
        """Report a state, as a library would."""
        self._states[what] = value
        self._events.reported(what, 0, value)

    def vanish(self) -> None:
        """Be gone without a goodbye; the other side's consent expires, then its library closes."""
        self._closed = True
        self._events = SILENT
        if (other := self._other()) is not None and not self._network.is_cut:
            other.soon(lambda: other.report("ice", "failed"), other.lose)

    def die(self) -> None:
        """Be gone without a word, as the process is that is killed; the other side hears nothing more, ever."""
        other = self._other()
        self._closed = self._is_deserted = True
        self._events = SILENT
        self._end_consent()
        if self._connected and other is not None:
            other.network_cut()
            other._is_deserted = True

    # The library.

    def attach(self, events: BackendEvents) -> None:
        self._events = events

    def detach(self) -> None:
        self._events = SILENT
        for channel in self.channels:
            channel.detach()

    async def create_offer(self, *, restart: bool = False) -> SessionDescription:
        await self._begin("create_offer")
        return SessionDescription("offer", self._sdp("actpass", self._sections.offer()))

    async def create_answer(self) -> SessionDescription:
        await self._begin("create_answer")
        return SessionDescription("answer", self._sdp("active", self._sections.answer()))

    async def set_local_description(self, description: SessionDescription) -> SessionDescription:
        await self._begin("set_local_description")
        if self._states.get("gathering") != "complete":
            self.report("gathering", "gathering")
            await asyncio.sleep(0)
            self.report("gathering", "complete")
        self._sections.apply_local(description)
        self._settle(description)
        applied = SessionDescription(description.type, self._with_candidate(description.sdp))
        candidates = candidates_of(applied)
        found, self._found = self._found, self._found | set(candidates)
        self._follows += [partial(self._tell_candidate, one) for one in candidates if one not in found]
        self._follows.append(partial(self._tell_candidate, None))
        return applied

    def check_remote(self, description: SessionDescription) -> None:
        check_description(description)

    def settled(self) -> None:
        follows, self._follows = self._follows, []
        for tell in follows:
            tell()

    async def gathered(self) -> None:
        return

    async def set_remote_description(self, description: SessionDescription) -> None:
        await self._begin("set_remote_description")
        tracks = self._sections.apply_remote(description)
        self._remote_found = candidates_of(description)
        self._remote_ufrag = sections_of(description)[0].ufrag
        self._follows += [partial(self._tell_track, track) for track in tracks]
        self._settle(description)

    def can_roll_back(self) -> bool:
        return self.rolls_back

    async def rollback(self) -> None:
        await self._begin("rollback")
        self._sections.roll_back()
        self._remote_ufrag = self._agreed_ufrag

    async def add_ice_candidate(self, candidate: IceCandidate | None) -> None:
        await self._begin("add_ice_candidate")
        self.remote_candidates.append(candidate)

    def create_data_channel(self, label: str, options: ChannelOptions) -> FakeChannel:
        channel = FakeChannel(self, label, options, None)
        self.channels.append(channel)
        self._sections.wants_data = True
        if self._connected:
            self.soon(lambda: self._open(channel))
        return channel

    def add_track(self, track: Any, streams: Sequence[Any] = ()) -> None:
        self._sections.add_track(track)

    def add_transceiver(self, track_or_kind: Any, direction: str, streams: Sequence[Any] = ()) -> None:
        self._sections.add_transceiver(track_or_kind, direction)

    def restart_ice(self) -> None:
        """Look for the way to the other side again with the next exchange."""
        self._restarts_ice = True

    def use_configuration(self, configuration: Configuration) -> None:
        """There are no servers in memory."""

    @property
    def is_relayed(self) -> bool:
        return False

    def transceiver_kinds(self) -> frozenset[str]:
        return self._sections.kinds

    def needs_negotiation(self) -> bool:
        return self._sections.need_negotiation

    def read(self, what: Report) -> Mapping[int, str]:
        return {0: self._states[what]} if what in self._states else {}

    def ice_snapshots(self) -> tuple[IceSnapshot, ...]:
        remote = [*self._remote_found, *(one for one in self.remote_candidates if one is not None)]
        return (IceSnapshot(seen(sorted(self._found, key=str)), seen(list(dict.fromkeys(remote))), self.pairs),)

    def shut(self) -> None:
        """The other side's tracks have ended, and its transceivers are stopped; it shows nothing else of its own."""
        self._sections.close()

    async def close(self) -> None:
        self._closed = True
        self._end_consent()
        other = self._other()
        if self._connected and other is not None and not self._network.is_cut:
            other.soon(lambda: other.report("dtls", "closed"), other.lose)
        await asyncio.sleep(0)

    # How two of them connect.

    def soon(self, *steps: Callable[[], None]) -> None:
        """Do the steps, each in a turn of its own."""

        def go_on() -> None:
            steps[0]()
            if len(steps) > 1:
                self.soon(*steps[1:])

        asyncio.get_running_loop().call_soon(go_on)

    def network_cut(self) -> None:
        """Nothing of the other side is heard any more."""
        if self._connected and not self._closed and not self._consent:
            loop = asyncio.get_running_loop()
            for seconds, state in ((DISCONNECTED_AFTER_SECONDS, "disconnected"), (FAILED_AFTER_SECONDS, "failed")):
                self._consent.append(loop.call_later(seconds, self.report, "ice", state))

    def network_healed(self) -> None:
        """The other side is heard again, unless ICE has failed meanwhile."""
        if self._is_deserted:
            return
        self._end_consent()
        if self._states.get("ice") == "disconnected":
            self.report("ice", "connected")
        if self._hears:
            self._let_through()

    def when_heard(self, step: Callable[[], None]) -> None:
        """Do the step soon, or when the network lets it through."""
        if self._hears and not self._held:
            self.soon(step)
        else:
            self._held.append(step)

    @property
    def _hears(self) -> bool:
        return not (self._network.is_cut or self._is_deserted) and self._states.get("ice") != "failed"

    def _let_through(self) -> None:
        held, self._held = self._held, []
        for step in held:
            self.soon(step)

    def _end_consent(self) -> None:
        for timer in self._consent:
            timer.cancel()
        self._consent.clear()

    def lose(self) -> None:
        """Close by itself, as libraries do when the other side is gone."""
        if self._closed:
            return
        self._closed = True
        self._end_consent()
        for channel in self.channels:
            channel.lose()
        self._events.closed_by_library()

    def _tell_candidate(self, candidate: IceCandidate | None) -> None:
        self._events.candidate_found(candidate)

    def _tell_track(self, track: FakeTrack) -> None:
        self._events.track_added(RTCTrackEvent(track))

    async def _begin(self, operation: str) -> None:
        self.operations.append(operation)
        await asyncio.sleep(0)
        await self._gate.wait()
        if operation in self._failures:
            raise self._failures.pop(operation)

    def _other(self) -> FakeBackend | None:
        other = self._network.find(self._remote_ufrag)
        return other if other is not None and other._remote_ufrag == self.ufrag else None

    def _settle(self, description: SessionDescription) -> None:
        if description.type != "answer":
            return
        self._agreed_ufrag = self._remote_ufrag
        other = self._other()
        if other is None or other._agreed_ufrag != self.ufrag:
            return
        if self._connecting:
            if self._restarts_ice or other._restarts_ice:
                for side in (self, other):
                    side._restart()
            self._open_channels()
            return
        for side in (self, other):
            side._connecting = True
            side.when_heard_all(
                lambda side=side: side.report("ice", "checking"),  # type: ignore[misc]
                lambda side=side: side.report("ice", "connected"),  # type: ignore[misc]
                lambda side=side: side.report("ice", "completed"),  # type: ignore[misc]
                lambda side=side: side.report("dtls", "connecting"),  # type: ignore[misc]
                side._connect,
            )

    def when_heard_all(self, *steps: Callable[[], None]) -> None:
        """Do the steps, each in a turn of its own, as far as the network lets them through."""
        for step in steps:
            self.when_heard(step)

    def _restart(self) -> None:
        """ICE was restarted: the way is looked for, and found when the network lets it."""
        self._restarts_ice = False
        if self._closed or self._states.get("ice") not in ("failed", "disconnected"):
            return
        self._end_consent()
        self.report("ice", "checking")
        self._held.insert(0, lambda: self.report("ice", "connected"))
        if self._hears:
            self._let_through()

    def _connect(self) -> None:
        if self._closed or self._events is SILENT:
            return
        self.report("dtls", "connected")
        self._connected = True
        self._open_channels()

    def _open_channels(self) -> None:
        other = self._other()
        for side in (self, other):
            if side is not None and side._connected and side._sections.agreed.has_data:
                if side._states.get("sctp") != "connected":
                    side.report("sctp", "connected")
                for channel in tuple(side.channels):
                    side.soon(lambda side=side, channel=channel: side._open(channel))  # type: ignore[misc]

    def _open(self, channel: FakeChannel) -> None:
        other = self._other()
        if self._closed or channel.is_over or other is None or (channel.peer and not channel.options.negotiated):
            return
        if not all(side._connected and side._sections.agreed.has_data for side in (self, other)):
            return
        if channel.options.negotiated:
            # It is open as soon as the association is, whether or not the other side has made its own.
            twins = (twin for twin in other.channels if twin.options.negotiated and twin.id == channel.id)
            if (twin := next(twins, None)) is not None:
                twin.peer, channel.peer = channel, twin
        else:
            twin = FakeChannel(other, channel.label, channel.options, channel)
            other.channels.append(twin)
            channel.peer = twin
            other._events.channel_announced(twin)
        channel.tell_opened()

    def _sdp(self, setup: str, lines: list[FakeLine]) -> str:
        text = ["v=0", f"o=- 1 1 IN IP4 {self.ufrag}.invalid", "s=-", "t=0 0", f"a=fingerprint:{self._fingerprint}"]
        for line in lines:
            protocol = "UDP/DTLS/SCTP webrtc-datachannel" if line.kind == "application" else "UDP/TLS/RTP/SAVPF 0"
            text += [
                f"m={line.kind} 9 {protocol}",
                f"a=mid:{line.mid}",
                f"a=ice-ufrag:{self.ufrag}",
                "a=ice-pwd:inMemoryPassword0000000",
                f"a=setup:{setup}",
                f"a={line.direction}",
            ]
        return "\r\n".join(text) + "\r\n"

    def _with_candidate(self, sdp: str) -> str:
        port = 40_000 + int(self.ufrag.removeprefix("fake")) % 20_000
        line = f"a=candidate:1 1 udp 2130706431 192.0.2.1 {port} typ host\r\n"
        return sdp if line in sdp else sdp + line


class FakeChannel:
    """A data channel in memory."""

    max_message_bytes = 262_144

    def __init__(self, owner: FakeBackend, label: str, options: ChannelOptions, peer: FakeChannel | None) -> None:
        self._owner = owner
        self.label = label
        self.options = options
        self.peer = peer
        self.id = options.id
        self.protocol = options.protocol
        self.buffered_amount = 0
        self.low_threshold = 0
        self._events: ChannelEvents | None = None
        self.is_over = False

    def attach(self, events: ChannelEvents) -> None:
        self._events = events

    def detach(self) -> None:
        self._events = None

    def send(self, data: str | bytes) -> None:
        if self.peer is not None:
            self._owner.when_heard(lambda: self.peer.deliver(data) if self.peer else None)

    def deliver(self, data: str | bytes) -> None:
        if self._events is not None and not self.is_over:
            self._events.received(data)

    def close(self) -> None:
        self._owner.when_heard(lambda: self.peer.lose(by_peer=True) if self.peer else None)
        self._owner.when_heard(self.lose)

    def lose(self, *, by_peer: bool = False) -> None:
        """Be closed, by the other side's close() of the channel if `by_peer`."""
        if not self.is_over:
            self.is_over = True
            if self._events is not None:
                if by_peer:
                    self._events.closing()
                self._events.closed()

    def tell_opened(self) -> None:
        if self._events is not None and not self.is_over:
            self._events.opened()

"""What a WebRTC library must offer to stand behind a PeerConnection. Each library's quirks stay inside its backend.

A backend applies what the tables have already permitted, and reports what happens. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from fsm_rtc.engine.doors import text
from fsm_rtc.errors import SpecificationError
from fsm_rtc.machines.gatherer import Gatherer
from fsm_rtc.machines.ice import Ice, Ways
from fsm_rtc.machines.remote_track import RemoteTrackStatus
from fsm_rtc.machines.transceiver import Transceiver
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.ice_snapshot import IceSnapshot


@dataclass(frozen=True, slots=True)
class RTCTrackEvent:
    """RTCTrackEvent.

    Attributes:
        track: the track.
        receiver: the RTCRtpReceiver that it comes from; None where the library has none.
        transceiver: the RTCRtpTransceiver; None where the library has none.
        streams: the MediaStreams that the other side says it belongs to.
    """

    track: Any
    receiver: Any = None
    transceiver: Any = None
    streams: tuple[Any, ...] = ()


Kind = Literal["audio", "video"]

Report = Literal["gathering", "ice", "dtls", "sctp"]
"""Which of a library's statuses a report is about."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a library can do, of what not every library can.

    Attributes:
        pranswer: it knows provisional answers.
    """

    pranswer: bool = False


@dataclass(frozen=True, slots=True)
class ChannelOptions:
    """RTCDataChannelInit.

    Attributes:
        ordered: whether messages keep their order.
        max_retransmits: how often a message is sent again, or None for without limit.
        max_packet_life_time: how long it is tried, in milliseconds, or None.
        protocol: the subprotocol's name.
        negotiated: whether both sides make the channel themselves, with the same `id`.
        id: the stream, 0 to 65534; of a channel that is not negotiated the library chooses it.

    Raises:
        ValueError: they contradict each other, or a number is out of its range.
        TypeError: the subprotocol's name is too long.
    """

    ordered: bool = True
    max_retransmits: int | None = None
    max_packet_life_time: int | None = None
    protocol: str = ""
    negotiated: bool = False
    id: int | None = None

    def __post_init__(self) -> None:
        if self.max_retransmits is not None and self.max_packet_life_time is not None:
            raise ValueError("a data channel has either max_retransmits or max_packet_life_time, not both")
        for name in ("max_retransmits", "max_packet_life_time"):
            number = getattr(self, name)
            if number is not None and not (isinstance(number, int) and 0 <= number <= 65535):
                raise ValueError(f"a data channel's {name} is an integer from 0 to 65535, not {number!r}")
        check_name("protocol", self.protocol)
        if not self.negotiated:
            object.__setattr__(self, "id", None)
        elif not (isinstance(self.id, int) and 0 <= self.id <= 65534):
            raise ValueError("a negotiated data channel needs an id from 0 to 65534, the same on both sides")


def check_name(what: str, name: str) -> None:
    """Refuse a label or protocol that has no place in a channel's first message.

    Raises:
        TypeError: it is no text, or has more than 65535 bytes.

    Source: webrtc-pc, #dom-peerconnection-createdatachannel.
    """
    text(name, f"a data channel's {what}", TypeError)
    if len(name.encode()) > 65535:
        raise TypeError(f"a data channel's {what} has at most 65535 bytes of UTF-8, not {len(name.encode())}")


class ChannelEvents(Protocol):
    """Where a library's channel tells what happens."""

    def opened(self) -> None: ...
    def closing(self) -> None:
        """The other side closes it."""

    def closed(self, error: SpecificationError | None = None) -> None:
        """It is closed; `error` if its transport was lost."""

    def received(self, data: str | bytes) -> None: ...
    def drained(self) -> None: ...


class ChannelBackend(Protocol):
    """A library's data channel."""

    @property
    def label(self) -> str: ...
    @property
    def id(self) -> int | None: ...
    @property
    def protocol(self) -> str: ...
    @property
    def options(self) -> ChannelOptions: ...
    @property
    def buffered_amount(self) -> int: ...
    @property
    def max_message_bytes(self) -> int:
        """The longest message that both sides take."""

    low_threshold: int
    """`drained` tells when no more bytes than this wait."""

    def attach(self, events: ChannelEvents) -> None: ...
    def send(self, data: str | bytes) -> None: ...
    def close(self) -> None: ...


class BackendEvents:
    """Where a library tells what happens; this class itself listens to nothing.

    So it is what a backend tells before it is attached, and once it is detached.
    """

    def reported(self, what: Report, transport: int, value: str) -> None:
        """A status of transport number `transport` (0 for sctp) is now `value`."""

    def transport_added(self, transport: int) -> None:
        """There is a new transport; its statuses are all ``new``."""

    def transport_removed(self, transport: int) -> None:
        """A transport is not part of the connection any more."""

    def candidate_found(self, candidate: IceCandidate | None) -> None:
        """A local candidate, with its section; None when every gatherer has told all of its own."""

    def candidate_failed(self, error: object) -> None:
        """A server could not be used to gather candidates: an RTCPeerConnectionIceErrorEvent's values."""

    def channel_announced(self, channel: ChannelBackend) -> None:
        """The other side made a data channel; it is open."""

    def track_added(self, event: Any) -> None:
        """The other side's track is there: an object with ``track``, ``receiver``, ``transceiver``, ``streams``."""

    def track_status(self) -> RemoteTrackStatus:
        """The status of a new track of the other side; the library steps it."""
        return RemoteTrackStatus()

    def negotiation_changed(self) -> None:
        """A negotiation may be needed."""

    def transceiver_added(self) -> Transceiver:
        """There is a new transceiver; this is its machine."""
        return Transceiver()

    def transceiver_removed(self, status: Transceiver) -> None:
        """The transceiver of this machine is not part of the connection any more."""

    def ice_added(self, table: type[Ice], ways: Ways) -> Ice:
        """There is a new ICE transport of this library; this is its machine, of this table, which it steps."""
        return table(ways)

    def ice_removed(self, machine: Ice) -> None:
        """Nothing is left of the ICE transport of this machine."""

    def gatherer_added(self) -> Gatherer:
        """A gatherer of this library begins; this is its machine, which it steps."""
        return Gatherer()

    def closed_by_library(self) -> None:
        """The library closed the connection by itself."""


class Backend(Protocol):
    """A library's peer connection."""

    @property
    def capabilities(self) -> Capabilities: ...

    def attach(self, events: BackendEvents) -> None: ...
    async def create_offer(self, *, restart: bool = False) -> SessionDescription:
        """An offer; with new ICE credentials if `restart`."""

    async def create_answer(self) -> SessionDescription: ...
    async def set_local_description(self, description: SessionDescription) -> SessionDescription:
        """Apply it; return it as the library has it now, with the candidates found so far."""

    def check_remote(self, description: SessionDescription) -> None:
        """Refuse what can't be applied, while nothing has changed."""

    async def set_remote_description(self, description: SessionDescription) -> None: ...
    def can_roll_back(self) -> bool:
        """Whether it can take back the description that is pending; while none is, an offer that it would apply now."""

    async def rollback(self) -> None: ...
    def settled(self) -> None:
        """What was applied last is in force: tell what follows from it."""

    async def gathered(self) -> None:
        """Wait for what the profile wants to have gathered, within the configured time."""

    async def add_ice_candidate(self, candidate: IceCandidate | None) -> None: ...
    def create_data_channel(self, label: str, options: ChannelOptions) -> ChannelBackend: ...
    def add_track(self, track: Any, streams: Sequence[Any] = ()) -> Any:
        """Send a track; returns the library's sender."""

    def add_transceiver(self, track_or_kind: Any, direction: str, streams: Sequence[Any] = ()) -> Any:
        """Add a media section; returns the library's transceiver."""

    def transceiver_kinds(self) -> frozenset[str]:
        """The kinds of media for which there is a transceiver."""

    def restart_ice(self) -> None:
        """Let the next offer have new ICE credentials."""

    def use_configuration(self, configuration: Configuration) -> None:
        """Use other servers, from the next gathering on.

        Raises:
            ValueError: it can't use a server; nothing is changed.
        """

    @property
    def is_relayed(self) -> bool:
        """Whether a TURN server of this side's carries something, or may yet."""

    def needs_negotiation(self) -> bool:
        """Whether it has a transceiver or data channels that the last complete negotiation doesn't cover."""

    def read(self, what: Report) -> Mapping[int, str]:
        """The library's present value of a status, by transport."""

    def ice_snapshots(self) -> tuple[IceSnapshot, ...]:
        """What each ICE agent has found and tried; readable as long as the connection is there, closed or not."""

    def shut(self) -> None:
        """The connection is closed; what it shows is closed from now on."""

    def detach(self) -> None:
        """Remove every handler; report nothing more."""

    async def close(self) -> None: ...

"""SignalingChannel: what carries signalling messages to the other side. An embedder may bring its own.

A channel carries texts and tells who is there. It needs to keep no promise beyond that: messages may be lost, repeated,
reordered or forged on their way; a `Connection` numbers, repeats and verifies its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from fsm_rtc.connection.saving.saved import SavedLink
from fsm_rtc.engine import Chart
from fsm_rtc.messages import Introduction, Member, PeerMessage
from fsm_rtc.peer.configuration import IceServer

__all__ = [
    "ChannelOfMachines",
    "CheckableChannel",
    "IceServersChanged",
    "LinkDown",
    "LinkUp",
    "MessageReceived",
    "PeerJoined",
    "PeerLeft",
    "ResumableChannel",
    "SignalingChannel",
    "SignalingEvent",
]


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The link stands, again or for the first time.

    Attributes:
        members: who else is in the room now.
        resumed: whether nothing was lost since the link before.
        ice_servers: STUN and TURN servers that the signalling offers.
    """

    members: tuple[Introduction, ...] = ()
    resumed: bool = False
    ice_servers: tuple[IceServer, ...] = ()


@dataclass(frozen=True, slots=True)
class IceServersChanged:
    """The signalling offers other servers than before, for what it told of ends soon.

    Attributes:
        ice_servers: STUN and TURN servers.
    """

    ice_servers: tuple[IceServer, ...]


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The link is lost, or could not be made.

    Attributes:
        error: why; None if it was closed in order.
        retry_seconds: the next attempt comes in so many seconds; None if there will be none.
    """

    error: Exception | None = None
    retry_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PeerJoined:
    """Somebody came; a peer that is known may come again with a new session."""

    member: Introduction


@dataclass(frozen=True, slots=True)
class PeerLeft:
    """Somebody went."""

    id: str
    session: str


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A frame for this side, unverified.

    Attributes:
        frame: as it came.
        message: what it says, if the channel has decoded it; else that is left to the exchange.
    """

    frame: str | bytes
    message: PeerMessage | None = field(default=None, compare=False, repr=False)


SignalingEvent = LinkUp | LinkDown | IceServersChanged | PeerJoined | PeerLeft | MessageReceived


@runtime_checkable
class CheckableChannel(Protocol):
    """A channel that can find out whether its link still stands. Optional."""

    def check(self) -> None:
        """The peer is silent: find out soon whether the link still stands, and make another if it doesn't."""


@runtime_checkable
class ChannelOfMachines(Protocol):
    """A channel that is run by machines. Optional."""

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        """They, by label."""


@runtime_checkable
class ResumableChannel(Protocol):
    """A channel whose session at the server another run of the program can go on with. Optional."""

    def export(self) -> SavedLink | None:
        """What another run needs for that; None before there is a session."""

    def restore(self, saved: SavedLink) -> None:
        """Go on with the session of another run; before `open`."""


class SignalingChannel(Protocol):
    """A way to one room."""

    @property
    def room(self) -> str:
        """The room's name, the same on both sides; every message is bound to it."""

    async def open(self, me: Member) -> None:
        """Begin; the link's state is told by events.

        Args:
            me: who this side is: introduces itself with ``me.introduction``, proves its key with ``me.prove(nonce)``.
        """

    async def send(self, text: str) -> None:
        """Pass a message on.

        Raises:
            LinkDownError: the link is down; the connection sends it again when it is up.
        """

    def events(self) -> AsyncIterator[SignalingEvent]:
        """What happens, until the channel is closed; asked for once."""

    async def aclose(self) -> None:
        """Leave the room and let everything go. Idempotent."""

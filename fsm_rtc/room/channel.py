"""RoomChannel: one signalling channel for many peers, each of whom it shows alone to a connection of its own.

The real channel is read here, and nowhere else. What it tells goes on like this:

| of the real channel | to the channel of a peer | to the room |
| --- | --- | --- |
| `LinkUp` with members | `LinkUp` with that peer, if it is one of them | all of it |
| `LinkDown` | as it is | as it is |
| `PeerJoined`, `PeerLeft` | to that peer's, as it is | as it is, afterwards |
| `MessageReceived` | to the sender's, as the frame says; who says it is for the exchange to verify | nothing |

A peer is an id and a session: one that comes again with a new session gets another channel.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from fsm_rtc.connection.channel import (
    ChannelOfMachines,
    CheckableChannel,
    IceServersChanged,
    LinkDown,
    LinkUp,
    MessageReceived,
    PeerJoined,
    PeerLeft,
    SignalingChannel,
    SignalingEvent,
)
from fsm_rtc.engine import Chart
from fsm_rtc.errors import LinkDownError
from fsm_rtc.messages import MAX_MESSAGE_BYTES, Introduction, Member

__all__ = ["PeerChannel", "RoomChannel", "RoomNews"]

MAX_WAITING_FRAMES = 1024
"""So many frames of a peer wait for its connection; what comes then is lost, and said again by the peer."""

RoomNews = LinkUp | LinkDown | IceServersChanged | PeerJoined | PeerLeft

PeerKey = tuple[str, str]
"""An id and a session."""


class PeerChannel:
    """The `SignalingChannel` of one peer; made by `RoomChannel.channel_to`.

    Attributes:
        peer: whom it shows.
    """

    def __init__(self, whole: RoomChannel, peer: Introduction) -> None:
        self.peer = peer
        self._whole = whole
        self._events: asyncio.Queue[SignalingEvent | None] = asyncio.Queue()

    @property
    def room(self) -> str:
        """The room's name."""
        return self._whole.room

    async def open(self, me: Member) -> None:
        """Begin with the peer, who is there; the real channel was opened by the room."""
        for event in self._whole.told_of_link(self.peer):
            self._events.put_nowait(event)

    async def send(self, text: str) -> None:
        """Pass a message on.

        Raises:
            LinkDownError: the link is down, or the peer has left; if it came back, that is another channel's matter.
        """
        if not self._whole.serves(self):
            raise LinkDownError("the peer has left the room")
        await self._whole.send(text)

    def check(self) -> None:
        """Find out whether the real channel's link still stands."""
        self._whole.check()

    async def events(self) -> AsyncIterator[SignalingEvent]:
        """What happens to the link and to this peer, until the channel is closed."""
        while (event := await self._events.get()) is not None:
            yield event

    async def aclose(self) -> None:
        """Close this channel; the real one stays open."""
        self._whole.forget(self)
        self._events.put_nowait(None)

    def take(self, event: SignalingEvent) -> bool:
        """Here is an event; False if too many wait and it is lost. The link's own state never is."""
        if not isinstance(event, LinkUp | LinkDown | PeerLeft) and self._events.qsize() >= MAX_WAITING_FRAMES:
            return False
        self._events.put_nowait(event)
        return True


class RoomChannel:
    """The real channel, and the channels of the peers over it.

    Args:
        channel: the real one.

    Attributes:
        ignored: how many frames went to no peer, by why.
    """

    def __init__(self, channel: SignalingChannel) -> None:
        self.ignored: Counter[str] = Counter()
        self._channel = channel
        self._peers: dict[PeerKey, PeerChannel] = {}
        self._up = LinkUp()
        self._since: tuple[LinkDown, ...] = (LinkDown(),)

    @property
    def room(self) -> str:
        """The room's name."""
        return self._channel.room

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        """The machines of the real channel, by label, if it has some."""
        return self._channel.machines if isinstance(self._channel, ChannelOfMachines) else {}

    async def open(self, me: Member) -> None:
        """Open the real channel."""
        await self._channel.open(me)

    async def send(self, text: str) -> None:
        """Pass a message on, over the real channel."""
        await self._channel.send(text)

    def check(self) -> None:
        """Find out whether the link still stands, if the real channel can."""
        if isinstance(self._channel, CheckableChannel):
            self._channel.check()

    async def read(self, tell: Callable[[RoomNews], None]) -> None:
        """Read the real channel until it is closed; if it fails, the link is down for good.

        Args:
            tell: is told what concerns the room, after the peer's channel; must not raise.
        """
        try:
            async for event in self._channel.events():
                self._hand_on(event, tell)
        except Exception as error:
            self._hand_on(LinkDown(error, None), tell)
            raise

    def channel_to(self, peer: Introduction) -> PeerChannel:
        """A channel that shows this peer alone; the one before, of the same session, is cut off."""
        if (before := self._peers.get((peer.id, peer.session))) is not None:
            before.take(LinkDown())
        channel = self._peers[peer.id, peer.session] = PeerChannel(self, peer)
        return channel

    def told_of_link(self, peer: Introduction) -> tuple[SignalingEvent, ...]:
        """What was told of the link when it came up the last time, with that peer alone, and since then."""
        return (replace(self._up, members=(peer,)), *self._since)

    def serves(self, channel: PeerChannel) -> bool:
        """Whether this channel is the present one of its peer."""
        return self._peers.get((channel.peer.id, channel.peer.session)) is channel

    def forget(self, channel: PeerChannel) -> None:
        """Hand nothing more on to this channel."""
        if self.serves(channel):
            del self._peers[channel.peer.id, channel.peer.session]

    async def aclose(self) -> None:
        """Leave the room."""
        await self._channel.aclose()

    def _hand_on(self, event: SignalingEvent, tell: Callable[[RoomNews], None]) -> None:
        match event:
            case MessageReceived():
                self._route(event)
                return
            case LinkUp(members):
                self._up, self._since = event, ()
                there = {(member.id, member.session): member for member in members}
                for key, channel in tuple(self._peers.items()):
                    channel.take(replace(event, members=(there[key],) if key in there else ()))
            case IceServersChanged(servers):
                self._up = replace(self._up, ice_servers=servers)
                for channel in tuple(self._peers.values()):
                    channel.take(event)
            case LinkDown():
                self._since = (LinkDown(),)
                for channel in tuple(self._peers.values()):
                    channel.take(event)
            case PeerJoined(member):
                if (known := self._peers.get((member.id, member.session))) is not None:
                    known.take(event)
            case PeerLeft(who, session):
                if (gone := self._peers.pop((who, session), None)) is not None:
                    gone.take(event)
                    gone.take(LinkDown())  # nobody is left to acknowledge a goodbye
        tell(event)

    def _route(self, event: MessageReceived) -> None:
        message = event.message
        key = (message.sender, message.sender_session) if message is not None else _sender_of(event.frame)
        channel = self._peers.get(key) if key is not None else None
        if channel is None:
            self.ignored["no sender" if key is None else "sender unknown"] += 1
        elif not channel.take(event):
            self.ignored["too many wait"] += 1


class _Envelope(msgspec.Struct):
    sender: str
    sender_session: str


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def _sender_of(frame: str | bytes) -> PeerKey | None:
    """Who sent a frame, as it says itself; None if it doesn't say, whatever it holds."""
    if len(frame) > MAX_MESSAGE_BYTES:
        return None
    try:
        envelope = _ENVELOPE.decode(frame)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return envelope.sender, envelope.sender_session

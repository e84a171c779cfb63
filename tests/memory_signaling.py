"""Signalling for many, in memory, that does what a test tells it to: a server, and the way of each member to it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import msgspec

from fsm_rtc.connection.channel import LinkDown, LinkUp, MessageReceived, PeerJoined, PeerLeft, SignalingEvent
from fsm_rtc.errors import LinkDownError
from fsm_rtc.messages import Identity, Introduction, Member
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.room.room import Room
from fsm_rtc.testing import FakeNetwork, FakePeerConnection


class MemorySignaling:
    """Every member hears who comes, who goes, and what is said to him.

    Args:
        seed: of what is lost and held back.
        loss: of each message, how likely it is lost.
        delay: of each message, how likely it is held back until a later one was delivered.
    """

    name = "hall"

    def __init__(self, seed: int = 0, *, loss: float = 0.0, delay: float = 0.0) -> None:
        self.seats: dict[str, MemorySignalingChannel] = {}
        self.loss = loss
        self.delay = delay
        self._random = random.Random(seed)
        self._held: list[tuple[str, str]] = []

    def channel(self) -> MemorySignalingChannel:
        return MemorySignalingChannel(self)

    def enter(self, channel: MemorySignalingChannel) -> None:
        """Somebody comes, or comes back; the same id again takes the place of the one before."""
        me = channel.introduction
        before = self.seats.get(me.id)
        if before is not None and before.introduction.session != me.session:
            self.leave(before)
        others = [seat for seat in self.seats.values() if seat.introduction.id != me.id]
        was_here = me.id in self.seats
        self.seats[me.id] = channel
        channel.tell(LinkUp(tuple(other.introduction for other in others), resumed=was_here))
        for other in () if was_here else others:
            other.tell(PeerJoined(me))

    def leave(self, channel: MemorySignalingChannel) -> None:
        me = channel.introduction
        if self.seats.get(me.id) is channel:
            del self.seats[me.id]
            for other in self.seats.values():
                other.tell(PeerLeft(me.id, me.session))

    def restart(self) -> None:
        """All links are lost, and nobody is known any more; each comes back when its `up` is called."""
        for channel in tuple(self.seats.values()):
            channel.down()
        self.seats.clear()

    def carry(self, text: str) -> None:
        message = msgspec.json.decode(text)
        if self._random.random() < self.loss:
            return
        if self._random.random() < self.delay:
            self._held.append((message["recipient"], text))
            return
        self._deliver(message["recipient"], text)
        held, self._held = self._held, []
        self._random.shuffle(held)
        for recipient, late in held:
            self._deliver(recipient, late)

    def calm(self) -> None:
        """From now on everything arrives; what was held back does so now."""
        self.loss = self.delay = 0.0
        for recipient, late in self._held:
            self._deliver(recipient, late)
        self._held.clear()

    def _deliver(self, recipient: str, text: str) -> None:
        if (seat := self.seats.get(recipient)) is not None:
            seat.tell(MessageReceived(text))


class MemorySignalingChannel:
    """One member's channel."""

    def __init__(self, signaling: MemorySignaling) -> None:
        self.signaling = signaling
        self.is_up = False
        self.is_closed = False
        self.refuses: Exception | None = None
        self.fails_to_close: Exception | None = None
        self._member: Member | None = None
        self._events: asyncio.Queue[SignalingEvent | Exception | None] = asyncio.Queue()

    @property
    def room(self) -> str:
        return self.signaling.name

    @property
    def introduction(self) -> Introduction:
        assert self._member is not None
        return self._member.introduction

    async def open(self, me: Member) -> None:
        if self.refuses is not None:
            raise self.refuses
        self._member = me
        self.up()

    async def send(self, text: str) -> None:
        if not self.is_up:
            raise LinkDownError("down")
        self.signaling.carry(text)

    async def events(self) -> AsyncIterator[SignalingEvent]:
        while (event := await self._events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    async def aclose(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self.is_up = False
            if self._member is not None:
                self.signaling.leave(self)
            self._events.put_nowait(None)
        if self.fails_to_close is not None:
            raise self.fails_to_close

    def say(self, frame: str | bytes) -> None:
        """A frame comes, whatever it holds."""
        self.tell(MessageReceived(frame))

    def tell(self, event: SignalingEvent) -> None:
        """This happens, if the link is up; a link that is down loses it."""
        if self.is_up:
            self._events.put_nowait(event)

    def up(self) -> None:
        """The link stands."""
        self.is_up = True
        self.signaling.enter(self)

    def down(self, error: Exception | None = None, retry_seconds: float | None = 1.0) -> None:
        """The link is lost; its return is waited for, as a server does in the time of grace."""
        self.tell(LinkDown(error, retry_seconds))
        self.is_up = False

    def cut(self) -> None:
        """The link is lost for good, without a goodbye, and the others are told that it left."""
        self.down()
        self.signaling.leave(self)

    def fail(self, error: Exception) -> None:
        """Raise out of events."""
        self._events.put_nowait(error)


def room_in(
    signaling: MemorySignaling,
    identity: Identity | None,
    network: FakeNetwork,
    *,
    channel: MemorySignalingChannel | None = None,
    **options: Any,
) -> Room:
    """A room over it, whose peer connections are in memory. Who is given no name has one of his own."""
    options["name"] = options.get("name") or (identity.id[:8] if identity is not None else "")
    return Room(
        channel or signaling.channel(),
        identity,
        configuration=Configuration(close_timeout_seconds=0.02),
        **{"peer_connection_factory": partial(FakePeerConnection, network=network), **options},
    )

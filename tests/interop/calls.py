"""Calls between ours and another stack, across a network with a router in between.

A call carries a channel, sound and a picture in both directions. Setting one up takes a stack longer than most of what
is tried on it, so one serves one test after the other; what a test broke or closed is followed by a new one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from tests.interop.peer import Description, Look, Peer, exchange

KINDS = ("audio", "video")
MORE = 5
"""So many more frames or packets are taken as a flow."""

GONE = ("disconnected", "failed", "closed")


@dataclass
class Call:
    """A call of two peers that stands.

    Attributes:
        offerer, answerer: who made the first offer, and the other one.
    """

    offerer: Peer
    answerer: Peer
    _said: list[str] = field(default_factory=list)
    _ufrags: set[str] = field(default_factory=set)
    _sent: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def peers(self) -> tuple[Peer, Peer]:
        return self.offerer, self.answerer

    def other(self, peer: Peer) -> Peer:
        """The one that this one talks to."""
        return self.answerer if peer is self.offerer else self.offerer

    async def begin(self, kinds: tuple[str, ...] = KINDS, **options: Any) -> None:
        """New connections, with these options of ``new``, and everything in the first offer and answer."""
        for peer in self.peers:
            await peer.do("new", **options)
        await self.offerer.do("channel")
        self.have_sent(kinds)
        for kind in kinds:
            await self.offerer.do("track", kind=kind)
        offer = await self.offerer.do("offer")
        await self.answerer.do("apply", description=offer)
        for kind in kinds:
            await self.answerer.do("track", kind=kind)
        answer = await self.answerer.do("answer")
        await self.offerer.do("apply", description=answer)
        self._ufrags = ufrags(offer, answer)
        for peer in self.peers:
            await peer.until(stands)

    def have_sent(self, kinds: tuple[str, ...]) -> None:
        """Both have added a track of each of these kinds."""
        self._sent = {peer.name: Counter(kinds) for peer in self.peers}

    async def talks(self, messages: int = 10, *, length: int = 0) -> None:
        """Say something both ways, of at least this length; all of it is heard, once and in order."""
        new = [f"message {len(self._said) + number}".ljust(length, ".") for number in range(messages)]
        self._said += new
        for text in new:
            for peer in self.peers:
                await peer.do("send", text=text)
        for peer in self.peers:
            look = await peer.until(lambda look: len(look.heard) >= len(self._said))
            assert look.heard == self._said, peer.name

    async def flows(self, *kinds: str) -> None:
        """Of each track of these kinds media come on, on both sides."""
        for peer in self.peers:
            before, sent = await peer.look(), self._sent[self.other(peer).name]

            def flow(now: Look, before: Look = before, sent: Counter[str] = sent) -> bool:
                return all(_flowing(before, now, kind) >= sent[kind] for kind in kinds)

            await peer.until(flow)

    async def adds_a_track(self, kind: str) -> None:
        """The offerer adds a track to the standing call; the other side receives from it, and from those before."""
        await self.offerer.do("track", kind=kind)
        self._sent[self.offerer.name][kind] += 1
        await exchange(self.offerer, self.answerer)
        await self.flows(*KINDS)
        await self.talks()

    async def takes_back(self, offerer: Peer) -> None:
        """This side takes an offer back; then either side offers, and the call stands as before."""
        await offerer.do("offer")
        await offerer.do("rollback")
        await offerer.until(lambda look: look.signaling == "stable")
        await self.talks()
        for peer in (self.other(offerer), offerer):
            await exchange(peer, self.other(peer))
            await self.talks()
        await self.flows(*KINDS)

    async def glares(self, polite: Peer) -> None:
        """Both offer at once; this side takes its offer back, implicitly, answers, and offers again."""
        await polite.do("offer")
        await exchange(self.other(polite), polite)
        await self.talks()
        await exchange(polite, self.other(polite))
        await self.talks()
        await self.flows(*KINDS)

    async def restarts(self, restarter: Peer) -> None:
        """An ICE restart offered by this side: new credentials, a new pair; nothing that is said meanwhile is lost."""
        pairs = [(await peer.look()).pair for peer in self.peers]
        before = self._ufrags
        restarting = asyncio.create_task(exchange(restarter, self.other(restarter), restart=True))
        try:
            while not restarting.done():
                await self.talks(1)
        finally:
            self._ufrags = ufrags(*await restarting)
        assert len(self._ufrags) == 2, "each side has new credentials, the same in all of its sections"
        assert self._ufrags.isdisjoint(before)
        for peer, pair in zip(self.peers, pairs, strict=True):
            await peer.until(lambda look, pair=pair: stands(look) and (pair is None or look.pair not in (None, pair)))  # type: ignore[misc]
        await self.talks()
        await self.flows(*KINDS)

    async def closes(self, closer: Peer) -> None:
        """One side closes; the other one notices."""
        await closer.do("close")
        await self.other(closer).until(lambda look: look.connection in GONE or look.channel == "closed")


def stands(look: Look) -> bool:
    """The connection is connected, and its channel open."""
    return look.connection == "connected" and look.channel == "open"


def ufrags(*descriptions: Description) -> set[str]:
    """The ICE user fragments of descriptions."""
    lines = (line for description in descriptions for line in description["sdp"].splitlines())
    return {line.strip() for line in lines if line.startswith("a=ice-ufrag:")}


def _flowing(before: Look, now: Look, kind: str) -> int:
    """How many tracks have had more; some stacks announce a track again behind a restart, as another one."""
    pairs = zip_longest(before.received[kind], now.received[kind], fillvalue=0)
    return sum(later >= earlier + MORE for earlier, later in pairs)


class Calls:
    """The calls of two peers, of which one always offers first."""

    def __init__(self, offerer: Peer, answerer: Peer) -> None:
        self._peers = offerer, answerer
        self._standing: Call | None = None

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[Call]:
        """A call that stands, that of the test before if that test left it standing."""
        call, self._standing = self._standing, None
        if call is None:
            call = Call(*self._peers)
            await call.begin()
        yield call
        self._standing = call

    @asynccontextmanager
    async def last(self) -> AsyncIterator[Call]:
        """The same; the test ends it."""
        async with self.standing() as call:
            yield call
        self._standing = None

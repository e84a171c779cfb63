"""A signalling driver, and all around it in the hands of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fsm_rtc.connection.channel import (
    IceServersChanged,
    LinkDown,
    LinkUp,
    MessageReceived,
    PeerJoined,
    SignalingEvent,
)
from fsm_rtc.connection.exchange.driver import ExchangeDriver
from fsm_rtc.connection.exchange.exchanger import Exchanger
from fsm_rtc.connection.exchange.requests import ExchangeEnded
from fsm_rtc.errors import Rejected
from fsm_rtc.messages import AnyPeer, Introduction, Member, PeerMessage, Trust, decode
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.machine_set import MachineSet
from tests.connection.connection_pairs import FIRST, LIMIT_SECONDS, SECOND
from tests.connection.exchange.exchange_pair import ROOM, Side, sdp

CANDIDATE = IceCandidate("candidate:1 1 udp 1 192.0.2.1 9 typ host", "0", 0)


class NotedPeer:
    """A peer connection's side: notes what is asked of it; any of it can be made to wait or to fail."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.done: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.failures: dict[str, Exception] = {}
        self.is_needed = False
        self.moved = asyncio.Event()

    async def _do(self, what: str) -> None:
        self.asked.append(what)
        self.moved.set()
        if what in self.gates:
            await self.gates[what].wait()
        if what in self.failures:
            raise self.failures[what]
        self.done.append(what)

    async def is_asked(self, what: str) -> None:
        while what not in self.asked:
            self.moved.clear()
            await self.moved.wait()

    async def begin(self) -> None:
        await self._do("begin")

    async def make_offer(self) -> SessionDescription:
        await self._do("make_offer")
        return SessionDescription("offer", sdp("n", len(self.asked)))

    async def yield_offer(self) -> None:
        await self._do("yield_offer")

    async def apply_offer(self, offer: SessionDescription) -> None:
        await self._do("apply_offer")

    async def make_answer(self) -> SessionDescription:
        await self._do("make_answer")
        return SessionDescription("answer", sdp("n", len(self.asked)))

    async def apply_answer(self, answer: SessionDescription) -> None:
        await self._do("apply_answer")

    async def add_candidate(self, candidate: IceCandidate | None) -> None:
        await self._do("add_candidate")

    def needs_negotiation(self) -> bool:
        return self.is_needed


class NotingObserver:
    """Who is told; `hears` waits for something."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self._moved = asyncio.Event()

    def _tell(self, *what: Any) -> None:
        self.told.append(what)
        self._moved.set()

    async def hears(self, what: str) -> tuple[Any, ...]:
        while True:
            for one in self.told:
                if one[0] == what:
                    return one
            self._moved.clear()
            await self._moved.wait()

    def link_changed(self, event: LinkUp | LinkDown) -> None:
        self._tell("link", event)

    def ice_servers_changed(self, event: IceServersChanged) -> None:
        self._tell("ice_servers", event)

    def peer_joined(self, peer: Introduction) -> None:
        self._tell("joined", peer)

    def peer_back(self, peer: Introduction) -> bool:
        is_of_an_earlier_run = not any(one[0] == "joined" for one in self.told)
        if is_of_an_earlier_run:
            self._tell("joined", peer)
        return is_of_an_earlier_run

    def peer_refused(self, peer: Introduction, rejected: Rejected) -> None:
        self._tell("refused", peer, rejected)

    def will_retry(self, error: Exception) -> bool:
        return False

    def attempt_failed(self, error: Exception) -> None:
        raise AssertionError("nothing is retried")

    def peer_busy(self, peer: Introduction) -> None:
        self._tell("busy", peer)

    def peer_left(self, peer: Introduction) -> None:
        self._tell("left", peer)

    def settled(self, offer_id: str) -> None:
        self._tell("settled", offer_id)

    def failed(self, error: Exception) -> None:
        self._tell("failed", error)

    def peer_wants_nothing(self, peer: Introduction) -> None:
        pass

    def ended(self, end: ExchangeEnded) -> None:
        self._tell("ended", end.reason, end.by_peer)


class ScriptedChannel:
    """A channel whose events a test tells, and whose texts it reads."""

    room = ROOM

    def __init__(self) -> None:
        self.coming: asyncio.Queue[SignalingEvent] = asyncio.Queue()
        self.sent: asyncio.Queue[str] = asyncio.Queue()
        self.closed = 0
        self.refused = asyncio.Event()
        self.refuses: Exception | None = None
        self.fails_to_close: Exception | None = None

    async def open(self, me: Member) -> None:
        self.coming.put_nowait(LinkUp())

    async def send(self, text: str) -> None:
        if self.refuses is not None:
            self.refused.set()
            raise self.refuses
        self.sent.put_nowait(text)

    async def events(self) -> AsyncIterator[SignalingEvent]:
        while True:
            yield await self.coming.get()

    async def aclose(self) -> None:
        self.closed += 1
        if self.fails_to_close is not None:
            raise self.fails_to_close

    async def next(self, kind: type[PeerMessage]) -> PeerMessage:
        """The next message of this kind that was sent."""
        while True:
            message = decode(await self.sent.get())
            if isinstance(message, kind):
                return message


class Scene:
    """The driver, who is polite, and all around it; `other` is the exchange of the other side, driven by hand."""

    def __init__(self, trust: Trust | None = None) -> None:
        self.channel = ScriptedChannel()
        self.peer = NotedPeer()
        self.observer = NotingObserver()
        machines = MachineSet("alice", generation=0, engine="compiled", journal=None)
        self.driver = ExchangeDriver(
            self.channel, self.peer, self.observer, Member(ROOM, FIRST, "alice"), machines=machines, trust=trust
        )
        self.machines = machines
        self.begin_other()

    def begin_other(self) -> None:
        """The other side, with a new session."""
        self.bob = Member(ROOM, SECOND, "bob")
        machines = MachineSet("bob", generation=0, engine="compiled", journal=None)
        self.other = Side("bob", Exchanger(self.bob, AnyPeer(), machines))
        self.other.exchanger.joined(self.driver.me.introduction)
        self.other.pump()

    def tell(self, *events: SignalingEvent) -> None:
        for event in events:
            self.channel.coming.put_nowait(event)

    def other_joins(self) -> None:
        self.tell(PeerJoined(self.bob.introduction))

    def other_says(self) -> None:
        """Whatever the other side has to say and to do."""
        while self.other.work:
            self.other.do_one(0.0)
        while self.other.outbox:
            self.tell(MessageReceived(self.other.outbox.pop(0)))

    async def other_hears(self, kind: type[PeerMessage]) -> None:
        """The other side takes what was sent, until a message of this kind."""
        while True:
            text = await self.channel.sent.get()
            self.other.exchanger.received(text, 0.0)
            self.other.pump()
            if isinstance(decode(text), kind):
                return

    async def agree(self) -> None:
        """The other side joins and offers; both agree."""
        self.other_joins()
        self.other_says()
        await self.observer.hears("settled")


@asynccontextmanager
async def scene(trust: Trust | None = None) -> AsyncIterator[Scene]:
    made = Scene(trust)
    async with asyncio.timeout(LIMIT_SECONDS):
        await made.driver.start()
        try:
            yield made
        finally:
            made.channel.refuses = None
            made.tell(LinkDown())  # so that closing waits for nobody's acknowledgement
            await until(lambda: not (made.driver.exchanger.link_is_up and made.driver._tasks))
            made.channel.fails_to_close = None
            await made.driver.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def drained(queue: asyncio.Queue[str]) -> list[str]:
    texts = []
    while not queue.empty():
        texts.append(queue.get_nowait())
    return texts


async def until(is_true: Callable[[], bool]) -> None:
    """Let the other tasks run until something is true."""
    for _ in range(100_000):
        if is_true():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")

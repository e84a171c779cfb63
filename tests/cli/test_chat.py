"""A chat over a room in memory: who hears a line, and who doesn't."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from fsm_rtc.cli.chat import Chat, Outcome
from fsm_rtc.connection.delivery.messages import chat_text
from fsm_rtc.connection.diagnosis.evidence import Phase
from fsm_rtc.errors import SignalingError
from fsm_rtc.messages import Identity, Introduction
from fsm_rtc.room.events import PeerArrived, PeerGone, RoomEvent
from fsm_rtc.room.room import Room
from fsm_rtc.testing import FakeNetwork
from tests.connection.connection_pairs import LIMIT_SECONDS
from tests.memory_signaling import MemorySignaling, MemorySignalingChannel, room_in

pytestmark = pytest.mark.live


class Told:
    """A report that keeps what it is told; `until` waits for something."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._moved = asyncio.Event()

    def _tell(self, line: str) -> None:
        self.lines.append(line)
        self._moved.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._moved.clear()
            await self._moved.wait()

    async def says(self, line: str) -> None:
        await self.until(lambda: line in self.lines)

    def happened(self, event: RoomEvent) -> None:
        match event:
            case PeerArrived(peer):
                self._tell(f"{peer.name} is here")
            case PeerGone(peer):
                self._tell(f"{peer.name} is gone")
            case _:
                self._moved.set()

    def heard(self, peer: Introduction, message: str | bytes) -> None:
        self._tell(f"{peer.name}: {chat_text(message)}")

    def kept(self) -> None:
        self._tell("kept")

    def not_sent(self, why: str) -> None:
        self._tell(f"not sent: {why}")

    def refused(self, name: str, key_id: str, known_id: str | None) -> None: ...
    def forgetful(self, why: str) -> None: ...


class Person:
    """Somebody who chats."""

    def __init__(self, room: Room, channel: MemorySignalingChannel, timeout_seconds: float | None = None) -> None:
        self.room = room
        self.channel = channel
        self.told = Told()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self.chat = Chat(room, self._typed(), self.told, timeout_seconds=timeout_seconds)
        self.running = asyncio.create_task(self.chat.run())

    async def _typed(self) -> AsyncIterator[str]:
        while (line := await self._lines.get()) is not None:
            yield line

    def types(self, *lines: str | None) -> None:
        for line in lines:
            self._lines.put_nowait(line)

    async def is_connected_to(self, *others: Person) -> None:
        ids = {other.room.me.id for other in others}
        await self.told.until(
            lambda: {who for who, connection in self.room.peers.items() if connection.is_ready} == ids
        )


class Meeting:
    """Persons in one signaling."""

    def __init__(self) -> None:
        self.signaling = MemorySignaling()
        self._network = FakeNetwork()
        self.persons: list[Person] = []

    def person(self, name: str, timeout_seconds: float | None = None) -> Person:
        channel = self.signaling.channel()
        room = room_in(self.signaling, Identity.generate(), self._network, channel=channel, name=name)
        person = Person(room, channel, timeout_seconds)
        self.persons.append(person)
        return person


@asynccontextmanager
async def meeting() -> AsyncIterator[Meeting]:
    made = Meeting()
    async with asyncio.timeout(LIMIT_SECONDS):
        try:
            yield made
        finally:
            for person in made.persons:
                person.chat.finish(Outcome(0, "over"))
            await asyncio.gather(*(person.running for person in made.persons))
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def all_connected(*persons: Person) -> None:
    await asyncio.gather(*(one.is_connected_to(*(other for other in persons if other is not one)) for one in persons))


async def test_a_line_goes_to_all_and_carries_the_name_of_who_said_it() -> None:
    async with meeting() as here:
        alice, bob, carol = (here.person(name) for name in ("alice", "bob", "carol"))
        await all_connected(alice, bob, carol)
        alice.types("hello all")
        await asyncio.gather(*(one.told.says("alice: hello all") for one in (bob, carol)))
        carol.types("hello alice and bob")
        await asyncio.gather(*(one.told.says("carol: hello alice and bob") for one in (alice, bob)))
        assert (alice.chat.sent, alice.chat.received, alice.chat.calls) == (1, 1, 2)
        assert bob.chat.received == 2


async def test_what_was_typed_before_the_first_is_for_the_first_and_not_for_who_comes_next() -> None:
    async with meeting() as here:
        alice = here.person("alice")
        alice.types("early")
        await alice.told.says("kept")
        bob = here.person("bob")
        await bob.told.says("alice: early")
        carol = here.person("carol")
        await all_connected(alice, bob, carol)
        alice.types("late")
        await carol.told.says("alice: late")
        assert "alice: early" not in carol.told.lines


async def test_when_one_of_several_leaves_the_others_go_on() -> None:
    async with meeting() as here:
        alice, bob, carol = (here.person(name) for name in ("alice", "bob", "carol"))
        await all_connected(alice, bob, carol)
        carol.types("bye", "/quit")
        assert (await carol.running).reason == "quit"
        for one in (alice, bob):
            await one.told.says("carol is gone")
            assert one.told.lines.index("carol: bye") < one.told.lines.index("carol is gone")
        alice.types("still here")
        await bob.told.says("alice: still here")


async def test_a_line_that_nobody_is_there_to_hear_is_not_sent() -> None:
    async with meeting() as here:
        alice, bob = here.person("alice"), here.person("bob")
        await all_connected(alice, bob)
        bob.types(None)
        assert (await bob.running).reason == "end of input"
        await alice.told.says("bob is gone")
        alice.types("is anybody there?")
        await alice.told.says("not sent: nobody is there; type it again when somebody has joined")
        carol = here.person("carol")
        await all_connected(alice, carol)
        alice.types("hello", "x" * 300_000, "", "end")
        await carol.told.says("alice: end")
        assert [line for line in carol.told.lines if line.startswith("alice:")] == ["alice: hello", "alice: end"]
        assert "too long" in alice.told.lines[-1]


async def test_a_line_for_somebody_who_left_before_he_was_connected_is_for_nobody_else() -> None:
    async with meeting() as here:
        alice, bob = here.person("alice"), here.person("bob")
        await all_connected(alice, bob)
        bob.types("/quit")
        await alice.told.says("bob is gone")
        here.signaling.loss = 1.0
        carol = here.person("carol")
        await alice.told.says("carol is here")
        alice.types("for carol")
        await alice.told.says("kept")
        carol.channel.cut()
        await alice.told.says("not sent: the other side left before; type it again when somebody has joined")
        here.signaling.calm()
        dave = here.person("dave")
        await all_connected(alice, dave)
        alice.types("for dave")
        await dave.told.says("alice: for dave")
        assert "alice: for carol" not in dave.told.lines


async def test_it_is_given_up_when_nobody_comes_or_the_server_refuses() -> None:
    async with meeting() as here:
        alone = here.person("alone", timeout_seconds=0.01)
        outcome = await alone.running
        assert "nobody was connected within 0.01 s" in outcome.reason
        assert outcome.failure is not None
        assert outcome.failure.phase is Phase.WAITING
        alice = here.person("alice")
        await alice.told.until(lambda: alice.channel.is_up)
        alice.channel.down(SignalingError("no place here"), retry_seconds=None)
        outcome = await alice.running
        assert (outcome.exit_code, outcome.reason) == (1, "no place here")
        assert outcome.failure is not None
        assert outcome.failure.phase is Phase.SIGNALING
        assert str(outcome.failure.error) == "no place here"

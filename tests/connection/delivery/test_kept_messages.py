"""What is kept stays kept: of a peer, by its id, until a side says goodbye. Peer connections in memory; a real server
where it is about the server."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from fsm_rtc import (
    ChannelClosedError,
    Configuration,
    Connection,
    ConnectionFailedError,
    Identity,
    Journal,
    RecoveryPolicy,
    Room,
    SignalingServer,
    WebSocketSignaling,
)
from fsm_rtc.connection import Ended, MemoryPersistence, SqliteFile
from fsm_rtc.connection.delivery.message_store import KEPT_PEERS, MessageStore
from fsm_rtc.engine.journal import Entry
from fsm_rtc.errors import InvalidStateError, SnapshotError
from fsm_rtc.messages import Allowlist, AnyPeer, Member
from fsm_rtc.signaling.backoff import Backoff
from fsm_rtc.testing import FakeNetwork, FakePeerConnection
from tests.instant_loop import InstantLoop
from tests.memory_signaling import MemorySignaling, MemorySignalingChannel

pytestmark = pytest.mark.live

A, B, C = sorted((Identity.generate() for _ in range(3)), key=lambda one: one.id)
LIMIT_SECONDS = 60.0

IMPATIENT = RecoveryPolicy(give_up_after_seconds=5, attempts=1)


class Old(MemoryPersistence):
    """What was kept too long ago for its session to be gone on with."""

    def age_seconds(self) -> float:
        return float("inf")


class Program:
    """A run of a program, which can be killed."""

    def __init__(
        self,
        signaling: MemorySignaling,
        network: FakeNetwork,
        key: Identity,
        place: MemoryPersistence | SqliteFile | None = None,
        recovery: RecoveryPolicy | None = None,
    ) -> None:
        self.channel: MemorySignalingChannel = signaling.channel()
        self.place = place
        self.call = Connection(
            self.channel,
            key,
            trust=AnyPeer(),
            configuration=Configuration(close_timeout_seconds=0.02),
            peer_connection_factory=partial(FakePeerConnection, network=network),
            persistence=place,
            recovery=recovery,
            clock=asyncio.get_running_loop().time,
        )

    async def die(self) -> MemoryPersistence | None:
        """As SIGKILL does: not a word to anybody. Where the next run finds what was kept, in memory."""
        kept = copy.deepcopy(self.place) if isinstance(self.place, MemoryPersistence) else None
        cut_off(self.channel, [self.call])
        await self.call.aclose()  # unheard; that nothing is left of it here
        return kept


def cut_off(channel: MemorySignalingChannel, calls: Iterable[Connection]) -> None:
    channel.signaling.leave(channel)  # as a server says of who is away too long
    channel.is_up = False
    channel.signaling = MemorySignaling()
    for call in calls:
        if isinstance(call.peer_connection, FakePeerConnection):
            call.peer_connection.library.die()


def on_instant_loop(test: Callable[[], object]) -> None:
    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        runner.run(test())  # type: ignore[arg-type]


async def ready(*calls: Connection) -> None:
    await asyncio.gather(*(call.wait_for_ready(60) for call in calls))


async def ended(call: Connection) -> Ended:
    async for event in call.events():
        if isinstance(event, Ended):
            return event
    raise AssertionError("it ended without saying so")


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "in memory"])
def test_what_waits_outlives_a_call_that_is_given_up(kept: bool) -> None:
    async def play() -> None:
        signaling, network = MemorySignaling(), FakeNetwork()
        sender = Program(signaling, network, A, MemoryPersistence() if kept else None, IMPATIENT)
        async with sender.call:
            receiver = Program(signaling, network, B)
            await receiver.call.open()
            await ready(sender.call, receiver.call)
            network.cut()
            over = asyncio.create_task(ended(sender.call))
            for number in range(3):
                await sender.call.send(f"{number}")
            await receiver.die()
            assert "could not be recovered" in (await over).reason
            network.heal()
            async with Program(signaling, network, B).call as again:
                await ready(sender.call, again)
                heard = again.messages()
                assert [await anext(heard) for _ in range(3)] == ["0", "1", "2"]

    on_instant_loop(play)


def test_who_gave_up_hears_nothing_twice_and_the_other_side_keeps_what_waits() -> None:
    """The side that gives up tells the other; neither has said goodbye."""

    async def play() -> None:
        signaling, network = MemorySignaling(), FakeNetwork()
        one, other = Program(signaling, network, A, recovery=IMPATIENT), Program(signaling, network, B)
        async with one.call:
            await other.call.open()
            await ready(one.call, other.call)
            heard = one.call.deliveries()
            await other.call.send("taken")
            taken = await anext(heard)
            network.cut()
            over = asyncio.gather(ended(one.call), ended(other.call))
            taken.ack()
            await one.call.send("late")
            await other.call.send("later")
            ends = await over
            assert [end.by_peer for end in ends].count(True) == 1
            with pytest.raises(ChannelClosedError):
                await other.call.send("to nobody")
            network.heal()
            one.channel.down()
            one.channel.up()
            # one of the two needs a session of its own: another run, which knows nothing of the first
            await other.die()
            async with Program(signaling, network, B).call as again:
                await ready(one.call, again)
                words = again.messages()
                assert await anext(words) == "late"

    on_instant_loop(play)


def test_another_peer_who_comes_first_takes_nothing_away() -> None:
    async def play() -> None:
        signaling, network = MemorySignaling(), FakeNetwork()
        place: MemoryPersistence | None = Old()
        first = Program(signaling, network, A, place)
        await first.call.open()
        bob = Program(signaling, network, B)
        await bob.call.open()
        await ready(first.call, bob.call)
        network.cut()
        await first.call.send("for bob")
        await bob.die()
        place = await first.die()
        assert place is not None
        network.heal()
        second = Program(signaling, network, A, place)
        await second.call.open()
        carol = Program(signaling, network, C)
        await carol.call.open()
        await ready(second.call, carol.call)
        words = carol.call.messages()
        await second.call.send("for carol")
        assert await anext(words) == "for carol"
        assert set(place.peers()) >= {B.id}
        await carol.call.aclose()
        assert C.id not in place.peers()
        async with Program(signaling, network, B).call as again:
            await ready(second.call, again)
            assert await anext(again.messages()) == "for bob"
        await second.call.aclose()
        assert place.peers() == ()
        assert place.load() is None

    on_instant_loop(play)


@pytest.mark.parametrize("who", ["this side", "the peer"])
def test_a_goodbye_drops_what_waits(who: str) -> None:
    async def play() -> None:
        signaling, network, place = MemorySignaling(), FakeNetwork(), MemoryPersistence()
        one, other = Program(signaling, network, A, place), Program(signaling, network, B)
        await asyncio.gather(one.call.open(), other.call.open())
        await ready(one.call, other.call)
        network.cut()
        await one.call.send("too late")
        assert place.messages(B.id).unacknowledged == ("too late",)
        over = asyncio.create_task(ended(one.call))
        if who == "the peer":
            await other.call.aclose()
            await over
        else:
            await one.call.aclose()
        assert place.peers() == ()
        assert place.load() is None
        await asyncio.gather(one.call.aclose(), other.call.aclose(), over)

    on_instant_loop(play)


def test_leaving_without_a_goodbye_keeps_what_waits_on_both_sides() -> None:
    async def play() -> None:
        signaling, network = MemorySignaling(), FakeNetwork()
        places = MemoryPersistence(), MemoryPersistence()
        one, other = Program(signaling, network, A, places[0]), Program(signaling, network, B, places[1])
        await asyncio.gather(one.call.open(), other.call.open())
        await ready(one.call, other.call)
        waiting = other.call.deliveries()
        await one.call.send("unread")
        unread = await anext(waiting)
        await one.call.leave("to be started anew")
        async with Program(signaling, network, A, places[0]).call as again:
            await ready(again)
            unread.ack()
            await again.send("next")
            delivered = await anext(waiting)
            assert delivered.data == "next"
            assert delivered.id.partition(".")[0] == unread.id.partition(".")[0]
        await other.call.aclose()

    on_instant_loop(play)


@pytest.mark.parametrize("for_good", [True, False], ids=["goodbye", "left"])
def test_nothing_is_sent_by_a_connection_that_is_being_closed(for_good: bool) -> None:
    """It would reach the peer in the middle of its next call."""

    async def play() -> None:
        signaling, network, place = MemorySignaling(), FakeNetwork(), MemoryPersistence()
        one, other = Program(signaling, network, A, place), Program(signaling, network, B)
        await asyncio.gather(one.call.open(), other.call.open())
        await ready(one.call, other.call)
        closing = asyncio.create_task(one.call.aclose() if for_good else one.call.leave())
        refused = 0
        while not closing.done():
            await asyncio.sleep(0)
            assert not one.call.is_ready
            with pytest.raises(ConnectionFailedError, match="closed"):
                await one.call.wait_for_ready()
            with pytest.raises(InvalidStateError, match="being closed"):
                one.call.negotiate()
            with pytest.raises(ChannelClosedError, match="being closed"):
                await one.call.send("too late")
            refused += 1
        assert refused > 1
        with pytest.raises(ChannelClosedError, match="is closed"):
            one.call.send_now("too late")
        async with Program(signaling, network, A, place).call as again:
            heard = other.call.messages()
            await ready(again)
            await again.send("in time")
            assert await anext(heard) == "in time"
        await other.call.aclose()

    on_instant_loop(play)


@pytest.mark.parametrize("kept_in", ["memory", "a file"])
def test_two_calls_are_not_kept_in_one_place(kept_in: str, tmp_path: Path) -> None:
    async def play() -> None:
        signaling, network = MemorySignaling(), FakeNetwork()
        place = MemoryPersistence() if kept_in == "memory" else SqliteFile(tmp_path / "call.db")
        one = Program(signaling, network, A, place)
        with pytest.raises(SnapshotError, match="is kept in this"):
            Program(MemorySignaling(), network, A, place)
        async with one.call, Program(signaling, network, B).call as other:
            await ready(one.call, other)
            await one.call.send("still kept")
            assert await anext(other.messages()) == "still kept"
        if kept_in == "memory":
            await Program(MemorySignaling(), network, A, place).call.aclose()

    on_instant_loop(play)


def test_a_restart_after_any_number_of_sessions_of_the_peer_is_heard() -> None:
    async def play() -> None:
        signaling, network, place = MemorySignaling(), FakeNetwork(), MemoryPersistence()
        for run in range(3):
            mine = Program(signaling, network, A, place)
            await mine.call.open()
            heard = mine.call.messages()
            for session in range(19):
                theirs = Program(signaling, network, B)
                await theirs.call.open()
                await ready(mine.call, theirs.call)
                await theirs.call.send(f"{run} {session}")
                assert await anext(heard) == f"{run} {session}"
                await theirs.die()
            assert len(place.messages(B.id).taken) <= 16
            place = await mine.die() or place

    on_instant_loop(play)


def test_an_old_stream_goes_before_a_new_one() -> None:
    async def play() -> None:
        signaling, network, place = MemorySignaling(), FakeNetwork(), MemoryPersistence()
        steady: MemoryPersistence | None = Old()  # of a peer whose stream is the same in all its runs
        mine = Program(signaling, network, A, place)
        await mine.call.open()
        heard = mine.call.deliveries()
        for number in range(12):
            for has_place in (True, False):
                theirs = Program(signaling, network, B, steady if has_place else None)
                await theirs.call.open()
                await ready(mine.call, theirs.call)
                await theirs.call.send(f"{number} {has_place}")
                delivery = await anext(heard)
                assert delivery.data == f"{number} {has_place}"
                delivery.ack()
                await asyncio.sleep(1)
                kept = await theirs.die()
                steady = kept if has_place else steady
        await mine.die()

    on_instant_loop(play)


def test_who_has_nothing_waiting_is_forgotten_first_behind_a_restart_too() -> None:
    place = MemoryPersistence()
    place.message_sent("longest ago", "mine", 1, "it waits")
    for number in range(KEPT_PEERS - 1):
        place.messages_taken(f"{number}", "theirs", 1)
    store = MessageStore(place)
    store.of("new").add("hello")
    assert store.of("longest ago").waiting == 1
    assert place.messages("longest ago").unacknowledged == ("it waits",)
    assert place.peers() == ("longest ago", *(f"{number}" for number in range(1, KEPT_PEERS - 1)), "new")


# Rooms.


@asynccontextmanager
async def room(
    signaling: MemorySignaling, network: FakeNetwork, key: Identity, place: MemoryPersistence | None = None
) -> AsyncIterator[tuple[Room, MemorySignalingChannel]]:
    channel = signaling.channel()
    one = Room(
        channel,
        key,
        trust=AnyPeer(),
        configuration=Configuration(close_timeout_seconds=0.02),
        peer_connection_factory=partial(FakePeerConnection, network=network),
        clock=asyncio.get_running_loop().time,
        persistence=place,
    )
    async with one:
        yield one, channel


async def first_of(one: Room) -> Connection:
    connection = await anext(one.connections())
    await connection.wait_for_ready(60)
    return connection


def test_in_a_room_what_was_sent_arrives_at_the_peers_next_run() -> None:
    async def play() -> None:
        signaling, network = MemorySignaling(), FakeNetwork()
        async with room(signaling, network, A) as (one, _):
            other = Program(signaling, network, B)
            await other.call.open()
            before = await first_of(one)
            arrivals = one.connections()
            assert await anext(arrivals) is before
            network.cut()
            assert await one.send("while it is away") == 1
            await other.die()
            network.heal()
            async with Program(signaling, network, B).call as again:
                after = await anext(arrivals)
                assert after is not before
                words = again.messages()
                assert await anext(words) == "while it is away"
                await after.send("behind")
                assert await anext(words) == "behind"

    on_instant_loop(play)


def test_a_room_that_is_killed_goes_on_with_what_waits_for_each_peer() -> None:
    async def play() -> None:
        signaling, network, place = MemorySignaling(), FakeNetwork(), MemoryPersistence()
        others = [Program(signaling, network, key) for key in (B, C)]
        heard = [other.call.deliveries() for other in others]
        half_done = {}
        async with room(signaling, network, A, place) as (one, channel):
            connections = one.connections()
            for other in others:
                await other.call.open()
                connection = await anext(connections)
                await ready(connection, other.call)
                await other.call.send("read, and not acknowledged")
                half_done[other.call.me.id] = (await anext(connection.deliveries())).id
            network.cut()
            assert await one.send("for both") == 2
            await one.send("for one", [connection])
            kept = copy.deepcopy(place)
            cut_off(channel, one.peers.values())
        network.heal()
        async with room(signaling, network, A, kept) as (again, _):
            connections = again.connections()
            for _ in others:
                connection = await anext(connections)
                await connection.wait_for_ready(60)
                assert connection.peer is not None
                delivered = await anext(connection.deliveries())
                assert (delivered.id, delivered.data) == (
                    half_done[connection.peer.id],
                    "read, and not acknowledged",
                )
                delivered.ack()
            for reader in heard:
                assert (await anext(reader)).data == "for both"
            assert (await anext(heard[1])).data == "for one"
        assert kept.peers() == ()
        await asyncio.gather(*(other.call.aclose() for other in others))

    on_instant_loop(play)


# Who has ended it, and who was replaced.


@pytest.mark.parametrize("in_room", [False, True], ids=["a call", "a call in a room"])
def test_waiting_tells_what_the_engine_found_and_not_the_time(in_room: bool) -> None:
    async def play() -> None:
        signaling, network = MemorySignaling(), FakeNetwork()
        silent = signaling.channel()  # it joins, and answers nothing
        policy = RecoveryPolicy(answer_timeout_seconds=20, connect_timeout_seconds=60)
        one: Connection
        if in_room:
            async with room(signaling, network, C) as (several, _):
                await silent.open(Member(signaling.name, A, ""))
                one = await anext(several.connections())
                with pytest.raises(ConnectionFailedError, match="acknowledged nothing for 45 s"):
                    await one.wait_for_ready(60)
                await asyncio.sleep(1)
                with pytest.raises(ConnectionFailedError, match="acknowledged nothing for 45 s"):
                    await one.wait_for_ready(60)
                assert one.failure is not None
                assert "45 s" in one.failure.reason
        else:
            async with Program(signaling, network, C, recovery=policy).call as one:
                await silent.open(Member(signaling.name, A, ""))
                with pytest.raises(ConnectionFailedError, match="acknowledged nothing for 45 s"):
                    await one.wait_for_ready(60)
                with pytest.raises(ConnectionFailedError, match="acknowledged nothing for 45 s"):
                    await one.wait_for_ready(0.1)
        await silent.aclose()

    on_instant_loop(play)


async def test_a_program_whose_key_joins_elsewhere_learns_it_at_once() -> None:
    network = FakeNetwork()

    def connection(url: str, key: Identity, other: Identity) -> Connection:
        return Connection(
            WebSocketSignaling(url, backoff=Backoff(base_seconds=0.01, cap_seconds=0.02)),
            key,
            trust=Allowlist([other.id]),
            configuration=Configuration(close_timeout_seconds=0.02),
            peer_connection_factory=partial(FakePeerConnection, network=network),
        )

    async with asyncio.timeout(LIMIT_SECONDS), SignalingServer() as server:
        url = f"{server.url}/kitchen"
        async with connection(url, A, B) as peer, connection(url, B, A) as first:
            await ready(peer, first)
            over = asyncio.create_task(ended(first))
            began = asyncio.get_running_loop().time()
            async with connection(url, B, A) as second:
                end = await over
                assert "taken its place" in end.reason
                assert asyncio.get_running_loop().time() - began < RecoveryPolicy().give_up_after_seconds
                with pytest.raises(ConnectionFailedError, match="one key a program"):
                    await first.wait_for_ready(60)
                with pytest.raises(ChannelClosedError):
                    first.send_now("to nobody")
                await ready(peer, second)
                await second.send("it is me")
                assert await anext(peer.messages()) == "it is me"


@pytest.mark.parametrize("in_room", [False, True], ids=["a call", "a room"])
@pytest.mark.parametrize("first", ["leads", "follows"])
def test_a_call_that_is_closed_in_order_has_no_rejected_event(first: str, in_room: bool) -> None:
    async def play() -> None:
        signaling, network, journal = MemorySignaling(), FakeNetwork(), Journal()
        entries: list[Entry] = []
        journal.subscribe(lambda record: entries.append(record) if isinstance(record, Entry) else None)
        made = [
            (Room if in_room else Connection)(
                signaling.channel(),
                key,
                trust=AnyPeer(),
                configuration=Configuration(close_timeout_seconds=0.02),
                peer_connection_factory=partial(FakePeerConnection, network=network),
                clock=asyncio.get_running_loop().time,
                journal=journal,
                label=label,
            )
            for key, label in ((A, "follows"), (B, "leads"))
        ]
        for one in made:
            await one.open()
        calls = [await first_of(one) if isinstance(one, Room) else one for one in made]
        await ready(*calls)
        await calls[0].send("hello")
        await anext(calls[1].messages())
        for one in made if first == "follows" else reversed(made):
            await one.aclose()
            await asyncio.sleep(5)
        assert [str(entry) for entry in entries if not entry.accepted] == []

    on_instant_loop(play)

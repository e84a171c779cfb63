"""A room in memory: one connection between each two, and what becomes of one is no matter of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from fsm_rtc.connection.channel import LinkUp, PeerJoined, PeerLeft
from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.events import Refused, SignalingStatusChanged
from fsm_rtc.engine import Journal
from fsm_rtc.errors import ConnectionFailedError, KnownPeersError, SignalingError
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.messages import Allowlist, AnyPeer, Identity, Member
from fsm_rtc.room import members as seats
from fsm_rtc.room.events import PeerArrived, PeerGone
from fsm_rtc.room.room import Room
from fsm_rtc.testing import FakeNetwork, FakePeerConnection
from tests.connection.connection_pairs import LIMIT_SECONDS
from tests.instant_loop import InstantLoop
from tests.memory_signaling import MemorySignaling, MemorySignalingChannel, room_in
from tests.room.mesh import connections_of, gone, has_just, hear_each_other, whole

A, B, C, D = sorted((Identity.generate() for _ in range(4)), key=lambda one: one.id)


class Meeting:
    """A signalling server in memory, and the rooms over it; all are closed at the end, and nothing is left of them."""

    def __init__(self, **faults: Any) -> None:
        self.signaling = MemorySignaling(**faults)
        self.network = FakeNetwork()
        self.channels: dict[Room, MemorySignalingChannel] = {}

    def room(self, identity: Identity | None, name: str = "", **options: Any) -> Room:
        channel = self.signaling.channel()
        room = room_in(self.signaling, identity, self.network, channel=channel, name=name, **options)
        self.channels[room] = channel
        return room

    async def join(self, identity: Identity | None, name: str = "", **options: Any) -> Room:
        return await self.room(identity, name, **options).open()

    async def several(self, *identities: Identity | None, **options: Any) -> list[Room]:
        rooms = [await self.join(identity, **options) for identity in identities]
        await whole(*rooms)
        return rooms


@asynccontextmanager
async def meeting(**faults: Any) -> AsyncIterator[Meeting]:
    made = Meeting(**faults)
    async with asyncio.timeout(LIMIT_SECONDS):
        try:
            yield made
        finally:
            await asyncio.gather(*(room.aclose() for room in made.channels))
    assert asyncio.all_tasks() == {asyncio.current_task()}


# Who is there.


async def test_four_have_a_connection_each_to_each_and_hear_each_other() -> None:
    async with meeting() as here:
        await hear_each_other(*await here.several(A, B, C, D))


async def test_without_keys_on_a_channel_that_is_trusted() -> None:
    async with meeting() as here:
        await hear_each_other(*await here.several(None, None, None))


async def test_a_reader_gets_who_is_there_and_who_comes() -> None:
    async with meeting() as here:
        a, b = await here.several(A, B)
        readers = [a.connections(), a.connections()]
        c = await here.join(C)
        for reader in readers:
            assert [await anext(reader), await anext(reader)] == [a.peers[b.me.id], a.peers[c.me.id]]
        await a.aclose()
        for reader in readers:
            assert [one async for one in reader] == []


async def test_a_connection_is_given_before_it_is_ready() -> None:
    async with meeting() as here:
        a = await here.join(A)
        b = await here.join(B, name="bob")
        connection = await anext(a.connections())
        assert connection.peer == b.me
        await connection.wait_for_ready()


async def test_a_reader_that_is_cancelled_misses_nobody() -> None:
    async with meeting() as here:
        a = await here.join(A)
        reader = a.connections()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(reader), 0.001)
        b = await here.join(B)
        assert (await anext(reader)).peer == b.me


async def test_a_slow_reader_loses_the_oldest_and_the_room_does_not() -> None:
    async with meeting() as here:
        a = await here.join(A)
        reader = a.connections(capacity=1)
        b, c = await here.join(B), await here.join(C)
        await whole(a, b, c)
        assert (await anext(reader)).peer == c.me
        assert reader.dropped == 1


async def test_more_than_a_room_takes_are_counted_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "MAX_PEERS", 2)
    async with meeting() as here:
        a, b, c = await here.several(A, B, C)
        channel = here.channels[a]
        channel.tell(PeerJoined(Member(channel.room, D).introduction))
        channel.tell(LinkUp((b.me, c.me)))
        events = a.events()
        assert isinstance(await anext(events), SignalingStatusChanged)
        assert a.ignored == {"too many peers": 1}
        await hear_each_other(a, b, c)


# Who leaves, and who comes again.


async def test_who_says_goodbye_is_gone_and_his_last_words_can_be_read() -> None:
    async with meeting() as here:
        a, b, c = await here.several(A, B, C)
        connection = a.peers[b.me.id]
        others = connections_of(c)
        await b.send("last words")
        leaving = asyncio.create_task(gone(a, b.me.id))
        await b.aclose("enough")
        assert (await leaving).reason == "enough"
        await asyncio.gather(has_just(a, {c.me.id}), has_just(c, {a.me.id}))
        assert connections_of(c).items() <= others.items()
        assert [message async for message in connection.messages()] == ["last words"]


async def test_who_comes_again_gets_a_new_connection() -> None:
    async with meeting() as here:
        a, b = await here.several(A, B)
        first = a.peers[b.me.id]
        await b.aclose()
        again = await here.join(B)
        await whole(a, again)
        assert a.peers[again.me.id] is not first
        await hear_each_other(a, again)


async def test_a_new_session_takes_the_place_of_the_one_before() -> None:
    async with meeting() as here:
        a, b, c = await here.several(A, B, C)
        first, stood = a.peers[b.me.id], a.peers[c.me.id]
        here.channels[b].down()
        news = a.events()
        here.channels[a].down()  # so that it doesn't hear him leave
        again = await here.join(B)
        here.channels[a].up()
        await whole(a, again, c)
        told = [event async for event in _until(news, PeerArrived)]
        assert [(event.connection, event.reason) for event in told if isinstance(event, PeerGone)] == [
            (first, "the peer came again with a new session")
        ]
        assert a.peers[c.me.id] is stood
        await hear_each_other(a, again, c)


async def test_a_session_that_was_away_too_long_comes_back_to_a_new_connection() -> None:
    async with meeting() as here:
        a, b = await here.several(A, B)
        first = a.peers[b.me.id]
        over = [asyncio.create_task(gone(a, b.me.id)), asyncio.create_task(gone(b, a.me.id))]
        here.channels[b].cut()
        await asyncio.gather(*over)
        here.channels[b].up()
        await whole(a, b)
        assert a.peers[b.me.id] is not first
        await hear_each_other(a, b)


async def test_who_was_away_and_has_not_heard_that_he_was_given_up_begins_anew_too() -> None:
    async with meeting() as here:
        a, b = await here.several(A, B)
        cut_off = b.peers[a.me.id].peer_connection
        assert isinstance(cut_off, FakePeerConnection)
        cut_off.library.report("ice", "disconnected")
        cut_off.library.detach()  # no network: it hears nothing of the other side's closing
        over = asyncio.create_task(gone(a, b.me.id))
        here.channels[b].cut()
        await over
        assert set(b.peers) == {a.me.id}
        here.channels[b].up()
        await whole(a, b)
        await hear_each_other(a, b)


async def test_a_lost_link_disturbs_no_connection_that_stands() -> None:
    async with meeting() as here:
        rooms = await here.several(A, B, C)
        stood = [connections_of(room) for room in rooms]
        for room in rooms:
            here.channels[room].down(ConnectionError("lost"))
            await _until_status(room, SignalingStatus.ERROR)
        await hear_each_other(*rooms)
        for room in rooms:
            here.channels[room].up()
            await _until_status(room, SignalingStatus.CONNECTED)
        assert [connections_of(room) for room in rooms] == stood
        await hear_each_other(*rooms)


def test_who_left_while_the_link_was_down_is_not_waited_for_for_ever() -> None:
    async def play() -> None:
        signaling = MemorySignaling(loss=1.0)
        loop = asyncio.get_running_loop()
        async with room_in(signaling, A, FakeNetwork(), channel=(channel := signaling.channel()), clock=loop.time) as a:
            channel.tell(PeerJoined(Member(signaling.name, B).introduction))
            connection = await anext(a.connections())
            assert not connection.is_ready
            channel.down()
            channel.up()
            assert (await gone(a, B.id)).reason == "the peer is no longer in the room"
            assert loop.time() == pytest.approx(45.0)

    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        runner.run(play())


# Who does harm.


async def test_who_is_not_trusted_harms_no_other_and_is_told_so() -> None:
    async with meeting() as here:
        a = await here.join(A, trust=Allowlist([B.id]))
        news = a.events()
        b, c = await here.join(B), await here.join(C)
        refused = [event async for event in _until(news, Refused)][-1]
        assert isinstance(refused, Refused)
        assert (refused.peer, refused.rejected.guard) == (c.me, "trusted")
        assert "does not trust" in (await gone(c, a.me.id)).reason
        await has_just(a, {b.me.id})
        await has_just(c, {b.me.id})
        assert await a.send("to bob") == 1
        assert a.refused == {"trusted": 1}


@pytest.mark.parametrize("names", [("same", "same"), (" ", "\u200b")], ids=["a name", "names that show nothing"])
async def test_of_two_who_come_at_once_under_one_name_one_is_let_in(names: tuple[str, str]) -> None:
    async with meeting() as here:
        b, c = [await here.join(who, name=name, trust=AnyPeer()) for who, name in zip((B, C), names, strict=True)]
        a = await here.join(A)
        lost = [event async for event in _until(a.events(), PeerGone)][-1]
        assert isinstance(lost, PeerGone)
        assert lost.reason == "somebody else was the first under that name"
        await has_just(a, {b.me.id, c.me.id} - {lost.peer.id})


class TornFile:
    """A trust whose file can be read until somebody was let in."""

    def __init__(self) -> None:
        self.is_torn = False

    def accepts(self, name: str, key_id: str) -> bool:
        if self.is_torn:
            raise KnownPeersError("torn")
        return True

    def remember(self, name: str, public_key: bytes) -> None:
        self.is_torn = True


async def test_who_was_let_in_stays_when_trust_can_not_be_decided_any_more() -> None:
    async with meeting() as here:
        a, b = await here.join(A, trust=TornFile()), await here.join(B)
        await whole(a, b)
        await here.join(C)
        await hear_each_other(a, b)


async def test_who_goes_as_soon_as_he_comes_leaves_nothing_behind() -> None:
    async with meeting() as here:
        a, b = await here.several(A, B)
        stranger = Member("hall", C).introduction
        for _ in range(3):
            here.channels[a].tell(PeerJoined(stranger))
            here.channels[a].tell(PeerLeft(stranger.id, stranger.session))
        await hear_each_other(a, b)
        assert set(a.peers) == {b.me.id}


async def test_a_connection_that_can_not_be_opened_harms_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with meeting() as here:
        a, b = await here.several(A, B)

        async def refuse(_: Connection) -> Connection:
            raise RuntimeError("not today")

        with monkeypatch.context() as broken:
            broken.setattr(Connection, "open", refuse)
            here.channels[a].tell(PeerJoined(Member("hall", C).introduction))
            await hear_each_other(a, b)
        assert "a connection of the room failed" in caplog.text
        assert set(a.peers) == {b.me.id}


async def test_a_forged_introduction_replaces_nobody() -> None:
    async with meeting() as here:
        a, b = await here.several(A, B)
        stood = connections_of(a)
        news = a.events()
        forged = Member("another room", B).introduction
        here.channels[a].tell(PeerJoined(forged))
        refused = await anext(news)
        assert isinstance(refused, Refused)
        assert refused.rejected.guard == "introduced_itself"
        assert connections_of(a) == stood
        await hear_each_other(a, b)


async def test_a_connection_that_fails_harms_no_other_and_is_not_tried_again_with_that_session() -> None:
    failing = iter([True])

    def factory(*arguments: Any, network: FakeNetwork, **options: Any) -> FakePeerConnection:
        made = FakePeerConnection(*arguments, network=network, **options)
        if next(failing, False):
            made.library.fail_next("create_offer")
        return made

    async with meeting() as here:
        c = here.room(C, peer_connection_factory=partial(factory, network=here.network))
        a = await here.join(A)
        await c.open()
        assert "was told to fail" in (await gone(c, a.me.id)).reason
        b = await here.join(B)
        await asyncio.gather(has_just(c, {b.me.id}), has_just(a, {b.me.id}))
        here.channels[c].up()
        await _until_status(c, SignalingStatus.CONNECTED)
        assert set(c.peers) == {b.me.id}
        assert await c.send("to bob") == 1


async def test_frames_that_belong_to_nobody_are_counted() -> None:
    async with meeting() as here:
        rooms = await here.several(A, B)
        frames: list[str | bytes] = [
            "garbage",
            b"\xff",
            "\ud800",
            "[" * 100_000,
            "x" * 300_000,
            "{}",
            '{"sender": 1, "sender_session": 2}',
            '{"sender": "who", "sender_session": "ever"}',
        ]
        for frame in frames:
            here.channels[rooms[0]].say(frame)
        await hear_each_other(*rooms)
        assert rooms[0].ignored == {"no sender": 7, "sender unknown": 1}


# What it says and tells.


async def test_sending_goes_to_those_who_are_ready() -> None:
    async with meeting() as here:
        a = await here.join(A)
        assert await a.send("nobody") == 0
        b = await here.join(B)
        await whole(a, b)
        with pytest.raises(ValueError, match="too long"):
            await a.send("x" * 300_000)
        with pytest.raises(TypeError):
            await a.send(1)  # type: ignore[arg-type]
        assert await a.send(b"bytes") == 1
        assert await anext(b.peers[a.me.id].messages()) == b"bytes"


async def test_it_shows_its_machines_and_itself() -> None:
    async with meeting() as here:
        journal = Journal()
        a = await here.join(A, label="alice", journal=journal, engine="transitions")
        b, c = await here.join(B), await here.join(C)
        await whole(a, b, c)
        assert a.room == "hall"
        assert repr(a) == "<Room 'hall' Connected, 2 of 2 peers ready>"
        assert {"alice.signaling_link", "alice.1.exchange", "alice.2.exchange"} <= {*a.machines}
        with pytest.raises(TypeError):
            a.peers["somebody"] = a.peers[b.me.id]  # type: ignore[index]


async def test_the_end_of_the_signalling_ends_the_coming_and_no_connection() -> None:
    async with meeting() as here:
        a, b = await here.several(A, B)
        reader = a.connections()
        await anext(reader)
        here.channels[a].down(SignalingError("replaced"), retry_seconds=None)
        for one in (reader, a.connections()):
            with pytest.raises(ConnectionFailedError, match="replaced"):
                [connection async for connection in one]
        await hear_each_other(a, b)


async def test_a_channel_that_fails_ends_the_coming_and_no_connection(caplog: pytest.LogCaptureFixture) -> None:
    async with meeting() as here:
        a, b = await here.several(A, B)
        here.channels[a].fail(RuntimeError("its own fault"))
        with pytest.raises(ConnectionFailedError, match="its own fault"):
            [connection async for connection in a.connections()]
        assert "the signalling channel failed" in caplog.text
        await hear_each_other(a, b)


# Opening and closing.


async def test_a_channel_that_does_not_open_leaves_nothing_behind() -> None:
    async with meeting() as here:
        room = here.room(A)
        here.channels[room].refuses = SignalingError("no such place")
        with pytest.raises(SignalingError, match="no such place"):
            async with room:
                pytest.fail("it was opened")


async def test_a_channel_that_does_not_close_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with meeting() as here:
        a, b = await here.several(A, B)
        here.channels[a].fails_to_close = RuntimeError("stuck")
        await a.aclose()
        assert "failed to close" in caplog.text
        await has_just(b, set())


async def test_closing_twice_at_once_and_before_opening() -> None:
    async with meeting() as here:
        a, b = await here.several(A, B)
        await asyncio.gather(a.aclose(), a.aclose())
        assert (a.peers, a.signaling_status) == ({}, SignalingStatus.DISCONNECTED)
        await has_just(b, set())
        never = here.room(C)
        await never.aclose()
        for room in (a, never):
            with pytest.raises(SignalingError, match="closed"):
                await room.open()


@pytest.mark.parametrize("turns", range(1, 12))
async def test_a_closing_that_is_cancelled_goes_on(turns: int) -> None:
    async with meeting() as here:
        a, b, c = await here.several(A, B, C)
        closing = asyncio.create_task(a.aclose())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        await whole(b, c)


@pytest.mark.parametrize("turns", range(24))
async def test_leaving_while_others_come(turns: int) -> None:
    async with meeting() as here:
        rooms = [await here.join(identity) for identity in (A, B, C)]
        for _ in range(turns):
            await asyncio.sleep(0)
        await rooms[0].aclose()
        await whole(*rooms[1:])


async def test_who_comes_while_it_is_closed_is_left_alone() -> None:
    async with meeting() as here:
        a, _ = await here.several(A, B)
        closing = asyncio.create_task(a.aclose())
        await asyncio.sleep(0)
        here.channels[a].tell(PeerJoined(Member("hall", C).introduction))
        await closing
        assert a.machines.keys() == {"room.signaling_link", "room.room_life"}


async def _until(events: Any, kind: type[Any]) -> AsyncIterator[Any]:
    async for event in events:
        yield event
        if isinstance(event, kind):
            return


async def _until_status(room: Room, status: SignalingStatus) -> None:
    events = room.events()
    while room.signaling_status is not status:
        await anext(events)

"""The channels of the peers over one real channel: each shows one of them, and nothing that comes can break it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.connection.channel import LinkDown, LinkUp, MessageReceived, PeerJoined, PeerLeft, SignalingEvent
from fsm_rtc.errors import LinkDownError
from fsm_rtc.messages import Introduction, Member
from fsm_rtc.room import channel as room_channel
from fsm_rtc.room.channel import PeerChannel, RoomChannel, RoomNews
from tests.memory_signaling import MemorySignaling, MemorySignalingChannel

ME, ALICE, BOB = (Member("hall", name=name) for name in ("me", "alice", "bob"))


def says(who: Introduction, text: str = "") -> str:
    return f'{{"sender": "{who.id}", "sender_session": "{who.session}", "text": "{text}"}}'


class Desk:
    """A real channel in the hands of a test, and what is told of it."""

    def __init__(self) -> None:
        self.real = MemorySignalingChannel(MemorySignaling())
        self.whole = RoomChannel(self.real)
        self.news: list[RoomNews] = []

    async def end(self) -> None:
        """All that was told is read."""
        await self.whole.aclose()
        await self.whole.read(self.news.append)


async def drained(channel: PeerChannel) -> list[SignalingEvent]:
    await channel.aclose()
    return [event async for event in channel.events()]


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    await made.whole.open(ME)
    yield made
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_each_shows_its_peer_alone() -> None:
    alice, bob = ALICE.introduction, BOB.introduction
    async with desk() as here:
        channels = [here.whole.channel_to(peer) for peer in (alice, bob)]
        for event in (
            PeerJoined(alice),
            MessageReceived(says(alice)),
            MessageReceived(says(bob)),
            LinkDown(),
            LinkUp((bob,), resumed=True),
            PeerLeft(alice.id, alice.session),
            MessageReceived(says(alice)),
        ):
            here.real.tell(event)
        await here.end()
        assert await drained(channels[0]) == [
            LinkUp(),
            PeerJoined(alice),
            MessageReceived(says(alice)),
            LinkDown(),
            LinkUp((), resumed=True),
            PeerLeft(alice.id, alice.session),
            LinkDown(),
        ]
        assert await drained(channels[1]) == [
            LinkUp(),
            MessageReceived(says(bob)),
            LinkDown(),
            LinkUp((bob,), resumed=True),
        ]
        assert here.news == [
            LinkUp(),
            PeerJoined(alice),
            LinkDown(),
            LinkUp((bob,), resumed=True),
            PeerLeft(alice.id, alice.session),
        ]
        assert here.whole.ignored == {"sender unknown": 1}


async def test_a_channel_begins_with_its_peer_and_with_the_link_as_it_is() -> None:
    async with desk() as here:
        early = here.whole.channel_to(ALICE.introduction)
        await early.open(ME)
        here.real.down(retry_seconds=None)
        await here.end()
        late = here.whole.channel_to(BOB.introduction)
        await late.open(ME)
        assert late.room == "hall"
        assert await drained(early) == [LinkUp((ALICE.introduction,)), LinkDown(), LinkUp(), LinkDown()]
        assert await drained(late) == [LinkUp((BOB.introduction,)), LinkDown()]


async def test_closing_one_leaves_the_real_one_open() -> None:
    async with desk() as here:
        channel = here.whole.channel_to(ALICE.introduction)
        await channel.aclose()
        await channel.aclose()
        assert not here.real.is_closed
        await here.end()
        assert here.real.is_closed


async def test_another_session_is_another_peer() -> None:
    again = Introduction(ALICE.introduction.id, "another", "alice", b"", b"")
    async with desk() as here:
        channels = [here.whole.channel_to(peer) for peer in (ALICE.introduction, again)]
        here.real.say(says(again))
        here.real.tell(PeerLeft(again.id, ALICE.introduction.session))
        await here.end()
        assert MessageReceived(says(again)) in await drained(channels[1])
        assert MessageReceived(says(again)) not in await drained(channels[0])


async def test_who_has_left_is_sent_nothing_not_even_when_he_is_back() -> None:
    alice = ALICE.introduction
    async with desk() as here:
        first = here.whole.channel_to(alice)
        second = here.whole.channel_to(alice)
        with pytest.raises(LinkDownError):
            await first.send(says(ME.introduction))
        assert await drained(first) == [LinkDown()]
        here.real.tell(PeerLeft(alice.id, alice.session))
        await here.end()
        with pytest.raises(LinkDownError):
            await second.send(says(ME.introduction))


async def test_what_comes_faster_than_it_is_read_is_lost_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_channel, "MAX_WAITING_FRAMES", 2)
    async with desk() as here:
        channel = here.whole.channel_to(ALICE.introduction)
        for number in range(5):
            here.real.say(says(ALICE.introduction, str(number)))
        here.real.tell(LinkDown())
        await here.end()
        assert await drained(channel) == [LinkUp(), MessageReceived(says(ALICE.introduction, "0")), LinkDown()]
        assert here.whole.ignored == {"too many wait": 4}


@given(frame=st.one_of(st.text(), st.binary(), st.text(alphabet='{}[]":,sender_on \ud800')))
def test_nothing_that_comes_raises(frame: str | bytes) -> None:
    async def play() -> None:
        async with desk() as here:
            here.real.say(frame)
            await here.end()
            assert here.whole.ignored == {"no sender": 1}

    asyncio.run(play())

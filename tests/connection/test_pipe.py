"""PipeChannel: two sides introduce themselves to each other, over anything that carries texts."""

from __future__ import annotations

import asyncio

import pytest

from fsm_rtc.connection.channel import LinkDown, LinkUp, MessageReceived, PeerJoined
from fsm_rtc.connection.pipe import PipeChannel, memory_pipe
from fsm_rtc.errors import LinkDownError
from fsm_rtc.messages import Identity, Member

ALICE, BOB = (Member("kitchen", Identity.generate(), name) for name in ("alice", "bob"))


async def test_whoever_opens_first_both_learn_of_each_other() -> None:
    here, there = memory_pipe("kitchen")
    await here.open(ALICE)
    events = here.events()
    assert await anext(events) == LinkUp()
    await there.open(BOB)
    assert await anext(events) == PeerJoined(BOB.introduction)
    others = there.events()
    assert [await anext(others) for _ in range(2)] == [LinkUp(), PeerJoined(ALICE.introduction)]


async def test_one_who_came_late_is_told_again_and_only_once() -> None:
    heard: list[str] = []

    async def send(text: str) -> None:
        heard.append(text)

    coming: asyncio.Queue[str | bytes | None] = asyncio.Queue()
    late, _ = memory_pipe("kitchen")
    channel = PipeChannel(send, coming.get, "kitchen")
    await channel.open(ALICE)
    events = channel.events()
    await anext(events)
    introduction = _introduced(BOB)
    for _ in range(3):
        coming.put_nowait(introduction)
        assert await anext(events) == PeerJoined(BOB.introduction)
    assert len(heard) == 2
    assert late.room == channel.room == "kitchen"


def _introduced(member: Member) -> str:
    from fsm_rtc.messages import MemberJoined, encode

    return encode(MemberJoined(member.introduction))


@pytest.mark.parametrize("frame", ["", "{", b"\xff", "[" * 1000, '{"type":"ack"}'])
async def test_what_is_no_introduction_is_passed_on_unread(frame: str | bytes) -> None:
    coming: asyncio.Queue[str | bytes | None] = asyncio.Queue()
    coming.put_nowait(frame)
    coming.put_nowait(None)

    async def send(text: str) -> None:
        pass

    channel = PipeChannel(send, coming.get)
    await channel.open(ALICE)
    assert [event async for event in channel.events()] == [LinkUp(), MessageReceived(frame), LinkDown()]


async def test_a_closed_one_sends_nothing() -> None:
    here, _ = memory_pipe()
    await here.open(ALICE)
    await here.aclose()
    with pytest.raises(LinkDownError):
        await here.send("x")

"""The inbox: in order, bounded, and nothing is lost when a reader is cancelled."""

from __future__ import annotations

import asyncio

import pytest

from fsm_rtc.connection.channel import LinkDown, LinkUp, MessageReceived, SignalingEvent
from fsm_rtc.signaling.inbox import Inbox


def message(text: str) -> MessageReceived:
    return MessageReceived(text)


async def test_events_come_in_order_until_the_end() -> None:
    inbox = Inbox(10)
    for text in "abc":
        assert inbox.offer(message(text))
    inbox.end()
    assert [event async for event in inbox] == [message(text) for text in "abc"]
    with pytest.raises(StopAsyncIteration):
        await anext(inbox)


async def test_a_reader_waits_for_the_next_event_and_for_the_end() -> None:
    inbox = Inbox(10)
    reader = asyncio.create_task(_all(inbox))
    for text in "ab":
        await asyncio.sleep(0)
        inbox.put(message(text))
    await asyncio.sleep(0)
    inbox.end()
    assert await reader == [message("a"), message("b")]


async def test_a_full_inbox_takes_the_link_s_state_and_nothing_else() -> None:
    inbox = Inbox(2)
    assert [inbox.offer(message(text)) for text in "abc"] == [True, True, False]
    inbox.put(LinkDown())
    inbox.end()
    assert await _all(inbox) == [message("a"), message("b"), LinkDown()]


async def test_room_is_waited_for() -> None:
    inbox = Inbox(1)
    await inbox.wait_for_room()
    inbox.put(LinkUp())
    waiting = asyncio.create_task(inbox.wait_for_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await anext(inbox)
    await waiting


async def test_a_cancelled_reader_loses_nothing() -> None:
    inbox = Inbox(10)
    for _ in range(3):
        reader = asyncio.ensure_future(anext(inbox))
        await asyncio.sleep(0)
        inbox.put(message("kept"))
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert await anext(inbox) == message("kept")


async def _all(inbox: Inbox) -> list[SignalingEvent]:
    return [event async for event in inbox]

"""Messages on their way to the user."""

import asyncio
import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.connection.delivery.messages import (
    KEPT_MESSAGES,
    Delivery,
    MessageReader,
    Messages,
    chat_message,
    chat_text,
)


def test_a_chat_message_is_the_documented_payload() -> None:
    assert json.loads(chat_message("Hello peer!")) == {"type": "chat", "message": "Hello peer!"}


@given(st.text())
def test_what_a_chat_message_says_is_read_back(text: str) -> None:
    assert chat_text(chat_message(text)) == text


@given(st.one_of(st.text(), st.binary(), st.recursive(st.none() | st.text(), st.lists).map(json.dumps)))
def test_anything_else_is_no_chat_message_and_raises_nothing(message: str | bytes) -> None:
    assert chat_text(message) is None


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[" * 100_000,
        "9" * 5000,
        b"\xff\xfe",
        '{"type": "chat"}',
        '{"type": "chat", "message": 5}',
        '{"type": "file", "message": "x"}',
        '"chat"',
        "",
    ],
)
def test_a_malformed_payload_is_no_chat_message(message: str | bytes) -> None:
    assert chat_text(message) is None


def test_every_callback_hears_every_message_whatever_another_one_raises(caplog: pytest.LogCaptureFixture) -> None:
    messages = Messages()
    heard: list[str | bytes] = []
    messages.on_message(lambda message: 1 / 0)
    unsubscribe = messages.on_message(heard.append)
    messages.received("a")
    unsubscribe()
    messages.received("b")
    assert heard == ["a"]
    assert "a callback for messages raised" in caplog.text


def test_an_asynchronous_callback_is_refused() -> None:
    async def callback(message: str | bytes) -> None: ...

    with pytest.raises(TypeError, match="messages"):
        Messages().on_message(callback)


async def test_what_came_before_any_listener_is_kept_up_to_a_bound_and_given_once() -> None:
    messages = Messages()
    for number in range(KEPT_MESSAGES + 2):
        messages.received(str(number))
    reader = messages.reader(KEPT_MESSAGES)
    assert await anext(reader) == "2"
    late: list[str | bytes] = []
    messages.on_message(late.append)
    assert late == []


async def test_a_slow_reader_loses_the_oldest_and_can_tell(caplog: pytest.LogCaptureFixture) -> None:
    messages = Messages()
    reader = messages.reader(2)
    for message in "abcd":
        messages.received(message)
    assert [await anext(reader), await anext(reader)] == ["c", "d"]
    assert reader.dropped == 2
    assert caplog.text.count("too slow") == 1


def test_a_reader_holds_at_least_one_message() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Messages().reader(0)


async def test_each_reader_gets_each_message() -> None:
    messages = Messages()
    readers = [messages.reader(10), messages.reader(10)]
    messages.received("a")
    assert [await anext(reader) for reader in readers] == ["a", "a"]
    late: list[str | bytes] = []
    messages.on_message(late.append)
    assert late == [], "what somebody read is not kept"


async def test_a_cancelled_reader_loses_nothing() -> None:
    messages = Messages()
    reader = messages.reader(10)

    async def read() -> str | bytes:
        return await anext(reader)

    waiting = asyncio.create_task(read())
    await asyncio.sleep(0)
    messages.received("a")
    waiting.cancel()
    assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], asyncio.CancelledError)
    assert await anext(reader) == "a"


async def test_a_reader_that_waits_when_the_connection_ends_ends_too() -> None:
    messages = Messages()
    reader = messages.reader(10)

    async def read_all() -> list[str | bytes]:
        return [message async for message in reader]

    waiting = asyncio.create_task(read_all())
    await asyncio.sleep(0)
    messages.received("a")
    messages.end()
    messages.received("late")
    async with asyncio.timeout(60):
        assert await waiting == ["a"]


async def test_what_a_reader_that_is_let_go_of_did_not_take_is_for_the_next() -> None:
    messages = Messages()
    reader = messages.reader(10)
    messages.received("a")
    messages.received("b")
    assert await anext(reader) == "a"
    del reader
    assert await anext(messages.reader(10)) == "b"


def test_a_reader_may_be_collected_when_no_loop_runs_any_more() -> None:
    acknowledged: list[str] = []

    def acknowledge() -> None:
        asyncio.get_running_loop()
        acknowledged.append("a")

    async def take() -> tuple[Messages, MessageReader]:
        messages = Messages()
        reader = messages.reader(10)
        messages.deliver(Delivery("one.1", "a", acknowledge))
        assert await anext(reader) == "a"
        return messages, reader

    async def go_on(messages: Messages) -> None:
        messages.received("b")
        assert await anext(messages.reader(10)) == "b"

    messages, reader = asyncio.run(take())
    del reader
    assert acknowledged == []
    asyncio.run(go_on(messages))
    assert acknowledged == ["a"]


async def test_a_reader_may_be_collected_on_another_thread() -> None:
    acknowledged: list[int] = []
    messages = Messages()
    readers = [messages.reader(10)]
    messages.deliver(Delivery("one.1", "a", lambda: acknowledged.append(threading.get_ident())))
    assert await anext(readers[0]) == "a"
    await asyncio.to_thread(readers.clear)
    assert acknowledged == [threading.get_ident()]

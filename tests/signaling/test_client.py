"""The client over real sockets: it joins, loses its link, comes back, and goes without a trace."""

from __future__ import annotations

import asyncio
import os
import ssl

import pytest
from websockets.asyncio.server import ServerConnection

from fsm_rtc.connection.channel import LinkDown, LinkUp, MessageReceived, PeerJoined, PeerLeft, SignalingChannel
from fsm_rtc.engine import Entry, Journal
from fsm_rtc.errors import LinkDownError, SignalingError
from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import Challenge, Error, ErrorCode, encode
from fsm_rtc.signaling.backoff import Backoff
from fsm_rtc.signaling.client import LANE, WebSocketSignaling
from fsm_rtc.signaling.limits import CLOSE_CODES
from fsm_rtc.signaling.server import SignalingServer
from tests.signaling.participants import (
    ANNA,
    CARL,
    ROOM,
    code_of,
    following,
    joining,
    offer,
    open_sockets,
    quick,
    remaining,
    room_of,
    scripted,
    server_of,
    welcome,
)

pytestmark = pytest.mark.live


async def test_two_meet_talk_and_part(server: SignalingServer, anna: Member, bert: Member) -> None:
    async with joining(room_of(server), anna) as first:
        assert await following(first, LinkUp) == LinkUp()
        async with joining(room_of(server), bert) as second:
            assert await following(second, LinkUp) == LinkUp((anna.introduction,))
            assert await following(first, PeerJoined) == PeerJoined(bert.introduction)
            for number in range(20):
                await first.send(text := offer(anna, bert, "v=0", number))
                assert await following(second, MessageReceived) == MessageReceived(text)
                await second.send(text := offer(bert, anna, "v=0", number))
                assert await following(first, MessageReceived) == MessageReceived(text)
        left = await following(first, PeerLeft)
        assert left == PeerLeft(bert.introduction.id, bert.introduction.session)
    assert server.refused == {}


async def test_it_is_a_signaling_channel(server: SignalingServer) -> None:
    channel: SignalingChannel = WebSocketSignaling(room_of(server, "two%20words"))
    assert channel.room == "two words"
    await channel.aclose()


async def test_no_proxy_leads_to_this_very_host(
    server: SignalingServer, anna: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scheme in ("ws", "http", "https"):
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    async with joining(room_of(server), anna) as channel:
        await following(channel, LinkUp)


# Refused


async def test_a_third_waits_for_its_place(anna: Member, bert: Member) -> None:
    carl = Member(ROOM, CARL)
    async with (
        server_of(members=2) as server,
        joining(room_of(server), anna) as first,
        joining(room_of(server), bert) as second,
    ):
        await following(first, LinkUp)
        await following(second, LinkUp)
        async with joining(room_of(server), carl) as third:
            assert await code_of(third) == ("room_full", 0.0)
            await second.aclose()
            event = await anext(third.events())
            while isinstance(event, LinkDown):  # it may have asked again before there was a place
                event = await anext(third.events())
            assert event == LinkUp((anna.introduction,))


async def test_who_is_replaced_doesn_t_come_back(server: SignalingServer, anna: Member) -> None:
    async with joining(room_of(server), anna) as old:
        await following(old, LinkUp)
        async with joining(room_of(server), Member(ROOM, ANNA)) as new:
            await following(new, LinkUp)
            assert await code_of(old) == ("replaced", None)
            with pytest.raises(LinkDownError):
                await old.send("{}")


@pytest.mark.parametrize(
    ("me", "path", "code"),
    [
        (Member(ROOM), ROOM, "bad_hello"),
        (Member("cellar", ANNA), ROOM, "bad_hello"),
    ],
)
async def test_a_hello_that_is_refused_is_not_repeated(
    server: SignalingServer, me: Member, path: str, code: str
) -> None:
    async with joining(room_of(server, path), me) as channel:
        assert await code_of(channel) == (code, None)
    assert sum(server.refused.values()) == 1


@pytest.mark.parametrize("code", [code for code in ErrorCode if code in CLOSE_CODES])
async def test_each_refusal_is_told_by_its_code_and_ends_it_or_not(anna: Member, code: ErrorCode) -> None:
    async def refuse(socket: ServerConnection) -> None:
        await socket.send(encode(Error(code=code, message="because\x1b[31m")))
        await socket.close(CLOSE_CODES[code], code.value)

    async with scripted(refuse) as url, joining(url, anna) as channel:
        down = await following(channel, LinkDown)
        assert isinstance(down.error, SignalingError)
        assert down.error.code == code.value
        assert str(down.error) == f"the server refused ({code.value}): because?[31m"
        final = code in ("bad_hello", "no_access", "wrong_protocol", "wrong_room", "replaced")
        assert down.retry_seconds == (None if final else 0.0)


async def test_a_refusal_is_known_by_its_close_code_too(anna: Member) -> None:
    async def refuse(socket: ServerConnection) -> None:
        await welcome(socket)
        await socket.close(CLOSE_CODES[ErrorCode.REPLACED])

    async with scripted(refuse) as url, joining(url, anna) as channel:
        await following(channel, LinkUp)
        assert await code_of(channel) == ("replaced", None)


async def test_a_server_of_another_protocol_is_left(anna: Member) -> None:
    async def newer(socket: ServerConnection) -> None:
        await socket.send(encode(Challenge(protocol="fsm_rtc/2", nonce=os.urandom(32))))
        await socket.wait_closed()

    async with scripted(newer) as url, joining(url, anna) as channel:
        assert await code_of(channel) == ("wrong_protocol", None)


# Sending


async def test_sending_before_it_is_open_or_after_it_is_closed_is_refused(anna: Member) -> None:
    async with SignalingServer() as server:
        channel = WebSocketSignaling(room_of(server))
        with pytest.raises(LinkDownError):
            await channel.send("{}")
        await channel.open(anna)
        with pytest.raises(LinkDownError):
            await channel.send("{}")
        await following(channel, LinkUp)
        await channel.aclose()
        with pytest.raises(LinkDownError):
            await channel.send("{}")


async def test_a_send_that_is_cancelled_leaves_the_link_whole(anna: Member) -> None:
    read = asyncio.Event()
    received: list[str | bytes] = []

    async def slow(socket: ServerConnection) -> None:
        await welcome(socket)
        await read.wait()
        async for frame in socket:
            received.append(frame)
            if frame == "the end":
                await socket.close()

    async with scripted(slow) as url, joining(url, anna) as channel:
        await following(channel, LinkUp)
        texts = [str(number) * 100_000 for number in range(10)] * 30
        sending = [asyncio.create_task(channel.send(text)) for text in texts]
        await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)
        cancelled = [task for task in sending if task.cancel()]
        assert cancelled, "everything was sent at once"
        await asyncio.wait(sending)
        read.set()
        await channel.send("the end")
        await following(channel, LinkDown)
    assert received[-1] == "the end"
    assert set(received[:-1]) <= set(texts), "a frame was torn"


async def test_a_server_that_reads_nothing_is_given_up(anna: Member) -> None:
    async def stuck(socket: ServerConnection) -> None:
        await welcome(socket)
        socket.transport.pause_reading()
        await asyncio.shield(socket.connection_lost_waiter)

    async def send_for_ever(channel: WebSocketSignaling) -> None:
        while True:
            await channel.send("x" * 200_000)

    async with scripted(stuck) as url:
        channel = WebSocketSignaling(url, backoff=quick(), stall_timeout_seconds=0.1)
        await channel.open(anna)
        await following(channel, LinkUp)
        with pytest.raises(LinkDownError, match="reads nothing"):
            await send_for_ever(channel)
        await following(channel, LinkDown)
        await channel.aclose()


# Opening and closing


async def test_it_is_opened_once(server: SignalingServer, anna: Member) -> None:
    async with joining(room_of(server), anna) as channel:
        with pytest.raises(SignalingError, match="make a new one"):
            await channel.open(anna)
    with pytest.raises(SignalingError, match="make a new one"):
        await channel.open(anna)


async def test_events_end_with_the_channel(server: SignalingServer, anna: Member) -> None:
    async with joining(room_of(server), anna) as channel:
        await following(channel, LinkUp)
        reader = asyncio.create_task(remaining(channel))
        await asyncio.sleep(0)
    assert await reader == [LinkDown()]
    await channel.aclose()
    assert await remaining(channel) == []


@pytest.mark.parametrize("opened", [False, True])
async def test_closing_at_once_ends_the_events(server: SignalingServer, anna: Member, opened: bool) -> None:
    channel = WebSocketSignaling(room_of(server))
    if opened:
        await channel.open(anna)
    await channel.aclose()
    assert await remaining(channel) == []


async def test_closing_after_a_final_refusal_ends_the_events(server: SignalingServer) -> None:
    async with joining(room_of(server), Member(ROOM)) as channel:
        await following(channel, LinkDown)
    assert await remaining(channel) == []


async def test_closing_while_it_waits_to_retry(anna: Member) -> None:
    async with SignalingServer() as server:
        url = room_of(server)
    channel = WebSocketSignaling(url, backoff=Backoff(1000, 1000))
    await channel.open(anna)
    await following(channel, LinkDown)
    await channel.aclose()
    assert await remaining(channel) == []


async def test_nothing_is_left_behind_wherever_it_is_closed(anna: Member) -> None:
    """It is closed after so many turns of the loop: while it connects, shakes hands, and is up."""
    async with SignalingServer() as server:
        tasks, descriptors = asyncio.all_tasks(), open_sockets()
        up = 0
        for turns in range(60):
            channel = WebSocketSignaling(room_of(server))
            await channel.open(anna)
            for _ in range(turns):
                await asyncio.sleep(0)
            await channel.aclose()
            up += LinkUp() in await remaining(channel)
            assert {task for task in asyncio.all_tasks() - tasks if LANE in task.get_name()} == set()
        assert up > 0
        await server.aclose()
    assert len(asyncio.all_tasks()) == 1
    assert len(open_sockets()) < len(descriptors), "the server's listening socket is gone, and no other came"


async def test_a_close_that_is_cancelled_goes_on(anna: Member) -> None:
    closing = asyncio.Event()

    async def never_closes(socket: ServerConnection) -> None:
        await welcome(socket)
        socket.transport.pause_reading()
        closing.set()
        await asyncio.shield(socket.connection_lost_waiter)

    async with scripted(never_closes) as url:
        channel = WebSocketSignaling(url, close_timeout_seconds=0.1)
        await channel.open(anna)
        await following(channel, LinkUp)
        await closing.wait()
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(channel.aclose(), 0.01)
        assert await remaining(channel) == [LinkDown()]
        await channel.aclose()


async def test_a_task_that_is_cancelled_by_somebody_else_ends_the_events(server: SignalingServer, anna: Member) -> None:
    async with joining(room_of(server), anna) as channel:
        await following(channel, LinkUp)
        (task,) = (task for task in asyncio.all_tasks() if LANE in task.get_name())
        task.cancel()
        assert await remaining(channel) == [LinkDown()]


@pytest.mark.parametrize("url", ["http://host/room", "ws://host", "ws://host/", "room"])
def test_an_address_without_a_room_is_refused(url: str) -> None:
    with pytest.raises(SignalingError, match="ws://host:port/room"):
        WebSocketSignaling(url)


def test_tls_needs_an_address_that_says_so() -> None:
    with pytest.raises(SignalingError, match="wss://"):
        WebSocketSignaling("ws://host/room", ssl=ssl.create_default_context())


async def test_the_journal_tells_how_the_link_came_and_went(server: SignalingServer, anna: Member) -> None:
    journal = Journal()
    channel = WebSocketSignaling(room_of(server), journal=journal, label="room.channel")
    assert channel.machines == {"room.channel": channel.machine}
    await channel.open(anna)
    await following(channel, LinkUp)
    await channel.aclose()
    events = [one for one in journal if isinstance(one, Entry)]
    assert {one.label for one in events} == {"room.channel"}
    assert [one.trigger for one in events] == ["open", "on_connected", "on_welcome", "close"]


async def test_a_channel_is_opened_once(server: SignalingServer, anna: Member) -> None:
    async with joining(room_of(server), anna) as channel:
        with pytest.raises(SignalingError, match="make a new one"):
            await channel.open(anna)
    with pytest.raises(SignalingError, match="make a new one"):
        await channel.open(anna)
    channel.check()

"""The client whose link is lost, or was never worth having."""

from __future__ import annotations

import asyncio
import json
import os

import pytest
from websockets.asyncio.server import ServerConnection

from fsm_rtc.connection.channel import LinkDown, LinkUp, MessageReceived, PeerJoined, PeerLeft
from fsm_rtc.errors import LinkDownError, SignalingError
from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import PROTOCOL, Challenge, Error, ErrorCode, MemberJoined, MemberLeft, Welcome, encode
from fsm_rtc.signaling.backoff import Backoff
from fsm_rtc.signaling.client import MAX_WAITING_EVENTS, WebSocketSignaling
from fsm_rtc.signaling.server import SignalingServer
from fsm_rtc.signaling.sockets import EVENTS_NOT_READ
from tests.signaling.participants import ROOM, code_of, following, joining, offer, quick, room_of, scripted, welcome

pytestmark = pytest.mark.live


async def test_a_server_that_stops_and_starts_again_is_met_again(anna: Member, bert: Member) -> None:
    slept: list[float] = []
    may_retry = asyncio.Semaphore(0)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await may_retry.acquire()

    waits = Backoff(1.0, 4.0, uniform=lambda low, high: high)
    async with SignalingServer() as server:
        port = server.port
        channel = WebSocketSignaling(room_of(server), backoff=waits, sleep=sleep)
        await channel.open(anna)
        await following(channel, LinkUp)
    assert await code_of(channel) == ("shutting_down", 1.0)
    with pytest.raises(LinkDownError, match="LinkUp"):
        await channel.send("{}")
    for seconds in (2.0, 4.0, 4.0):  # nobody is there
        may_retry.release()
        assert await code_of(channel) == (None, seconds)
    async with SignalingServer(port=port) as server:
        may_retry.release()
        assert await following(channel, LinkUp) == LinkUp()
        async with joining(room_of(server), bert) as other:
            assert await following(other, LinkUp) == LinkUp((anna.introduction,))
            assert await following(channel, PeerJoined) == PeerJoined(bert.introduction)
            await channel.send(text := offer(anna, bert))
            assert await following(other, MessageReceived) == MessageReceived(text)
        await channel.aclose()
    assert slept == [1.0, 2.0, 4.0, 4.0]


async def test_only_a_link_that_stood_makes_the_waits_short_again(anna: Member) -> None:
    async def accept_and_drop(socket: ServerConnection) -> None:
        await welcome(socket)

    async def no_sleep(_: float) -> None:
        pass

    for stable_seconds, expected in ((1000.0, [1.0, 2.0, 4.0]), (0.0, [1.0, 1.0, 1.0])):
        waits = Backoff(1.0, 100.0, stable_seconds=stable_seconds, uniform=lambda low, high: high)
        async with scripted(accept_and_drop) as url:
            channel = WebSocketSignaling(url, backoff=waits, sleep=no_sleep)
            await channel.open(anna)
            seen = []
            for _ in expected:
                await following(channel, LinkUp)
                seen.append((await following(channel, LinkDown)).retry_seconds)
            await channel.aclose()
        assert seen == expected


async def test_a_link_that_breaks_without_a_word_is_made_again(anna: Member) -> None:
    async def cut(socket: ServerConnection) -> None:
        await welcome(socket)
        socket.transport.abort()

    async with scripted(cut) as url, joining(url, anna) as channel:
        for _ in range(3):
            await following(channel, LinkUp)
            assert await code_of(channel) == (None, 0.0)


async def test_where_no_server_is_the_error_says_so(anna: Member) -> None:
    async with SignalingServer() as server:
        url = room_of(server)
    async with joining(url, anna) as channel:
        down = await following(channel, LinkDown)
        assert "is a signalling server running there?" in str(down.error)
        assert url in str(down.error)


async def http_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    writer.close()


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")
    await reader.read()
    writer.close()


@pytest.mark.parametrize(
    ("handler", "why"), [(http_only, "HTTP 404"), (mute, r"no welcome within 0\.3 s"), (babble, "no link to")]
)
async def test_what_is_no_signalling_server_is_named(anna: Member, handler: object, why: str) -> None:
    listening = await asyncio.start_server(handler, "127.0.0.1", 0)  # type: ignore[arg-type]
    url = f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/{ROOM}"
    channel = WebSocketSignaling(url, connect_timeout_seconds=0.3)
    await channel.open(anna)
    down = await following(channel, LinkDown)
    assert isinstance(down.error, SignalingError)
    assert down.error.code is None
    with pytest.raises(SignalingError, match=why):
        raise down.error
    await channel.aclose()
    listening.close()
    await listening.wait_closed()


# Servers that lie


async def test_a_server_that_never_answers_is_given_up_in_time(anna: Member) -> None:
    async def silent(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async def challenge_only(socket: ServerConnection) -> None:
        await socket.send(encode(Challenge(protocol=PROTOCOL, nonce=os.urandom(32))))
        await socket.wait_closed()

    for script in (silent, challenge_only):
        async with scripted(script) as url:
            channel = WebSocketSignaling(url, connect_timeout_seconds=0.1)
            await channel.open(anna)
            down = await following(channel, LinkDown)
            assert "no welcome within 0.1 s" in str(down.error)
            await channel.aclose()


@pytest.mark.parametrize("frame", ["", "{", "[" * 10_000, b"\xff", '{"type":"welcome","members":[]}', '{"type":"x"}'])
async def test_garbage_instead_of_a_challenge_ends_the_attempt(anna: Member, frame: str | bytes) -> None:
    async def garbage(socket: ServerConnection) -> None:
        await socket.send(frame)
        await socket.wait_closed()

    async with scripted(garbage) as url, joining(url, anna) as channel:
        assert await code_of(channel) == (None, 0.0)


async def test_garbage_after_the_welcome_is_counted_and_harms_nothing(anna: Member, bert: Member) -> None:
    text = offer(bert, anna)

    async def garbage(socket: ServerConnection) -> None:
        await welcome(socket)
        await socket.send("{")
        await socket.send('{"type":"shout"}')
        await socket.send(encode(Welcome(members=())))
        await socket.send(encode(Challenge(protocol=PROTOCOL, nonce=os.urandom(32))))
        await socket.send(encode(Error(code=ErrorCode.NOT_HERE, message="")))
        await socket.send(text)
        await socket.wait_closed()

    async with scripted(garbage) as url, joining(url, anna) as channel:
        await following(channel, LinkUp)
        assert await following(channel, MessageReceived) == MessageReceived(text)
        assert sum(channel.ignored.values()) == 5
        assert channel.ignored["not_here"] == channel.ignored["welcome"] == channel.ignored["challenge"] == 1


@pytest.mark.parametrize(("frame", "text"), [(" " * 300_000, True), (b'{"\xff', True)], ids=["oversized", "not UTF-8"])
async def test_a_frame_that_can_t_be_read_ends_the_link(anna: Member, frame: str | bytes, text: bool) -> None:
    async def unreadable(socket: ServerConnection) -> None:
        await welcome(socket)
        await socket.send(frame, text=text)
        await socket.wait_closed()

    async with scripted(unreadable) as url, joining(url, anna) as channel:
        await following(channel, LinkUp)
        assert await code_of(channel) == (None, 0.0)


async def test_introductions_that_aren_t_genuine_are_passed_on_as_they_are(anna: Member) -> None:
    forged = Member(ROOM, None, "nobody").introduction

    async def lie(socket: ServerConnection) -> None:
        await welcome(socket)
        await socket.send(encode(MemberJoined(member=forged)))
        await socket.send(encode(MemberLeft(id="who", session="which")))
        await socket.wait_closed()

    async with scripted(lie) as url, joining(url, anna) as channel:
        await following(channel, LinkUp)
        assert await following(channel, PeerJoined) == PeerJoined(forged)
        assert await following(channel, PeerLeft) == PeerLeft("who", "which")


async def test_a_flood_that_nobody_reads_drops_the_link_with_a_name(anna: Member) -> None:
    links = 0

    async def flood(socket: ServerConnection) -> None:
        nonlocal links
        links += 1
        await welcome(socket)
        while True:
            await socket.send(encode(MemberLeft(id="a", session="b")))

    async with scripted(flood) as url:
        dropped = asyncio.Event()

        async def sleep(_: float) -> None:
            dropped.set()

        channel = WebSocketSignaling(url, backoff=quick(), sleep=sleep, close_timeout_seconds=0.1)
        await channel.open(anna)
        await dropped.wait()
        async with SignalingServer() as elsewhere:
            for _ in range(5):  # time enough for another link to be made
                async with joining(room_of(elsewhere), anna) as other:
                    await following(other, LinkUp)
        assert links == 1, "it doesn't come back before somebody has read"
        await following(channel, LinkUp)
        for _ in range(MAX_WAITING_EVENTS - 1):
            await following(channel, PeerLeft)
        assert await code_of(channel) == (EVENTS_NOT_READ, 0.0)
        await following(channel, LinkUp)
        await channel.aclose()


SERVER = {"urls": ["turn:turn.example.org:3478"], "username": "u", "credential": "c"}


@pytest.mark.parametrize(
    "servers",
    [
        [SERVER] * 9,
        [{**SERVER, "urls": ["turn:turn.example.org:3478"] * 9}],
        [{**SERVER, "urls": [f"turn:{'x' * 508}"]}],
        [{**SERVER, "username": "u" * 1025}],
        [{**SERVER, "credential": "c" * 1025}],
    ],
    ids=["servers", "urls", "a url", "a username", "a credential"],
)
async def test_a_server_that_offers_ice_servers_beyond_all_bounds_is_left(servers: list[object], anna: Member) -> None:
    async def offer_too_much(socket: ServerConnection) -> None:
        await socket.send(encode(Challenge(protocol=PROTOCOL, nonce=os.urandom(32))))
        await socket.recv()
        await socket.send(json.dumps({"type": "welcome", "members": [], "ice_servers": servers}))
        await socket.wait_closed()

    async with scripted(offer_too_much) as url, joining(url, anna) as channel:
        error = (await following(channel, LinkDown)).error
        assert "wrong shape" in str(error)


async def test_what_it_offers_within_bounds_is_told(anna: Member) -> None:
    async def offer(socket: ServerConnection) -> None:
        await socket.send(encode(Challenge(protocol=PROTOCOL, nonce=os.urandom(32))))
        await socket.recv()
        await socket.send(json.dumps({"type": "welcome", "members": [], "ice_servers": [SERVER] * 8}))
        await socket.wait_closed()

    async with scripted(offer) as url, joining(url, anna) as channel:
        assert len((await following(channel, LinkUp)).ice_servers) == 8

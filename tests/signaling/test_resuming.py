"""A client that loses its socket goes on where it was, over a real server and a network that cuts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import ServerConnection

from fsm_rtc.connection.channel import LinkDown, LinkUp, MessageReceived, PeerJoined, PeerLeft
from fsm_rtc.errors import LinkDownError
from fsm_rtc.messages.identity import Identity
from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import DeliveriesReceived, Draining, ErrorCode, Welcome, encode
from fsm_rtc.signaling import client
from fsm_rtc.signaling.client import WebSocketSignaling
from fsm_rtc.signaling.inbox import MAX_UNTAKEN_MESSAGES
from fsm_rtc.signaling.server import SignalingServer
from tests.signaling.cutting_proxy import CuttingProxy, proxied
from tests.signaling.participants import (
    BERT,
    CARL,
    PATIENCE_SECONDS,
    ROOM,
    Bare,
    bare,
    following,
    hello_of,
    joining,
    offer,
    quick,
    refusal,
    room_of,
    scripted,
    server_of,
    until,
    welcome,
)

pytestmark = pytest.mark.live


async def resumed(client: Bare, me: Member, seen: int) -> Welcome:
    """Join again, behind so many deliveries."""
    nonce = (await client.challenge()).nonce
    await client.send(hello_of(me, nonce, resume=seen))
    message = await client.receive()
    assert isinstance(message, Welcome), message
    return message


async def cut(client: Bare, server: SignalingServer) -> None:
    """Cut a client's socket, and wait until the server knows."""
    before = server.service.counts["lost"]
    client.socket.transport.abort()
    await until(lambda: server.service.counts["lost"] > before)


@asynccontextmanager
async def through(proxy: CuttingProxy, me: Member) -> AsyncIterator[WebSocketSignaling]:
    """A channel over a network that cuts, with its link up."""
    async with joining(f"ws://127.0.0.1:{proxy.port}/{ROOM}", me) as channel:
        await following(channel, LinkUp)
        yield channel


# The client.


async def test_what_is_sent_to_who_is_away_is_there_when_it_comes_back(
    server: SignalingServer, anna: Member, bert: Member
) -> None:
    async with proxied(server.port) as proxy, through(proxy, anna) as away, joining(room_of(server), bert) as here:
        await following(here, LinkUp)
        await following(away, PeerJoined)
        proxy.cut_all()
        await following(away, LinkDown)
        texts = [offer(bert, anna, f"number {number}") for number in range(5)]
        for text in texts:
            await here.send(text)
        up = await following(away, LinkUp)
        assert (up.resumed, up.members) == (True, (bert.introduction,))
        for text in texts:
            assert await following(away, MessageReceived) == MessageReceived(text)


async def test_what_was_under_way_to_the_server_is_sent_again_and_taken_once(anna: Member, bert: Member) -> None:
    async with (
        server_of(messages_per_second=1e6) as server,
        proxied(server.port) as proxy,
        through(proxy, anna) as sender,
        joining(room_of(server), bert) as reader,
    ):
        await following(reader, LinkUp)
        await following(sender, PeerJoined)
        texts = [offer(anna, bert, f"number {number}", number) for number in range(150)]
        up = asyncio.Event()
        up.set()

        async def follow() -> None:
            async for event in sender.events():
                up.set() if isinstance(event, LinkUp) else up.clear()

        following_it = asyncio.create_task(follow())
        for number, text in enumerate(texts):
            if number % 40 == 20:
                proxy.cut_all()  # what was written before it is in nobody's hands now
            while True:
                try:
                    await sender.send(text)
                    break
                except LinkDownError:
                    up.clear()
                    await up.wait()
        heard = [(await following(reader, MessageReceived)).frame for _ in texts]
        assert heard == texts
        following_it.cancel()


async def test_who_is_away_for_too_long_begins_anew_and_the_others_are_told(anna: Member, bert: Member) -> None:
    async with (
        server_of(grace_seconds=0.05) as server,
        bare(server) as away,
        joining(room_of(server), bert) as here,
    ):
        await away.joined(anna)
        await following(here, LinkUp)
        await cut(away, server)
        assert await following(here, PeerLeft) == PeerLeft(anna.introduction.id, anna.introduction.session)
        async with bare(server) as again:
            assert await resumed(again, anna, 1) == Welcome(members=(bert.introduction,))
        await following(here, PeerJoined)
        assert server.service.hub.away_count == 0


async def test_closing_a_channel_is_told_at_once(server: SignalingServer, anna: Member, bert: Member) -> None:
    async with joining(room_of(server), anna) as here, joining(room_of(server), bert) as other:
        await following(here, LinkUp)
        await following(other, LinkUp)
        await following(here, PeerJoined)
        await other.aclose()
        await following(here, PeerLeft)


async def test_a_server_that_takes_nothing_is_not_sent_more_than_can_be_kept(anna: Member) -> None:
    async def deaf(socket: ServerConnection) -> None:
        await welcome(socket)
        async for _ in socket:
            pass

    async with scripted(deaf) as url:
        channel = WebSocketSignaling(url, backoff=quick(), stall_timeout_seconds=0.2)
        await channel.open(anna)
        await following(channel, LinkUp)
        for _ in range(MAX_UNTAKEN_MESSAGES):
            await channel.send("{}")
        with pytest.raises(LinkDownError, match="reads nothing"):
            await channel.send("{}")
        await channel.aclose()


async def test_nothing_is_said_before_the_hello_however_long_the_challenge_takes(
    anna: Member, bert: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That a delivery was read is told a while later, when the next link may be on its way."""
    monkeypatch.setattr(client, "TELL_SECONDS", 0.05)
    came: list[str | bytes] = []
    links = 0

    async def loses_the_first(socket: ServerConnection) -> None:
        nonlocal links
        links += 1
        if links == 1:
            await welcome(socket)
            await socket.send(offer(bert, anna, "hello"))
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                came.append(await socket.recv())
        await welcome(socket)
        await socket.wait_closed()

    async with scripted(loses_the_first) as url, joining(url, anna) as channel:
        await following(channel, LinkUp)
        await following(channel, MessageReceived)
        await following(channel, LinkDown)
        await following(channel, LinkUp)
    assert came == []


# The server.


async def test_a_session_goes_on_behind_what_was_seen(server: SignalingServer, anna: Member, bert: Member) -> None:
    async with bare(server) as sender, bare(server) as reader:
        await sender.joined(anna)
        await reader.joined(bert)
        texts = [offer(anna, bert, str(number)) for number in range(3)]
        for text in texts:
            await sender.send(text)
        assert [await reader.socket.recv() for _ in texts] == texts
        await cut(reader, server)
        async with bare(server) as again:
            assert await resumed(again, bert, 1) == Welcome(members=(), resumed=True)
            assert [await again.socket.recv() for _ in texts[1:]] == texts[1:]
            await sender.send(text := offer(anna, bert, "live"))
            assert await again.socket.recv() == text


async def test_the_welcome_says_how_much_was_taken(server: SignalingServer, anna: Member, bert: Member) -> None:
    async with bare(server) as sender, bare(server) as reader:
        await reader.joined(bert)
        await sender.joined(anna)
        await reader.receive()
        for number in range(7):
            await sender.send(text := offer(anna, bert, str(number)))
            assert await reader.socket.recv() == text
        await cut(sender, server)
        async with bare(server) as again:
            assert await resumed(again, anna, 0) == Welcome(members=(), resumed=True, received=7)


@pytest.mark.parametrize("seen", [0, 99])
async def test_who_asks_for_what_is_not_there_begins_anew(
    server: SignalingServer, anna: Member, bert: Member, seen: int
) -> None:
    async with bare(server) as sender, bare(server) as reader:
        await reader.joined(bert)
        await sender.joined(anna)
        await sender.send(offer(anna, bert))
        await reader.receive()
        await reader.receive()
        await reader.send(encode(DeliveriesReceived(2)))
        async with bare(server) as again:
            assert await resumed(again, bert, seen) == Welcome(members=(anna.introduction,))
            await sender.send(text := offer(anna, bert, "behind it"))
            assert await again.socket.recv() == text


async def test_who_says_that_it_received_more_than_was_delivered_is_refused(
    server: SignalingServer, anna: Member
) -> None:
    async with bare(server) as client:
        await client.joined(anna)
        await client.send(encode(DeliveriesReceived(1)))
        assert await client.end() == refusal(ErrorCode.BAD_MESSAGE)


async def test_nobody_resumes_with_another_key(server: SignalingServer, anna: Member, bert: Member) -> None:
    async with bare(server) as victim, bare(server) as other:
        await victim.joined(anna)
        await other.joined(bert)
        await other.send(offer(bert, anna, "for anna alone"))
        await cut(victim, server)
        thief = Member(ROOM, CARL, "anna", anna.introduction.session)
        async with bare(server) as stranger:
            assert (await resumed(stranger, thief, 0)).resumed is False
            assert server.service.hub.away_count == 1


@pytest.mark.parametrize("code", [1000, 1001])
async def test_who_closes_in_order_is_gone_at_once(
    server: SignalingServer, anna: Member, bert: Member, code: int
) -> None:
    async with bare(server) as leaving, joining(room_of(server), bert) as here:
        await leaving.joined(anna)
        await following(here, LinkUp)
        await leaving.socket.close(code)
        await following(here, PeerLeft)


async def test_who_closes_with_another_code_may_come_back(server: SignalingServer, anna: Member) -> None:
    async with bare(server) as client:
        await client.joined(anna)
        await client.socket.close(4100)
        async with bare(server) as again:
            assert await resumed(again, anna, 0) == Welcome(members=(), resumed=True)


# Draining.


async def test_a_server_that_drains_keeps_those_it_has_and_takes_nobody_new(anna: Member, bert: Member) -> None:
    async with server_of(grace_seconds=5) as server, bare(server) as first, bare(server) as second:
        await first.joined(anna)
        await second.joined(bert)
        await first.receive()
        await cut(second, server)
        draining = asyncio.create_task(server.drain())
        assert await first.receive() == Draining(5.0)
        async with bare(server) as third:
            await third.hello(Member(ROOM, CARL))
            assert await third.end() == refusal(ErrorCode.SHUTTING_DOWN)
        await first.send(text := offer(anna, bert, "for who is away"))
        async with bare(server) as again:
            assert (await resumed(again, bert, 0)).resumed
            assert await again.socket.recv() == text
            assert not draining.done()
            await first.socket.close()
            await again.socket.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await draining


async def test_draining_ends_with_the_grace_time(anna: Member) -> None:
    async with server_of(grace_seconds=0.05) as server, bare(server) as client:
        await client.joined(anna)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await server.drain()
        await server.aclose()
        assert await client.end() == refusal(ErrorCode.SHUTTING_DOWN)


async def test_draining_an_empty_server_is_done_at_once(server: SignalingServer) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        await server.drain()


# Bounds.


async def test_an_address_has_only_so_many_connections(anna: Member) -> None:
    async with server_of(connections_per_address=2) as server, bare(server) as first, bare(server) as second:
        await first.joined(anna)
        await second.challenge()
        async with bare(server) as third:
            assert await third.end() == refusal(ErrorCode.TOO_MANY_CONNECTIONS)
        await second.socket.close()
        await until(lambda: server.service.link_count == 1)
        async with bare(server) as third:
            await third.challenge()


async def test_who_sends_too_fast_is_put_out(anna: Member, bert: Member) -> None:
    async with server_of(messages_per_second=1, burst=3) as server, bare(server) as fast, bare(server) as other:
        await fast.joined(anna)
        await other.joined(bert)
        for _ in range(4):
            await fast.send(offer(anna, bert))
        assert await fast.end() == refusal(ErrorCode.TOO_FAST)


async def test_no_room_is_made_beyond_the_limit(anna: Member) -> None:
    async with server_of(rooms=1) as server, bare(server) as first, bare(server, "cellar") as second:
        await first.joined(anna)
        await second.hello(Member("cellar", BERT), "cellar")
        assert await second.end() == refusal(ErrorCode.TOO_MANY_ROOMS)


async def test_a_connection_that_never_asks_for_anything_counts_for_its_address() -> None:
    async with server_of(connections_per_address=1) as server:
        silent = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
        assert await silent[2][0].read() == b"", "the third was not cut off"
        for _, writer in silent:
            writer.transport.abort()
        await until(lambda: server.connection_count == 0)
        async with bare(server) as client:
            await client.challenge()


async def test_only_so_much_waits_for_who_is_away(anna: Member, bert: Member) -> None:
    async with (
        server_of(unread_messages=3) as server,
        bare(server) as sender,
        bare(server) as away,
    ):
        await sender.joined(anna)
        await away.joined(bert)
        await sender.receive()
        await cut(away, server)
        for number in range(4):
            await sender.send(offer(anna, bert, str(number)))
        assert [await sender.error() for _ in range(2)] == [ErrorCode.RECIPIENT_FULL] * 2
        assert server.service.hub.away_count == 1, "nobody has it thrown out"
        async with bare(server) as back:
            assert (await resumed(back, bert, 0)).resumed
            assert [(await back.receive()).payload for _ in range(2)] == ["0", "1"]  # type: ignore[union-attr]


async def test_who_sends_without_end_leaves_room_for_the_others_and_throws_nobody_out(
    anna: Member, bert: Member
) -> None:
    carl = Member(ROOM, CARL)
    async with (
        server_of(messages_per_second=1e6, burst=10**6) as server,
        bare(server) as flooder,
        bare(server) as honest,
        bare(server) as victim,
    ):
        await flooder.joined(carl)
        await honest.joined(anna)
        await victim.joined(bert)
        victim.socket.transport.pause_reading()
        long = offer(carl, bert, "x" * 200_000)
        heard = asyncio.create_task(flooder.error())
        while not heard.done():
            await flooder.send(long)
            await asyncio.sleep(0)
        assert await heard == ErrorCode.RECIPIENT_FULL
        await honest.send(offer(anna, bert, "y" * 200_000))
        await honest.send(offer(anna, carl, "to somebody else"))
        victim.socket.transport.resume_reading()
        while (got := await victim.receive()).sender != anna.introduction.id:  # type: ignore[union-attr]
            pass
        assert got.payload == "y" * 200_000  # type: ignore[union-attr]
        assert server.service.hub.member_count == 3


async def test_a_member_that_reads_is_not_disturbed_by_big_messages(anna: Member, bert: Member) -> None:
    async with (
        server_of(messages_per_second=1e6, burst=10**6) as server,
        joining(room_of(server), bert) as victim,
        bare(server) as flooder,
    ):
        await following(victim, LinkUp)
        await flooder.joined(anna)
        await following(victim, PeerJoined)
        for number in range(64):  # 13 MB, more than three times what a mailbox holds
            await flooder.send(offer(anna, bert, "x" * 200_000, number))
            assert isinstance(await following(victim, MessageReceived), MessageReceived)
        assert server.refused == {}
        await until(lambda: server.service.unread_messages == 0)


async def test_what_is_read_is_told_even_if_little_comes(
    anna: Member, bert: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TELL_SECONDS", 0.01)
    async with SignalingServer() as server, joining(room_of(server), bert) as one, bare(server) as sender:
        await following(one, LinkUp)
        await sender.joined(anna)
        await sender.send(offer(anna, bert))
        await until(lambda: server.service.unread_messages == 2)
        await following(one, PeerJoined)
        await following(one, MessageReceived)
        await until(lambda: server.service.unread_messages == 0)


async def test_who_comes_and_goes_without_end_throws_nobody_out(anna: Member, bert: Member) -> None:
    async with server_of(unread_messages=40) as server, joining(room_of(server), anna) as stays, bare(server) as victim:
        await following(stays, LinkUp)
        await victim.joined(bert)
        await following(stays, PeerJoined)
        await cut(victim, server)
        for _ in range(21):
            await one_comes_and_goes(server, stays)
        assert server.service.hub.away_count == 1
        async with bare(server) as back:
            again = await resumed(back, bert, 0)
            assert (again.resumed, again.members) == (False, (anna.introduction,))
        assert (await following(stays, PeerLeft)).id == bert.introduction.id, "now, and not before"


async def one_comes_and_goes(server: SignalingServer, stays: WebSocketSignaling) -> None:
    async with bare(server) as passer_by:
        await passer_by.joined(Member(ROOM, Identity.generate()))
        await following(stays, PeerJoined)
    await following(stays, PeerLeft)


async def test_a_slow_member_that_is_told_too_much_loses_its_link_and_not_its_place(anna: Member, bert: Member) -> None:
    async with server_of(unread_messages=40) as server, joining(room_of(server), anna) as stays, bare(server) as slow:
        await following(stays, LinkUp)
        await slow.joined(bert)
        await following(stays, PeerJoined)
        for _ in range(21):
            await one_comes_and_goes(server, stays)
        assert await slow.end() == refusal(ErrorCode.MAILBOX_FULL)
        assert server.service.hub.away_count == 1
        async with bare(server) as back:
            assert (await resumed(back, bert, 2)).members == (anna.introduction,)

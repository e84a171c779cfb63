"""The server over real sockets, met by a client of bare frames."""

from __future__ import annotations

import asyncio
import logging
import socket as sockets

import pytest
from websockets.exceptions import ConnectionClosed

from fsm_rtc.errors import SignalingError
from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import (
    ErrorCode,
    MemberJoined,
    MemberLeft,
    Welcome,
)
from fsm_rtc.signaling.server import SignalingServer
from tests.signaling.participants import (
    ANNA,
    CARL,
    ROOM,
    bare,
    hello_of,
    offer,
    open_sockets,
    refusal,
    server_of,
)

pytestmark = pytest.mark.live


async def test_two_join_and_a_message_is_relayed_to_the_letter(
    server: SignalingServer, anna: Member, bert: Member
) -> None:
    async with bare(server) as first, bare(server) as second:
        assert await first.joined(anna) == Welcome(members=())
        assert await second.joined(bert) == Welcome(members=(anna.introduction,))
        assert await first.receive() == MemberJoined(member=bert.introduction)
        text = offer(anna, bert, "v=0\r\né\U0001f600").replace('":', '" :')
        await first.send(text)
        assert await second.socket.recv() == text
        await second.socket.close()
        assert await first.receive() == MemberLeft(id=bert.introduction.id, session=bert.introduction.session)
    assert server.refused == {}


async def test_rooms_hear_nothing_of_each_other(server: SignalingServer, anna: Member, bert: Member) -> None:
    elsewhere = Member("cellar", CARL)
    async with bare(server) as first, bare(server, "cellar") as other, bare(server) as second:
        await first.joined(anna)
        await other.hello(elsewhere, "cellar")
        assert await other.receive() == Welcome(members=())
        await second.joined(bert)
        assert await first.receive() == MemberJoined(member=bert.introduction)


@pytest.mark.parametrize("room", ["küche", "two words", "a/b", "100%", "/lead", "q?x#y"])
async def test_a_room_has_any_name(server: SignalingServer, room: str) -> None:
    async with bare(server, room) as client:
        await client.hello(Member(room, ANNA), room)
        assert isinstance(await client.receive(), Welcome)


async def test_a_third_is_refused_in_a_room_of_two_and_may_come_when_one_has_left(anna: Member, bert: Member) -> None:
    carl = Member(ROOM, CARL)
    async with server_of(members=2) as server, bare(server) as first, bare(server) as second:
        await first.joined(anna)
        await second.joined(bert)
        async with bare(server) as third:
            await third.hello(carl)
            assert await third.end() == refusal(ErrorCode.ROOM_FULL)
        await second.socket.close()
        assert isinstance(await first.receive(), MemberJoined)
        assert isinstance(await first.receive(), MemberLeft)
        async with bare(server) as third:
            assert await third.joined(carl) == Welcome(members=(anna.introduction,))
        assert server.refused == {ErrorCode.ROOM_FULL: 1}


async def test_the_same_session_takes_over(server: SignalingServer, anna: Member, bert: Member) -> None:
    async with bare(server) as old, bare(server) as other, bare(server) as new:
        await old.joined(anna)
        await other.joined(bert)
        await new.joined(anna)
        assert await old.end() == refusal(ErrorCode.REPLACED)
        assert await new.receive() == MemberJoined(member=bert.introduction)
        await other.send(text := offer(bert, anna))
        assert await new.socket.recv() == text
        await new.send(text := offer(anna, bert))
        assert await other.socket.recv() == text  # and nothing before it: the other one didn't notice


async def test_a_new_session_is_a_leave_and_a_join(server: SignalingServer, anna: Member, bert: Member) -> None:
    again = Member(ROOM, ANNA, "anna")
    async with bare(server) as old, bare(server) as other, bare(server) as new:
        await old.joined(anna)
        await other.joined(bert)
        await new.joined(again)
        assert await old.end() == refusal(ErrorCode.REPLACED)
        assert await other.receive() == MemberLeft(id=anna.introduction.id, session=anna.introduction.session)
        assert await other.receive() == MemberJoined(member=again.introduction)


async def test_somebody_with_another_key_can_t_take_over(server: SignalingServer, anna: Member, bert: Member) -> None:
    carl = Member(ROOM, CARL)
    async with bare(server) as first, bare(server) as thief:
        await first.joined(anna)
        nonce = (await thief.challenge()).nonce
        await thief.send(hello_of(anna, nonce, proof=carl.prove(nonce)))
        assert await thief.end() == refusal(ErrorCode.BAD_HELLO)
        async with bare(server) as second:
            assert await second.joined(bert) == Welcome(members=(anna.introduction,))


# Slow ones, closing, HTTP


async def test_who_reads_nothing_is_cut_off_and_given_up_if_it_does_not_come_back(anna: Member, bert: Member) -> None:
    async with (
        server_of(unread_bytes=2**26, stall_seconds=0.1, messages_per_second=1e6, grace_seconds=0.1) as server,
        bare(server) as slow,
        bare(server) as busy,
    ):
        await slow.joined(bert)
        await busy.joined(anna)
        slow.socket.transport.pause_reading()
        text = offer(anna, bert, "x" * 200_000)
        heard = asyncio.create_task(busy.left())
        while not heard.done():
            await busy.send(text)
            await asyncio.sleep(0)
        assert await heard == MemberLeft(id=bert.introduction.id, session=bert.introduction.session)
        assert server.service.unread_messages == 1  # that the other one left
        slow.socket.transport.abort()


async def test_closing_tells_every_client_and_frees_the_port(anna: Member, bert: Member) -> None:
    async with SignalingServer() as server:
        port = server.port
        async with bare(server) as first, bare(server) as second, bare(server) as silent:
            await first.joined(anna)
            await second.joined(bert)
            await silent.challenge()
            assert isinstance(await first.receive(), MemberJoined)
            ends = [asyncio.create_task(client.end()) for client in (first, second, silent)]
            await server.aclose()
            assert await asyncio.gather(*ends) == [refusal(ErrorCode.SHUTTING_DOWN)] * 3
        await server.aclose()
        async with SignalingServer(port=port) as again:
            assert again.port == port


async def test_a_client_that_never_closes_doesn_t_hold_the_server(anna: Member) -> None:
    async with SignalingServer(close_timeout_seconds=0.05) as server, bare(server) as client:
        await client.joined(anna)
        client.socket.transport.pause_reading()
        await server.aclose()
        client.socket.transport.abort()


async def test_one_that_never_asks_for_anything_doesn_t_hold_the_server() -> None:
    async with SignalingServer() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /kit")
        async with bare(server) as client:
            await client.challenge()
        await asyncio.wait_for(server.aclose(), 5)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_nothing_is_left_behind(anna: Member, bert: Member) -> None:
    tasks, descriptors = asyncio.all_tasks(), open_sockets()
    async with SignalingServer() as server:
        async with bare(server) as first, bare(server) as second:
            await first.joined(anna)
            await second.joined(bert)
            await first.send("garbage")
            await first.end()
        async with bare(server) as third:
            await third.challenge()
    assert asyncio.all_tasks() == tasks
    assert open_sockets() == descriptors


async def http(server: SignalingServer, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_browser_is_told_what_this_is(server: SignalingServer) -> None:
    root = await http(server, b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    assert root.startswith(b"HTTP/1.1 200 ")
    assert b"signalling server of fsm_rtc" in root
    room = await http(server, b"GET /kitchen HTTP/1.1\r\nHost: here\r\n\r\n")
    assert room.startswith(b"HTTP/1.1 426 ")


async def test_a_port_in_use_is_an_error_that_says_so(server: SignalingServer) -> None:
    with pytest.raises(SignalingError, match=rf"{server.port}.*in use.*choose another"):
        async with SignalingServer(port=server.port):
            raise AssertionError("it listens twice")
    with pytest.raises(SignalingError, match="listening already"):
        await server.__aenter__()


async def test_its_address(server: SignalingServer) -> None:
    assert server.url == f"ws://127.0.0.1:{server.port}"
    with pytest.raises(SignalingError, match="isn't listening"):
        _ = SignalingServer().url


async def test_nothing_private_is_logged(
    server: SignalingServer, anna: Member, bert: Member, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with bare(server) as first, bare(server) as second:
            caplog.clear()
            await second.joined(bert)
            await first.joined(anna)
            await second.send(offer(bert, anna, "a=ice-pwd:secret"))
            await second.send('{"type":"offer","payload":"a=ice-pwd:secret"}')
            await second.end()
        await http(server, b"secret\r\n\r\n")
    ours = [record for record in caplog.records if record.name.startswith("fsm_rtc")]
    assert [record.getMessage() for record in ours] == ["joined", "joined", "left", "refused: bad_message", "left"]


async def test_a_client_that_vanishes_mid_handshake_harms_nobody(server: SignalingServer, anna: Member) -> None:
    for request in (b"", b"GET /kitchen HT", b"\x16\x03\x01", b"GET /kitchen HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"):
        plain = sockets.create_connection(("127.0.0.1", server.port))
        plain.sendall(request)
        plain.close()
    async with bare(server) as vanishing:
        await vanishing.challenge()
        vanishing.socket.transport.abort()
    async with bare(server) as client:
        assert await client.joined(anna) == Welcome(members=())


async def test_a_bug_in_the_server_is_logged_by_its_type_alone(
    server: SignalingServer, anna: Member, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError("secret")

    monkeypatch.setattr("fsm_rtc.signaling.service.is_proof", broken)
    async with bare(server) as client:
        await client.hello(anna)
        with pytest.raises(ConnectionClosed):
            await client.receive()
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text

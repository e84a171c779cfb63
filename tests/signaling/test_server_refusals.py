"""What the server refuses, over real sockets, and with which code."""

from __future__ import annotations

import msgspec
import pytest
from websockets.asyncio.server import broadcast

from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import (
    MAX_MESSAGE_BYTES,
    Error,
    ErrorCode,
    Introduction,
    MemberJoined,
    MemberLeft,
    Welcome,
    encode,
)
from fsm_rtc.signaling.server import SignalingServer
from tests.signaling.participants import ANNA, BERT, CARL, ROOM, bare, hello_of, offer, refusal, server_of

pytestmark = pytest.mark.live


async def test_a_hello_for_another_room_than_the_path_s_is_refused(server: SignalingServer, anna: Member) -> None:
    async with bare(server, "cellar") as client:
        await client.hello(anna)
        assert await client.end() == refusal(ErrorCode.WRONG_ROOM)


@pytest.mark.parametrize("path", ["", "r" * 129])
async def test_a_path_that_names_no_room_is_refused(server: SignalingServer, anna: Member, path: str) -> None:
    async with bare(server, path) as client:
        await client.hello(anna)
        assert await client.end() == refusal(ErrorCode.WRONG_ROOM)


async def test_another_protocol_is_refused(server: SignalingServer, anna: Member) -> None:
    async with bare(server) as client:
        await client.send(hello_of(anna, (await client.challenge()).nonce, protocol="fsm_rtc/2"))
        assert await client.end() == refusal(ErrorCode.WRONG_PROTOCOL)


async def test_a_proof_of_another_nonce_is_refused(server: SignalingServer, anna: Member) -> None:
    async with bare(server) as honest, bare(server) as replaying:
        recorded = hello_of(anna, (await honest.challenge()).nonce)
        await honest.send(recorded)
        assert isinstance(await honest.receive(), Welcome)
        await replaying.challenge()
        await replaying.send(recorded)
        assert await replaying.end() == refusal(ErrorCode.BAD_HELLO)


def forgeries() -> list[Introduction]:
    anna, bert = Member(ROOM, ANNA, "anna").introduction, Member(ROOM, BERT, "bert").introduction
    replace = msgspec.structs.replace
    return [
        replace(anna, name="bert"),
        replace(anna, session=bert.session),
        replace(anna, id=bert.id),
        replace(anna, public_key=bert.public_key),
        replace(anna, public_key=bert.public_key, id=bert.id),
        replace(anna, signature=bert.signature),
        replace(anna, signature=b""),
        replace(anna, signature=bytes(64)),
        Member("cellar", ANNA, "anna", anna.session).introduction,
        Member(ROOM, None, "anna").introduction,
    ]


@pytest.mark.parametrize("number", range(10))
async def test_a_forged_introduction_is_refused(server: SignalingServer, anna: Member, number: int) -> None:
    forged = forgeries()[number]
    me = Member(ROOM, ANNA, "anna", forged.session)
    async with bare(server) as client:
        await client.send(hello_of(me, (await client.challenge()).nonce, introduction=forged))
        assert await client.end() == refusal(ErrorCode.BAD_HELLO)


async def test_another_message_than_hello_is_refused(server: SignalingServer, anna: Member, bert: Member) -> None:
    async with bare(server) as client:
        await client.challenge()
        await client.send(offer(anna, bert))
        assert await client.end() == refusal(ErrorCode.BAD_HELLO)


async def test_silence_before_hello_is_cut_off(anna: Member) -> None:
    async with server_of(handshake_seconds=0.05) as server, bare(server) as client:
        await client.challenge()
        assert await client.end() == refusal(ErrorCode.HANDSHAKE_TIMEOUT)


# Frames that are no message


GARBAGE = {
    "empty": "",
    "no JSON": "hello?",
    "no object": "[]",
    "truncated": '{"type":"hello","protocol":',
    "no type": "{}",
    "unknown type": '{"type":"shout"}',
    "no fields": '{"type":"hello"}',
    "deep": "[" * 50_000,
    "numbers": '{"type":"offer","sequence":1e999}',
    "binary": b"\x00\x01",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_is_refused_before_and_after_hello(
    server: SignalingServer, anna: Member, bert: Member, garbage: str | bytes
) -> None:
    async with bare(server) as client:
        await client.challenge()
        await client.send(garbage)
        assert await client.end() == refusal(ErrorCode.BAD_MESSAGE)
    async with bare(server) as first, bare(server) as second:
        await first.joined(anna)
        await second.joined(bert)
        await first.send(garbage)
        assert await first.end() == refusal(ErrorCode.BAD_MESSAGE)
        assert isinstance(await second.receive(), MemberLeft)
    assert server.refused == {ErrorCode.BAD_MESSAGE: 2}


async def test_a_binary_frame_is_refused_even_if_it_holds_a_message(
    server: SignalingServer, anna: Member, bert: Member
) -> None:
    async with bare(server) as first, bare(server) as second:
        await first.joined(anna)
        await second.joined(bert)
        await first.send(offer(anna, bert).encode())
        assert await first.end() == refusal(ErrorCode.BAD_MESSAGE)


async def test_a_hello_in_a_binary_frame_is_refused(server: SignalingServer, anna: Member) -> None:
    async with bare(server) as client:
        await client.send(hello_of(anna, (await client.challenge()).nonce).encode())
        assert await client.end() == refusal(ErrorCode.BAD_MESSAGE)


async def test_one_that_goes_on_after_it_was_refused_is_refused_once(
    server: SignalingServer, anna: Member, bert: Member
) -> None:
    async with bare(server) as client:
        await client.joined(anna)
        broadcast((client.socket,), offer(bert, anna))
        broadcast((client.socket,), "garbage")
        broadcast((client.socket,), offer(anna, bert))
        assert await client.end() == refusal(ErrorCode.BAD_MESSAGE)
    assert server.refused == {ErrorCode.BAD_MESSAGE: 1}


async def test_an_oversized_frame_is_refused(server: SignalingServer, anna: Member, bert: Member) -> None:
    async with bare(server) as first, bare(server) as second:
        await first.joined(anna)
        await second.joined(bert)
        await first.send(" " * (MAX_MESSAGE_BYTES + 1))
        assert (await first.end())[1] == 1009  # RFC 6455: too big
        assert isinstance(await second.receive(), MemberLeft)
    assert server.refused == {ErrorCode.BAD_MESSAGE: 1}


async def test_invalid_utf8_is_refused(server: SignalingServer, anna: Member, bert: Member) -> None:
    async with bare(server) as first, bare(server) as second:
        await first.joined(anna)
        await second.joined(bert)
        await first.socket.send(b'{"type":"\xff"}', text=True)
        assert (await first.end())[1] == 1007  # RFC 6455: not UTF-8
        assert isinstance(await second.receive(), MemberLeft)
    assert server.refused == {ErrorCode.BAD_MESSAGE: 1}


# Messages that claim what isn't so


async def test_messages_of_others_are_not_relayed(server: SignalingServer, anna: Member, bert: Member) -> None:
    carl = Member(ROOM, CARL)
    for wrong, code in (
        (offer(bert, anna), ErrorCode.BAD_MESSAGE),
        (offer(carl, bert), ErrorCode.BAD_MESSAGE),
        (offer(Member(ROOM, ANNA, "anna"), bert), ErrorCode.BAD_MESSAGE),
        (offer(anna, bert).replace(ROOM, "cellar"), ErrorCode.WRONG_ROOM),
        (encode(MemberJoined(member=carl.introduction)), ErrorCode.BAD_MESSAGE),
        (encode(Error(code=ErrorCode.ROOM_FULL, message="")), ErrorCode.BAD_MESSAGE),
    ):
        async with bare(server) as first, bare(server) as second:
            await first.joined(anna)
            await second.joined(bert)
            await first.send(wrong)
            assert await first.end() == refusal(code)
            assert isinstance(await second.receive(), MemberLeft)


async def test_who_isn_t_there_is_named_and_nobody_is_put_out(
    server: SignalingServer, anna: Member, bert: Member
) -> None:
    async with bare(server) as first:
        await first.joined(anna)
        await first.send(offer(anna, bert))
        answer = await first.receive()
        assert isinstance(answer, Error)
        assert answer.code == ErrorCode.NOT_HERE
        async with bare(server) as second:
            await second.joined(bert)
            assert isinstance(await first.receive(), MemberJoined)
            await first.send(text := offer(anna, bert))
            assert await second.socket.recv() == text
    assert server.refused == {ErrorCode.NOT_HERE: 1}


async def test_signatures_are_the_peers_business(server: SignalingServer, anna: Member, bert: Member) -> None:
    async with bare(server) as first, bare(server) as second:
        await first.joined(anna)
        await second.joined(bert)
        text = offer(anna, bert).replace("v=0", "v=1")
        await first.send(text)
        assert await second.socket.recv() == text

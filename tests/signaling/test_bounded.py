"""A peer that sends frames nobody asked for is cut off, on either side, and fills no memory meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection

from fsm_rtc.connection.channel import LinkDown, LinkUp
from fsm_rtc.errors import SignalingError
from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import ErrorCode
from fsm_rtc.signaling import sockets
from fsm_rtc.signaling.limits import CLOSE_CODES
from fsm_rtc.signaling.server import SignalingServer
from fsm_rtc.signaling.sockets import SERVER_TOO_FAST
from tests.signaling.participants import ROOM, following, joining, room_of, scripted, server_of, until, welcome
from tests.signaling.raw_frames import CONTINUATION, PING, PONG, TEXT, frame, raw_socket

pytestmark = pytest.mark.live

MOST_BYTES = 500_000_000
"""A hang guard: who isn't cut off by then never is."""

FLOODS = {
    "long pings": frame(PING, b"x" * 125) * 500,
    "empty pings": frame(PING) * 10_000,
    "pongs": frame(PONG, b"x" * 125) * 500,
    "pieces of a message": frame(TEXT, b"{", fin=False) + frame(CONTINUATION, b" ", fin=False) * 10_000,
    "empty pieces": frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * 10_000,
}


def of_servers(data: bytes) -> bytes:
    """The same, as a server sends it: unmasked."""
    kinds = {FLOODS["long pings"]: (PING, b"x" * 125), FLOODS["empty pings"]: (PING, b""), FLOODS["pongs"]: (PONG, b"")}
    opcode, payload = kinds[data]
    return frame(opcode, payload, masked=False) * 5000


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("is_member", [False, True], ids=["before hello", "member"])
async def test_a_client_that_floods_is_cut_off(flood: str, is_member: bool, bert: Member) -> None:
    async with SignalingServer(close_timeout_seconds=0.1) as server:
        async with raw_socket(server.port, f"/{ROOM}") as socket:
            await socket.join(bert) if is_member else await socket.read()
            assert await socket.flood(FLOODS[flood], MOST_BYTES) < MOST_BYTES
            await until(lambda: server.connection_count == 0)
        assert server.service.hub.member_count == 0
        assert server.refused[ErrorCode.TOO_FAST] == 1


async def test_a_client_that_reads_learns_why_and_the_others_learn_that_it_left(anna: Member, bert: Member) -> None:
    async with (
        SignalingServer() as server,
        joining(room_of(server), anna) as one,
        raw_socket(server.port, f"/{ROOM}") as it,
    ):
        await following(one, LinkUp)
        await it.join(bert)
        await anext(one.events())  # joined
        it.writer.write(FLOODS["empty pings"])
        assert await it.close_code() == CLOSE_CODES[ErrorCode.TOO_FAST]
        left = await anext(one.events())
        assert left.id == bert.introduction.id  # type: ignore[union-attr]


async def test_pings_at_the_rate_of_messages_are_answered(bert: Member) -> None:
    async with server_of(messages_per_second=0.001, burst=5) as server, raw_socket(server.port, f"/{ROOM}") as socket:
        await socket.join(bert)
        for number in range(5):
            socket.writer.write(frame(PING, b"%d" % number))
            assert await socket.read() == b"%d" % number
        assert server.service.hub.member_count == 1


async def test_what_is_not_read_is_bounded_whatever_the_rate_is(bert: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0
    looked = sockets.BoundedServer.data_received

    def look(self: sockets.BoundedServer, data: bytes) -> None:
        nonlocal most
        looked(self, data)
        most = max(most, self.transport.get_write_buffer_size())

    monkeypatch.setattr(sockets.BoundedServer, "data_received", look)
    async with server_of(messages_per_second=1e9, burst=10**9) as server, raw_socket(server.port, f"/{ROOM}") as socket:
        await socket.join(bert)
        assert await socket.flood(FLOODS["long pings"], MOST_BYTES) < MOST_BYTES
        await until(lambda: server.connection_count == 0)
    assert most < sockets.UNWRITTEN_BYTES + 262_144, "and what was read at once"


@pytest.mark.parametrize("flood", ["long pings", "empty pings", "pongs"])
@pytest.mark.parametrize("is_welcome", [False, True], ids=["before the challenge", "on a link that stands"])
async def test_a_server_that_floods_is_left(flood: str, is_welcome: bool, anna: Member) -> None:
    most = 0

    async def pour(socket: ServerConnection) -> None:
        nonlocal most
        if is_welcome:
            await welcome(socket)
        socket.transport.pause_reading()
        data = of_servers(FLOODS[flood])
        while not socket.transport.is_closing() and most < MOST_BYTES:
            socket.transport.write(data)
            most += len(data)
            await socket.drain()

    async with scripted(pour) as url, joining(url, anna) as channel:
        if is_welcome:
            await following(channel, LinkUp)
        down = await following(channel, LinkDown)
        assert isinstance(down.error, SignalingError)
        assert (down.error.code, down.retry_seconds) == (SERVER_TOO_FAST, 0.0)
        assert "pings" in str(down.error)


async def test_a_server_that_pings_now_and_then_is_answered(anna: Member) -> None:
    answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def ping(socket: ServerConnection) -> None:
        await welcome(socket)
        for _ in range(sockets.CONTROL_FRAMES_BURST // 2):
            await (await socket.ping())
        answered.set_result(sockets.CONTROL_FRAMES_BURST // 2)

    async with scripted(ping) as url, joining(url, anna) as channel:
        await following(channel, LinkUp)
        async with asyncio.timeout(60):
            assert await answered == sockets.CONTROL_FRAMES_BURST // 2

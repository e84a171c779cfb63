"""What a server answers to plain HTTP: health, figures, and what it is."""

from __future__ import annotations

import asyncio
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fsm_rtc.connection.channel import LinkUp, PeerJoined
from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import ErrorCode
from fsm_rtc.signaling.server import SignalingServer
from tests.signaling.participants import bare, following, joining, offer, refusal, room_of, server_of, until

pytestmark = pytest.mark.live


async def fetched(server: SignalingServer, path: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of a GET request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, body


async def figures(server: SignalingServer) -> dict[str, float]:
    status, headers, body = await fetched(server, "/metrics")
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    samples = [sample for family in text_string_to_metric_families(body) for sample in family.samples]
    return {
        "".join((sample.name.removeprefix("fsm_rtc_signaling_"), *sample.labels.values())): sample.value
        for sample in samples
    }


async def test_a_server_is_healthy_until_it_drains(anna: Member) -> None:
    async with server_of(grace_seconds=5) as server, bare(server) as client:
        await client.joined(anna)
        assert (await fetched(server, "/healthz"))[::2] == (200, "ok\n")
        draining = asyncio.create_task(server.drain())
        await client.receive()
        assert (await fetched(server, "/healthz"))[::2] == (503, "draining\n")
        assert (await figures(server))["draining"] == 1
        await client.socket.close()
        await draining


async def test_the_figures_are_what_happened(anna: Member, bert: Member) -> None:
    async with server_of(burst=1, messages_per_second=0.001) as server:
        async with joining(room_of(server), anna) as first:
            await following(first, LinkUp)
            async with bare(server) as second:
                await second.joined(bert)
                await following(first, PeerJoined)
                await second.send(offer(bert, anna))
                await second.send(offer(bert, anna))
                assert await second.end() == refusal(ErrorCode.TOO_FAST)
            now = await figures(server)
            assert (now["sockets"], now["rooms"], now["members"], now["members_away"]) == (1, 1, 1, 0)
            assert (now["joined_total"], now["left_total"], now["resumed_total"]) == (2, 1, 0)
            assert (now["deliveries_total"], now["unread_deliveries"]) == (3, 3)
            assert now["refused_totaltoo_fast"] == 1
        await until(lambda: server.service.hub.member_count == 0)
        assert (await figures(server))["left_total"] == 2


async def test_no_figure_names_a_room_or_a_member(server: SignalingServer, anna: Member) -> None:
    async with joining(room_of(server), anna) as channel:
        await following(channel, LinkUp)
        _, _, body = await fetched(server, "/metrics")
    assert not any(secret in body for secret in ("kitchen", anna.introduction.id, anna.introduction.session, "127.0."))


async def test_without_prometheus_it_says_what_to_install(
    server: SignalingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "fsm_rtc.signaling.metrics", raising=False)
    status, _, body = await fetched(server, "/metrics")
    assert status == 501
    assert "pip install prometheus-client" in body

"""TURN credentials: a real coturn takes them until they end, and no others."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiortc
import pytest
import pytest_asyncio

from fsm_rtc.peer.configuration import IceServer
from fsm_rtc.peer.ice import IceCandidateError, IceGatherer
from fsm_rtc.signaling.turn import TurnServers
from tests.coturn import coturn

pytestmark = pytest.mark.live

LIMIT_SECONDS = 60


@pytest_asyncio.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a coturn that shares the secret ``north``."""
    async with coturn(tmp_path, "--use-auth-secret", "--static-auth-secret=north") as port:
        yield f"turn:127.0.0.1:{port}"


async def allocated(given: IceServer) -> list[str | int]:
    """What a client gets with these credentials: ``relay``, or the code of the refusal."""
    server = aiortc.RTCIceServer(list(given.urls), given.username, given.credential)
    gatherer = IceGatherer(
        [server], loopback=True, timeout_seconds=5.0, iceTransportPolicy=aiortc.RTCIceTransportPolicy.RELAY
    )
    errors: list[IceCandidateError] = []
    gatherer.on("candidateerror", errors.append)
    async with asyncio.timeout(LIMIT_SECONDS):
        await gatherer.gather()
        found = [candidate.type for candidate in gatherer.getLocalCandidates()]
        await gatherer.stop()
    return [*found, *(error.errorCode for error in errors)]


async def test_a_relay_is_allocated_with_them_over_udp_and_over_tcp(url: str) -> None:
    servers = TurnServers([f"{url}?transport=udp", f"{url}?transport=tcp"], "north")
    assert await allocated(servers.credentials("anna", time.time())) == ["relay", "relay"]


async def test_none_is_allocated_when_they_have_expired(url: str) -> None:
    servers = TurnServers(url, "north", 600)
    assert await allocated(servers.credentials("anna", time.time() - 500)) == ["relay"]
    assert await allocated(servers.credentials("anna", time.time() - 610)) == [401]


async def test_none_is_allocated_when_they_are_forged(url: str) -> None:
    genuine = TurnServers(url, "north").credentials("anna", time.time())
    assert genuine.username is not None
    later = dataclasses.replace(genuine, username=f"9{genuine.username}")
    other = dataclasses.replace(genuine, username=genuine.username.replace("anna", "bert"))
    for forged in (later, other, TurnServers(url, "south").credentials("anna", time.time())):
        assert await allocated(forged) == [401]


def test_they_are_those_of_the_scheme() -> None:
    """The password is what ``openssl dgst -sha1 -hmac north -binary | base64`` makes of the name."""
    servers = TurnServers(("turn:relay.example:3478", "turns:relay.example"), b"north", 3600)
    assert servers.credentials("SHA256:abc", 1_800_000_000.9) == IceServer(
        ("turn:relay.example:3478", "turns:relay.example"), "1800003600:SHA256:abc", "ubtZi6o2+gwuQF4hmGpZzQINsjg="
    )


def test_a_text_and_its_bytes_are_the_same_secret() -> None:
    text, data = TurnServers("turn:relay", "nörd"), TurnServers("turn:relay", "nörd".encode())
    assert text.credentials("anna", 1.0) == data.credentials("anna", 1.0)


def test_the_secret_is_in_no_representation() -> None:
    assert "north" not in repr(TurnServers("turn:relay", "north"))


@pytest.mark.parametrize("urls", ["stun:relay:3478", "relay", "turn:", (), ["turn:relay", "http://relay"]])
def test_an_address_of_no_turn_server_is_refused(urls: str | list[str]) -> None:
    with pytest.raises(ValueError, match="turn:host:port"):
        TurnServers(urls, "north")


@pytest.mark.parametrize("secret", ["", b""])
def test_an_empty_secret_is_refused(secret: str | bytes) -> None:
    with pytest.raises(ValueError, match="static-auth-secret"):
        TurnServers("turn:relay", secret)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_life_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds is"):
        TurnServers("turn:relay", "north", seconds)

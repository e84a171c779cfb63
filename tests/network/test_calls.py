"""Calls between two processes of ours across networks as they are, by the bare RTCPeerConnection and by `Connection`.

What a path with a small MTU drops without a word is a known limit: SCTP below doesn't look for the path's MTU, so
messages that fill a packet of more than that don't arrive. What fits does, and that is asserted.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.coturn import accepts, coturn
from tests.interop.calls import KINDS, Call, stands
from tests.interop.peer import Peer, ProcessPeer
from tests.interop.stacks import OURS, Workshop
from tests.network.topology import Access, Nat, Network, network

DIRECT = Access()
PORT = 8765
USER = {"username": "name", "credential": "secret"}
LARGE_BYTES = 100_000

Maker = Callable[[Network, Path, list[dict[str, str]]], AbstractAsyncContextManager[Call]]


@dataclass(frozen=True)
class Way:
    """What is between two peers.

    Attributes:
        here, there: how each gets to the router.
        servers: what each is given: ``stun``, ``turn``, or nothing.
        spoil: what is done to the network before the call.
    """

    here: Access = DIRECT
    there: Access = DIRECT
    servers: str = ""
    spoil: Callable[[Network], None] = lambda net: None


HOME, MOBILE = Access((Nat.CONE,)), Access((Nat.CONE, Nat.SYMMETRIC))

WAYS = {
    "a route": Way(),
    "one behind NAT": Way(here=HOME, servers="stun"),
    "both behind NAT": Way(here=HOME, there=HOME, servers="stun"),
    "one behind two NATs, the other behind one": Way(here=Access((Nat.CONE, Nat.CONE)), there=HOME, servers="stun"),
    "both behind symmetric NAT, by a relay": Way(here=MOBILE, there=MOBILE, servers="turn"),
    "a loss of 10 %": Way(spoil=lambda net: net.here.link.lose(0.1)),
    "300 kbit/s": Way(spoil=lambda net: net.here.link.limit(300)),
    "an MTU of 1280": Way(spoil=lambda net: net.here.link.set_mtu(1280)),
    "an MTU of 1240": Way(spoil=lambda net: net.here.link.set_mtu(1240)),
    "a delay of 200 ms": Way(here=Access(delay_seconds=0.2)),
}
BLACK_HOLE = 1280
"""The smallest MTU of a path that drops without a word what is larger, and carries everything all the same."""


@asynccontextmanager
async def direct(net: Network, folder: Path, servers: list[dict[str, str]]) -> AsyncIterator[Call]:
    """A call by two RTCPeerConnections, whose descriptions this test carries."""
    workshop = Workshop(folder)
    async with OURS.start(workshop, net.here) as (here, _), OURS.start(workshop, net.there) as (there, _):
        here.name, there.name = "here", "there"
        call = Call(here, there)
        await call.begin(servers=servers)
        yield call


@asynccontextmanager
async def signalled(net: Network, folder: Path, servers: list[dict[str, str]]) -> AsyncIterator[Call]:
    """A call by two Connections, over a signalling server on the router."""
    async with AsyncExitStack() as stack:
        serving = ("-m", "fsm_rtc.cli", "serve", "--host", "0.0.0.0", "--port", f"{PORT}", "--no-page")
        server = await asyncio.create_subprocess_exec(
            *net.router.inside(sys.executable, *serving), stdout=asyncio.subprocess.DEVNULL
        )
        stack.push_async_callback(_killed, server)
        while not await accepts(PORT, net.router, net.address):  # noqa: ASYNC110 - another program tells nobody
            await asyncio.sleep(0.05)
        peers = {}
        for name, host in (("here", net.here), ("there", net.there)):
            process = await ProcessPeer.start(
                host.inside(sys.executable, "-m", "tests.network.caller"), folder / f"{name}.txt"
            )
            stack.push_async_callback(process.end)
            peers[name] = Peer(name, process)
        call = Call(peers["here"], peers["there"])
        room = {"room": f"ws://{net.address}:{PORT}/kitchen", "servers": servers, "tracks": KINDS}
        call.have_sent(KINDS)
        for peer in call.peers:
            await peer.do("new", name=peer.name, **room)
        for peer in call.peers:
            await peer.until(stands)
        yield call


async def _killed(server: asyncio.subprocess.Process) -> None:
    server.kill()
    await server.wait()


@asynccontextmanager
async def servers_of(way: Way, net: Network, folder: Path) -> AsyncIterator[list[dict[str, str]]]:
    """What the peers are given; it runs on the router."""
    if not way.servers:
        yield []
        return
    user = "--lt-cred-mech", f"--user={USER['username']}:{USER['credential']}"
    async with coturn(folder, *user, at=net.router, address=net.address) as port:
        url = f"{way.servers}:{net.address}:{port}"
        yield [{"urls": url, **USER} if way.servers == "turn" else {"urls": url}]


@asynccontextmanager
async def call_over(way: Way, maker: Maker, folder: Path) -> AsyncIterator[tuple[Network, Call]]:
    """A call that stands, and the network that it goes over."""
    with network(way.here, way.there) as net:
        way.spoil(net)
        async with servers_of(way, net, folder) as servers, maker(net, folder, servers) as call:
            yield net, call


both_kinds = pytest.mark.parametrize("maker", [direct, signalled])


@both_kinds
@pytest.mark.parametrize("way", WAYS)
async def test_a_call_carries_data_sound_and_picture_over(way: str, maker: Maker, tmp_path: Path) -> None:
    async with call_over(WAYS[way], maker, tmp_path) as (_, call):
        await call.talks()
        await call.flows(*KINDS)
        await call.talks(1, length=LARGE_BYTES)


async def test_a_black_hole_lets_through_what_fits(tmp_path: Path) -> None:
    async with call_over(Way(), direct, tmp_path) as (net, call):
        net.here.link.set_mtu(BLACK_HOLE, tells=False)
        await call.talks(length=LARGE_BYTES)
        net.here.link.set_mtu(1240, tells=False)
        await call.talks()


@both_kinds
async def test_a_link_that_was_cut_and_healed_loses_nothing(maker: Maker, tmp_path: Path) -> None:
    async with call_over(Way(), maker, tmp_path) as (net, call):
        await call.talks()
        net.here.link.cut()
        spoken = asyncio.create_task(call.talks())
        await asyncio.sleep(1)
        net.here.link.heal()
        await spoken


async def test_a_connection_recovers_when_its_host_has_moved(tmp_path: Path) -> None:
    async with call_over(Way(), signalled, tmp_path) as (net, call):
        await call.talks()
        net.here.move()
        await call.talks()
        await call.flows(*KINDS)


async def test_a_peer_connection_goes_on_by_a_restart_when_its_host_has_moved(tmp_path: Path) -> None:
    async with call_over(Way(), direct, tmp_path) as (net, call):
        await call.talks()
        net.here.move()
        await call.restarts(call.offerer)

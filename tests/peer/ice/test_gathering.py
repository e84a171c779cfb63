"""Candidates are told as they are found, and a server that doesn't answer delays nothing but the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiortc
import pytest

from fsm_rtc.peer.ice import IceCandidateError, IceGatherer
from tests.peer.ice.conftest import MakeIce
from tests.peer.ice.links import begun, start


def told(gatherer: IceGatherer) -> list[str]:
    """What it tells, in order."""
    seen: list[str] = []
    gatherer.on("candidate", lambda candidate: seen.append(candidate.type))
    gatherer.on("candidateerror", lambda error: seen.append(f"{error.url} {error.errorCode}"))
    gatherer.on("statechange", lambda: seen.append(gatherer.state))
    return seen


async def test_host_candidates_come_before_the_end(ice: MakeIce) -> None:
    gatherer, transport = ice()
    seen = told(gatherer)
    assert transport.gatheringState == "new"
    await gatherer.gather()
    assert seen == ["gathering", "host", "completed"]
    assert transport.gatheringState == "complete"
    await gatherer.gather()
    assert seen == ["gathering", "host", "completed"]


async def test_hosts_connect_while_servers_are_silent(ice: MakeIce, silent: Callable[[], int]) -> None:
    ports = [silent() for _ in range(3)]
    urls = [f"stun:127.0.0.1:{ports[0]}", f"stun:127.0.0.1:{ports[1]}", f"turn:127.0.0.1:{ports[2]}"]
    one, other = ice(*urls, timeout_seconds=15.0), ice()
    one[1].iceGatherer.agent.ice_controlling = True
    gathering = asyncio.ensure_future(one[0].gather())
    await other[0].gather()
    await one[0].hosts_found.wait()
    (mine,), (theirs,) = one[0].getLocalCandidates(), other[0].getLocalCandidates()
    await one[1].addRemoteCandidate(theirs)
    await other[1].addRemoteCandidate(mine)
    await start(one, other)
    assert (one[1].state, other[1].state, one[0].state) == ("connected", "connected", "gathering")
    gathering.cancel()


async def test_each_server_that_does_not_answer_is_told_with_its_url(ice: MakeIce, silent: Callable[[], int]) -> None:
    urls = [f"stun:127.0.0.1:{silent()}", f"turn:127.0.0.1:{silent()}?transport=udp", "stuns:127.0.0.1:1"]
    gatherer, _ = ice(*urls, timeout_seconds=0.1)
    errors: list[IceCandidateError] = []
    gatherer.on("candidateerror", errors.append)
    await gatherer.gather()
    assert {(error.url, error.errorCode) for error in errors} == {(url, 701) for url in urls}
    assert [error.address for error in errors if error.url == urls[0]] == ["127.0.0.1"]
    assert [candidate.type for candidate in gatherer.getLocalCandidates()] == ["host"]


async def test_every_stun_and_every_turn_server_is_asked(
    ice: MakeIce, silent: Callable[[], int], turn_port: int
) -> None:
    dead = [f"stun:127.0.0.1:{silent()}", f"turn:127.0.0.1:{silent()}"]
    alive = [f"turn:127.0.0.1:{turn_port}?transport=tcp", f"turn:127.0.0.1:{turn_port}?transport=udp"]
    gatherer, _ = ice(dead[0], dead[1], *alive, timeout_seconds=2.0)
    seen = told(gatherer)
    await gatherer.gather()
    assert sorted(seen) == sorted(
        ["gathering", "host", "relay", "relay", f"{dead[0]} 701", f"{dead[1]} 701", "completed"]
    )
    assert seen.index("relay") < seen.index(f"{dead[0]} 701")


async def test_a_turn_server_that_refuses_is_told_with_its_code(ice: MakeIce, turn_port: int) -> None:
    gatherer, _ = ice(timeout_seconds=5.0)
    await gatherer.stop()
    wrong = IceGatherer(
        [aiortc.RTCIceServer(f"turn:127.0.0.1:{turn_port}", "name", "wrong")], loopback=True, timeout_seconds=5.0
    )
    errors: list[IceCandidateError] = []
    wrong.on("candidateerror", errors.append)
    await wrong.gather()
    await wrong.stop()
    assert [error.errorCode for error in errors] == [401]


async def test_relayed_candidates_alone_connect_by_the_relay(ice: MakeIce, turn_port: int) -> None:
    url = f"turn:127.0.0.1:{turn_port}"
    one, other = (
        ice(url, iceTransportPolicy=aiortc.RTCIceTransportPolicy.RELAY),
        ice(url, iceTransportPolicy=aiortc.RTCIceTransportPolicy.RELAY),
    )
    one[1].iceGatherer.agent.ice_controlling = True
    await asyncio.gather(one[0].gather(), other[0].gather())
    assert {candidate.type for gatherer, _ in (one, other) for candidate in gatherer.getLocalCandidates()} == {"relay"}
    for (gatherer, _), (_, transport) in ((one, other), (other, one)):
        for candidate in gatherer.getLocalCandidates():
            await transport.addRemoteCandidate(candidate)
    await start(one, other)
    pair = one[1].getSelectedCandidatePair()
    assert pair is not None
    assert (pair.local.type, pair.remote.type) == ("relay", "relay")


async def test_a_relay_that_comes_late_is_checked_too(ice: MakeIce, turn_port: int) -> None:
    """The other side can't be reached but by the relay: its only candidate is one that nobody listens on."""
    url = f"turn:127.0.0.1:{turn_port}"
    one, other = ice(url), ice(url, iceTransportPolicy=aiortc.RTCIceTransportPolicy.RELAY)
    one[1].iceGatherer.agent.ice_controlling = True
    await other[0].gather()
    starting = asyncio.ensure_future(one[0].gather())
    await one[0].hosts_found.wait()
    for candidate in other[0].getLocalCandidates():
        await one[1].addRemoteCandidate(candidate)
    checking = asyncio.ensure_future(start(one, other))
    await starting
    for candidate in one[0].getLocalCandidates():
        await other[1].addRemoteCandidate(candidate)
    await checking
    assert {one[1].state, other[1].state} <= {"connected", "completed"}


@pytest.mark.parametrize("turns", range(6))
async def test_a_gatherer_can_be_given_up_at_any_moment(ice: MakeIce, silent: Callable[[], int], turns: int) -> None:
    gatherer, _ = ice(f"stun:127.0.0.1:{silent()}", timeout_seconds=15.0)
    seen = told(gatherer)
    gathering = asyncio.ensure_future(gatherer.gather())
    for _ in range(turns):
        await asyncio.sleep(0)
    heard = len(seen)
    await gatherer.stop()
    await gathering
    assert len(seen) == heard
    assert gatherer.machine.state == "closed"
    assert all(protocol.transport.is_closing() for protocol in gatherer.agent._protocols)


async def test_two_that_have_no_candidates_for_each_other_wait_until_they_are_told_that_there_are_no_more(
    ice: MakeIce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsm_rtc.peer.ice.checks.PATIENCE_SECONDS", 0.05)
    one, other = ice(), ice()
    await one[0].gather()
    starting = asyncio.ensure_future(one[1].start(other[0].getLocalParameters()))
    await begun(one[1])
    assert (one[1].state, starting.done()) == ("new", False)
    await one[1].addRemoteCandidate(None)
    await starting
    assert one[1].state == "failed"

"""An ICE restart of which one side doesn't know yet, or never will; several of them; and what a check in one says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aioice.candidate import candidate_priority

from fsm_rtc.peer.ice import IceGatherer, IceTransport, checks
from tests.peer.ice.conftest import MakeIce
from tests.peer.ice.links import End, connect, until, watch
from tests.peer.ice.stun_peer import StunPeer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "REPEAT_SECONDS", 0.02)
    monkeypatch.setattr(checks, "PACE_SECONDS", 0.002)


async def fresh() -> IceGatherer:
    gatherer = IceGatherer(loopback=True)
    await gatherer.gather()
    return gatherer


async def half(transport: IceTransport, mine: IceGatherer, theirs: IceGatherer) -> asyncio.Task[None]:
    """Restart one side; the other one doesn't know yet."""
    restarting = asyncio.ensure_future(transport.restart(mine, theirs.getLocalParameters()))
    await asyncio.sleep(0)
    for candidate in theirs.getLocalCandidates():
        await transport.addRemoteCandidate(candidate)
    await transport.addRemoteCandidate(None)
    return restarting


def checks_sent(gatherer: IceGatherer) -> int:
    return sum(pair.checks for pair in gatherer.agent._check_list)  # type: ignore[attr-defined]


async def tried(gatherer: IceGatherer) -> None:
    """Wait until it has nominated a pair, or has checked often and waits for the other side to do so."""
    async with asyncio.timeout(20):
        while not gatherer.agent.is_connected and checks_sent(gatherer) < 10:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


async def settled(*ends: End) -> None:
    for _, transport in ends:
        await until(transport, "statechange", lambda transport=transport: transport.state == "completed")  # type: ignore[misc]


async def echo(one: End, other: End) -> None:
    """What each sends arrives."""
    for (_, here), (_, there) in ((one, other), (other, one)):
        await here._send(b"there?")
        async with asyncio.timeout(20):
            assert await there._recv() == b"there?"


@pytest.mark.parametrize("first", [0, 1], ids=["the controlling side begins", "the controlled side begins"])
async def test_the_old_pair_carries_what_is_sent_until_the_other_side_has_restarted_too(
    ice: MakeIce, first: int
) -> None:
    ends = ice(), ice()
    await connect(*ends)
    await settled(*ends)
    states = [watch(transport) for _, transport in ends]
    before = [transport.getSelectedCandidatePair() for _, transport in ends]
    new = await fresh(), await fresh()
    here, there = ends[first][1], ends[1 - first][1]
    early = await half(here, new[first], new[1 - first])
    await tried(new[first])
    await echo(*ends)
    assert not early.done()
    assert [transport.getSelectedCandidatePair() for _, transport in ends] == before
    late = await half(there, new[1 - first], new[first])
    async with asyncio.timeout(20):
        await asyncio.gather(early, late)
    await settled(*ends)
    assert states == [["connected", "completed"]] * 2
    assert None not in [transport.getSelectedCandidatePair() for _, transport in ends]
    assert all(transport.getSelectedCandidatePair() != pair for (_, transport), pair in zip(ends, before, strict=True))
    await echo(*ends)


async def test_an_answer_that_answers_checks_but_never_restarts_leaves_the_old_pair_in_use(ice: MakeIce) -> None:
    """As libwebrtc while it waits for an answer that is lost; the next restart finds its way."""
    one, other = ice(), ice()
    await connect(one, other)
    before = one[1].getSelectedCandidatePair()
    given_up = await fresh(), await fresh()
    lost = await half(one[1], given_up[0], given_up[1])
    await tried(given_up[0])
    await echo(one, other)
    assert one[1].getSelectedCandidatePair() == before
    new = await fresh(), await fresh()
    await asyncio.gather(await half(one[1], new[0], new[1]), await half(other[1], new[1], new[0]))
    await lost
    assert one[1].getSelectedCandidatePair() != before
    await echo(one, other)
    await given_up[1].stop()


async def test_a_restart_that_finds_nothing_leaves_the_old_pair_until_its_consent_ends(
    ice: MakeIce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "PATIENCE_SECONDS", 0.2)
    one, other = ice(), ice()
    await connect(one, other)
    await settled(one, other)
    states = watch(one[1])
    new, deaf = await fresh(), await fresh()
    restarting = await half(one[1], new, deaf)
    await deaf.stop()
    await restarting
    await echo(one, other)
    assert states == ["connected", "completed"]


@pytest.mark.parametrize("controlling", [0, 1])
async def test_a_restart_rescues_one_whose_other_side_had_died_meanwhile(
    ice: MakeIce, monkeypatch: pytest.MonkeyPatch, controlling: int
) -> None:
    one, other = ice(), ice()
    await connect(*((one, other) if controlling == 0 else (other, one)))
    await settled(one, other)
    for _, transport in (one, other):
        for protocol in transport.iceGatherer.agent._protocols:
            protocol.transport.close()
    new = await fresh(), await fresh()
    await asyncio.gather(await half(one[1], new[0], new[1]), await half(other[1], new[1], new[0]))
    await echo(one, other)


async def test_a_check_in_a_restart_claims_more_than_its_candidate_is_worth_and_no_other_does(ice: MakeIce) -> None:
    """Or libwebrtc prunes it, since the pair in use is no worse."""
    end = ice()
    theirs = await StunPeer.open(end)
    await end[0].gather()
    await end[1].addRemoteCandidate(theirs.candidate())
    theirs.ask(nominate=True)
    async with asyncio.timeout(20):
        await end[1].start(theirs.parameters)
    assert {request.attributes["PRIORITY"] for request, _ in theirs.requests} == {candidate_priority(1, "prflx")}
    theirs.requests.clear()
    new = await fresh()
    restarting = asyncio.ensure_future(end[1].restart(new, theirs.parameters))
    await asyncio.sleep(0)
    await end[1].addRemoteCandidate(theirs.candidate())
    claimed: set[Any] = set()
    await theirs.until(lambda: any(address[1] == new.getLocalCandidates()[0].port for _, address in theirs.requests))
    claimed = {
        request.attributes["PRIORITY"]
        for request, address in theirs.requests
        if address[1] == new.getLocalCandidates()[0].port
    }
    assert claimed == {candidate_priority(1, "host") + 1}
    async with asyncio.timeout(20):
        await end[1].stop()
        await restarting
    theirs.close()

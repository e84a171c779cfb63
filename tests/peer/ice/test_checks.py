"""Which pair is checked when, and what comes of it; the other side is played by the test."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from aioice import Candidate, ice, stun
from aiortc.rtcicetransport import candidate_from_aioice

from fsm_rtc.peer.ice import checks
from tests.peer.ice.conftest import MakeIce
from tests.peer.ice.links import End, begun, connect, start, until, watch
from tests.peer.ice.stun_peer import PASSWORD, StunPeer

MakePeer = Callable[..., Awaitable[StunPeer]]


@pytest_asyncio.fixture
async def peer() -> AsyncIterator[MakePeer]:
    """Opens sockets of the other side; closes them in the end."""
    made: list[StunPeer] = []

    async def make(end: End, address: str = "127.0.0.1") -> StunPeer:
        made.append(await StunPeer.open(end, address))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "REPEAT_SECONDS", 0.02)
    monkeypatch.setattr(checks, "PACE_SECONDS", 0.002)


async def begin(end: End, *peers: StunPeer, controlling: bool = False, lite: bool = False) -> asyncio.Task[None]:
    """Let the transport look for a way to these; the task that does."""
    gatherer, transport = end
    transport.iceGatherer.agent.ice_controlling = controlling
    await gatherer.gather()
    for one in peers:
        await transport.addRemoteCandidate(one.candidate())
    parameters = peers[0].parameters
    parameters.iceLite = lite
    task = asyncio.ensure_future(transport.start(parameters))
    await until(transport, "statechange", lambda: transport.state == "checking")
    return task


def nominating(one: StunPeer) -> list[bool]:
    return ["USE-CANDIDATE" in request.attributes for request, _ in one.requests]


async def test_a_controlled_side_checks_a_pair_that_has_answered_until_it_is_nominated(
    ice: MakeIce, peer: MakePeer
) -> None:
    end = ice()
    theirs = await peer(end)
    looking = await begin(end, theirs)
    await theirs.until(lambda: len(theirs.requests) > 8)
    assert end[1].state == "checking"
    assert not any(nominating(theirs))
    theirs.ask(nominate=True)
    await looking
    asked = len(theirs.requests)
    theirs.ask(nominate=True)
    await theirs.until(lambda: len(theirs.responses) >= 2)
    assert end[1].state == "connected"
    assert len(theirs.requests) <= asked + 1, "once nominated it is asked for consent alone"


async def test_checks_that_are_lost_are_followed_by_others(ice: MakeIce, peer: MakePeer) -> None:
    end = ice()
    theirs = await peer(end)
    theirs.answers = StunPeer.silent
    looking = await begin(end, theirs, controlling=True)
    await theirs.until(lambda: len(theirs.requests) >= 4)
    assert len({request.transaction_id for request, _ in theirs.requests}) == len(theirs.requests)
    theirs.answers = StunPeer.succeed
    await looking
    assert all(nominating(theirs))


@pytest.mark.parametrize("seed", range(5))
async def test_a_third_of_all_stun_messages_may_be_lost(
    ice: MakeIce, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    send = stun_protocol().send_stun

    def lossy(self: Any, message: stun.Message, address: tuple[str, int]) -> None:
        if chance.random() > 1 / 3:
            send(self, message, address)

    monkeypatch.setattr(stun_protocol(), "send_stun", lossy)
    one, other = ice(), ice()
    await connect(one, other)
    assert {one[1].state, other[1].state} <= {"connected", "completed"}


def stun_protocol() -> Any:
    return ice.StunProtocol


async def test_an_answer_may_come_later_than_the_next_check(ice: MakeIce, peer: MakePeer) -> None:
    end = ice()
    theirs = await peer(end)
    theirs.answers = StunPeer.silent
    looking = await begin(end, theirs, controlling=True)
    await theirs.until(lambda: len(theirs.requests) >= 5)
    first, address = theirs.requests[0]
    answer = StunPeer.succeed(first)
    answer.attributes["XOR-MAPPED-ADDRESS"] = address
    answer.add_message_integrity(PASSWORD.encode())
    theirs._transport.sendto(bytes(answer), address)
    await looking
    assert end[1].state == "connected"


async def test_a_response_without_integrity_is_none(ice: MakeIce, peer: MakePeer) -> None:
    """As of a peer that doesn't know the credentials yet: 401, unsigned."""
    end = ice()
    theirs = await peer(end)

    def unsigned(request: stun.Message) -> None:
        response = StunPeer.refuse(401)(request)
        assert response is not None
        theirs._transport.sendto(bytes(response), theirs.requests[-1][1])

    theirs.answers = unsigned
    looking = await begin(end, theirs, controlling=True)
    await theirs.until(lambda: len(theirs.requests) >= 4)
    assert end[1].state == "checking"
    theirs.answers = StunPeer.succeed
    await looking


async def test_checks_that_came_before_the_credentials_count(ice: MakeIce, peer: MakePeer) -> None:
    end = ice()
    theirs = await peer(end)
    await end[0].gather()
    theirs.ask(nominate=True)
    await theirs.until(lambda: len(theirs.responses) >= 1)
    await end[1].start(theirs.parameters)
    assert end[1].state == "connected"
    pair = end[1].getSelectedCandidatePair()
    assert pair is not None
    assert pair.remote.type == "prflx"


@pytest.mark.parametrize("controlling", [True, False])
async def test_two_in_the_same_role_agree(ice: MakeIce, *, controlling: bool) -> None:
    one, other = ice(), ice()
    connecting = asyncio.ensure_future(connect(one, other))
    await asyncio.sleep(0)
    one[1].iceGatherer.agent.ice_controlling = other[1].iceGatherer.agent.ice_controlling = controlling
    await connecting
    assert {one[1].role, other[1].role} == {"controlling", "controlled"}


async def test_a_peer_that_finds_a_role_conflict_in_everything_is_asked_at_the_pace_of_all(
    ice: MakeIce, peer: MakePeer
) -> None:
    end = ice()
    theirs = await peer(end)
    theirs.answers = StunPeer.refuse(487)
    looking = await begin(end, theirs)
    await theirs.until(lambda: len(theirs.requests) >= 6)
    roles = ["ICE-CONTROLLING" in request.attributes for request, _ in theirs.requests]
    assert roles[:6] == [False, True, False, True, False, True]
    theirs.answers = StunPeer.succeed
    theirs.ask(nominate=True, tie_breaker=2**64 - 1)
    await looking


async def test_a_lite_peer_is_controlled_and_is_told_one_pair(ice: MakeIce, peer: MakePeer) -> None:
    end = ice()
    theirs, second = await peer(end), await peer(end, "127.0.0.2")
    await (await begin(end, theirs, second, lite=True))
    assert end[1].role == "controlling"
    told = nominating(theirs) + nominating(second)
    assert nominating(theirs)[0] is False
    assert told.count(True) == 1


async def test_the_pair_that_was_nominated_last_is_used(ice: MakeIce, peer: MakePeer) -> None:
    end = ice()
    first, second = await peer(end), await peer(end, "127.0.0.2")
    looking = await begin(end, first, second)
    first.ask(nominate=True)
    await looking
    for one, changes in ((second, 2), (first, 3), (first, 3)):
        one.ask(nominate=True)
        heard = len(one.responses)
        await one.until(lambda one=one, heard=heard: len(one.responses) > heard)  # type: ignore[misc]
        pair = end[1].getSelectedCandidatePair()
        assert pair is not None
        if end[1].selectedCandidatePairChanges != changes:
            await until(
                end[1],
                "selectedcandidatepairchange",
                lambda changes=changes: end[1].selectedCandidatePairChanges == changes,  # type: ignore[misc]
            )
        pair = end[1].getSelectedCandidatePair()
        assert pair is not None
        assert pair.remote.port == one.candidate().port


async def test_checks_keep_their_pace_however_many_pairs_there_are(
    ice: MakeIce, peer: MakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[float] = []
    ask = checks.Checks._check

    def note(self: checks.Checks, pair: checks.Pair) -> None:
        sent.append(asyncio.get_running_loop().time())
        ask(self, pair)

    monkeypatch.setattr(checks.Checks, "_check", note)
    end = ice()
    theirs = await peer(end)
    theirs.answers = StunPeer.silent
    await end[0].gather()
    for number in range(1, 1001):
        address = f"127.{number // 200 + 1}.{number % 200 + 1}.1"
        await end[1].addRemoteCandidate(
            candidate_from_aioice(Candidate(str(number), 1, "udp", 2130706431 - number, address, 9, "host"))
        )
    looking = await begin(end, theirs)
    assert len(end[1].iceGatherer.agent._check_list) == checks.PAIRS_LIMIT
    await theirs.until(lambda: len(theirs.requests) >= 2)
    gaps = [after - before for before, after in pairwise(sent)]
    assert len(sent) > checks.PAIRS_LIMIT, "each had its turn before one had two"
    assert min(gaps) >= checks.PACE_SECONDS - 1e-4
    theirs.answers = StunPeer.succeed
    theirs.ask(nominate=True)
    await looking


async def test_a_way_that_only_the_other_side_knows_has_room_among_a_thousand_candidates(
    ice: MakeIce, peer: MakePeer
) -> None:
    end = ice()
    theirs = await peer(end)
    await end[0].gather()
    for number in range(1000):
        await end[1].addRemoteCandidate(
            candidate_from_aioice(
                Candidate("1", 1, "udp", 2130706431, f"127.9.{number // 250}.{number % 250}", 9, "host")
            )
        )
    looking = asyncio.ensure_future(end[1].start(theirs.parameters))
    await until(end[1], "statechange", lambda: end[1].state == "checking")
    theirs.ask(nominate=True)
    await looking
    assert len(end[1].iceGatherer.agent._check_list) <= checks.PAIRS_LIMIT


async def test_requests_from_everywhere_make_no_more_pairs_than_there_is_room_for(ice: MakeIce, peer: MakePeer) -> None:
    end = ice()
    theirs = await peer(end)
    looking = await begin(end, theirs)
    await theirs.until(lambda: len(theirs.requests) > 0)
    for number in range(checks.PAIRS_LIMIT + 20):
        stranger = await peer(end, f"127.0.3.{number + 1}")
        stranger.answers = StunPeer.silent
        stranger.ask()
        await stranger.until(lambda stranger=stranger: bool(stranger.responses))  # type: ignore[misc]
    assert len(end[1].iceGatherer.agent._check_list) <= checks.PAIRS_LIMIT
    assert len(end[1].iceGatherer.agent.remote_candidates) <= checks.PAIRS_LIMIT
    theirs.ask(nominate=True)
    await looking


async def test_nothing_has_failed_before_the_patience_is_over_and_more_candidates_may_still_come(
    ice: MakeIce, peer: MakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "PATIENCE_SECONDS", 0.3)
    end = ice()
    states = watch(end[1])
    theirs, second = await peer(end), await peer(end)
    theirs.answers = StunPeer.refuse(400)
    looking = await begin(end, theirs)
    await until(end[1], "statechange", lambda: end[1].state == "disconnected")
    assert states == ["checking", "disconnected"]
    await end[1].addRemoteCandidate(second.candidate())
    assert states == ["checking", "disconnected", "checking"]
    second.ask(nominate=True)
    await looking
    assert states[:4] == ["checking", "disconnected", "checking", "connected"]


async def test_it_fails_when_the_patience_is_over_and_no_more_will_come(
    ice: MakeIce, peer: MakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "PATIENCE_SECONDS", 0.2)
    end = ice()
    theirs = await peer(end)
    theirs.answers = StunPeer.silent
    looking = await begin(end, theirs)
    await end[1].addRemoteCandidate(None)
    began = asyncio.get_running_loop().time()
    await looking
    assert end[1].state == "failed"
    assert asyncio.get_running_loop().time() - began > 0.1
    theirs.ask(nominate=True)
    await theirs.until(lambda: bool(theirs.responses))
    assert end[1].state == "failed", "until it is restarted"


async def test_a_side_without_candidates_fails_at_once_when_no_more_will_come(ice: MakeIce) -> None:
    import aiortc

    end = ice(iceTransportPolicy=aiortc.RTCIceTransportPolicy.RELAY)
    other = ice()
    await end[0].gather()
    looking = asyncio.ensure_future(end[1].start(other[0].getLocalParameters()))
    await begun(end[1])
    assert end[1].state == "new"
    await end[1].addRemoteCandidate(None)
    await looking
    assert end[1].state == "failed"


async def test_an_end_of_candidates_without_any_leaves_the_other_sides_checks_to_find_the_way(ice: MakeIce) -> None:
    one, other = ice(), ice()
    one[1].iceGatherer.agent.ice_controlling = True
    await asyncio.gather(one[0].gather(), other[0].gather())
    for candidate in one[0].getLocalCandidates():
        await other[1].addRemoteCandidate(candidate)
    for _, transport in (one, other):
        await transport.addRemoteCandidate(None)
    await start(one, other)
    assert {one[1].state, other[1].state} <= {"connected", "completed"}

"""How often the other side is asked for its consent, over every kind of pair, and what its silence leads to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiortc
import pytest
import pytest_asyncio
from aioice import stun

from fsm_rtc.machines.consent import ConsentTimes
from fsm_rtc.peer.ice import IceTransport, checks
from fsm_rtc.peer.ice.agent import CONSENT, Agent, Consenting
from tests.coturn import coturn
from tests.instant_loop import InstantLoop
from tests.peer.ice.conftest import MakeIce
from tests.peer.ice.links import End, connect, until, watch
from tests.peer.ice.stun_peer import PASSWORD, StunPeer

SHORT = ConsentTimes(0.5, 0.25, 0.02, 0.45, 1.6, 3.0)
"""A tenth of what it is, with an interval between two questions that lets many be asked."""


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fsm_rtc.peer.ice.agent.CONSENT", SHORT)


@pytest_asyncio.fixture
async def called(ice: MakeIce) -> AsyncIterator[tuple[End, StunPeer]]:
    """A transport that is connected with a peer whom the test plays."""
    end = ice()
    theirs = await StunPeer.open(end)
    await end[0].gather()
    await end[1].addRemoteCandidate(theirs.candidate())
    theirs.ask(nominate=True)
    await end[1].start(theirs.parameters)
    theirs.requests.clear()
    yield end, theirs
    theirs.close()


def test_the_times_are_rfc_7675s_and_libwebrtcs() -> None:
    assert CONSENT.interval_seconds * 0.8 >= 4.0
    assert (CONSENT.interval_seconds, CONSENT.expiry_seconds, CONSENT.quiet_seconds) == (5.0, 30.0, 2.5)
    assert CONSENT.lost_seconds + CONSENT.retry_seconds < 5.0
    assert CONSENT.unanswered_seconds > 3 * CONSENT.interval_seconds


@pytest.mark.usefixtures("short")
async def test_while_something_is_heard_it_is_asked_for_consent_alone(called: tuple[End, StunPeer]) -> None:
    _, theirs = called
    asked: list[float] = []

    def answer(request: stun.Message) -> stun.Message:
        asked.append(asyncio.get_running_loop().time())
        return StunPeer.succeed(request)

    theirs.answers = answer

    async def talk() -> None:
        while True:
            theirs.send(b"media")
            await asyncio.sleep(0.05)

    talking = asyncio.ensure_future(talk())
    await theirs.until(lambda: len(asked) >= 5)
    talking.cancel()
    # What a stalled loop of the test lets fall silent is asked for sooner, so the middle counts.
    gaps = sorted(after - before for before, after in pairwise(asked))
    assert gaps[len(gaps) // 2] >= 0.8 * SHORT.interval_seconds - 0.02


@pytest.mark.usefixtures("short")
async def test_a_silent_peer_is_asked_sooner_and_then_missing_and_failed(called: tuple[End, StunPeer]) -> None:
    end, theirs = called
    states = watch(end[1])
    theirs.answers = StunPeer.silent
    await until(end[1], "statechange", lambda: end[1].state == "disconnected")
    assert len(theirs.requests) >= 3
    await until(end[1], "statechange", lambda: end[1].state == "failed")
    assert states[-2:] == ["disconnected", "failed"]
    await end[1]._send(b"nobody wants it any more")
    assert all(message.message_class is stun.Class.REQUEST for message, _ in theirs.requests)


@pytest.mark.usefixtures("short")
async def test_a_peer_that_is_heard_but_does_not_answer_is_disconnected_and_failed_too(
    called: tuple[End, StunPeer],
) -> None:
    end, theirs = called
    theirs.answers = StunPeer.silent
    states = watch(end[1])

    async def talk() -> None:
        while True:
            theirs.send(b"media")
            await asyncio.sleep(0.05)

    talking = asyncio.ensure_future(talk())
    await until(end[1], "statechange", lambda: end[1].state == "failed")
    talking.cancel()
    assert states[-2:] == ["disconnected", "failed"]


@pytest.mark.usefixtures("short")
async def test_an_answer_that_comes_late_is_an_answer(called: tuple[End, StunPeer]) -> None:
    """A path on which everything takes longer than the questions' interval."""
    end, theirs = called
    states = watch(end[1])
    loop = asyncio.get_running_loop()

    def later(request: stun.Message) -> None:
        address = theirs.requests[-1][1]
        answer = StunPeer.succeed(request)
        answer.attributes["XOR-MAPPED-ADDRESS"] = address
        answer.add_message_integrity(PASSWORD.encode())
        loop.call_later(0.1, lambda: theirs._transport.sendto(bytes(answer), address))

    theirs.answers = later
    await theirs.until(lambda: len(theirs.requests) >= 30)
    assert "disconnected" not in states


@pytest.mark.usefixtures("short")
async def test_a_question_that_goes_wrong_does_not_end_the_asking(
    called: tuple[End, StunPeer], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    end, theirs = called
    build, broken = Agent.build_request, [RuntimeError("once"), RuntimeError("twice")]

    def build_request(self: Agent, *arguments: Any, **options: Any) -> stun.Message:
        if broken:
            raise broken.pop()
        return build(self, *arguments, **options)

    monkeypatch.setattr(Agent, "build_request", build_request)
    await theirs.until(lambda: len(theirs.requests) >= 2)
    assert end[1].state in ("connected", "completed")
    assert caplog.text.count("a question of consent could not be sent") == 2


@pytest.mark.usefixtures("short")
async def test_when_the_pair_in_use_falls_silent_another_one_is_used(
    ice: MakeIce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "REPEAT_SECONDS", 0.02)
    monkeypatch.setattr(Agent, "_addresses", lambda _: ["127.0.0.1", "127.0.0.2"])
    one, other = ice(), ice()
    await connect(one, other)
    before = one[1].getSelectedCandidatePair()
    assert before is not None
    states = watch(one[1])
    for end in (one, other):
        for protocol in end[1].iceGatherer.agent._protocols:
            if protocol.local_candidate.host == before.local.ip:
                protocol.transport.close()
    await until(one[1], "selectedcandidatepairchange", lambda: one[1].getSelectedCandidatePair() != before)
    assert "failed" not in states


RELAY = aiortc.RTCIceTransportPolicy.RELAY


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_consent_is_asked_for_over_a_relay_and_a_dead_relay_is_missed(
    ice: MakeIce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    async with coturn(tmp_path, "--lt-cred-mech", "--user=name:secret") as port:
        url = f"turn:127.0.0.1:{port}?transport={transport}"
        one, other = ice(url, iceTransportPolicy=RELAY), ice(url, iceTransportPolicy=RELAY)
        await connect(one, other)
        agent: Any = one[1].iceGatherer.agent
        answered, renewed = agent.answered_at, asyncio.Event()
        confirm = agent._confirmed

        def confirmed() -> None:
            confirm()
            renewed.set()

        monkeypatch.setattr(agent, "_confirmed", confirmed)
        for _ in range(2):
            renewed.clear()
            await renewed.wait()
        assert agent.answered_at > answered
        assert one[1].state in ("connected", "completed")
        states = watch(one[1])
    await lost(one[1])
    assert states == ["disconnected", "failed"] or states == ["completed", "disconnected", "failed"]


async def lost(transport: IceTransport) -> None:
    await until(transport, "statechange", lambda: transport.state == "failed")


def test_a_loop_that_stood_still_has_not_heard_silence_and_asks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = InstantLoop()
    asked: list[float] = []
    told: list[tuple[float, bool]] = []

    async def consent_of_one_that_is_gone() -> None:
        agent = Consenting(ice_controlling=True)
        agent._nominated[1] = object()  # type: ignore[assignment]
        agent.heard_at = agent.answered_at = loop.time()
        agent.consented = lambda is_there: told.append((round(loop.time(), 3), is_there))
        agent.expired = lambda: told.append((round(loop.time(), 3), False))
        monkeypatch.setattr(agent, "_inquire", lambda *_, **__: asked.append(loop.time()))
        asking = asyncio.ensure_future(agent.query_consent())
        loop.call_at(3.1, loop.stand_still, 40.0)
        await asking

    try:
        loop.run_until_complete(consent_of_one_that_is_gone())
    finally:
        loop.close()
    assert asked[:5] == pytest.approx([2.5, 2.75, 3.0, 43.1, 43.35])
    # The next question was due at 3.25: from then on nobody listened.
    assert told == [(44.35, False), (69.85, False)]

"""Real calls that fail, each for another reason, and what they say about it."""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import replace
from typing import Any

import pytest

from fsm_rtc import (
    AnyPeer,
    Configuration,
    Connection,
    ConnectionFailedError,
    ConnectTimeoutError,
    IceCandidate,
    IceServer,
    Identity,
    PeerConnection,
    SessionDescription,
    SignalingServer,
    WebSocketSignaling,
)
from fsm_rtc.connection import Ended, memory_pipe
from fsm_rtc.connection.diagnosis.evidence import Phase, Reach
from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from tests.connection.connection_pairs import Tap
from tests.peer.peers import make_impatient, paths_of

pytestmark = pytest.mark.live

LIMIT_SECONDS = 60.0

ALICE, BOB = sorted((Identity.generate(), Identity.generate()), key=lambda one: one.id)


QUICK = RecoveryPolicy(0.05, 0.2, 0.4, 0.1, attempts=1, attempt_seconds=0.2, give_up_after_seconds=1.0)


def side(channel: Any, identity: Identity, name: str, **options: Any) -> Connection:
    options.setdefault("configuration", Configuration(loopback=True))
    return Connection(channel, identity, name=name, trust=AnyPeer(), label=name, **options)


async def failure_of(call: Connection, seconds: float = LIMIT_SECONDS) -> Failure:
    """The failure by which a call ends, or which it has after this time."""
    with pytest.raises((ConnectionFailedError, ConnectTimeoutError)):
        await call.wait_for_ready(seconds)
    assert call.failure is not None
    return call.failure


async def test_nothing_listens_at_the_servers_address() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{closed.getsockname()[1]}/kitchen"
        async with side(WebSocketSignaling(url), ALICE, "alice") as alice:
            failure = await failure_of(alice, 0.5)
    assert failure.phase is Phase.SIGNALING
    assert failure.error is not None
    assert "`fsm-rtc serve` runs there" in failure.advice
    assert "127.0.0.1" not in str(failure.to_dict())


async def test_nobody_joins() -> None:
    async with SignalingServer() as server, side(WebSocketSignaling(f"{server.url}/kitchen"), ALICE, "alice") as alice:
        failure = await failure_of(alice, 0.5)
    assert failure.phase is Phase.WAITING
    assert failure.advice.startswith("Start the other side")


def elsewhere(text: str) -> str:
    """A candidate, or the candidates in a description, at an address that nobody has."""
    return re.sub(r"(candidate:\S+ 1 udp \d+ )\S+", r"\g<1>192.0.2.77", text)


class Blackholed(PeerConnection):
    """It hears of the other side's candidates at an address that nobody has."""

    async def set_remote_description(self, description: SessionDescription) -> None:
        await super().set_remote_description(replace(description, sdp=elsewhere(description.sdp)))

    async def add_ice_candidate(self, candidate: IceCandidate | None) -> None:
        if candidate is not None:
            candidate = replace(candidate, candidate=elsewhere(candidate.candidate))
        await super().add_ice_candidate(candidate)


async def test_the_other_sides_addresses_lead_nowhere() -> None:
    here, there = memory_pipe("kitchen")
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        side(here, ALICE, "alice", peer_connection_factory=Blackholed) as alice,
        side(there, BOB, "bob", peer_connection_factory=Blackholed) as bob,
    ):
        failures = await asyncio.gather(failure_of(alice, 2), failure_of(bob, 2))
    for failure in failures:
        assert failure.phase is Phase.ICE
        assert [(one.type, one.reach) for one in failure.local_candidates] == [("host", Reach.LOOPBACK)]
        assert [(one.type, one.reach) for one in failure.remote_candidates] == [("host", Reach.PRIVATE)]
        assert failure.pairs_tried.total == 1
        assert failure.pairs_tried.succeeded == 0
        assert "stays on 127.0.0.1" in failure.advice
        assert "192.0.2.77" not in str(failure) + str(failure.to_dict())


class Deaf(PeerConnection):
    """None of the other side's candidates reaches it, nor does the other side hear of its own."""

    async def set_remote_description(self, description: SessionDescription) -> None:
        lines = [line for line in description.sdp.splitlines(keepends=True) if not line.startswith("a=candidate:")]
        await super().set_remote_description(replace(description, sdp="".join(lines)))

    async def add_ice_candidate(self, candidate: IceCandidate | None) -> None:
        if candidate is None:
            await super().add_ice_candidate(None)


async def test_none_of_the_other_sides_candidates_arrives() -> None:
    here, there = memory_pipe("kitchen")
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        side(here, ALICE, "alice", peer_connection_factory=Deaf) as alice,
        side(there, BOB, "bob", peer_connection_factory=Deaf),
    ):
        failure = await failure_of(alice, 2)
    assert failure.phase is Phase.ICE
    assert failure.remote_candidates == ()
    assert "its messages with them don't arrive" in failure.advice


class Misled(PeerConnection):
    """It is given the fingerprint of another certificate than the other side's."""

    async def set_remote_description(self, description: SessionDescription) -> None:
        # Of every hash function: the best one decides.
        sdp = re.sub(r"(a=fingerprint:\S+ )\S\S:\S\S", r"\1C0:DE", description.sdp)
        await super().set_remote_description(replace(description, sdp=sdp))


async def test_the_certificate_is_another_one_than_was_signed() -> None:
    here, there = memory_pipe("kitchen")
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        side(here, ALICE, "alice", peer_connection_factory=Misled) as alice,
        side(there, BOB, "bob") as bob,
    ):
        failure = await failure_of(alice)
        told = await failure_of(bob)
    assert failure.phase is Phase.DTLS
    assert failure.states["alice.peer.dtls"] == "failed"
    assert failure.pairs_tried.succeeded > 0
    assert failure.advice.startswith("Don't try again")
    assert not failure.may_be_retried
    assert told.by_peer


async def test_turn_alone_is_allowed_and_refuses() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = IceServer(f"turn:127.0.0.1:{silent.getsockname()[1]}", "alice", "hunter2")
        configuration = Configuration(
            (server,), loopback=True, ice_transport_policy="relay", gather_timeout_seconds=0.3
        )
        here, there = memory_pipe("kitchen")
        async with (
            asyncio.timeout(LIMIT_SECONDS),
            side(here, ALICE, "alice", configuration=configuration) as alice,
            side(there, BOB, "bob"),
        ):
            failure = await failure_of(alice, 1.5)
    assert failure.phase is Phase.GATHERING
    assert [(one.scheme, one.code) for one in failure.candidate_errors] == [("turn", 701)]
    assert "fsm-rtc doctor --turn" in failure.advice
    assert "hunter2" not in str(failure) + str(failure.to_dict())


async def test_the_other_side_vanishes_in_the_middle_of_a_call() -> None:
    here, there = (Tap(channel) for channel in memory_pipe("kitchen"))
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        side(here, ALICE, "alice", recovery=QUICK) as alice,
        side(there, BOB, "bob", recovery=QUICK) as bob,
    ):
        await asyncio.gather(alice.wait_for_ready(LIMIT_SECONDS), bob.wait_for_ready(LIMIT_SECONDS))
        ended = asyncio.create_task(ended_of(alice))
        await asyncio.sleep(0)
        there.down()
        make_impatient(alice.peer_connection)  # type: ignore[arg-type]
        vanish(bob)
        await ended
        failure = await failure_of(alice)
        there.up()
    assert (failure.phase, failure.by_peer) == (Phase.CONNECTED, False)
    assert failure.states["alice.peer.dtls"] == "connected"
    assert failure.states["alice.peer.ice"] in ("connected", "completed", "disconnected", "failed")
    assert failure.was_lost
    assert failure.states["alice.peer.channel.secure-channel"] == "open"
    assert "was lost" in failure.advice


async def ended_of(call: Connection) -> None:
    async for event in call.events():
        if isinstance(event, Ended):
            return


def vanish(call: Connection) -> None:
    """From now on it neither hears nor says anything, as if its host were switched off."""
    connection = call.peer_connection
    assert connection is not None
    for path in paths_of(connection):
        for protocol in path.newest_gatherer.agent._protocols:
            protocol.transport.abort()

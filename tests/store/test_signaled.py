"""A store that negotiates by signalling: what the documented snapshot shows of it, and what it refuses meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest

from fsm_rtc.connection.pipe import memory_pipe
from fsm_rtc.errors import InvalidStateError, SignalingError
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.messages import Allowlist, Identity
from fsm_rtc.peer import Configuration
from fsm_rtc.store import ConnectionStore
from fsm_rtc.testing import FakeNetwork, FakePeerConnection, FakeTrack
from tests.connection.connection_pairs import FIRST, SECOND, Tap

LIMIT_SECONDS = 60.0


@asynccontextmanager
async def connected(
    engine: str = "compiled", keys: tuple[Identity | None, Identity | None] = (FIRST, SECOND)
) -> AsyncIterator[tuple[ConnectionStore, ConnectionStore, Tap]]:
    """Two stores in a call over signalling, the polite one first, and its channel."""
    network = FakeNetwork()
    taps = [Tap(channel) for channel in memory_pipe("kitchen")]

    def store(label: str) -> ConnectionStore:
        return ConnectionStore(
            Configuration(close_timeout_seconds=0.02),
            peer_connection_factory=partial(FakePeerConnection, network=network),
            engine=engine,
            label=label,
        )

    async with asyncio.timeout(LIMIT_SECONDS), store("alice") as alice, store("bob") as bob:
        await alice.connect(taps[0], keys[0], name="alice")
        await bob.connect(taps[1], keys[1], name="bob")
        await asyncio.gather(alice.wait_for_connected(), bob.wait_for_connected())
        yield alice, bob, taps[0]


@pytest.mark.parametrize("engine", ["compiled", "transitions"])
async def test_the_snapshot_holds_keys_session_and_link(engine: str) -> None:
    async with connected(engine) as (alice, bob, _):
        state = alice.snapshot
        assert state.signaling_status == "Connected"
        assert (state.local_public_key, state.remote_public_key) == (FIRST.public_key, SECOND.public_key)
        assert state.connection_id is not None
        assert state.connection_id != bob.snapshot.connection_id
        assert (state.answer is not None, bob.snapshot.offer is not None) == (True, True)
        alice.send_chat("Hello peer!")
        assert await anext(bob.messages()) == '{"type": "chat", "message": "Hello peer!"}'


async def test_without_an_identity_there_are_no_keys() -> None:
    async with connected(keys=(None, None)) as (alice, *_):
        assert (alice.snapshot.local_public_key, alice.snapshot.remote_public_key) == (None, None)


OPERATIONS: list[Callable[[ConnectionStore], Awaitable[object]]] = [
    lambda store: store.create_offer(),
    lambda store: store.process_offer({"type": "offer", "sdp": "v=0"}),
    lambda store: store.process_answer({"type": "answer", "sdp": "v=0"}),
    lambda store: store.add_ice_candidate(None),
    lambda store: store.connect(memory_pipe()[0]),
]


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_negotiation_by_hand_is_refused_meanwhile(
    operation: Callable[[ConnectionStore], Awaitable[object]],
) -> None:
    async with connected() as (alice, _bob, _):
        with pytest.raises(InvalidStateError, match="close_connection"):
            await operation(alice)
        assert isinstance(alice.snapshot.error, InvalidStateError)
        assert alice.snapshot.peer_connection_status == "connected"


async def test_a_link_error_is_the_status_error_and_the_error_until_it_is_up_again() -> None:
    async with connected() as (alice, _bob, channel):
        cut = SignalingError("cut")
        channel.down(cut, 1.0)
        await alice.wait_until(lambda state: state.signaling_status == "Error")
        assert alice.snapshot.error is cut
        channel.up()
        state = await alice.wait_until(lambda state: state.signaling_status == "Connected")
        assert (state.error, state.peer_connection_status.value) == (None, "connected")


async def test_when_the_other_side_leaves_the_status_is_disconnected_and_the_store_waits() -> None:
    async with connected() as (alice, bob, _):
        await bob.close_connection()
        await alice.wait_until(lambda state: state.peer_connection_status == "Disconnected")
        assert alice.snapshot.signaling_status == "Connected"
        assert alice.snapshot.error is None
        assert bob.snapshot.signaling_status == "Disconnected"


async def test_after_closing_it_can_be_connected_again_or_used_by_hand() -> None:
    async with connected() as (alice, _bob, _):
        await alice.close_connection()
        offer = await alice.create_offer()
        assert offer.type == "offer"
        await alice.close_connection()
        await alice.connect(memory_pipe("kitchen")[0], FIRST)
        await alice.wait_until(lambda state: state.signaling_status == "Connected")


async def test_reset_leaves_the_signalling_and_empties_every_field() -> None:
    async with connected() as (alice, bob, channel):
        await alice.reset()
        assert channel.is_closed
        state = alice.snapshot
        assert (state.signaling_status, state.peer_connection_status) == ("Disconnected", "Disconnected")
        assert (state.local_public_key, state.remote_public_key, state.connection_id) == (None, None, None)
        await bob.wait_until(lambda state: state.peer_connection_status == "Disconnected")


async def test_a_track_that_is_added_is_offered_by_itself() -> None:
    async with connected() as (alice, bob, _):
        arrived = asyncio.Event()
        bob.on_track(lambda _: arrived.set())
        alice.add_track(FakeTrack("audio"))
        await arrived.wait()


async def test_negotiate_makes_a_new_offer() -> None:
    async with connected() as (alice, _bob, _):
        applied = asyncio.Event()
        alice.machines["alice.exchange"].observe(
            lambda machine, outcome: applied.set() if machine.state is ExchangeState.APPLYING_ANSWER else None
        )
        alice.negotiate()
        await applied.wait()


async def test_negotiate_needs_signalling() -> None:
    with pytest.raises(InvalidStateError, match="connect"):
        ConnectionStore().negotiate()


async def test_who_is_not_trusted_is_the_error() -> None:
    network = FakeNetwork()
    here, there = memory_pipe("kitchen")
    make = partial(FakePeerConnection, network=network)
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        ConnectionStore(peer_connection_factory=make) as alice,
        ConnectionStore(peer_connection_factory=make) as bob,
    ):
        await alice.connect(here, FIRST, trust=Allowlist([]))
        await bob.connect(there, SECOND)
        state = await alice.wait_until(lambda state: state.error is not None)
        assert "trusted" in str(state.error)
        assert state.remote_public_key is None

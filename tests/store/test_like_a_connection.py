"""A store's signalled call does what a `Connection`'s does: in a glare, with another certificate, lost, and failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

import pytest

from fsm_rtc import NO_RECOVERY, ConnectionFailedError
from fsm_rtc.connection.pipe import memory_pipe
from fsm_rtc.errors import OperationError
from fsm_rtc.machines.data_channel import DataChannelState
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.messages import Allowlist, EndCode
from fsm_rtc.peer import Configuration
from fsm_rtc.store import ConnectionSnapshot, ConnectionStore
from fsm_rtc.testing import FakeNetwork, FakePeerConnection
from tests.connection.connection_pairs import FIRST, SECOND

LIMIT_SECONDS = 60.0


@asynccontextmanager
async def stores(engine: str = "compiled") -> AsyncIterator[tuple[ConnectionStore, ConnectionStore]]:
    """Two stores that aren't connected yet; the first one's side is to be polite."""
    make = partial(FakePeerConnection, network=FakeNetwork())
    configuration = Configuration(close_timeout_seconds=0.02)
    one, other = (
        ConnectionStore(configuration, peer_connection_factory=make, engine=engine, label=label)
        for label in ("alice", "bob")
    )
    async with asyncio.timeout(LIMIT_SECONDS), one, other:
        yield one, other


async def connect(alice: ConnectionStore, bob: ConnectionStore, **options: object) -> None:
    here, there = memory_pipe("kitchen")
    await alice.connect(here, FIRST, name="alice", **options)  # type: ignore[arg-type]
    await bob.connect(there, SECOND, name="bob", **options)  # type: ignore[arg-type]


async def are_connected(*pair: ConnectionStore) -> None:
    await asyncio.gather(*(store.wait_for_connected() for store in pair))


def library(store: ConnectionStore) -> FakePeerConnection:
    return cast(FakePeerConnection, store.snapshot.peer_connection)


async def hear_each_other(one: ConnectionStore, other: ConnectionStore) -> None:
    for speaker, listener in ((one, other), (other, one)):
        heard = listener.messages()
        speaker.send("do you hear me?")
        assert await anext(heard) == "do you hear me?"


@pytest.mark.parametrize("engine", ["compiled", "transitions"])
async def test_of_two_first_offers_one_yields_and_its_channel_with_it(engine: str) -> None:
    async with stores(engine) as (alice, bob):
        yields: list[ExchangeState] = []
        here, there = memory_pipe("kitchen")
        await alice.connect(here, FIRST)
        exchange = alice.machines["alice.exchange"]
        exchange.observe(lambda machine, _: yields.append(machine.state))
        alice.subscribe(lambda key: key and alice.negotiate(), select=lambda state: state.remote_public_key)
        await bob.connect(there, SECOND)
        await are_connected(alice, bob)
        assert ExchangeState.YIELDING in yields
        for store in (alice, bob):
            channels = library(store).data_channels
            assert [one for one in channels if one.ready_state is DataChannelState.OPEN] == [
                store.snapshot.data_channel
            ]
        await hear_each_other(alice, bob)


async def test_an_answer_with_another_certificate_is_no_answer_for_this_connection() -> None:
    async with stores() as (alice, bob):
        await connect(alice, bob)
        await are_connected(alice, bob)
        before = library(alice)
        bob.create_peer_connection()  # as a program does that begins anew in the middle of a call
        alice.negotiate()
        await alice.wait_until(lambda state: state.peer_connection not in (None, before))
        await are_connected(alice, bob)
        assert alice.snapshot.error is None
        await hear_each_other(alice, bob)


@pytest.mark.parametrize("engine", ["compiled", "transitions"])
async def test_a_lost_call_is_had_back_and_the_snapshot_tells_it(engine: str) -> None:
    async with stores(engine) as (alice, bob):
        await connect(alice, bob)
        await are_connected(alice, bob)
        seen: list[ConnectionSnapshot] = []
        alice.subscribe(seen.append)
        heard = bob.messages()
        library(alice).library.lose()
        await alice.wait_until(lambda state: state.error is not None)
        assert isinstance(alice.snapshot.error, ConnectionFailedError)
        assert "is lost" in str(alice.snapshot.error)
        await alice.wait_until(lambda state: state.error is None)
        await are_connected(alice, bob)
        statuses = [*dict.fromkeys(state.peer_connection_status.value for state in seen)]
        assert statuses[0] == "connected"
        assert {"closed", "new", "connecting"} <= {*statuses}
        alice.send("here again")
        assert await anext(heard) == "here again", "a reader goes on over replaced connections"


async def test_without_recovery_a_lost_call_ends_and_says_why() -> None:
    async with stores() as (alice, bob):
        await connect(alice, bob, recovery=NO_RECOVERY)
        await are_connected(alice, bob)
        library(alice).library.lose()
        state = await alice.wait_until(lambda state: state.peer_connection_status == "Disconnected")
        failure = cast(ConnectionFailedError, state.error).failure
        assert getattr(failure, "was_lost", False)


async def test_an_operation_that_fails_ends_the_call_with_a_failure_and_its_advice() -> None:
    async with stores() as (alice, bob):
        make = bob._options.peer_connection_factory

        def failing(*arguments: object, **options: object) -> FakePeerConnection:
            made = cast(FakePeerConnection, make(*arguments, **options))  # type: ignore[arg-type]
            made.library.fail_next("create_offer")
            return made

        object.__setattr__(bob._options, "peer_connection_factory", failing)
        await connect(alice, bob)
        state = await bob.wait_until(lambda state: isinstance(state.error, ConnectionFailedError))
        error = cast(ConnectionFailedError, state.error)
        assert isinstance(error.__cause__, OperationError)
        assert error.failure is not None
        assert error.failure.advice in str(error)


async def test_who_is_not_trusted_knows_it_by_the_code() -> None:
    async with stores() as (alice, bob):
        here, there = memory_pipe("kitchen")
        await alice.connect(here, FIRST, trust=Allowlist([]))
        await bob.connect(there, SECOND)
        state = await bob.wait_until(lambda state: isinstance(state.error, ConnectionFailedError))
        failure = cast(ConnectionFailedError, state.error).failure
        assert failure is not None
        assert getattr(failure, "end_code", None) is EndCode.NOT_TRUSTED


async def test_a_wait_for_the_connection_outlasts_a_recovery() -> None:
    async with stores() as (alice, bob):
        await connect(alice, bob)
        await are_connected(alice, bob)
        library(alice).library.lose()
        await alice.wait_until(lambda state: state.error is not None)
        await are_connected(alice, bob)
        await hear_each_other(alice, bob)

"""Pairs in memory under any order of operations, by each engine."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings

from fsm_rtc.engine import Journal
from fsm_rtc.peer import PeerConnection
from fsm_rtc.testing import FakeNetwork, FakePeerConnection
from tests.peer.orderings import BEGINNINGS, MOVES, Move, World

pytestmark = pytest.mark.usefixtures("young_heap")

EXAMPLES = min(100, settings().max_examples)


async def play(engine: str, moves: list[Move]) -> None:
    network = FakeNetwork()

    def make(label: str, journal: Journal) -> PeerConnection:
        return FakePeerConnection(network=network, engine=engine, journal=journal, label=label)

    await World(make).play(moves)


@pytest.mark.parametrize("engine", ["compiled", "transitions"])
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(BEGINNINGS, MOVES)
def test_pairs_raise_only_named_errors_connect_when_they_can_and_leave_nothing(
    engine: str, beginning: list[Move], moves: list[Move]
) -> None:
    asyncio.run(play(engine, [*beginning, *moves]))

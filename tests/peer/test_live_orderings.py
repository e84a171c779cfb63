"""Live pairs on loopback under any order of operations."""

from __future__ import annotations

import asyncio
import gc
import socket

import pytest
from hypothesis import HealthCheck, given, settings

from fsm_rtc.engine import Journal
from fsm_rtc.peer import Configuration, PeerConnection
from tests.peer.orderings import BEGINNINGS, FINISHED, MOVES, Move, World

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("young_heap")]


def make(label: str, journal: Journal) -> PeerConnection:
    return PeerConnection(Configuration(loopback=True), journal=journal, label=label)


async def play(moves: list[Move]) -> World:
    world = World(make)
    await world.play(moves)
    assert open_sockets() == []
    return world


def open_sockets() -> list[socket.socket]:
    """The UDP sockets that nobody has closed."""
    found = (one for one in gc.get_objects() if isinstance(one, socket.socket))
    return [one for one in found if one.type == socket.SOCK_DGRAM and one.fileno() != -1]


# An example takes some 50 ms, so there are fewer than by default.
EXAMPLES = max(5, min(40, settings().max_examples // 4))


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(BEGINNINGS, MOVES)
def test_live_pairs_raise_only_named_errors_connect_when_they_can_and_leave_nothing(
    beginning: list[Move], moves: list[Move]
) -> None:
    asyncio.run(play([*beginning, *moves]))


@pytest.mark.parametrize("after", range(6))
async def test_a_connection_that_is_closed_while_it_gathers_leaves_no_socket(after: int) -> None:
    await play([Move("local", 0, 0, after), Move("close", 0, 0, 0)])


@pytest.mark.parametrize("after", range(0, 12, 3))
async def test_a_connection_that_is_closed_during_its_last_check_leaves_no_task(after: int) -> None:
    await play([*FINISHED, Move("local", 0, 0, None), Move("create", 0, 0, after), Move("close", 0, 0, 0)])


async def test_an_undisturbed_exchange_has_no_rejected_report_at_all() -> None:
    world = await play(FINISHED)
    assert [entry for entry in world.journal.entries() if not entry.accepted] == []
    labels = {entry.label for entry in world.journal.entries()}
    assert {"one.ice", "one.dtls", "one.gathering", "other.negotiation"} <= labels

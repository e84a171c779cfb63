"""Peers of ours and of other stacks on the hosts of one network, each in one process for all tests of a module.

``--rounds 10`` tries everything ten times, each time with calls of its own. ``--table FILE`` writes what came of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from tests.interop.calls import Calls
from tests.interop.peer import Peer
from tests.interop.stacks import OURS, STACKS, Workshop
from tests.interop.table import Table
from tests.network.topology import Network, network


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("interoperation with other stacks")
    group.addoption("--rounds", type=int, default=1, help="how often everything is tried")
    group.addoption("--table", default=None, metavar="FILE", help="write the table of docs/interop.md into this file")


def pytest_configure(config: pytest.Config) -> None:
    if path := config.getoption("--table", default=None):
        config.pluginmanager.register(Table(path), "interop-table")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of a call is one for each round, each who offers and each stack that can say what it tries."""
    names = metafunc.fixturenames
    if "theirs" in names:
        able = [stack for stack in STACKS.values() if metafunc.function.__name__ not in stack.lacks]
        metafunc.parametrize("stack", able, ids=[stack.name for stack in able], scope="module", indirect=True)
    if "we_offer" in names:
        metafunc.parametrize("we_offer", [True, False], ids=["we offer", "they offer"], scope="module")
    if "turn" in names:
        rounds = metafunc.config.getoption("--rounds", default=1)
        metafunc.parametrize("turn", range(1, rounds + 1), ids=lambda turn: f"round {turn}", scope="module")


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("interop"))


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours(workshop: Workshop, net: Network) -> AsyncIterator[Peer]:
    async with OURS.start(workshop, net.here) as (peer, _):
        yield peer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(request: pytest.FixtureRequest, workshop: Workshop, net: Network) -> AsyncIterator[tuple[Peer, str]]:
    """A peer of the stack that the test is for, and its version."""
    async with request.param.start(workshop, net.there) as started:
        yield started


@pytest.fixture
def theirs(stack: tuple[Peer, str], record_property: Any) -> Peer:
    peer, version = stack
    record_property("stack", version)
    return peer


@pytest.fixture(scope="module")
def calls_of_a_round(ours: Peer, stack: tuple[Peer, str], we_offer: bool, turn: int) -> Calls:
    theirs, _ = stack
    return Calls(ours, theirs) if we_offer else Calls(theirs, ours)


@pytest.fixture
def calls(calls_of_a_round: Calls, theirs: Peer) -> Calls:
    """The calls of a row of the table in a round."""
    return calls_of_a_round

"""What a library owes whoever is in front of it, asked of the one in memory and of the real one alike.

Above all: an object that is in a state already when somebody begins to look at it tells so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from fsm_rtc.engine import Journal
from fsm_rtc.peer import Configuration, DataChannel, PeerConnection
from fsm_rtc.testing import FakeNetwork, FakePeerConnection
from tests.peer.peers import connected, exchange, opened, rejections, until

pytestmark = pytest.mark.live

Make = Callable[[], PeerConnection]


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest_asyncio.fixture(params=["in memory", "real"])
async def make(request: pytest.FixtureRequest, journal: Journal) -> AsyncIterator[Make]:
    """Makes peers of one library; closes them in the end."""
    made: list[PeerConnection] = []
    network = FakeNetwork()

    def make_peer() -> PeerConnection:
        label = f"peer{len(made)}"
        if request.param == "in memory":
            made.append(FakePeerConnection(network=network, journal=journal, label=label))
        else:
            made.append(PeerConnection(Configuration(loopback=True), journal=journal, label=label))
        return made[-1]

    yield make_peer
    for peer in made:
        await peer.close()


@pytest_asyncio.fixture
async def call(make: Make) -> tuple[PeerConnection, PeerConnection]:
    """Two that are connected, with an open channel."""
    one, other = make(), make()
    first = one.create_data_channel("first")
    await exchange(one, other)
    await connected(one, other)
    await opened(first)
    return one, other


def late(peer: PeerConnection, number: int = 50) -> DataChannel:
    return peer.create_data_channel("late", negotiated=True, id=number)


async def test_a_negotiated_channel_that_is_made_late_opens_behind_whoever_made_it(
    call: tuple[PeerConnection, PeerConnection],
) -> None:
    channels = [late(peer) for peer in call]
    told: list[str] = []
    for channel in channels:
        assert channel.ready_state == "connecting"
        channel.on("open", lambda: told.append("open"))
    await opened(*channels)
    assert told == ["open", "open"]
    heard: list[str | bytes] = []
    channels[1].on("message", heard.append)
    channels[0].send("hello")
    await until(channels[1], "message", lambda: heard == ["hello"])


async def test_a_negotiated_channel_opens_whether_or_not_the_other_side_has_made_its_own(
    call: tuple[PeerConnection, PeerConnection],
) -> None:
    await opened(late(call[0]))


async def test_a_negotiated_channel_that_is_made_before_the_connection_opens_with_it(make: Make) -> None:
    one, other = make(), make()
    channels = [late(peer) for peer in (one, other)]
    await exchange(one, other)
    await opened(*channels)


async def test_each_channel_is_told_to_be_open_once(
    call: tuple[PeerConnection, PeerConnection], journal: Journal
) -> None:
    one, other = call
    announced: list[DataChannel] = []
    other.on("datachannel", announced.append)
    mine = one.create_data_channel("in band")
    await opened(mine, late(one), late(other))
    await until(other, "datachannel", lambda: len(announced) == 1)
    assert announced[0].ready_state == "open"
    assert [entry for entry in rejections(journal) if entry.trigger == "on_open"] == []


async def test_a_channel_of_a_live_connection_closes_and_another_one_takes_its_number(
    call: tuple[PeerConnection, PeerConnection],
) -> None:
    one, other = call
    channels = [late(peer) for peer in (one, other)]
    await opened(*channels)
    channels[0].close()
    for channel in channels:
        await until(channel, "close", lambda channel=channel: channel.ready_state == "closed")  # type: ignore[misc]
    again = [late(peer) for peer in (one, other)]
    await opened(*again)

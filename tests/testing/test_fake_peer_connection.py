"""FakePeerConnection: it goes the way that a live pair goes, and does what a test tells it to."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

import pytest

from fsm_rtc.engine import Entry, Journal
from fsm_rtc.errors import InvalidAccessError, OperationError
from fsm_rtc.peer import Configuration, PeerConnection
from fsm_rtc.testing import FakeNetwork, FakePeerConnection, FakeTrack
from tests.instant_loop import InstantLoop
from tests.peer.peers import announced, answer_of, connected, exchange, offer_of, opened, turns, until

Script = Callable[[PeerConnection, PeerConnection], Awaitable[None]]


async def call_with_channel(one: PeerConnection, other: PeerConnection) -> None:
    """Connect, send both ways, close."""
    here = one.create_data_channel("chat")
    await exchange(one, other)
    await connected(one, other)
    await opened(here)
    there = await announced(other)
    here.send("ping")
    await until(there, "message", _one_message(there))
    await one.close()
    await until(other, "connectionstatechange", lambda: other.connection_state == "closed")


async def call_with_media(one: PeerConnection, other: PeerConnection) -> None:
    """Connect with a video section, offer again from the other side."""
    one.add_transceiver("video")
    await exchange(one, other)
    await connected(one, other)
    await exchange(other, one)
    await other.close()
    await until(one, "connectionstatechange", lambda: one.connection_state == "closed")


async def call_with_channel_closed(one: PeerConnection, other: PeerConnection) -> None:
    """Close the channel before the connection."""
    here = one.create_data_channel("chat")
    await exchange(one, other)
    await connected(one, other)
    await opened(here)
    there = await announced(other)
    here.close()
    await until(here, "close", lambda: here.ready_state == "closed")
    await until(there, "close", lambda: there.ready_state == "closed")
    await one.close()
    await until(other, "connectionstatechange", lambda: other.connection_state == "closed")


async def call_with_channels_on_both_sides(one: PeerConnection, other: PeerConnection) -> None:
    """Channels that both sides made with one number."""
    channels = [peer.create_data_channel("same", negotiated=True, id=3) for peer in (one, other)]
    await exchange(one, other)
    await connected(one, other)
    await opened(*channels)
    await one.close()
    await until(other, "connectionstatechange", lambda: other.connection_state == "closed")


async def call_that_grows(one: PeerConnection, other: PeerConnection) -> None:
    """Media first, then from the other side a channel, then more media."""
    one.add_transceiver("audio")
    await exchange(one, other)
    await connected(one, other)
    here = other.create_data_channel("chat")
    await exchange(other, one)
    await opened(here)
    one.add_transceiver("video")
    await exchange(one, other)
    await one.close()
    await until(other, "connectionstatechange", lambda: other.connection_state == "closed")


async def call_with_offers_that_cross(one: PeerConnection, other: PeerConnection) -> None:
    """Two offers at once; the first side's is taken back."""
    here = one.create_data_channel("chat")
    await exchange(one, other)
    await connected(one, other)
    await opened(here)
    one.add_transceiver("video")
    other.add_transceiver("audio")
    await offer_of(one)
    offer = await offer_of(other)
    await other.set_remote_description(await answer_of(one, offer))
    await exchange(one, other)
    await one.close()
    await until(other, "connectionstatechange", lambda: other.connection_state == "closed")


def _one_message(channel: object) -> Callable[[], bool]:
    messages: list[object] = []
    channel.on("message", messages.append)  # type: ignore[attr-defined]
    return lambda: bool(messages)


async def ways(script: Script, make: Callable[[str, Journal], PeerConnection]) -> dict[str, list[str]]:
    """The states that each machine went through."""
    journal = Journal()
    peers = [make(label, journal) for label in ("one", "other")]
    async with asyncio.timeout(20):
        await script(*peers)
    for peer in peers:
        await peer.close()
    found: dict[str, list[str]] = {}
    for record in journal:
        if not isinstance(record, Entry):
            found[record.label] = [record.state]
        elif record.accepted and record.source != record.target:
            found[record.label].append(record.target)
    return found


def make_live(label: str, journal: Journal) -> PeerConnection:
    return PeerConnection(Configuration(loopback=True), journal=journal, label=label)


SCRIPTS = [
    call_with_channel,
    call_with_media,
    call_with_channel_closed,
    call_with_channels_on_both_sides,
    call_that_grows,
    call_with_offers_that_cross,
]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
@pytest.mark.live
async def test_a_pair_in_memory_goes_the_way_of_a_live_one(script: Script) -> None:
    network = FakeNetwork()
    fake = await ways(script, lambda label, journal: FakePeerConnection(network=network, journal=journal, label=label))
    live = await ways(script, make_live)
    # The transports of the pair in memory only report: nothing is gathered or checked, so no table of ours decides it.
    assert fake == {
        label: way for label, way in live.items() if not label.endswith((".ice_transport", ".ice_gatherer"))
    }


def test_it_is_made_like_a_peer_connection() -> None:
    fake = inspect.signature(FakePeerConnection).parameters
    real = inspect.signature(PeerConnection).parameters
    assert fake.keys() - {"network"} == real.keys() - {"backend"}
    assert {name: fake[name].default for name in fake.keys() - {"network"}} == {
        name: real[name].default for name in real.keys() - {"backend"}
    }


async def test_pairs_of_two_networks_do_not_meet() -> None:
    one, other = (FakePeerConnection(network=FakeNetwork()) for _ in range(2))
    one.create_data_channel("chat")
    await exchange(one, other)
    await turns()
    assert (one.connection_state, other.connection_state) == ("new", "new")
    await one.close()
    await other.close()


async def test_only_the_next_operation_of_that_name_fails_with_the_given_error() -> None:
    peer = FakePeerConnection()
    peer.add_track(FakeTrack("audio"))
    peer.library.fail_next("create_offer", InvalidAccessError("mine"))
    peer.library.fail_next("set_local_description")
    with pytest.raises(InvalidAccessError, match="mine"):
        await peer.create_offer()
    await peer.create_offer()
    with pytest.raises(OperationError, match="set_local_description was told to fail"):
        await peer.set_local_description()
    await peer.set_local_description()
    assert peer.library.operations == [
        *["create_offer"] * 2,
        *["create_offer", "set_local_description"] * 2,
    ]
    await peer.close()


async def test_what_is_held_goes_on_when_it_is_released() -> None:
    peer = FakePeerConnection()
    peer.add_transceiver("audio")
    peer.library.hold()
    pending = asyncio.ensure_future(offer_of(peer))
    await turns()
    assert not pending.done()
    assert peer.library.operations == ["create_offer"]
    peer.library.release()
    assert (await pending).type == "offer"
    await peer.close()


async def test_a_side_that_vanishes_is_noticed_and_itself_notices_nothing() -> None:
    one, other = FakePeerConnection(), FakePeerConnection()
    one.create_data_channel("chat")
    await exchange(one, other)
    await connected(one, other)
    states: list[str] = []
    other.on("connectionstatechange", lambda: states.append(other.connection_state.value))
    one.library.vanish()
    await until(other, "connectionstatechange", lambda: other.connection_state == "closed")
    assert states == ["failed", "closed"]
    assert one.connection_state == "connected"
    await one.close()
    await other.close()


def test_one_that_dies_is_not_heard_again_and_missed_by_its_consent_alone() -> None:
    async def play() -> None:
        network, clock = FakeNetwork(), asyncio.get_running_loop().time
        one, other = FakePeerConnection(network=network), FakePeerConnection(network=network)
        channel = one.create_data_channel("chat")
        await exchange(one, other)
        await opened(channel)
        there = await announced(other)
        heard: list[str | bytes] = []
        there.on("message", heard.append)
        died, states = clock(), list[tuple[float, str]]()
        other.on("connectionstatechange", lambda: states.append((clock() - died, other.connection_state.value)))
        one.library.die()
        there.send("nobody hears this")
        network.heal()
        await asyncio.sleep(60)
        assert states == [(5.0, "disconnected"), (30.0, "failed")]
        assert heard == []
        await one.close()
        await other.close()

    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        runner.run(play())


async def test_tracks_come_by_kind_and_candidates_are_kept_for_the_test_to_see() -> None:
    one, other = FakePeerConnection(), FakePeerConnection()
    one.add_track(FakeTrack("audio"))
    kinds: list[str] = []
    other.on("track", lambda event: kinds.append(event.track.kind))
    await other.set_remote_description(await offer_of(one))
    for candidate in one.local_candidates:
        await other.add_ice_candidate(candidate)
    assert kinds == ["audio"]
    assert other.library.remote_candidates == list(one.local_candidates)
    await one.close()
    await other.close()

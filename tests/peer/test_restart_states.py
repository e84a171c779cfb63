"""What an ICE restart does to the states: never `new`, and a connection that works stays connected."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fsm_rtc.engine import Journal
from fsm_rtc.peer import PeerConnection, SessionDescription
from tests.peer.conftest import MakeLive
from tests.peer.peers import connected, exchange, make_impatient, opened, paths_of, rejections, until

pytestmark = pytest.mark.live


def transports(peer: PeerConnection) -> list[Any]:
    return [path.ice for path in paths_of(peer)]


async def completed(*peers: PeerConnection) -> None:
    for peer in peers:
        await until(peer, "iceconnectionstatechange", lambda peer=peer: peer.ice_connection_state == "completed")  # type: ignore[misc]


async def test_a_restart_in_completed_goes_by_connected_and_the_connection_stays_connected(
    live: MakeLive, journal: Journal
) -> None:
    one, other = live("one"), live("other")
    channel = one.create_data_channel("chat")
    await exchange(one, other)
    await connected(one, other)
    await opened(channel)
    await completed(one, other)
    begun = {label: len(journal.entries(f"{label}.ice")) for label in ("one", "other")}
    told: list[str] = []
    one.on("connectionstatechange", lambda: told.append(one.connection_state))
    one.restart_ice()
    await exchange(one, other)
    for peer in (one, other):
        (ice,) = transports(peer)
        await until(
            peer,
            "iceconnectionstatechange",
            lambda ice=ice: ice.selectedCandidatePairChanges == 2,  # type: ignore[misc]
        )
    await completed(one, other)
    for label in ("one", "other"):
        states = [entry.target for entry in journal.entries(f"{label}.ice")[begun[label] :]]
        assert states == ["connected", "completed"]
    assert told == []
    assert [entry for entry in rejections(journal) if entry.label.endswith(".ice")] == []


async def test_a_restart_has_a_gatherer_of_its_own_and_one_that_is_not_used_has_no_machine(
    live: MakeLive, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsm_rtc.peer.ice.transport.OUTLIVES_SECONDS", 0.01)
    one, other = live("one"), live("other")
    channel = one.create_data_channel("chat")
    await exchange(one, other)
    await opened(channel)
    await completed(one, other)
    first, is_over = one.machines["one.ice_gatherer"], asyncio.Event()
    first.observe(lambda *_: is_over.set())
    one.restart_ice()
    await one.create_offer()
    await exchange(one, other)
    await until(one, "iceconnectionstatechange", lambda: transports(one)[0].selectedCandidatePairChanges == 2)
    await is_over.wait()
    assert [entry.trigger for entry in journal.entries("one.ice_gatherer")] == ["gather", "on_complete", "close"]
    assert [entry.trigger for entry in journal.entries("one.ice_gatherer#2")] == ["gather", "on_complete"]
    gatherers = {label: machine.state for label, machine in one.machines.items() if "gatherer" in label}
    assert gatherers == {"one.ice_gatherer#2": "complete"}
    assert [entry for entry in rejections(journal) if "gather" in entry.label] == []


async def test_a_failed_connection_is_rescued_by_a_restart_and_its_channel_lives_on(
    live: MakeLive, journal: Journal
) -> None:
    one, other = live("one"), live("other")
    channel = one.create_data_channel("chat")
    await exchange(one, other)
    await connected(one, other)
    await opened(channel)
    make_impatient(one, other)
    for peer in (one, other):
        for ice in transports(peer):
            for protocol in ice.iceGatherer.agent._protocols:
                protocol.transport.close()
    for peer in (one, other):
        await until(peer, "connectionstatechange", lambda peer=peer: peer.connection_state == "failed")  # type: ignore[misc]
    one.restart_ice()
    await exchange(one, other)
    await connected(one, other)
    heard: list[str | bytes] = []
    other.data_channels[0].on("message", heard.append)
    channel.send("still there")
    await until(other.data_channels[0], "message", lambda: heard == ["still there"])
    states = [entry.target for entry in journal.entries("one.ice")]
    assert states[states.index("failed") + 1 :][:2] == ["checking", "connected"]


@pytest.mark.parametrize("way", ["the offer is replaced", "its answer is lost", "a provisional answer", "thrice"])
async def test_a_restart_before_the_first_answer_connects(live: MakeLive, way: str) -> None:
    one, other = live("one"), live("other")
    channel = one.create_data_channel("chat")
    await one.set_local_description()
    if way == "its answer is lost":
        await other.set_remote_description(described(one))
        await other.set_local_description()
    for _ in range(3 if way == "thrice" else 1):
        one.restart_ice()
        await one.set_local_description()
    await other.set_remote_description(described(one))
    answer = await other.create_answer()
    if way == "a provisional answer":
        await other.set_local_description(SessionDescription("pranswer", answer.sdp))
        await one.set_remote_description(described(other))
        answer = await other.create_answer()
    await other.set_local_description(answer)
    await one.set_remote_description(described(other))
    await connected(one, other)
    await opened(channel)


def described(peer: PeerConnection) -> SessionDescription:
    assert peer.local_description is not None
    return peer.local_description

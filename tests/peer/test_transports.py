"""What a library reports: followed where the table expects it, else rejected, read again and adopted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from fsm_rtc.engine import Journal
from fsm_rtc.peer.backend import Report
from fsm_rtc.testing.fake_backend import FakeBackend
from tests.peer.conftest import MakeFake
from tests.peer.peers import reasons, turns


async def test_a_report_that_the_table_expects_moves_the_machine(make: MakeFake, journal: Journal) -> None:
    peer = make()
    seen: list[str] = []
    peer.on("iceconnectionstatechange", lambda: seen.append(peer.ice_connection_state.value))
    for value in ("checking", "completed", "disconnected"):
        peer.library.report("ice", value)
    assert seen == ["checking", "completed", "disconnected"]
    assert reasons(journal) == []


async def test_a_report_of_the_present_state_changes_nothing_and_tells_nothing(
    make: MakeFake, journal: Journal
) -> None:
    peer = make()
    peer.library.report("ice", "checking")
    seen: list[str] = []
    peer.on("iceconnectionstatechange", lambda: seen.append("changed"))
    peer.library.report("ice", "checking")
    await turns()
    assert seen == []
    assert reasons(journal) == [("on_checking", "already there")]


async def test_an_unexpected_report_is_rejected_read_again_in_the_next_turn_and_adopted(
    make: MakeFake, journal: Journal
) -> None:
    peer = make()
    seen: list[str] = []
    peer.on("connectionstatechange", lambda: seen.append(peer.connection_state.value))
    peer.library.report("dtls", "connected")
    assert peer.machines["peer.dtls"].state == "new"
    assert reasons(journal) == [("on_connected", "no row")]
    await turns(2)
    assert peer.machines["peer.dtls"].state == "connected"
    assert journal.entries("peer.dtls")[-1].trigger == "on_desync"
    assert seen == ["connecting"]


async def test_what_the_library_took_back_by_the_next_turn_is_not_adopted(make: MakeFake, journal: Journal) -> None:
    peer = make()
    peer.library.report("dtls", "connected")
    peer.library.report("dtls", "connecting")
    peer.library.report("dtls", "connected")
    await turns()
    assert [(entry.trigger, entry.accepted) for entry in journal.entries("peer.dtls")] == [
        ("on_connected", False),
        ("on_connecting", True),
        ("on_connected", True),
    ]


@pytest.mark.parametrize("what", ["ice", "dtls", "gathering", "sctp"])
async def test_an_unknown_report_is_rejected_and_never_stored(make: MakeFake, journal: Journal, what: Report) -> None:
    peer = make()
    peer.library.report("sctp", "connected")
    peer.library.report(what, "upside-down")
    await turns()
    assert reasons(journal, f"peer.{what}") == [("on_upside_down", "unknown report")]
    assert "upside-down" not in {machine.state.value for machine in peer.machines.values()}


async def test_a_closed_connection_reads_nothing_again(make: MakeFake) -> None:
    peer = make()
    peer.library.report("dtls", "connected")
    closing = asyncio.ensure_future(peer.close())
    await closing
    await turns()
    assert peer.machines["peer.dtls"].state == "closed"


async def test_several_transports_are_derived_together(make: MakeFake) -> None:
    peer = make()
    seen: list[str] = []
    peer.on("connectionstatechange", lambda: seen.append(peer.connection_state.value))
    for transport in (0, 1):
        peer.reported("ice", transport, "checking")
        peer.reported("ice", transport, "completed")
        peer.reported("dtls", transport, "connecting")
        peer.reported("dtls", transport, "connected")
    assert list(peer.machines)[-4:] == ["peer.ice", "peer.dtls", "peer.ice.2", "peer.dtls.2"]
    assert seen == ["connecting", "connected", "connecting", "connected"]
    peer.reported("dtls", 1, "failed")
    assert peer.connection_state == "failed"
    peer.reported("dtls", 1, "closed")
    assert peer.connection_state == "connected"


async def test_the_gathering_state_is_that_of_all_gatherers(make: MakeFake, journal: Journal) -> None:
    peer = make()
    seen: list[str] = []
    peer.on("icegatheringstatechange", lambda: seen.append(peer.ice_gathering_state.value))
    for transport, value in ((0, "gathering"), (0, "complete"), (1, "gathering"), (1, "complete"), (2, "new")):
        peer.reported("gathering", transport, value)
    assert seen == ["gathering", "complete", "gathering", "complete", "new"]
    assert reasons(journal) == []


async def test_after_an_unknown_gathering_report_all_gatherers_are_read_and_followed_on(
    make: MakeFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(library: FakeBackend, what: Report) -> Mapping[int, str]:
        return {0: "complete", 1: "gathering"} if what == "gathering" else {}

    monkeypatch.setattr(FakeBackend, "read", read)
    peer = make()
    peer.reported("gathering", 0, "complete")
    peer.reported("gathering", 1, "garbage")
    await turns()
    assert peer.ice_gathering_state == "gathering"
    peer.reported("gathering", 1, "complete")
    assert peer.ice_gathering_state == "complete"

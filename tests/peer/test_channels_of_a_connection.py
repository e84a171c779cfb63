"""The data channels of one peer connection: how the journal knows them, and that closed ones are let go."""

from __future__ import annotations

import pytest

from fsm_rtc.engine import Journal
from fsm_rtc.peer import reported
from tests.peer.conftest import MakeFake
from tests.peer.peers import announced, exchange, opened, until


async def test_channels_never_share_a_label_in_the_journal(make: MakeFake) -> None:
    peer = make()
    for label in ("a", "a", "2", "a.flow", "channel.3", "3", "a"):
        peer.create_data_channel(label)
    channels = [label for label in peer.machines if ".channel" in label]
    assert len(channels) == 14
    assert [channel.label for channel in peer.data_channels] == ["a", "a", "2", "a.flow", "channel.3", "3", "a"]


async def test_a_closed_channel_is_let_go_and_its_journal_stays(make: MakeFake, journal: Journal) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    offerer.create_data_channel("first")
    await exchange(offerer, answerer)
    await announced(answerer)
    machines = set(answerer.machines)
    for _ in range(3):
        ours = offerer.create_data_channel("again")
        await opened(ours)
        theirs = answerer.data_channels[-1]
        ours.close()
        await until(theirs, "close", lambda theirs=theirs: theirs.ready_state == "closed")  # type: ignore[misc]
    assert set(answerer.machines) == machines
    assert [channel.label for channel in answerer.data_channels] == ["first"]
    closed = [one.label for one in journal.entries() if one.trigger == "on_closed" and one.label.startswith("answerer")]
    assert len(closed) == len(set(closed)) == 3


async def test_one_channel_too_many_of_the_other_side_is_closed_and_counted(
    make: MakeFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reported, "MAX_ANNOUNCED_CHANNELS", 2)
    offerer, answerer = make("offerer"), make("answerer")
    first = offerer.create_data_channel("first")
    await exchange(offerer, answerer)
    await announced(answerer)
    await opened(offerer.create_data_channel("second"))
    third = offerer.create_data_channel("third")
    await until(third, "close", lambda: third.ready_state == "closed")
    assert [channel.label for channel in answerer.data_channels] == ["first", "second"]
    assert answerer.refused_channels == 1
    first.close()
    await until(first, "close", lambda: first.ready_state == "closed")
    await opened(offerer.create_data_channel("fourth"))
    assert [channel.label for channel in answerer.data_channels] == ["second", "fourth"]
    for number in range(3):
        answerer.create_data_channel(f"own {number}")
    assert len(answerer.data_channels) == 5

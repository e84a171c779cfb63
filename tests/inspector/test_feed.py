"""The feed: a snapshot, then every change once and in order, however slowly a page takes it."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.inspector import RecordLog, feed
from tests.inspector.watched_machines import Follower, feed_of, journal_of, listeners, next_of, rejecting

pytestmark = pytest.mark.live


async def test_a_page_is_told_how_everything_stands_and_then_what_changes() -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    async with feed_of(journal).viewer() as viewer:
        snapshot = await next_of(viewer)
        assert (snapshot["type"], snapshot["name"], snapshot["live"], snapshot["first"]) == (
            "snapshot",
            "a test",
            True,
            0,
        )
        assert [row[1] for row in snapshot["machines"]] == ["offerer.signaling_link"]
        link.on_connected()
        changes = await next_of(viewer)
        assert (changes["type"], changes["first"], changes["machines"]) == ("changes", 1, [])
        assert changes["records"] == [[1, 2.0, 0, "on_connected", "Disconnected", "Connected", []]]


async def test_what_comes_together_is_told_together() -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    async with feed_of(journal).viewer() as viewer:
        await next_of(viewer)
        link.on_connected()
        link.on_disconnected()
        rejecting(journal, "offerer.negotiation")
        changes = await next_of(viewer)
        assert len(changes["records"]) == 4
        assert [row[1] for row in changes["machines"]] == ["offerer.negotiation"]
        assert [words["name"] for words in changes["charts"].values()] == ["Negotiation"]


async def test_a_batch_is_encoded_once_for_all_pages() -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    watched = feed_of(journal)
    async with watched.viewer() as one, watched.viewer() as other:
        await next_of(one)
        await next_of(other)
        link.on_connected()
        assert await anext(one) is await anext(other)


async def test_while_nobody_looks_the_journal_has_no_listener() -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    watched = feed_of(journal)
    assert listeners(journal) == 0
    async with watched.viewer() as viewer:
        await next_of(viewer)
        assert listeners(journal) == 1
        async with watched.viewer():
            pass
        assert listeners(journal) == 1
    assert listeners(journal) == 0
    link.on_connected()
    async with watched.viewer() as viewer:
        assert (await next_of(viewer))["machines"][0][6] == "Connected"


async def test_a_page_that_leaves_at_once_leaves_nothing_behind() -> None:
    journal, _ = journal_of("offerer.signaling_link")
    watched = feed_of(journal)
    before = asyncio.all_tasks()
    async with watched.viewer():
        pass
    assert (listeners(journal), watched.viewer_count) == (0, 0)
    assert asyncio.all_tasks() == before


async def test_only_the_latest_records_are_told_at_first() -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    for _ in range(10):
        link.reset()
    async with feed_of(journal, history=4).viewer() as viewer:
        snapshot = await next_of(viewer)
    assert (snapshot["first"], len(snapshot["records"])) == (7, 4)


async def test_a_machine_whose_records_are_dropped_is_still_shown_with_its_state_and_last_edge() -> None:
    journal, (link, busy) = journal_of("quiet.signaling_link", "busy.signaling_link", capacity=3)
    link.on_connected()
    for _ in range(5):
        busy.reset()
    async with feed_of(journal).viewer() as viewer:
        snapshot = await next_of(viewer)
    row = snapshot["machines"][0]
    assert (row[1], row[4], row[6]) == ("quiet.signaling_link", type(link).chart.digest, "Connected")
    assert row[9][3:6] == ["on_connected", "Disconnected", "Connected"]
    assert {words["name"] for words in snapshot["charts"].values()} == {"SignalingLink"}


async def test_a_finished_journal_is_told_whole() -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    link.on_connected()
    async with feed_of(RecordLog(journal), history=None, is_live=False).viewer() as viewer:  # type: ignore[arg-type]
        snapshot = await next_of(viewer)
    assert (snapshot["live"], len(snapshot["records"])) == (False, 2)


async def test_when_the_feed_is_closed_its_pages_end() -> None:
    journal, _ = journal_of("offerer.signaling_link")
    watched = feed_of(journal)
    async with watched.viewer() as viewer:
        await next_of(viewer)
        await watched.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(viewer)
    assert listeners(journal) == 0


async def test_what_comes_last_is_told_before_the_end() -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    watched = feed_of(journal, batch_seconds=1000.0)
    async with watched.viewer() as viewer:
        await next_of(viewer)
        link.on_connected()
        await watched.aclose()
        assert [row[3] for row in (await next_of(viewer))["records"]] == ["on_connected"]
        with pytest.raises(StopAsyncIteration):
            await anext(viewer)


async def test_a_feed_that_was_closed_may_be_looked_at_again() -> None:
    journal, _ = journal_of("offerer.signaling_link")
    watched = feed_of(journal)
    for _ in range(2):
        async with watched.viewer() as viewer:
            assert (await next_of(viewer))["type"] == "snapshot"
            await watched.aclose()


async def test_a_feed_that_fails_lets_its_pages_go(caplog: pytest.LogCaptureFixture) -> None:
    journal, (link,) = journal_of("offerer.signaling_link")
    watched = feed_of(journal)
    async with watched.viewer() as viewer:
        await next_of(viewer)
        watched._pending.append(None)  # type: ignore[arg-type]
        with pytest.raises(StopAsyncIteration):
            await anext(viewer)
    assert "the inspector's feed failed" in caplog.text
    assert listeners(journal) == 0
    link.on_connected()
    async with watched.viewer() as viewer:
        assert (await next_of(viewer))["machines"][0][6] == "Connected"


async def test_a_slow_page_loses_the_middle_and_is_told_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "WAITING_BATCHES", 3)
    journal, (link, other) = journal_of("offerer.signaling_link", "answerer.signaling_link")
    watched = feed_of(journal)
    async with watched.viewer() as slow, watched.viewer() as quick:
        await next_of(quick)
        for _ in range(10):
            link.on_connected()
            await next_of(quick)
            link.on_disconnected()
            await next_of(quick)
        other.on_connected()
        await next_of(quick)
        follower = Follower()
        for _ in range(3):  # the snapshot and the first batches, which waited
            follower.take(await next_of(slow))
        assert follower.told == [0, 1, 2, 3]
        link.reset()  # comes before the page can be told, so it is among what is missed
        follower.take(await next_of(slow))
        assert follower.missed == 20
        assert follower.states == {"offerer.signaling_link": "Disconnected", "answerer.signaling_link": "Connected"}
        link.on_connected()
        follower.take(await next_of(slow))
        assert follower.told == [0, 1, 2, 3, 24]


async def test_a_page_that_reads_nothing_makes_nothing_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "WAITING_BATCHES", 3)
    journal, (link,) = journal_of("offerer.signaling_link")
    watched = feed_of(journal)
    async with watched.viewer() as stuck, watched.viewer() as quick:
        await next_of(quick)
        for _ in range(50):
            link.reset()
            await next_of(quick)
        assert len(stuck._waiting) == 3
        assert stuck.missed == 48


async def test_a_burst_beyond_all_bounds_is_read_from_the_journals_own_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "WAITING_RECORDS", 10)
    journal, (link,) = journal_of("offerer.signaling_link")
    async with feed_of(journal, history=5).viewer() as viewer:
        follower = Follower()
        follower.take(await next_of(viewer))
        for _ in range(100):
            link.reset()
        link.on_connected()
        follower.take(await next_of(viewer))
        assert follower.snapshots == 2
        assert follower.states == {"offerer.signaling_link": "Connected"}
        assert len(follower.rows) == 5
        assert listeners(journal) == 1
        link.on_error()
        changes = await next_of(viewer)
        assert [row[3] for row in changes["records"]] == ["on_error"]


async def test_such_a_burst_takes_the_place_of_what_a_slow_page_has_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "WAITING_RECORDS", 10)
    journal, (link,) = journal_of("offerer.signaling_link")
    watched = feed_of(journal)
    async with watched.viewer() as slow, watched.viewer() as quick:
        await next_of(quick)
        link.on_connected()
        await next_of(quick)
        for _ in range(20):
            link.reset()
        assert (await next_of(quick))["type"] == "snapshot"
        assert len((await next_of(slow))["records"]) == len(journal)
        assert slow.is_idle


@given(st.lists(st.sampled_from(["event", "begin", "turn", "come", "leave"]), max_size=60), st.randoms())
def test_whenever_a_page_comes_it_is_told_everything_once(steps: list[str], chance: random.Random) -> None:
    async def told() -> None:
        journal, machines = journal_of("connection.0.signaling_link")
        watched = feed_of(journal)
        async with watched.viewer() as first:
            viewers = [(first, watched.viewer())]
            for step in steps:
                match step:
                    case "event":
                        chance.choice(machines).fire(chance.choice(["on_connected", "on_disconnected", "on_error"]))
                    case "begin":
                        machines.append(type(machines[0])())
                        journal.watch(machines[-1], f"connection.{len(machines)}.signaling_link")
                    case "turn":
                        await asyncio.sleep(0)
                    case "come":
                        context = watched.viewer()
                        viewers.append((await context.__aenter__(), context))
                    case "leave" if len(viewers) > 1:
                        _, context = viewers.pop()
                        await context.__aexit__(None, None, None)
            for viewer, _ in viewers:
                follower = Follower()
                while len(follower.told) < len(journal):
                    follower.take(await next_of(viewer))
                assert follower.told == list(range(len(journal)))
                assert follower.states == journal.states()
                for label in journal.states():
                    kept = [getattr(record, "trigger", None) for record in journal if record.label == label]
                    assert follower.told_of(label) == kept
            for _, context in viewers[1:]:
                await context.__aexit__(None, None, None)

    asyncio.run(told())

"""Who is told of a new snapshot, and when."""

import asyncio
import gc
from collections.abc import Callable
from contextlib import suppress

import pytest

from fsm_rtc.errors import Rejected
from fsm_rtc.store import ConnectionSnapshot, ConnectionStore, subscriptions
from tests.store.store_pairs import World, connect, turns


@pytest.fixture
def store() -> ConnectionStore:
    return ConnectionStore()


def test_a_subscriber_is_called_at_once_and_at_every_change(store: ConnectionStore) -> None:
    seen: list[ConnectionSnapshot] = []
    unsubscribe = store.subscribe(seen.append)
    store.set_connection_id("a")
    store.set_connection_id("a")
    store.set_connection_id("b")
    unsubscribe()
    unsubscribe()
    store.set_connection_id("c")
    assert [state.connection_id for state in seen] == [None, "a", "b"]


def test_with_select_only_a_change_of_what_is_selected_is_told(store: ConnectionStore) -> None:
    seen: list[str | None] = []
    store.subscribe(seen.append, select=lambda state: state.connection_id)
    store.set_signaling_status("Connected")
    store.set_connection_id("a")
    store.set_signaling_status("Error")
    assert seen == [None, "a"]


def test_a_subscriber_that_raises_is_logged_and_harms_nobody(
    store: ConnectionStore, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(state: ConnectionSnapshot) -> ConnectionSnapshot:
        raise ZeroDivisionError

    seen: list[ConnectionSnapshot] = []
    store.subscribe(lambda state: 1 / 0)
    store.subscribe(seen.append, select=broken)
    store.subscribe(seen.append)
    store.set_connection_id("a")
    assert [state.connection_id for state in seen] == [None, "a"]
    assert len([record for record in caplog.records if "raised" in record.message]) == 4


def test_a_subscriber_may_change_the_store_and_all_see_the_same_order(store: ConnectionStore) -> None:
    depth = 0
    first: list[str | None] = []
    last: list[str | None] = []

    def answer(state: ConnectionSnapshot) -> None:
        nonlocal depth
        depth += 1
        assert depth == 1, "a nested call"
        first.append(state.connection_id)
        if state.connection_id == "a":
            store.set_connection_id("b")
            assert store.snapshot.connection_id == "b"
        depth -= 1

    store.subscribe(answer)
    store.subscribe(lambda state: last.append(state.connection_id))
    store.set_connection_id("a")
    assert first == last == [None, "a", "b"]


def test_a_change_from_the_very_first_call_comes_after_it(store: ConnectionStore) -> None:
    seen: list[str | None] = []

    def answer(state: ConnectionSnapshot) -> None:
        seen.append(state.connection_id)
        if state.connection_id is None:
            store.set_connection_id("a")
            seen.append("end of the first call")

    store.subscribe(answer)
    assert seen == [None, "end of the first call", "a"]


def test_a_rejected_setter_raises_to_the_subscriber_that_called_it(store: ConnectionStore) -> None:
    caught: list[Rejected] = []

    def answer(state: ConnectionSnapshot) -> None:
        if state.connection_id == "a" and not caught:
            try:
                store.set_peer_connection_status("connected")
            except Rejected as rejected:
                caught.append(rejected)

    store.subscribe(answer)
    store.set_connection_id("a")
    assert len(caught) == 1
    assert store.snapshot.error is caught[0]


def test_who_subscribes_during_a_delivery_gets_the_present_snapshot_and_no_older_one(store: ConnectionStore) -> None:
    late: list[str | None] = []

    def answer(state: ConnectionSnapshot) -> None:
        if state.connection_id == "a":
            store.set_connection_id("b")
            store.set_connection_id("c")
            store.subscribe(lambda state: late.append(state.connection_id))

    store.subscribe(answer)
    store.set_connection_id("a")
    assert late == ["c"]
    store.set_connection_id("d")
    assert late == ["c", "d"]


def test_who_is_unsubscribed_during_a_delivery_is_not_called_any_more(store: ConnectionStore) -> None:
    seen: list[str | None] = []
    later: list[Callable[[], None]] = []
    store.subscribe(lambda state: [unsubscribe() for unsubscribe in later])
    later.append(store.subscribe(lambda state: seen.append(state.connection_id)))
    store.set_connection_id("a")
    assert seen == [None]


def test_a_circle_of_subscribers_is_cut(
    store: ConnectionStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "DELIVERY_LIMIT", 50)
    store.subscribe(lambda state: store.set_connection_id(f"{state.connection_id}x"))
    assert "break the circle" in caplog.text
    assert len(store.snapshot.connection_id or "") == len("None") + 51


def test_an_asynchronous_subscriber_is_refused(store: ConnectionStore) -> None:
    async def subscriber(state: ConnectionSnapshot) -> None: ...

    with pytest.raises(TypeError, match="changes"):
        store.subscribe(subscriber)
    with pytest.raises(TypeError, match="called"):
        store.subscribe(None)  # type: ignore[call-overload]


async def test_subscribers_are_told_when_the_channel_moves_though_the_field_is_the_same(world: World) -> None:
    offerer, answerer = world.pair()
    whole: list[str] = []
    selected: list[str] = []
    by_state: list[str] = []
    offerer.store.subscribe(lambda state: whole.append(state.data_channel.ready_state if state.data_channel else "-"))
    offerer.store.subscribe(
        lambda channel: selected.append(channel.ready_state if channel else "-"), lambda state: state.data_channel
    )
    offerer.store.subscribe(
        by_state.append, lambda state: state.data_channel.ready_state if state.data_channel else "-"
    )
    await connect(offerer, answerer)
    offerer.channel.close()
    await turns()
    assert list(dict.fromkeys(whole)) == ["-", "connecting", "open", "closing", "closed"]
    assert selected == by_state == ["-", "connecting", "open", "closing", "closed"]


class TestChanges:
    async def test_the_present_snapshot_comes_first_then_the_latest(self, store: ConnectionStore) -> None:
        changes = store.changes()
        assert (await anext(changes)).connection_id is None
        for number in range(5):
            store.set_connection_id(str(number))
        assert (await anext(changes)).connection_id == "4"

    async def test_a_reader_waits_for_the_next_change(self, store: ConnectionStore) -> None:
        changes = store.changes()
        await anext(changes)
        for name in ("a", "b"):
            waiting = asyncio.create_task(changes.__anext__())
            await turns(3)
            assert not waiting.done()
            store.set_connection_id(name)
            assert (await waiting).connection_id == name

    async def test_a_cancelled_reader_loses_nothing(self, store: ConnectionStore) -> None:
        changes = store.changes()
        await anext(changes)
        waiting = asyncio.create_task(changes.__anext__())
        await turns(3)
        store.set_connection_id("a")
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        assert (await anext(changes)).connection_id == "a"

    async def test_a_forgotten_reader_is_not_held(self, store: ConnectionStore) -> None:
        async for _ in store.changes():
            break
        gc.collect()
        assert len(store._subscriptions._iterators) == 0

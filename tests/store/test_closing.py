"""Closing and resetting a store: at once for whoever looks, and nothing is left."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fsm_rtc.errors import InvalidStateError
from fsm_rtc.peer import IceCandidate
from fsm_rtc.store import ConnectionSnapshot
from tests.store.store_pairs import CANDIDATE, LIMIT_SECONDS, World, connect, turns, until


class TestClose:
    async def test_closing_is_told_at_once_and_returns_when_nothing_is_left(self, world: World) -> None:
        offerer, answerer = await world.connected()
        connection = offerer.connection
        closing = asyncio.create_task(offerer.store.close_connection())
        await asyncio.sleep(0)
        assert offerer.store.snapshot.peer_connection_status == "Disconnected"
        assert offerer.store.snapshot.peer_connection is None
        assert offerer.store.snapshot.data_channel is None
        await closing
        assert connection.signaling_state == "closed"
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await answerer.store.wait_until(lambda state: state.peer_connection_status == "closed", LIMIT_SECONDS)

    async def test_closing_twice_or_nothing_is_no_error(self, world: World) -> None:
        side = world.side()
        await side.store.close_connection()
        side.store.create_peer_connection()
        await asyncio.gather(side.store.close_connection(), side.store.close_connection())
        await side.store.close_connection()
        assert side.store.snapshot.error is None

    async def test_a_cancelled_close_goes_on(self, world: World) -> None:
        side = world.side()
        connection = side.store.create_peer_connection()
        closing = asyncio.create_task(side.store.close_connection())
        await asyncio.sleep(0)
        closing.cancel()
        await turns()
        assert closing.cancelled()
        assert connection.signaling_state == "closed"
        assert asyncio.all_tasks() == {asyncio.current_task()}

    @pytest.mark.parametrize("operation", ["create_offer", "process_offer", "process_answer", "add_ice_candidate"])
    async def test_an_operation_that_is_overtaken_raises_and_is_no_error_of_the_store(
        self, world: World, operation: str
    ) -> None:
        offerer, answerer = world.pair()
        offer = await offerer.store.create_offer()
        answer = await answerer.store.process_offer(offer)
        side = answerer if operation in ("process_offer", "add_ice_candidate") else offerer
        side.connection.library.hold()
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "create_offer": lambda: offerer.store.create_offer(),
            "process_offer": lambda: answerer.store.process_offer(offer),
            "process_answer": lambda: offerer.store.process_answer(answer),
            "add_ice_candidate": lambda: answerer.store.add_ice_candidate(IceCandidate(CANDIDATE, "0", 0)),
        }
        call = asyncio.ensure_future(calls[operation]())
        done = len(side.operations)
        await until(lambda: len(side.operations) > done)
        await side.store.close_connection()
        with pytest.raises(InvalidStateError, match="closed"):
            await call
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert side.store.snapshot.error is None
        assert side.store.snapshot.peer_connection_status == "Disconnected"

    @pytest.mark.parametrize("role", ["offerer", "answerer"])
    async def test_a_subscriber_may_give_the_connection_up_in_the_middle_of_an_operation(
        self, world: World, role: str
    ) -> None:
        offerer, answerer = world.pair()
        offer = await answerer.store.create_offer() if role == "offerer" else await offerer.store.create_offer()
        side = offerer if role == "offerer" else answerer

        def give_up(state: ConnectionSnapshot) -> None:
            if state.peer_connection is not None and state.peer_connection.signaling_state != "stable":
                side.store.set_peer_connection_status("Disconnected")

        side.store.subscribe(give_up)
        with pytest.raises(InvalidStateError, match="during this operation"):
            await (side.store.create_offer() if role == "offerer" else side.store.process_offer(offer))
        await turns()
        assert side.store.snapshot.error is None
        assert side.store.snapshot.offer is None
        assert side.store.candidates.state == "buffering"

    async def test_leaving_the_store_closes_and_ends_its_iterators(self, world: World) -> None:
        side = world.side()
        async with side.store as store:
            connection = store.create_peer_connection()
            changes = store.changes()
        assert connection.signaling_state == "closed"
        async with asyncio.timeout(LIMIT_SECONDS):
            statuses = [state.peer_connection_status async for state in changes]
        assert statuses == ["Disconnected"]


class TestReset:
    async def test_mended_it_closes_the_connection_first(self, world: World) -> None:
        offerer, answerer = await world.connected()
        connection = offerer.connection
        await offerer.store.reset()
        assert connection.signaling_state == "closed"
        await answerer.store.wait_until(lambda state: state.peer_connection_status == "closed", LIMIT_SECONDS)

    async def test_every_field_is_as_at_the_beginning(self, world: World) -> None:
        _, answerer = await world.connected()
        store = answerer.store
        store.set_signaling_status("Error")
        store.set_connection_id("id")
        store.set_error(RuntimeError("x"))
        store.set_remote_public_key(b"1")
        store.set_local_public_key(b"2")
        store.set_offer({"type": "offer", "sdp": "v=0"})
        await store.reset()
        assert store.snapshot == ConnectionSnapshot()
        assert store.remote_tracks == ()

    async def test_what_was_kept_for_later_is_forgotten(self, world: World) -> None:
        offerer, answerer = await world.connected()
        offerer.store.send("unheard")
        await turns()
        await answerer.store.reset()
        heard: list[str | bytes] = []
        answerer.store.on_message(heard.append)
        assert heard == []
        await answerer.store.add_ice_candidate(IceCandidate(CANDIDATE, "0", 0))
        await answerer.store.reset()
        await answerer.store.process_offer(await offerer.store.create_offer())
        assert answerer.connection.library.remote_candidates == []

    async def test_it_is_one_snapshot(self, world: World) -> None:
        _, answerer = await world.connected()
        answerer.store.set_signaling_status("Connected")
        seen: list[ConnectionSnapshot] = []
        answerer.store.subscribe(seen.append)
        await answerer.store.reset()
        assert seen[1:] == [ConnectionSnapshot()]

    async def test_it_ends_what_is_under_way(self, world: World) -> None:
        side = world.side()
        side.store.create_peer_connection()
        side.connection.library.hold()
        call = asyncio.create_task(side.store.create_offer())
        await turns()
        await side.store.reset()
        with pytest.raises(InvalidStateError, match="reset"):
            await call
        assert side.store.snapshot == ConnectionSnapshot()

    async def test_a_store_that_was_reset_works_again(self, world: World) -> None:
        offerer, answerer = await world.connected()
        await offerer.store.reset()
        await answerer.store.reset()
        await connect(offerer, answerer)

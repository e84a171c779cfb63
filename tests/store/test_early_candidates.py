"""Fact 7: a candidate before the remote description would be dropped by the library; here it is kept."""

import asyncio

import pytest

from fsm_rtc.connection.exchange.candidates import KEPT_CANDIDATES
from fsm_rtc.errors import OperationError, Rejected
from fsm_rtc.peer import IceCandidate
from tests.store.store_pairs import World, until


def candidate(number: int) -> IceCandidate:
    return IceCandidate(f"candidate:{number} 1 udp 1 192.0.2.{number} 4000 typ host", "0", 0)


async def test_fact_07_early_candidates_are_applied_in_order_after_the_description(world: World) -> None:
    offerer, answerer = world.pair()
    offer = await offerer.store.create_offer()
    for number in range(3):
        await answerer.store.add_ice_candidate(candidate(number))
    await answerer.store.add_ice_candidate(None)
    await answerer.store.process_offer(offer)
    library = answerer.connection.library
    assert library.remote_candidates == [candidate(0), candidate(1), candidate(2), None]
    assert library.operations[:3] == ["set_remote_description", "add_ice_candidate", "add_ice_candidate"]
    assert answerer.store.candidates.state == "ended"


async def test_one_that_comes_while_the_description_is_applied_keeps_its_place(world: World) -> None:
    offerer, answerer = world.pair()
    offer = await offerer.store.create_offer()
    await answerer.store.add_ice_candidate(candidate(0))
    answerer.store.create_peer_connection()
    library = answerer.connection.library
    library.hold()
    call = asyncio.create_task(answerer.store.process_offer(offer))
    await until(lambda: library.operations == ["set_remote_description"])
    await answerer.store.add_ice_candidate(candidate(1))
    library.release()
    await call
    await answerer.store.add_ice_candidate(candidate(2))
    assert library.remote_candidates == [candidate(0), candidate(1), candidate(2)]


async def test_the_offerer_keeps_them_too_until_the_answer(world: World) -> None:
    offerer, answerer = world.pair()
    answer = await answerer.store.process_offer(await offerer.store.create_offer())
    await offerer.store.add_ice_candidate(candidate(1))
    assert offerer.connection.library.remote_candidates == []
    await offerer.store.process_answer(answer)
    assert offerer.connection.library.remote_candidates == [candidate(1)]


async def test_a_kept_one_that_fails_is_stored_and_the_others_and_the_answer_go_on(world: World) -> None:
    offerer, answerer = world.pair()
    offer = await offerer.store.create_offer()
    await answerer.store.add_ice_candidate(candidate(0))
    await answerer.store.add_ice_candidate(candidate(1))
    answerer.store.create_peer_connection()
    answerer.connection.library.fail_next("add_ice_candidate")
    await answerer.store.process_offer(offer)
    assert isinstance(answerer.store.snapshot.error, OperationError)
    assert answerer.connection.library.remote_candidates == [candidate(1)]


async def test_no_more_than_a_bounded_number_is_kept(world: World) -> None:
    side = world.side()
    for number in range(KEPT_CANDIDATES):
        await side.store.add_ice_candidate(candidate(number))
    with pytest.raises(OperationError, match=str(KEPT_CANDIDATES)):
        await side.store.add_ice_candidate(candidate(0))
    assert isinstance(side.store.snapshot.error, OperationError)


async def test_after_the_end_a_candidate_is_rejected_and_a_second_end_is_nothing(world: World) -> None:
    offerer, _ = await world.connected()
    await offerer.store.add_ice_candidate(None)
    await offerer.store.add_ice_candidate({"candidate": "", "sdpMid": "0"})
    with pytest.raises(Rejected, match="add_candidate") as caught:
        await offerer.store.add_ice_candidate(candidate(1))
    assert offerer.store.snapshot.error is caught.value
    assert offerer.connection.library.remote_candidates == [None]


async def test_a_candidate_behind_a_kept_end_is_left_out_and_the_answer_goes_on(world: World) -> None:
    offerer, answerer = world.pair()
    offer = await offerer.store.create_offer()
    for one in (candidate(0), None, candidate(1)):
        await answerer.store.add_ice_candidate(one)
    await answerer.store.process_offer(offer)
    assert answerer.connection.library.remote_candidates == [candidate(0), None]


async def test_closing_forgets_what_was_kept(world: World) -> None:
    offerer, answerer = world.pair()
    offer = await offerer.store.create_offer()
    answerer.store.create_peer_connection()
    await answerer.store.add_ice_candidate(candidate(0))
    await answerer.store.close_connection()
    await answerer.store.process_offer(offer)
    assert answerer.connection.library.remote_candidates == []
    assert answerer.store.candidates.generation == 2


async def test_the_next_description_of_the_same_credentials_begins_no_new_generation(world: World) -> None:
    offerer, answerer = world.pair()
    offer = await offerer.store.create_offer()
    await answerer.store.process_offer(offer)
    await answerer.store.add_ice_candidate(None)
    await answerer.store.process_offer(offer)
    assert answerer.store.candidates.state == "ended"

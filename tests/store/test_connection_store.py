"""The documented operations, on peer connections in memory."""

import asyncio
import json
from dataclasses import FrozenInstanceError
from typing import cast

import pytest

from fsm_rtc.bridge import on_transitions
from fsm_rtc.errors import (
    InvalidCandidateError,
    InvalidDescriptionError,
    InvalidStateError,
    OperationError,
    UnknownEngineError,
)
from fsm_rtc.peer import IceCandidate, IceServer, SessionDescription
from fsm_rtc.store import DEFAULT_CONFIGURATION, SECURE_CHANNEL, ConnectionStore
from fsm_rtc.testing import FakePeerConnection
from tests.store.store_pairs import CANDIDATE, LIMIT_SECONDS, Side, World, connect, turns, until


def test_the_documented_servers_are_the_default_and_a_dead_one_costs_two_seconds() -> None:
    store = ConnectionStore()
    assert store.configuration is DEFAULT_CONFIGURATION
    assert store.configuration.ice_servers == (IceServer("stun:stun.l.google.com:19302"),)
    assert store.configuration.gather_timeout_seconds == 2.0


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(UnknownEngineError, match="steam"):
        ConnectionStore(engine="steam")


async def test_two_stores_connect_and_each_status_is_told(world: World) -> None:
    offerer, answerer = world.pair()
    seen: list[str] = []
    offerer.store.subscribe(seen.append, lambda state: state.peer_connection_status.value)
    await connect(offerer, answerer)
    await offerer.store.close_connection()
    assert seen == ["Disconnected", "new", "connecting", "connected", "Disconnected"]


async def test_every_machine_is_stepped_by_the_chosen_engine(world: World) -> None:
    offerer, _ = await world.connected()
    machines = offerer.store.machines
    assert {"offerer.signaling_link", "offerer.peer_status", "offerer.candidates", "offerer.ice"} <= machines.keys()
    by_library = {on_transitions(type(machine)) is type(machine) for machine in machines.values()}
    assert by_library == {world.engine == "transitions"}


async def test_the_journal_has_the_machines_of_the_store_and_of_the_connection(world: World) -> None:
    offerer, _ = await world.connected()
    states = offerer.journal.states()
    assert states["offerer.peer_status"] == "connected"
    assert states["offerer.negotiation"] == "stable"
    assert states["offerer.candidates"] == "live"
    assert [entry for entry in offerer.journal.entries() if not entry.accepted] == []


class TestCreateOffer:
    async def test_the_returned_offer_is_the_applied_one_with_its_candidates(self, world: World) -> None:
        side = world.side()
        offer = await side.store.create_offer()
        assert offer.type == "offer"
        assert "a=candidate" in offer.sdp
        assert side.store.snapshot.offer == offer == side.connection.local_description

    async def test_it_makes_the_secure_channel_and_receives_audio_and_video(self, world: World) -> None:
        side = world.side()
        offer = await side.store.create_offer()
        assert side.channel.label == SECURE_CHANNEL == "secure-channel"
        for kind in ("audio", "video", "application"):
            assert f"m={kind} " in offer.sdp

    async def test_a_second_offer_uses_the_connection_and_the_channel_again(self, world: World) -> None:
        side = world.side()
        await side.store.create_offer()
        channel = side.channel
        await side.store.create_offer()
        assert len(side.made) == 1
        assert side.channel is channel
        assert side.connection.data_channels == (channel,)

    async def test_it_uses_a_connection_that_was_created_before(self, world: World) -> None:
        side = world.side()
        connection = side.store.create_peer_connection()
        await side.store.create_offer()
        assert side.connection is connection

    async def test_the_candidates_are_in_the_snapshot_in_the_documented_form(self, world: World) -> None:
        side = world.side()
        offer = await side.store.create_offer()
        (candidate,) = cast("list[dict[str, str]]", side.store.snapshot.to_dict()["iceCandidates"])
        assert set(candidate) == {"candidate", "sdpMid", "sdpMLineIndex"}
        assert candidate["candidate"] in offer.sdp

    @pytest.mark.parametrize("operation", ["create_offer", "set_local_description"])
    async def test_a_failure_is_stored_and_raised_and_cleared_by_the_next_success(
        self, world: World, operation: str
    ) -> None:
        side = world.side()
        side.store.create_peer_connection()
        side.connection.library.fail_next(operation)
        with pytest.raises(OperationError) as caught:
            await side.store.create_offer()
        assert side.store.snapshot.error is caught.value
        assert side.store.snapshot.offer is None
        side.store.set_connection_id("another operation clears nothing")
        assert side.store.snapshot.error is caught.value
        await side.store.create_offer()
        assert side.store.snapshot.error is None

    async def test_a_factory_that_fails_is_stored_and_raised(self) -> None:
        def broken(*_: object, **__: object) -> FakePeerConnection:
            raise OperationError("no library here")

        store = ConnectionStore(peer_connection_factory=broken)
        with pytest.raises(OperationError, match="no library"):
            await store.create_offer()
        assert isinstance(store.snapshot.error, OperationError)
        assert store.snapshot.peer_connection is None
        assert store.snapshot.peer_connection_status == "Disconnected"

    async def test_operations_of_one_store_run_one_after_the_other(self, world: World) -> None:
        side = world.side()
        await asyncio.gather(side.store.create_offer(), side.store.create_offer())
        assert side.operations == ["create_offer", "set_local_description"] * 2

    async def test_a_cancelled_caller_leaves_nothing_half_done(self, world: World) -> None:
        side = world.side()
        side.store.create_peer_connection()
        side.connection.library.hold()
        call = asyncio.create_task(side.store.create_offer())
        await until(lambda: side.operations == ["create_offer"])
        call.cancel()
        await turns()
        assert call.cancelled()
        side.connection.library.release()
        await side.store.wait_until(lambda state: state.offer is not None, LIMIT_SECONDS)
        assert side.connection.signaling_state == "have-local-offer"

    async def test_a_caller_who_is_cancelled_while_waiting_never_begins(self, world: World) -> None:
        side = world.side()
        side.store.create_peer_connection()
        side.connection.library.hold()
        first = asyncio.create_task(side.store.create_offer())
        second = asyncio.create_task(side.store.create_offer())
        await turns()
        second.cancel()
        side.connection.library.release()
        await first
        await turns()
        assert side.operations == ["create_offer", "set_local_description"]


class TestProcessOffer:
    async def test_it_answers_with_candidates_and_stores_the_answer(self, world: World) -> None:
        offerer, answerer = world.pair()
        answer = await answerer.store.process_offer(await offerer.store.create_offer())
        snapshot = answerer.store.snapshot
        assert answer.type == "answer"
        assert "a=candidate" in answer.sdp
        assert snapshot.answer == answer
        assert snapshot.is_offer_received
        assert snapshot.offer is None, "offer is what this side made; a remote one must not be sent back"

    async def test_the_browsers_form_is_read(self, world: World) -> None:
        offerer, answerer = world.pair()
        offer = (await offerer.store.create_offer()).to_dict()
        answer = (await answerer.store.process_offer(json.loads(json.dumps(offer)))).to_dict()
        await offerer.store.process_answer(answer)
        await offerer.store.wait_for_connected(LIMIT_SECONDS)

    async def test_the_other_sides_channel_becomes_the_stores(self, world: World) -> None:
        _, answerer = await world.connected()
        assert answerer.channel.label == SECURE_CHANNEL
        assert answerer.channel.ready_state == "open"

    @pytest.mark.parametrize(
        "offer",
        [
            {},
            {"type": "offer", "sdp": None},
            {"type": "offer", "sdp": ""},
            {"type": "offer", "sdp": "garbage"},
            {"type": "party"},
            {"type": "answer", "sdp": "v=0"},
            None,
            17,
            "v=0",
        ],
    )
    async def test_what_is_no_offer_gets_a_named_error_and_changes_nothing(self, world: World, offer: object) -> None:
        side = world.side()
        with pytest.raises(InvalidDescriptionError) as caught:
            await side.store.process_offer(offer)  # type: ignore[arg-type]
        assert side.store.snapshot.error is caught.value
        assert not side.store.snapshot.is_offer_received
        assert side.store.snapshot.answer is None

    @pytest.mark.parametrize("operation", ["set_remote_description", "create_answer", "set_local_description"])
    async def test_mended_an_error_of_the_library_reaches_the_caller(self, world: World, operation: str) -> None:
        offerer, answerer = world.pair()
        answerer.store.create_peer_connection()
        answerer.connection.library.fail_next(operation)
        offer = await offerer.store.create_offer()
        with pytest.raises(OperationError) as caught:
            await answerer.store.process_offer(offer)
        assert answerer.store.snapshot.error is caught.value
        assert answerer.store.snapshot.is_offer_received == (operation != "set_remote_description")
        await answerer.store.process_offer(offer)
        assert answerer.store.snapshot.error is None

    async def test_the_offer_counts_as_received_until_reset_or_the_next_connection(self, world: World) -> None:
        _, answerer = await world.connected()
        assert answerer.store.snapshot.is_offer_received
        await answerer.store.close_connection()
        assert answerer.store.snapshot.is_offer_received
        answerer.store.create_peer_connection()
        assert not answerer.store.snapshot.is_offer_received

    async def test_what_the_program_set_before_the_connection_stays(self, world: World) -> None:
        side = world.side()
        side.store.set_offer_received(True)
        side.store.set_offer({"type": "offer", "sdp": "v=0"})
        side.store.create_peer_connection()
        assert side.store.snapshot.is_offer_received
        assert side.store.snapshot.offer == SessionDescription("offer", "v=0")


class TestProcessAnswer:
    async def test_mended_it_is_awaited_and_its_error_reaches_the_caller(self, world: World) -> None:
        offerer, answerer = world.pair()
        answer = await answerer.store.process_offer(await offerer.store.create_offer())
        offerer.connection.library.fail_next("set_remote_description")
        with pytest.raises(OperationError) as caught:
            await offerer.store.process_answer(answer)
        assert offerer.store.snapshot.error is caught.value
        await offerer.store.process_answer(answer)
        assert offerer.store.state.error is None
        assert offerer.connection.signaling_state == "stable"

    async def test_an_answer_that_nobody_waits_for_is_refused_and_journalled(self, world: World) -> None:
        offerer, answerer = await world.connected()
        answer = answerer.store.snapshot.answer
        assert answer is not None
        with pytest.raises(InvalidStateError, match="set_remote_answer") as caught:
            await offerer.store.process_answer(answer)
        assert caught.value.rejected is not None
        assert offerer.store.snapshot.error is caught.value
        assert offerer.store.snapshot.peer_connection_status == "connected"
        assert [entry.trigger for entry in offerer.journal.entries() if not entry.accepted] == ["set_remote_answer"]

    async def test_without_a_peer_connection_it_is_refused(self, world: World) -> None:
        side = world.side()
        with pytest.raises(InvalidStateError, match="no peer connection"):
            await side.store.process_answer({"type": "answer", "sdp": "v=0"})
        assert isinstance(side.store.snapshot.error, InvalidStateError)

    async def test_an_offer_is_no_answer(self, world: World) -> None:
        side = world.side()
        offer = await side.store.create_offer()
        with pytest.raises(InvalidDescriptionError, match="process_offer"):
            await side.store.process_answer(offer)


class TestAddIceCandidate:
    async def test_mended_an_error_of_the_library_reaches_the_caller(self, world: World) -> None:
        offerer, _ = await world.connected()
        offerer.connection.library.fail_next("add_ice_candidate")
        with pytest.raises(OperationError) as caught:
            await offerer.store.add_ice_candidate(IceCandidate(CANDIDATE, "0", 0))
        assert offerer.store.snapshot.error is caught.value
        await offerer.store.add_ice_candidate(IceCandidate(CANDIDATE, "0", 0))
        assert offerer.store.snapshot.error is None

    async def test_the_browsers_form_is_read(self, world: World) -> None:
        offerer, _ = await world.connected()
        await offerer.store.add_ice_candidate({"candidate": CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0})
        assert offerer.connection.library.remote_candidates == [IceCandidate(CANDIDATE, "0", 0)]

    @pytest.mark.parametrize("candidate", [{}, 5, "candidate:1", {"candidate": 3}, {"candidate": "x", "sdpMid": 1}])
    async def test_what_is_no_candidate_gets_a_named_error(self, world: World, candidate: object) -> None:
        side = world.side()
        with pytest.raises(InvalidCandidateError) as caught:
            await side.store.add_ice_candidate(candidate)  # type: ignore[arg-type]
        assert side.store.snapshot.error is caught.value

    async def test_one_that_names_no_section_is_a_type_error_even_when_it_is_early(self, world: World) -> None:
        side = world.side()
        with pytest.raises(TypeError, match="sdpMid"):
            await side.store.add_ice_candidate(IceCandidate(CANDIDATE))


def test_a_snapshot_never_changes() -> None:
    snapshot = ConnectionStore().snapshot
    with pytest.raises(FrozenInstanceError):
        snapshot.connection_id = "x"  # type: ignore[misc]


async def test_a_session_of_its_own_can_follow_on_the_same_store(world: World) -> None:
    offerer, answerer = await world.connected()
    await offerer.store.close_connection()
    await answerer.store.wait_until(lambda state: state.peer_connection_status == "closed", LIMIT_SECONDS)
    roles: tuple[Side, Side] = (answerer, offerer)
    await connect(*roles)
    assert answerer.store.snapshot.peer_connection_status == "connected"
    assert len(answerer.made) == 2

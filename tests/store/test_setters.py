"""The nine documented setters. Those of a status are triggers."""

from collections.abc import Callable

import pytest

from fsm_rtc.errors import InvalidDescriptionError, InvalidStateError, Reason, Rejected
from fsm_rtc.peer import SessionDescription
from fsm_rtc.store import ConnectionStore
from tests.store.store_pairs import World, turns

DESCRIPTION = {"sdp": "v=0"}


class TestSignalingStatus:
    async def test_a_legal_walk(self, world: World) -> None:
        store = world.side().store
        seen: list[str] = []
        store.subscribe(seen.append, lambda state: state.signaling_status.value)
        for status in ("Connected", "Error", "Connected", "Disconnected", "Error", "Disconnected"):
            store.set_signaling_status(status)
        assert seen == ["Disconnected", "Connected", "Error", "Connected", "Disconnected", "Error", "Disconnected"]

    async def test_the_present_status_again_is_nothing_to_do(self, world: World) -> None:
        store = world.side().store
        store.set_signaling_status("Disconnected")
        assert store.snapshot.error is None

    @pytest.mark.parametrize("status", ["connected", "DISCONNECTED", "unknown", "", None, 3])
    async def test_an_unknown_status_is_rejected_stored_and_raised(self, world: World, status: str) -> None:
        store = world.side().store
        with pytest.raises(Rejected) as caught:
            store.set_signaling_status(status)
        assert caught.value.reason is Reason.UNKNOWN_REPORT
        assert store.snapshot.error is caught.value
        assert store.snapshot.signaling_status == "Disconnected"
        store.set_signaling_status("Connected")
        assert store.snapshot.error is None


class TestPeerConnectionStatus:
    @pytest.mark.parametrize("status", ["new", "connecting", "connected", "disconnected", "failed", "closed"])
    async def test_without_a_connection_there_is_no_status_to_report(self, world: World, status: str) -> None:
        store = world.side().store
        with pytest.raises(Rejected) as caught:
            store.set_peer_connection_status(status)
        assert caught.value.reason is Reason.NO_ROW
        assert store.snapshot.error is caught.value
        assert store.snapshot.peer_connection_status == "Disconnected"

    @pytest.mark.parametrize("status", ["unknown", "Connected", "NEW", "", None])
    async def test_an_unknown_status_is_rejected(self, world: World, status: str) -> None:
        store = world.side().store
        store.create_peer_connection()
        with pytest.raises(Rejected) as caught:
            store.set_peer_connection_status(status)
        assert caught.value.reason is Reason.UNKNOWN_REPORT
        assert store.snapshot.peer_connection_status == "new"

    async def test_a_legal_jump_is_taken_and_an_illegal_one_rejected(self, world: World) -> None:
        store = world.side().store
        store.create_peer_connection()
        with pytest.raises(Rejected):
            store.set_peer_connection_status("connected")
        store.set_peer_connection_status("connecting")
        store.set_peer_connection_status("connected")
        store.set_peer_connection_status("connected")
        assert store.snapshot.peer_connection_status == "connected"
        assert store.snapshot.error is None

    async def test_disconnected_with_a_capital_gives_the_connection_up(self, world: World) -> None:
        side = world.side()
        connection = side.store.create_peer_connection()
        side.store.set_peer_connection_status("Disconnected")
        assert side.store.snapshot.peer_connection is None
        assert side.store.snapshot.peer_connection_status == "Disconnected"
        await turns()
        assert connection.signaling_state == "closed"

    async def test_disconnected_without_a_capital_is_lost_connectivity(self, world: World) -> None:
        offerer, _ = await world.connected()
        offerer.store.set_peer_connection_status("disconnected")
        assert offerer.store.snapshot.peer_connection_status == "disconnected"
        assert offerer.store.snapshot.peer_connection is not None


class TestOfferReceived:
    async def test_it_may_be_set_before_the_offer_is_processed(self, world: World) -> None:
        store = world.side().store
        store.set_offer_received(True)
        assert store.snapshot.is_offer_received
        store.set_offer_received(False)
        assert not store.snapshot.is_offer_received

    async def test_it_cannot_be_denied_while_the_offer_waits_for_its_answer(self, world: World) -> None:
        offerer, answerer = world.pair()
        offer = await offerer.store.create_offer()
        answerer.store.create_peer_connection()
        await answerer.connection.set_remote_description(offer)
        assert answerer.store.snapshot.is_offer_received
        with pytest.raises(InvalidStateError, match="answer"):
            answerer.store.set_offer_received(False)
        assert answerer.store.snapshot.is_offer_received

    @pytest.mark.parametrize("value", [None, 1, "yes"])
    async def test_it_is_a_bool(self, world: World, value: bool) -> None:
        store = world.side().store
        with pytest.raises(TypeError, match="True or False"):
            store.set_offer_received(value)
        assert isinstance(store.snapshot.error, TypeError)


async def test_data_is_stored_as_it_is_given(world: World) -> None:
    store = world.side().store
    store.set_connection_id("id")
    store.set_offer({"type": "offer", **DESCRIPTION})
    store.set_answer(SessionDescription("answer", "v=0"))
    store.set_remote_public_key(bytearray(b"r"))
    store.set_local_public_key(memoryview(b"l"))
    error = RuntimeError("the program's own")
    store.set_error(error)
    snapshot = store.snapshot
    assert snapshot.connection_id == "id"
    assert snapshot.offer == SessionDescription("offer", "v=0")
    assert snapshot.answer == SessionDescription("answer", "v=0")
    assert (snapshot.remote_public_key, snapshot.local_public_key) == (b"r", b"l")
    assert snapshot.error is error
    store.set_error(None)
    for clear in (
        store.set_connection_id,
        store.set_offer,
        store.set_answer,
        store.set_remote_public_key,
        store.set_local_public_key,
    ):
        clear(None)
    assert store.snapshot == ConnectionStore().snapshot


@pytest.mark.parametrize(
    ("setter", "value", "error"),
    [
        (ConnectionStore.set_connection_id, 5, TypeError),
        (ConnectionStore.set_offer, {"type": "answer", "sdp": ""}, InvalidDescriptionError),
        (ConnectionStore.set_offer, "v=0", InvalidDescriptionError),
        (ConnectionStore.set_answer, {"type": "offer", "sdp": ""}, InvalidDescriptionError),
        (ConnectionStore.set_answer, 0, InvalidDescriptionError),
        (ConnectionStore.set_remote_public_key, "hex", TypeError),
        (ConnectionStore.set_local_public_key, 3, TypeError),
    ],
)
async def test_a_wrong_type_is_stored_and_raised(
    world: World, setter: Callable[[ConnectionStore, object], None], value: object, error: type[Exception]
) -> None:
    store = world.side().store
    with pytest.raises(error) as caught:
        setter(store, value)
    assert store.snapshot.error is caught.value


@pytest.mark.parametrize("value", ["text", 3, KeyboardInterrupt()])
async def test_an_error_is_an_exception(world: World, value: Exception) -> None:
    store = world.side().store
    with pytest.raises(TypeError, match="RuntimeError"):
        store.set_error(value)
    assert store.snapshot.error is None

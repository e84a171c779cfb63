"""Messages and media through a store."""

import asyncio
import json

import pytest

from fsm_rtc.errors import (
    ChannelClosedError,
)
from fsm_rtc.testing import FakeTrack
from tests.store.store_pairs import LIMIT_SECONDS, World, connect, turns


class TestMessages:
    async def test_chat_goes_both_ways(self, world: World) -> None:
        offerer, answerer = await world.connected()
        here, there = offerer.store.messages(), answerer.store.messages()
        offerer.store.send_chat("Hello peer!")
        answerer.store.send(b"\x00\x01")
        assert json.loads(await anext(there)) == {"type": "chat", "message": "Hello peer!"}
        assert await anext(here) == b"\x00\x01"

    async def test_the_documented_example_works_as_it_stands(self, world: World) -> None:
        offerer, answerer = world.pair()

        def say_hello(state):  # type: ignore[no-untyped-def]
            if state.data_channel and state.data_channel.ready_state == "open":
                state.data_channel.send(json.dumps({"type": "chat", "message": "Hello peer!"}))

        offerer.store.subscribe(say_hello)
        heard = answerer.store.messages()
        await connect(offerer, answerer)
        assert json.loads(await anext(heard)) == {"type": "chat", "message": "Hello peer!"}

    async def test_the_first_messages_wait_for_the_first_listener(self, world: World) -> None:
        offerer, answerer = await world.connected()
        offerer.store.send("first")
        offerer.store.send("second")
        await turns()
        heard: list[str | bytes] = []
        answerer.store.on_message(heard.append)
        assert heard == ["first", "second"]

    async def test_without_an_open_channel_sending_is_refused_stored_and_raised(self, world: World) -> None:
        side = world.side()
        for _ in range(2):
            with pytest.raises(ChannelClosedError, match="wait") as caught:
                side.store.send_chat("too early")
            assert side.store.snapshot.error is caught.value
            await side.store.create_offer()

    @pytest.mark.parametrize("message", [None, 3, {"type": "chat"}, bytearray(b"x")])
    async def test_a_message_is_text_or_bytes(self, world: World, message: object) -> None:
        offerer, _ = await world.connected()
        with pytest.raises(TypeError, match="str or bytes"):
            offerer.store.send(message)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="text"):
            offerer.store.send_chat(message)  # type: ignore[arg-type]

    async def test_readers_end_when_the_connection_does_and_not_before_the_last_message(self, world: World) -> None:
        offerer, answerer = await world.connected()
        reader = answerer.store.messages()
        offerer.store.send("one")
        offerer.store.send("two")
        await turns()
        await offerer.store.close_connection()
        await answerer.store.wait_until(lambda state: state.peer_connection_status == "closed", LIMIT_SECONDS)
        async with asyncio.timeout(LIMIT_SECONDS):
            assert [message async for message in reader] == ["one", "two"]


class TestMedia:
    async def test_tracks_added_before_the_offer_are_in_it_and_reach_the_other_side(self, world: World) -> None:
        offerer, answerer = world.pair()
        came: list[FakeTrack] = []
        answerer.store.on_track(came.append)
        offerer.store.add_track(FakeTrack("video"))
        await connect(offerer, answerer)
        assert "video" in [track.kind for track in came]
        assert answerer.store.remote_tracks == tuple(came)

    async def test_who_asks_late_gets_the_tracks_that_are_there(self, world: World) -> None:
        offerer, answerer = world.pair()
        offerer.store.add_track(FakeTrack("audio"))
        await connect(offerer, answerer)
        came: list[FakeTrack] = []
        answerer.store.on_track(came.append)()
        assert tuple(came) == answerer.store.remote_tracks != ()

    async def test_a_track_goes_on_the_present_connection_at_once_and_on_the_next_one_too(self, world: World) -> None:
        side = world.side()
        side.store.create_peer_connection()
        side.store.add_track(FakeTrack("audio"))
        assert side.connection.library.transceiver_kinds() == {"audio"}
        side.store.create_peer_connection()
        assert side.connection.library.transceiver_kinds() == {"audio"}
        await side.store.reset()
        side.store.create_peer_connection()
        assert side.connection.library.transceiver_kinds() == set()

    async def test_a_callback_that_raises_harms_nobody(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        offerer, answerer = world.pair()
        came: list[FakeTrack] = []
        answerer.store.on_track(lambda track: 1 / 0)
        answerer.store.on_track(came.append)
        offerer.store.add_track(FakeTrack("audio"))
        await connect(offerer, answerer)
        assert came
        assert "a callback for tracks raised" in caplog.text

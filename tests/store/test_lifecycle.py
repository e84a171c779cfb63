"""Peer connections of a store: made, listened to, replaced, closed."""

import pytest

from fsm_rtc.errors import InvalidStateError, OperationError
from fsm_rtc.peer import IceCandidate, SessionDescription
from fsm_rtc.store import ConnectionSnapshot, ConnectionStore
from fsm_rtc.testing import FakePeerConnection, FakeTrack
from tests.store.store_pairs import CANDIDATE, LIMIT_SECONDS, World, connect, turns, until


class TestCreatePeerConnection:
    async def test_it_is_new_in_the_snapshot(self, world: World) -> None:
        side = world.side()
        connection = side.store.create_peer_connection()
        assert side.store.snapshot.peer_connection is connection
        assert side.store.snapshot.peer_connection_status == "new"
        assert connection.generation == 1

    async def test_an_earlier_one_is_closed_and_the_next_has_the_next_generation(self, world: World) -> None:
        offerer, answerer = await world.connected()
        earlier = offerer.connection
        offerer.store.create_peer_connection()
        assert offerer.connection.generation == offerer.store.peer_status.generation == 2
        assert offerer.store.snapshot.peer_connection_status == "new"
        assert offerer.store.snapshot.data_channel is None
        await answerer.store.wait_until(lambda state: state.peer_connection_status == "closed", LIMIT_SECONDS)
        assert earlier.connection_state == "closed"

    async def test_what_belonged_to_the_earlier_one_is_cleared_in_one_snapshot(self, world: World) -> None:
        side = world.side()
        await side.store.create_offer()
        side.store.set_connection_id("kept")
        seen: list[ConnectionSnapshot] = []
        side.store.subscribe(seen.append)
        connection = side.store.create_peer_connection()
        assert len(seen) == 2
        assert seen[1].peer_connection is connection
        assert (seen[1].offer, seen[1].ice_candidates, seen[1].connection_id) == (None, (), "kept")

    async def test_what_a_setter_put_in_the_place_of_the_connections_stays(self, world: World) -> None:
        side = world.side()
        await side.store.create_offer()
        side.store.set_offer({"type": "offer", "sdp": "v=0"})
        side.store.create_peer_connection()
        assert side.store.snapshot.offer == SessionDescription("offer", "v=0")

    async def test_tracks_and_messages_of_the_earlier_one_are_not_those_of_the_next(self, world: World) -> None:
        offerer, answerer = world.pair()
        offerer.store.add_track(FakeTrack("audio"))
        await connect(offerer, answerer)
        offerer.store.send("unheard")
        await turns()
        assert answerer.store.remote_tracks != ()
        answerer.store.create_peer_connection()
        assert answerer.store.remote_tracks == ()
        heard: list[str | bytes] = []
        answerer.store.on_message(heard.append)
        assert heard == []

    async def test_if_the_next_one_fails_the_earlier_stays(self, world: World) -> None:
        side = world.side()
        earlier = side.store.create_peer_connection()
        side.store.add_track(FakeTrack("audio"))

        def refuse(track: object) -> None:
            raise OperationError("no more tracks")

        original = type(side.connection).add_track
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(side.connection), "add_track", lambda connection, track: refuse(track))
            with pytest.raises(OperationError, match="no more tracks"):
                side.store.create_peer_connection()
        assert type(side.connection).add_track is original
        assert side.store.snapshot.peer_connection is earlier
        assert side.store.snapshot.peer_connection_status == "new"
        await turns()
        assert side.made[1].signaling_state == "closed", "the failed one is closed, too"

    async def test_the_journal_tells_the_connections_apart(self, world: World) -> None:
        side = world.side("caller")
        side.store.create_peer_connection()
        side.store.create_peer_connection()
        labels = side.journal.states()
        assert {"caller.negotiation", "caller.2.negotiation"} <= labels.keys()


class TestLateEvents:
    async def test_a_report_of_an_earlier_generation_is_stale(self, world: World) -> None:
        offerer, _ = await world.connected()
        session = offerer.store._peers.session
        assert session is not None
        offerer.store.create_peer_connection()
        offerer.store._record.read_status(session)
        assert offerer.store.snapshot.peer_connection_status == "new"
        entry = offerer.journal.entries("offerer.peer_status")[-1]
        assert entry.reason == "stale"

    async def test_mended_handlers_are_removed_on_close(self, world: World) -> None:
        offerer, _ = await world.connected()
        connection, channel = offerer.connection, offerer.channel
        await offerer.store.close_connection()
        seen: list[ConnectionSnapshot] = []
        heard: list[str | bytes] = []
        offerer.store.subscribe(seen.append)
        offerer.store.on_message(heard.append)
        for event in ("connectionstatechange", "iceconnectionstatechange", "signalingstatechange", "datachannel"):
            assert not connection._emitter.listens(event)
        for event in ("open", "close", "message"):
            assert not channel._emitter.listens(event)
        connection.library.report("ice", "failed")
        channel.received("late")
        offerer.store.handle_ice_candidate(None)
        await turns()
        assert len(seen) == 1
        assert heard == []

    async def test_mended_handlers_are_removed_before_the_library_has_closed(self, world: World) -> None:
        side = world.side()
        await side.store.create_offer()
        connection, channel = side.connection, side.channel
        observers = len(connection.negotiation._observers)
        side.store.set_peer_connection_status("Disconnected")
        assert not connection._emitter.listens("connectionstatechange")
        assert not channel._emitter.listens("message")
        assert len(connection.negotiation._observers) == observers - 1

    async def test_an_event_that_is_just_being_told_does_not_count_after_the_close(self, world: World) -> None:
        offerer = world.side()

        def factory(*arguments: object, **options: object) -> FakePeerConnection:
            connection = FakePeerConnection(*arguments, **options)  # type: ignore[arg-type]
            connection.on("track", lambda _: store.set_peer_connection_status("Disconnected"))
            return connection

        store = ConnectionStore(peer_connection_factory=factory, engine=world.engine)
        offerer.store.add_track(FakeTrack("video"))
        with pytest.raises(InvalidStateError):
            await store.process_offer(await offerer.store.create_offer())
        await store.close_connection()
        assert store.remote_tracks == ()

    async def test_without_a_connection_a_status_report_is_unknown_and_rejected(self, world: World) -> None:
        side = world.side()
        side.store.handle_connection_state_change()
        side.store.handle_ice_connection_state_change()
        assert side.store.snapshot.peer_connection_status == "Disconnected"
        assert [entry.reason for entry in side.journal.entries()] == ["unknown report"]

    async def test_a_late_channel_is_ignored(self, world: World) -> None:
        offerer, _ = await world.connected()
        channel = offerer.channel
        await offerer.store.close_connection()
        offerer.store.handle_data_channel(channel)
        assert offerer.store.snapshot.data_channel is None
        assert offerer.store.snapshot.error is None

    async def test_a_late_candidate_is_ignored(self, world: World) -> None:
        side = world.side()
        side.store.handle_ice_candidate(IceCandidate(CANDIDATE, "0", 0))
        assert side.store.snapshot.ice_candidates == ()


class TestStatus:
    async def test_a_report_that_the_table_does_not_expect_is_rejected_then_adopted(self, world: World) -> None:
        side = world.side()
        side.store.create_peer_connection()
        library = side.connection.library
        library.report("ice", "checking")
        side.store.set_peer_connection_status("new")
        library.report("dtls", "connecting")
        library.report("ice", "completed")
        library.report("dtls", "connected")
        assert side.store.snapshot.peer_connection_status == "new", "the table has no way from new to connected"
        await turns(2)
        assert side.store.state.peer_connection_status == "connected"
        last = side.journal.entries("store.peer_status")[-2:]
        assert [(entry.trigger, entry.accepted) for entry in last] == [("on_connected", False), ("on_desync", True)]

    async def test_the_library_closing_by_itself_is_seen_as_closed(self, world: World) -> None:
        offerer, answerer = await world.connected()
        answerer.connection.library.vanish()
        state = await offerer.store.wait_until(
            lambda state: state.peer_connection_status in ("failed", "closed"), LIMIT_SECONDS
        )
        state = await offerer.store.wait_until(lambda state: state.peer_connection_status == "closed", LIMIT_SECONDS)
        assert state.peer_connection is not None
        assert state.data_channel is not None
        assert state.data_channel.ready_state == "closed"

    async def test_after_the_library_closed_the_next_offer_has_a_new_connection(self, world: World) -> None:
        offerer, answerer = await world.connected()
        await answerer.store.close_connection()
        await offerer.store.wait_until(lambda state: state.peer_connection_status == "closed", LIMIT_SECONDS)
        await connect(offerer, answerer)
        assert len(offerer.made) == 2

    async def test_subscribers_hear_when_only_a_state_without_a_field_moved(self, world: World) -> None:
        offerer, answerer = await world.connected()
        seen: list[tuple[str, str, str]] = []

        def look(state: ConnectionSnapshot) -> None:
            if (one := state.peer_connection) is not None:
                seen.append((one.signaling_state, one.ice_connection_state, one.ice_gathering_state))

        answerer.store.subscribe(look)
        answerer.connection.library.report("ice", "connected")
        answerer.connection.library.report("gathering", "gathering")
        await answerer.connection.set_remote_description(await offerer.store.create_offer())
        assert seen == [
            ("stable", "completed", "complete"),
            ("stable", "connected", "complete"),
            ("stable", "connected", "gathering"),
            ("have-remote-offer", "connected", "gathering"),
        ]

    async def test_a_candidate_that_is_told_twice_is_listed_once(self, world: World) -> None:
        side = world.side()
        side.store.create_peer_connection()
        for _ in range(2):
            side.store.handle_ice_candidate(IceCandidate(CANDIDATE, "0", 0))
        side.store.handle_ice_candidate(None)
        assert side.store.snapshot.ice_candidates == (IceCandidate(CANDIDATE, "0", 0),)


class TestChannels:
    async def test_setting_up_the_same_channel_twice_hears_each_message_once(self, world: World) -> None:
        offerer, answerer = await world.connected()
        answerer.store.setup_data_channel(answerer.channel)
        heard: list[str | bytes] = []
        answerer.store.on_message(heard.append)
        offerer.store.send("once")
        await turns()
        assert heard == ["once"]

    async def test_a_channel_without_a_connection_is_refused(self, world: World) -> None:
        offerer, _ = await world.connected()
        channel = offerer.channel
        await offerer.store.close_connection()
        with pytest.raises(InvalidStateError, match="no peer connection"):
            offerer.store.setup_data_channel(channel)

    async def test_what_is_no_channel_is_a_type_error(self, world: World) -> None:
        side = world.side()
        side.store.create_peer_connection()
        with pytest.raises(TypeError, match="DataChannel"):
            side.store.setup_data_channel("secure-channel")  # type: ignore[arg-type]
        assert side.store.snapshot.data_channel is None

    async def test_a_further_channel_is_heard_beside_the_first(self, world: World) -> None:
        offerer, answerer = await world.connected()
        first = offerer.channel
        second = offerer.connection.create_data_channel("files")
        await until(lambda: answerer.channel.label == "files")
        heard: list[str | bytes] = []
        answerer.store.on_message(heard.append)
        first.send("first")
        second.send("second")
        await turns()
        assert heard == ["first", "second"]

    async def test_a_closed_channel_is_made_anew_by_the_next_offer(self, world: World) -> None:
        offerer, _ = await world.connected()
        first = offerer.channel
        first.close()
        await until(lambda: first.ready_state == "closed")
        await offerer.store.create_offer()
        assert offerer.channel is not first

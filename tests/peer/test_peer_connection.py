"""A peer connection in memory: how it connects, what it tells, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable

import pytest

from fsm_rtc.engine import Entry, Journal, Started
from fsm_rtc.errors import InvalidStateError, UnknownEngineError
from fsm_rtc.peer import Configuration, DataChannel, IceCandidate, SessionDescription
from fsm_rtc.testing import FakePeerConnection, FakeTrack
from tests.peer.conftest import MakeFake
from tests.peer.peers import announced, answer_of, connected, exchange, offer_of, opened, turns

EVENTS = (
    "signalingstatechange",
    "icegatheringstatechange",
    "iceconnectionstatechange",
    "connectionstatechange",
    "icecandidate",
    "datachannel",
    "track",
)

PENDING: dict[str, Callable[[FakePeerConnection, SessionDescription], Awaitable[object]]] = {
    "create_offer": lambda peer, _: peer.create_offer(),
    "set_local_description": lambda peer, _: peer.set_local_description(),
    "set_remote_description": lambda peer, offer: peer.set_remote_description(offer),
}


def listen(peer: FakePeerConnection) -> list[str]:
    """Notes every event."""
    seen: list[str] = []
    for event in EVENTS:
        peer.on(event, lambda *_, event=event: seen.append(event))
    return seen


async def pair(make: MakeFake) -> tuple[FakePeerConnection, FakePeerConnection, DataChannel]:
    """Two that are connected, and the offerer's channel, open."""
    offerer, answerer = make("offerer"), make("answerer")
    channel = offerer.create_data_channel("chat")
    await exchange(offerer, answerer)
    await connected(offerer, answerer)
    await opened(channel)
    return offerer, answerer, channel


# Connecting.


async def test_two_peers_connect_and_every_state_is_told(make: MakeFake) -> None:
    offerer, answerer, channel = await pair(make)
    there = await announced(answerer)
    for peer in (offerer, answerer):
        assert peer.signaling_state == "stable"
        assert peer.ice_gathering_state == "complete"
        assert peer.ice_connection_state == "completed"
    assert (there.label, there.ready_state, channel.ready_state) == ("chat", "open", "open")


async def test_events_come_only_when_a_state_changed(make: MakeFake) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    values: dict[str, list[str]] = {event: [] for event in EVENTS[:4]}
    readers = {
        "signalingstatechange": lambda: offerer.signaling_state,
        "icegatheringstatechange": lambda: offerer.ice_gathering_state,
        "iceconnectionstatechange": lambda: offerer.ice_connection_state,
        "connectionstatechange": lambda: offerer.connection_state,
    }
    for event, read in readers.items():
        offerer.on(event, lambda event=event, read=read: values[event].append(read().value))
    await exchange(offerer, answerer)
    await connected(offerer, answerer)
    await offerer.create_offer()
    await offer_of(offerer)
    await offer_of(offerer)
    assert values == {
        "signalingstatechange": ["have-local-offer", "stable", "have-local-offer"],
        "icegatheringstatechange": ["gathering", "complete"],
        "iceconnectionstatechange": ["checking", "connected", "completed"],
        "connectionstatechange": ["connecting", "connected"],
    }


async def test_the_other_sides_media_comes_as_tracks(make: MakeFake) -> None:
    offerer, answerer = make("offerer"), make("answerer", media=False)
    kinds: list[str] = []
    answerer.on("track", lambda event: kinds.append(event.track.kind))
    await exchange(offerer, answerer)
    assert kinds == ["video"]


async def test_receive_adds_a_transceiver_for_each_kind_that_has_none(make: MakeFake) -> None:
    peer = make()
    peer.receive("audio", "video")
    peer.receive("audio", "video")
    assert sorted(line.split()[0] for line in (await peer.create_offer()).sdp.splitlines() if line[:2] == "m=") == [
        "m=audio",
        "m=video",
    ]


@pytest.mark.parametrize(("kind", "direction"), [("text", "sendrecv"), ("audio", "both")])
async def test_a_transceiver_of_an_unknown_kind_or_direction_is_a_type_error(
    make: MakeFake, kind: str, direction: str
) -> None:
    with pytest.raises(TypeError, match="transceiver"):
        make().add_transceiver(kind, direction)


async def test_a_callback_that_raises_is_logged_and_harms_nobody(
    make: MakeFake, caplog: pytest.LogCaptureFixture
) -> None:
    offerer, answerer = make("offerer"), make("answerer")

    def broken(*_: object) -> None:
        raise RuntimeError("mine")

    for event in EVENTS:
        offerer.on(event, broken)
        answerer.on(event, broken)
    with caplog.at_level(logging.CRITICAL, "fsm_rtc.peer"):
        await exchange(offerer, answerer)
        await connected(offerer, answerer)


# Machines and journal.


async def test_machines_are_labelled_by_their_connection_and_carry_its_generation(engine: str) -> None:
    journal = Journal()
    peer = FakePeerConnection(engine=engine, journal=journal, label="caller", generation=3)
    peer.create_data_channel("chat")
    peer.library.report("ice", "checking")
    peer.library.report("sctp", "connected")
    labels = [
        "negotiation",
        "api",
        "negotiation_needed",
        "gathering",
        "channel.chat",
        "channel.chat.flow",
        "ice",
        "dtls",
        "sctp",
    ]
    assert list(peer.machines) == [f"caller.{label}" for label in labels]
    assert {machine.generation for machine in peer.machines.values()} == {3}
    started = [one for one in journal if isinstance(one, Started)]
    assert [(one.label, one.generation) for one in started] == [(f"caller.{label}", 3) for label in labels]
    await peer.close()


async def test_an_event_of_an_earlier_connection_is_stale(engine: str) -> None:
    peer = FakePeerConnection(engine=engine, generation=2)
    outcome = peer.negotiation.fire("close", generation=1)
    assert not outcome
    assert peer.signaling_state == "stable"
    await peer.close()


async def test_the_journal_tells_the_negotiation(make: MakeFake, journal: Journal) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    await exchange(offerer, answerer)
    assert [(e.trigger, e.source, e.target) for e in journal.entries("answerer.negotiation")] == [
        ("set_remote_offer", "stable", "have-remote-offer"),
        ("create_answer", "have-remote-offer", "have-remote-offer"),
        ("set_local_answer", "have-remote-offer", "stable"),
    ]


async def test_no_description_is_in_the_journal(make: MakeFake, journal: Journal) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    await exchange(offerer, answerer)
    assert "v=0" not in "\n".join(journal.lines())


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(UnknownEngineError):
        FakePeerConnection(engine="steam")


# The end.


async def test_close_closes_every_machine_at_once_and_tells_nothing_on_the_connection(
    make: MakeFake, journal: Journal
) -> None:
    offerer, _, channel = await pair(make)
    seen = listen(offerer)
    closing = asyncio.ensure_future(offerer.close())
    await asyncio.sleep(0)
    assert offerer.signaling_state == "closed"
    assert offerer.connection_state == "closed"
    assert offerer.ice_connection_state == "closed"
    assert channel.ready_state == "closed"
    not_closed = {label for label, machine in offerer.machines.items() if machine.state != "closed"}
    assert not_closed == {"offerer.gathering", "offerer.channel.chat.flow", "offerer.track"}
    assert offerer.machines["offerer.track"].state == "ended"
    await closing
    await turns()
    assert seen == []
    last = [entry for entry in journal if isinstance(entry, Entry) and entry.label.startswith("offerer.")]
    assert all(entry.accepted for entry in last)


async def test_close_is_idempotent_and_can_be_awaited_by_many(make: MakeFake, journal: Journal) -> None:
    peer = make()
    await asyncio.gather(*(peer.close() for _ in range(3)))
    await peer.close()
    assert [entry.trigger for entry in journal.entries("peer.negotiation")] == ["close"]


async def test_the_journal_watches_a_closed_connection_no_longer(make: MakeFake, journal: Journal) -> None:
    peer = make()
    await peer.close()
    records = len(journal)
    peer.negotiation.close()
    assert len(journal) == records


@pytest.mark.parametrize("after", range(5))
async def test_a_cancelled_close_goes_on(make: MakeFake, after: int) -> None:
    peer = make()
    closing = asyncio.ensure_future(peer.close())
    await turns(after)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    if after:
        assert peer.signaling_state == "closed"
    await peer.close()
    assert peer.signaling_state == "closed"


@pytest.mark.parametrize("operation", PENDING)
@pytest.mark.parametrize("after", range(6))
async def test_close_during_a_pending_operation_fails_it_at_once_and_ignores_its_late_result(
    make: MakeFake, journal: Journal, operation: str, after: int
) -> None:
    offer = await offer_of(make("other"))
    peer = make()
    peer.library.hold()
    pending = [asyncio.ensure_future(PENDING[operation](peer, offer)) for _ in range(2)]
    await turns(after)
    closing = asyncio.ensure_future(peer.close())
    outcomes = await asyncio.gather(*pending, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [InvalidStateError, InvalidStateError]
    assert not closing.done()
    peer.library.release()
    await closing
    assert peer.signaling_state == "closed"
    assert (peer.local_description, peer.remote_description) == (None, None)
    assert journal.states()["peer.negotiation"] == "closed"


async def test_a_library_that_does_not_return_is_left_behind_after_the_time_limit(
    make: MakeFake, caplog: pytest.LogCaptureFixture
) -> None:
    peer = make(close_timeout_seconds=0.01)
    peer.library.hold()
    pending = asyncio.ensure_future(peer.create_offer())
    await turns(3)
    await peer.close()
    assert isinstance((await asyncio.gather(pending, return_exceptions=True))[0], InvalidStateError)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("failing", [True, False])
async def test_a_library_that_can_not_close_is_told_in_the_log(
    make: MakeFake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, failing: bool
) -> None:
    peer = make(close_timeout_seconds=0.01)

    async def close() -> None:
        if failing:
            raise OSError("broken")
        await asyncio.Event().wait()

    monkeypatch.setattr(peer.library, "close", close)
    with caplog.at_level(logging.WARNING, "fsm_rtc.peer"):
        await peer.close()
    assert ("broken" if failing else "left behind") in caplog.text
    assert peer.signaling_state == "closed"


async def test_after_close_everything_is_refused(make: MakeFake) -> None:
    peer = make()
    offer = await offer_of(make("other"))
    await peer.close()
    calls = list(peer.library.operations)
    operations: list[Callable[[], Awaitable[object]]] = [
        peer.create_offer,
        peer.create_answer,
        peer.set_local_description,
        lambda: peer.set_remote_description(offer),
        lambda: peer.add_ice_candidate(None),
        lambda: peer.add_ice_candidate(IceCandidate("candidate:1 1 udp 1 192.0.2.7 4000 typ host", "0")),
    ]
    for operation in operations:
        with pytest.raises(InvalidStateError, match="closed"):
            await operation()
    synchronous: list[Callable[[], object]] = [
        lambda: peer.create_data_channel("late"),
        lambda: peer.add_transceiver("audio"),
        lambda: peer.add_track(FakeTrack("audio")),
        lambda: peer.receive("audio"),
    ]
    for call in synchronous:
        with pytest.raises(InvalidStateError, match="closed"):
            call()
    assert peer.library.operations == calls


async def test_after_close_the_library_is_not_listened_to(make: MakeFake) -> None:
    peer = make()
    await exchange(peer, make("other"))
    seen = listen(peer)
    await peer.close()
    states = {label: machine.state for label, machine in peer.machines.items()}
    peer.reported("ice", 0, "checking")
    peer.reported("gathering", 0, "new")
    peer.track_added(object())
    peer.closed_by_library()
    await turns()
    assert {label: machine.state for label, machine in peer.machines.items()} == states
    assert seen == []


async def test_a_library_that_closes_by_itself_is_followed_and_told(make: MakeFake) -> None:
    offerer, answerer, channel = await pair(make)
    seen = listen(offerer)
    closes: list[str] = []
    channel.on("close", lambda: closes.append("close"))
    await answerer.close()
    await turns()
    assert (offerer.signaling_state, offerer.connection_state, channel.ready_state) == ("closed", "closed", "closed")
    assert seen.count("connectionstatechange") >= 1
    assert closes == ["close"]
    with pytest.raises(InvalidStateError):
        await offerer.create_offer()
    await offerer.close()


async def test_a_library_that_closes_by_itself_fails_what_is_pending(make: MakeFake) -> None:
    offerer, answerer, _ = await pair(make)
    offerer.library.hold()
    pending = asyncio.ensure_future(offerer.create_offer())
    await turns(3)
    await answerer.close()
    with pytest.raises(InvalidStateError):
        await pending


async def test_after_the_library_closed_by_itself_nothing_more_is_told(make: MakeFake) -> None:
    offerer, answerer, _ = await pair(make)
    offerer.closed_by_library()
    seen = listen(offerer)
    offerer.track_added(object())
    offerer.reported("ice", 0, "failed")
    offerer.closed_by_library()
    assert seen == []
    await answerer.close()


async def test_a_peer_that_vanishes_is_noticed(make: MakeFake) -> None:
    offerer, answerer, _ = await pair(make)
    answerer.library.vanish()
    await turns()
    assert offerer.connection_state == "closed"


async def test_a_closed_pair_leaves_no_task_and_is_not_kept(engine: str) -> None:
    import weakref

    offerer = FakePeerConnection(Configuration(), engine=engine)
    answerer = FakePeerConnection(Configuration(), engine=engine)
    offerer.create_data_channel("chat")
    offerer.on("track", lambda track, keep=offerer: None)  # a callback that holds its own connection
    await offerer.set_remote_description(await answer_of(answerer, await offer_of(offerer)))
    await connected(offerer, answerer)
    await offerer.close()
    await answerer.close()
    await turns()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    gone = weakref.ref(offerer)
    del offerer, answerer
    gc.collect()
    assert gone() is None

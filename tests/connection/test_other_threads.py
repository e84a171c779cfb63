"""A connection and what belongs to it, called from another thread: nothing is done, and the caller is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from fsm_rtc.connection.connection import Connection
from fsm_rtc.errors import WrongThreadError
from fsm_rtc.store import ConnectionStore
from fsm_rtc.testing import FakePeerConnection, FakeTrack
from tests.connection.connection_pairs import pair, ready

CALLS: dict[str, Callable[[Connection], object]] = {
    "send_now": lambda call: call.send_now("from elsewhere"),
    "send": lambda call: asyncio.run(call.send("from elsewhere")),
    "negotiate": lambda call: call.negotiate(),
    "add_track": lambda call: call.add_track(FakeTrack("audio")),
    "on_track": lambda call: call.on_track(print),
    "messages": lambda call: call.messages(),
    "deliveries": lambda call: call.deliveries(),
    "events": lambda call: call.events(),
    "open": lambda call: asyncio.run(call.open()),
    "aclose": lambda call: asyncio.run(call.aclose()),
    "leave": lambda call: asyncio.run(call.leave()),
    "a channel's send": lambda call: call.data_channel and call.data_channel.send("from elsewhere"),
    "a channel's close": lambda call: call.data_channel and call.data_channel.close(),
    "a channel's on": lambda call: call.data_channel and call.data_channel.on("message", print),
    "create_data_channel": lambda call: call.peer_connection and call.peer_connection.create_data_channel("more"),
    "restart_ice": lambda call: call.peer_connection and call.peer_connection.restart_ice(),
    "add_transceiver": lambda call: call.peer_connection and call.peer_connection.add_transceiver("audio"),
    "receive": lambda call: call.peer_connection and call.peer_connection.receive("audio"),
    "on": lambda call: call.peer_connection and call.peer_connection.on("track", print),
}


@pytest.mark.parametrize("what", CALLS)
async def test_from_another_thread_it_raises_and_nothing_is_sent(what: str) -> None:
    async with pair() as (first, second, *_):
        await ready(first, second)
        heard = second.messages()
        before = {label: machine.state for label, machine in first.machines.items()}
        with pytest.raises(WrongThreadError, match="another thread"):
            await asyncio.to_thread(CALLS[what], first)
        await first.send("from here")
        assert await anext(heard) == "from here"
        assert {label: machine.state for label, machine in first.machines.items()} == before


STORE = {
    "send": lambda store: store.send("x"),
    "send_chat": lambda store: store.send_chat("x"),
    "subscribe": lambda store: store.subscribe(print),
    "changes": lambda store: store.changes(),
    "messages": lambda store: store.messages(),
    "on_message": lambda store: store.on_message(print),
    "create_peer_connection": lambda store: store.create_peer_connection(),
    "set_connection_id": lambda store: store.set_connection_id("x"),
    "set_error": lambda store: store.set_error(None),
    "negotiate": lambda store: store.negotiate(),
}


@pytest.mark.parametrize("what", STORE)
async def test_a_store_does_so_too(what: str) -> None:
    store = ConnectionStore(peer_connection_factory=FakePeerConnection)
    snapshot = store.snapshot
    with pytest.raises(WrongThreadError, match="another thread"):
        await asyncio.to_thread(STORE[what], store)
    assert store.snapshot == snapshot
    with suppress(Exception):
        STORE[what](store)  # whatever it does here, it isn't refused for the thread
    await store.close_connection()

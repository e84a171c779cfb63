"""machine_test over this project's own charts and its own peer connection, in memory."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import strategies as st

from fsm_rtc.errors import Rejected
from fsm_rtc.machines.data_channel import Channel
from fsm_rtc.machines.negotiation import Negotiation
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.testing import FakePeerConnection
from tests.conformance.door_chart import run

pytestmark = pytest.mark.live


class FakeNegotiation:
    """Drives this project's own peer connection, in memory; another one is its other side."""

    last_created_offer = last_created_answer = ""

    def __init__(self) -> None:
        self.peer: FakePeerConnection | None = None

    async def made(self) -> FakePeerConnection:
        if self.peer is None:
            self.peer = FakePeerConnection()
            self.peer.create_data_channel("data")
        return self.peer

    async def fire(self, trigger: str, event: Any) -> None:
        peer = await self.made()
        if trigger in ("create_offer", "create_answer"):
            await getattr(peer, trigger)()
        elif trigger == "close":
            await peer.close()
        elif trigger == "set_local_description":
            await peer.set_local_description()
        elif trigger.startswith("set_remote"):
            await peer.set_remote_description(await self.of_the_other_side(trigger.removeprefix("set_remote_")))
        else:
            kind = trigger.removeprefix("set_local_")
            await peer.set_local_description(SessionDescription(cast(Any, kind), ""))

    async def of_the_other_side(self, kind: str) -> SessionDescription:
        peer, other = await self.made(), FakePeerConnection()
        local = peer.local_description
        offer = local if local is not None and local.type == "offer" else None
        try:
            if kind == "offer":
                other.create_data_channel("data")
                return await other.create_offer()
            await other.set_remote_description(offer or await self.somebodys_offer())
            return SessionDescription(cast(Any, kind), (await other.create_answer()).sdp)
        finally:
            await other.close()

    async def somebodys_offer(self) -> SessionDescription:
        third = FakePeerConnection()
        third.create_data_channel("data")
        try:
            return await third.create_offer()
        finally:
            await third.close()

    async def state(self) -> str:
        return (await self.made()).signaling_state.value

    async def stop(self) -> None:
        await (await self.made()).close()


class Empty:
    """The empty description stands for the one that was created last."""

    sdp = ""


def test_the_projects_own_peer_connection_keeps_to_the_negotiation_chart() -> None:
    events = {name: st.just(Empty()) for name in Negotiation.chart.triggers if name.startswith("set_")}
    run(Negotiation, FakeNegotiation, examples=30, payloads=events, context=lambda driver: driver)


class FakeChannelDriver:
    """Drives a data channel of this project's own peer connection; its library is silent, and played by the driver."""

    def __init__(self) -> None:
        self.peer: FakePeerConnection | None = None

    async def made(self) -> DataChannel:
        if self.peer is None:
            self.peer = FakePeerConnection()
            self.channel = self.peer.create_data_channel("data")
            self.peer.library.channels[0].detach()
        return self.channel

    async def fire(self, trigger: str, event: Any) -> None:
        channel = await self.made()
        assert self.peer is not None
        refused: list[Rejected] = []

        def note(_: object, outcome: object) -> None:
            if isinstance(outcome, Rejected):
                refused.append(outcome)

        # What the library reports at the wrong time is not raised, but told to those who observe.
        unsubscribe = channel.machine.observe(note)
        try:
            if trigger == "connection_closed":
                await self.peer.close()
            elif trigger == "send":
                channel.send("hello")
            elif trigger in ("on_closing", "on_made_there", "announce"):
                channel.machine.fire(trigger)  # no library says so of a channel of this side's
            else:
                {"on_open": channel.opened, "close": channel.close, "on_closed": channel.closed}[trigger]()
        finally:
            unsubscribe()
        if refused:
            raise refused[0]

    async def state(self) -> str:
        return (await self.made()).ready_state

    async def stop(self) -> None:
        await self.made()
        assert self.peer is not None
        await self.peer.close()


def test_the_projects_own_data_channel_keeps_to_its_chart() -> None:
    run(Channel, FakeChannelDriver, examples=50)


class ClosesAtOnce(FakeChannelDriver):
    async def fire(self, trigger: str, event: Any) -> None:
        await super().fire(trigger, event)
        if trigger == "close":
            (await self.made()).closed()


def test_a_data_channel_that_skips_closing_is_found() -> None:
    with pytest.raises(AssertionError, match="expected: accepted, 'closing'\n  observed: accepted, 'closed'"):
        run(Channel, ClosesAtOnce, examples=50)

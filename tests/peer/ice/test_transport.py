"""A transport knows when the other side is lost, comes back, and is lost for good; and it can look for another way."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import Any

import pytest

from fsm_rtc.machines.consent import ConsentTimes
from fsm_rtc.peer.ice import IceGatherer
from tests.peer.ice.conftest import MakeIce
from tests.peer.ice.links import End, connect, cut, introduce, until, watch

SHORT = ConsentTimes(0.02, 0.02, 0.01, 0.05, 0.2, 1.0)


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let consent be asked for often, and expire soon."""
    monkeypatch.setattr("fsm_rtc.peer.ice.agent.CONSENT", SHORT)
    monkeypatch.setattr("aioice.stun.RETRY_RTO", 0.05)


async def test_a_pair_goes_from_checking_to_connected_to_completed(ice: MakeIce) -> None:
    one, other = ice(), ice()
    states = watch(one[1])
    await connect(one, other)
    await until(one[1], "statechange", lambda: one[1].state == "completed")
    assert states == ["checking", "connected", "completed"]
    assert one[1].selectedCandidatePairChanges == 1
    assert one[1].getRemoteParameters() == other[0].getLocalParameters()


async def test_data_goes_both_ways(ice: MakeIce) -> None:
    one, other = ice(), ice()
    await connect(one, other)
    for number in range(3):
        await one[1]._send(b"there %d" % number)
        await other[1]._send(b"back %d" % number)
    assert [await other[1]._recv() for _ in range(3)] == [b"there 0", b"there 1", b"there 2"]
    assert [await one[1]._recv() for _ in range(3)] == [b"back 0", b"back 1", b"back 2"]


async def test_a_lost_peer_is_disconnected_and_then_failed(ice: MakeIce, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)
    one, other = ice(), ice()
    await connect(one, other)
    await until(one[1], "statechange", lambda: one[1].state == "completed")
    states = watch(one[1])
    cut(other[1])
    await until(one[1], "statechange", lambda: one[1].state == "failed")
    assert states == ["disconnected", "failed"]
    await one[1]._send(b"into the void")


async def test_a_peer_that_answers_again_is_connected_again(ice: MakeIce, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)
    one, other = ice(), ice()
    await connect(one, other)
    await until(one[1], "statechange", lambda: one[1].state == "completed")
    states = watch(one[1])
    protocols: list[Any] = other[1].iceGatherer.agent._protocols
    heard = [protocol.receiver for protocol in protocols]
    for protocol in protocols:
        protocol.receiver = _Deaf()
    await until(one[1], "statechange", lambda: one[1].state == "disconnected")
    for protocol, receiver in zip(protocols, heard, strict=True):
        protocol.receiver = receiver
    await until(one[1], "statechange", lambda: one[1].state == "completed")
    assert states == ["disconnected", "connected", "completed"]


class _Deaf:
    """Hears nothing."""

    def request_received(self, *_: object) -> None: ...
    def data_received(self, *_: object) -> None: ...
    def protocol_lost(self, *_: object) -> None: ...


async def restart(one: End, other: End) -> tuple[End, End]:
    """Restart ICE on both sides; what they are then."""
    fresh = [IceGatherer(loopback=True) for _ in range(2)]
    await asyncio.gather(*(gatherer.gather() for gatherer in fresh))
    again = [
        asyncio.ensure_future(transport.restart(mine, theirs.getLocalParameters()))
        for (_, transport), mine, theirs in ((one, fresh[0], fresh[1]), (other, fresh[1], fresh[0]))
    ]
    await asyncio.sleep(0)
    ends = (fresh[0], one[1]), (fresh[1], other[1])
    await introduce(*ends)
    await asyncio.gather(*again)
    return ends


async def test_a_restart_finds_another_way_while_data_flows(ice: MakeIce) -> None:
    one, other = ice(), ice()
    await connect(one, other)
    sent = 0
    over = asyncio.Event()

    async def send() -> None:
        nonlocal sent
        while not over.is_set():
            await one[1]._send(b"%d" % sent)
            sent += 1
            await asyncio.sleep(0.001)

    sending = asyncio.ensure_future(send())
    before = one[1].getSelectedCandidatePair()
    for _ in range(3):
        one, other = await restart(one, other)
    after = one[1].getSelectedCandidatePair()
    over.set()
    await sending
    assert [await other[1]._recv() for _ in range(sent)] == [b"%d" % number for number in range(sent)]
    assert None not in (before, after)
    assert before != after
    assert one[1].role == "controlling"
    assert one[1].selectedCandidatePairChanges == 4
    assert {one[1].state, other[1].state} <= {"connected", "completed"}


async def test_a_restart_rescues_a_transport_that_has_failed(ice: MakeIce, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)
    one, other = ice(), ice()
    await connect(one, other)
    for _, transport in (one, other):
        cut(transport)
    for _, transport in (one, other):
        await until(transport, "statechange", lambda transport=transport: transport.state == "failed")  # type: ignore[misc]
    receiving = asyncio.ensure_future(other[1]._recv())
    states = watch(one[1])
    one, other = await restart(one, other)
    await one[1]._send(b"saved")
    assert await receiving == b"saved"
    assert states[:2] == ["checking", "connected"]


@pytest.mark.parametrize("turns", [0, 1, 3, 10, 30])
async def test_a_transport_can_be_stopped_at_any_moment_and_leaves_nothing(ice: MakeIce, turns: int) -> None:
    one, other = ice(), ice()
    before = asyncio.all_tasks()
    connecting = asyncio.ensure_future(connect(one, other))
    for _ in range(turns):
        await asyncio.sleep(0)
    await one[1].stop()
    await other[1].stop()
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    assert (one[1].state, other[1].state) == ("closed", "closed")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.collect()
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() - before == set()


async def test_a_closed_transport_ends_who_waits_for_data(ice: MakeIce) -> None:
    one, other = ice(), ice()
    await connect(one, other)
    waiting = asyncio.ensure_future(one[1]._recv())
    await asyncio.sleep(0)
    await one[1].stop()
    with pytest.raises(ConnectionError):
        await waiting

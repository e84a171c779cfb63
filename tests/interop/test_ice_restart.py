"""ICE is restarted on a live call while messages flow: none is lost, and the channel is the same."""

from __future__ import annotations

import asyncio

import pytest

from tests.interop.foreign import Foreign, Ours, Side, exchange, ufrags

RESTARTS = 2


async def restart_while_talking(ours: Ours, theirs: Side, restarter: Side) -> None:
    other = theirs if restarter is ours else ours
    await ours.open_channel()
    await exchange(ours, theirs)
    await ours.ready()
    await theirs.ready()
    channel = ours.channel
    said: dict[int, list[str]] = {0: [], 1: []}
    over = asyncio.Event()

    async def talk(number: int, side: Side) -> None:
        while not over.is_set():
            said[number].append(f"message {len(said[number])}")
            await side.send(said[number][-1])
            await asyncio.sleep(0.002)

    talking = [asyncio.ensure_future(talk(number, side)) for number, side in enumerate((ours, theirs))]
    for _ in range(RESTARTS):
        before = ufrags(ours.pc.localDescription), ufrags(ours.pc.remoteDescription)
        pair = selected_pair(ours)
        await restarter.restart()
        await exchange(restarter, other)
        assert ufrags(ours.pc.localDescription).isdisjoint(before[0])
        assert ufrags(ours.pc.remoteDescription).isdisjoint(before[1])
        await ours.until(lambda pair=pair: selected_pair(ours) not in (None, pair))  # type: ignore[misc]
        await ours.ready()
    over.set()
    await asyncio.gather(*talking)
    await theirs.heard_all(said[0])
    await ours.heard_all(said[1])
    assert min(len(messages) for messages in said.values()) > RESTARTS
    assert ours.channel is channel
    await ours.until(lambda: ours.pc.connectionState == "connected")


def selected_pair(ours: Ours) -> object:
    """The way to the other side that is in use."""
    return ours.pc.sctp.transport.transport.getSelectedCandidatePair()


@pytest.mark.parametrize("theirs", ["chromium"], indirect=True)
@pytest.mark.parametrize("we_restart", [True, False], ids=["we restart", "they restart"])
async def test_ice_is_restarted_with_a_browser(ours: Ours, theirs: Foreign, *, we_restart: bool) -> None:
    await restart_while_talking(ours, theirs, ours if we_restart else theirs)


async def test_ice_is_restarted_among_ourselves(ours: Ours) -> None:
    theirs = Ours()
    try:
        await restart_while_talking(ours, theirs, ours)
        await exchange(theirs, ours)
    finally:
        await theirs.pc.close()

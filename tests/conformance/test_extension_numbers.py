"""Offers that cross, of different kinds of media: header extensions are numbered so that either side takes the other's.

Chromium since 148 refuses a description that numbers an extension otherwise than any that it has seen.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from fsm_rtc.conformance.adapter import ProcessAdapter
from fsm_rtc.peer.jsep.codecs import SESSION_NUMBERS
from tests.conformance.adapter_conversation import installed
from tests.conformance.foreign_stack import Foreign, Ours

pytestmark = pytest.mark.live

KINDS = [("audio", "video"), ("video", "audio")]


@pytest_asyncio.fixture
async def ours() -> AsyncIterator[Ours]:
    side = Ours()
    yield side
    await side.pc.close()


@pytest_asyncio.fixture
async def theirs(request: pytest.FixtureRequest) -> AsyncIterator[Foreign]:
    """A connection of the stack that the test names."""
    adapter = ProcessAdapter(installed(request.param).command)
    await adapter.start()
    foreign = Foreign(adapter)
    await foreign.begin()
    yield foreign
    await adapter.aclose()


def numbers(sdp: str) -> set[tuple[int, str]]:
    return {(int(number), uri) for number, uri in re.findall(r"a=extmap:(\d+) (\S+)", sdp)}


@pytest.mark.parametrize("theirs", ["chromium"], indirect=True)
@pytest.mark.parametrize(("here", "there"), KINDS)
@pytest.mark.parametrize("polite", ["ours", "theirs"])
async def test_offers_of_other_kinds_cross_whoever_yields(
    ours: Ours, theirs: Foreign, here: str, there: str, polite: str
) -> None:
    await theirs.open_channel()
    await theirs.apply(await ours.answer(await theirs.offer()))
    ours.pc.addTransceiver(here)
    await theirs.add(there)
    crossing, other = await ours.offer(), await theirs.offer()
    if polite == "theirs":
        await ours.apply(await theirs.answer(crossing))
        await theirs.apply(await ours.answer(await theirs.offer()))
    else:
        await theirs.apply(await ours.answer(other))
        await ours.apply(await theirs.answer(await ours.offer()))
    for _ in range(2):
        await theirs.apply(await ours.answer(await theirs.offer()))
        await ours.apply(await theirs.answer(await ours.offer()))
    assert [one.kind for one in ours.pc.getTransceivers()].count(here) >= 1
    by_number: dict[int, str] = {}
    for number, uri in numbers(ours.pc.localDescription.sdp):
        assert by_number.setdefault(number, uri) == uri


@pytest.mark.parametrize("theirs", ["chromium"], indirect=True)
@pytest.mark.parametrize("kinds", [("audio",), ("video",), ("audio", "video"), ("video", "audio")])
async def test_chromium_numbers_nothing_else_as_this_side_does(ours: Ours, theirs: Foreign, kinds: tuple[str]) -> None:
    ours.pc.addTransceiver("audio")
    ours.pc.addTransceiver("video")
    for kind in kinds:
        await theirs.add(kind)
    here, there = numbers((await ours.offer()).sdp), dict(numbers((await theirs.offer()).sdp))
    assert here == {(number, uri) for uri, number in SESSION_NUMBERS.items() if uri in {one for _, one in here}}
    assert {(number, uri) for number, uri in here if there.get(number, uri) != uri} == set()

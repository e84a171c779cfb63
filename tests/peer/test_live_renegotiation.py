"""Fact 30 of aiortc: live pairs that go on negotiating, with offers taken back and crossed, stay one connection."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fsm_rtc.engine import Journal
from fsm_rtc.peer import Configuration, PeerConnection
from tests.peer.renegotiation import STEPS, Call, Step

pytestmark = pytest.mark.live


def make(label: str, journal: Journal) -> PeerConnection:
    return PeerConnection(Configuration(loopback=True), journal=journal, label=label)


# An example takes some 100 ms, so there are fewer than by default.
EXAMPLES = max(5, min(40, settings().max_examples // 4))


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.integers(0, 1))
@example([Step("video", 0), Step("create", 0), Step("audio", 1), Step("glare", 0), Step("glare", 1)], 0)
@example([Step("video", 0), Step("video", 1), Step("glare", 1), Step("take back", 0)], 1)
def test_live_pairs_stay_stable_connected_and_of_one_mind(steps: list[Step], first: int) -> None:
    asyncio.run(Call(make).play(steps, first))

"""The side that doesn't lead lets the leader's attempt have its time: the two don't tear each other's down."""

from __future__ import annotations

import asyncio

from fsm_rtc.connection.events import Recovering
from fsm_rtc.machines.recovery import RecoveryState
from tests.connection.recovery.test_recovery_orderings import POLICY, Pair, run
from tests.memory_signaling import MemorySignaling


def test_who_has_agreed_to_the_leaders_offer_makes_none_of_its_own() -> None:
    async def play() -> None:
        pair = Pair(MemorySignaling())
        for side in pair.sides:
            await side.call.open()
        for side in pair.sides:
            await side.call.wait_for_ready(60)
        leader, follower = sorted((side.call for side in pair.sides), key=lambda call: call.me.who, reverse=True)
        told: list[object] = []

        async def listen() -> None:
            async for event in follower.events():
                told.append(event)  # noqa: PERF401 - as it comes

        listening = asyncio.create_task(listen())
        pair.network.cut()
        await asyncio.sleep(POLICY.begin_after_seconds + POLICY.follower_waits_seconds + 1)
        assert leader.recovery_state is RecoveryState.RESTARTING_ICE
        assert follower.recovery_state is RecoveryState.FOLLOWING
        assert not any(isinstance(one, Recovering) for one in told)
        pair.network.heal()
        await asyncio.sleep(3)
        assert [call.recovery_state for call in (leader, follower)] == [RecoveryState.WATCHING] * 2
        for side in pair.sides:
            await side.close()
        await listening

    run(play())

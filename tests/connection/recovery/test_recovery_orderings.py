"""Whatever happens to two sides and to all that is between them, the death and return of their processes included: once
it ends, both are connected, or both have given up and say why, within the bound that the policy's times make; and
nothing that was sent is lost or comes twice, but what a killed one may not have been done with.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import math
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from fsm_rtc.connection import MemoryPersistence
from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.events import Ended, GaveUp
from fsm_rtc.connection.exchange.retransmission import GIVE_UP_SECONDS
from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from fsm_rtc.errors import ChannelClosedError
from fsm_rtc.machines.recovery import RecoveryState
from fsm_rtc.messages import Identity
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.testing import FakeNetwork, FakePeerConnection
from tests.instant_loop import InstantLoop
from tests.memory_signaling import MemorySignaling, MemorySignalingChannel

pytestmark = pytest.mark.usefixtures("young_heap")

KEYS = [Identity.generate() for _ in range(2)]
POLICY = RecoveryPolicy()

BOUND_SECONDS = (
    POLICY.give_up_after_seconds  # until the one that tries gives up
    + GIVE_UP_SECONDS  # until its goodbye is acknowledged, or hopeless
    + POLICY.answer_timeout_seconds
    + POLICY.connect_timeout_seconds
)

times = st.floats(0.0, 40.0, width=16)
steps = st.one_of(
    st.tuples(st.sampled_from(("cut", "heal", "wait")), st.just(0), times),
    st.tuples(
        st.sampled_from(("down", "up", "send", "send", "lose", "close channel", "restart", "kill", "back")),
        st.integers(0, 1),
        times,
    ),
)


class Kept(MemoryPersistence):
    """A place whose clock is the loop's."""

    at = -math.inf

    def alive(self) -> None:
        self.at = asyncio.get_running_loop().time()

    def age_seconds(self) -> float:
        return asyncio.get_running_loop().time() - self.at


class Side:
    """One of the two, and what it has said and heard."""

    def __init__(self, pair: Pair, number: int) -> None:
        self.pair = pair
        self.number = number
        self.said: list[str] = []
        self.heard: list[str | bytes] = []
        self.ends: list[Ended | GaveUp] = []
        self.kills = 0
        self.place = Kept()
        self.tasks: list[asyncio.Task[None]] = []
        self.live()

    def live(self) -> None:
        """A run of its program."""
        self.is_alive = True
        self.channel: MemorySignalingChannel = self.pair.signaling.channel()
        self.call = Connection(
            self.channel,
            KEYS[self.number],
            configuration=Configuration(close_timeout_seconds=0.02),
            peer_connection_factory=partial(FakePeerConnection, network=self.pair.network),
            recovery=POLICY,
            clock=asyncio.get_running_loop().time,
            persistence=self.place,
        )
        self.tasks += [asyncio.create_task(self.follow(self.call)), asyncio.create_task(self.listen(self.call))]

    def die(self) -> None:
        """As SIGKILL does: not a word to anybody, and what was kept is there for the next run."""
        self.kills += 1
        self.is_alive = False
        self.place = copy.deepcopy(self.place)
        self.channel.is_up = False
        self.channel.signaling = MemorySignaling()
        if isinstance(self.call.peer_connection, FakePeerConnection):
            self.call.peer_connection.library.die()
        self.tasks.append(asyncio.create_task(self.call.aclose()))  # unheard; that nothing is left of it here

    async def follow(self, call: Connection) -> None:
        async for told in call.events():
            if isinstance(told, Ended | GaveUp) and call is self.call and self.is_alive:
                self.ends.append(told)

    async def listen(self, call: Connection) -> None:
        async for message in call.messages():
            if call is self.call and self.is_alive:
                self.heard.append(message)

    @property
    def told(self) -> list[str | bytes]:
        """What was heard, each once."""
        return [*dict.fromkeys(self.heard)]

    def say(self) -> None:
        text = f"{len(self.said) + 1}"
        with suppress(ChannelClosedError):
            self.call.send_now(text)
            self.said.append(text)

    async def close(self) -> None:
        await self.call.aclose()
        await asyncio.gather(*self.tasks)


class Pair:
    """Two sides, the network between them, and the signalling between them."""

    def __init__(self, signaling: MemorySignaling) -> None:
        self.signaling = signaling
        self.network = FakeNetwork()
        self.sides = [Side(self, number) for number in range(2)]

    async def do(self, verb: str, number: int, seconds: float) -> None:
        side = self.sides[number]
        library = (
            side.call.peer_connection.library if isinstance(side.call.peer_connection, FakePeerConnection) else None
        )
        match verb:
            case "cut" if not self.network.is_cut:
                self.network.cut()
            case "heal" if self.network.is_cut:
                self.network.heal()
            case "down" if side.is_alive and side.channel.is_up:
                side.channel.down()
            case "up" if side.is_alive and not side.channel.is_up:
                side.channel.up()
            case "send" if side.is_alive:
                side.say()
            case "lose" if library is not None:
                library.lose()
            case "close channel" if side.call.data_channel is not None:
                side.call.data_channel.close()
            case "restart":
                self.signaling.restart()
            case "kill" if side.is_alive:
                side.die()
            case "back" if not side.is_alive:
                await self.back(side)
        await asyncio.sleep(seconds)

    async def back(self, side: Side) -> None:
        side.live()
        await side.call.open()

    async def ends_well(self) -> None:
        self.signaling.calm()
        self.network.heal()
        for side in self.sides:
            if not side.is_alive:
                await self.back(side)
            elif not side.channel.is_up:
                side.channel.up()
        loop = asyncio.get_running_loop()
        for _ in range(math.ceil(BOUND_SECONDS)):
            if not self.is_settled:
                await asyncio.sleep(1)
        assert self.is_settled, [repr(side.call) for side in self.sides]
        one, other = self.sides
        if one.call.is_ready:
            event(f"connected, {sum(side.kills for side in self.sides)} kills")
            for side in self.sides:
                side.say()
            await asyncio.sleep(2)
        else:
            event(f"given up, {sum(side.kills for side in self.sides)} kills")
            for side in self.sides:
                assert side.ends[-1].reason
                assert side.call.peer_connection is None
        for end in (*one.ends, *other.ends):
            assert "Error" not in end.reason, "a call ends with its faults, never with a mistake of its own"
        if not one.ends and not other.ends:
            assert other.told == one.said
            assert one.told == other.said
        for told, said in ((other.told, one.said), (one.told, other.said)):
            assert [text for text in said if text in told] == told, "nothing out of its turn"
        for side in self.sides:
            assert side.kills or len(side.told) == len(side.heard), "nothing comes twice"
        for side in self.sides:
            await side.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        timers = [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        assert timers == []

    @property
    def is_settled(self) -> bool:
        """Whether both talk to each other, or for both it is over."""
        calls = [side.call for side in self.sides]
        if all(call.is_ready and call.recovery_state is RecoveryState.WATCHING for call in calls):
            return calls[0].exchange_state == calls[1].exchange_state == "idle"
        return all(call.exchange_state == "closed" for call in calls)


def run(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        runner.run(work)


GAVE_UP_AND_HEARD_IT_AGAIN = [
    ("wait", 0, 30.0),
    ("send", 1, 0.0),
    ("down", 0, 0.0),
    ("cut", 0, 49.0),
    ("kill", 1, 58.0),
]
"""The one that gives up hears again, from the other's next run, what it has heard before."""


KILLED_WITH_A_WORD_ON_ITS_WAY = [("heal", 0, 1.5), ("send", 1, 0.0), ("kill", 1, 20.0)]
"""Who is killed says no goodbye, whatever its program would have liked to say."""


CLOSED_AGAIN_AND_AGAIN = [("cut", 0, 0.0), ("lose", 0, 0.0), ("lose", 0, 0.0)]
"""A library that closes by itself while the first offer is made, and again."""


@example(script=CLOSED_AGAIN_AND_AGAIN, seed=0, faults=0.0)
@example(script=KILLED_WITH_A_WORD_ON_ITS_WAY, seed=0, faults=0.0)
@example(script=GAVE_UP_AND_HEARD_IT_AGAIN, seed=0, faults=0.0)
@given(script=st.lists(steps, min_size=1, max_size=20), seed=st.integers(0, 1 << 16), faults=st.floats(0.0, 0.4))
def test_once_the_faults_end_both_are_connected_or_both_have_given_up(
    script: list[tuple[str, int, float]], seed: int, faults: float
) -> None:
    async def play() -> None:
        pair = Pair(MemorySignaling(seed, loss=faults, delay=faults))
        for side in pair.sides:
            await side.call.open()
        for step in script:
            await pair.do(*step)
        await pair.ends_well()

    run(play())
    gc.collect()

"""The service behind links in memory: what sockets would only show by their timing."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from fsm_rtc.messages.identity import Identity
from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import Challenge, MemberJoined, Message, Welcome, decode
from fsm_rtc.signaling.service import SignalingService
from tests.signaling.participants import ROOM, hello_of


class Newcomer:
    """The link of a client that answers the challenge, and says nothing else."""

    path = f"/{ROOM}"
    has_room = True

    def __init__(self) -> None:
        self.member = Member(ROOM, Identity.generate())
        self.heard: list[Message] = []
        self._said: asyncio.Queue[str] = asyncio.Queue()

    def write(self, text: str) -> None:
        message = decode(text)
        self.heard.append(message)
        if isinstance(message, Challenge):
            self._said.put_nowait(hello_of(self.member, message.nonce))

    async def wait_for_room(self) -> None:
        pass

    async def receive(self) -> str:
        return await self._said.get()

    async def close(self, code: int, reason: str) -> None:
        pass

    def abort(self) -> None:
        pass


async def until(service: SignalingService, members: int) -> list[int]:
    """How many members there were after each turn of the loop, until there are so many."""
    counts = [0]
    while counts[-1] < members:
        await asyncio.sleep(0)
        counts.append(service.hub.member_count)
        assert len(counts) < 10_000
    return counts


async def test_of_many_who_join_at_once_each_has_a_turn_of_the_loop() -> None:
    service = SignalingService()
    newcomers = [Newcomer() for _ in range(12)]
    serving = [asyncio.create_task(service.serve(one)) for one in newcomers]
    counts = await until(service, len(newcomers))
    assert max(after - before for before, after in pairwise(counts)) == 1
    for number, one in enumerate(newcomers):
        _, welcome, *joined = one.heard
        assert isinstance(welcome, Welcome)
        assert [member.id for member in welcome.members] == [
            other.member.introduction.id for other in newcomers[:number]
        ]
        assert joined == [MemberJoined(member=other.member.introduction) for other in newcomers[number + 1 :]]
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)
    await service.stop()


async def test_who_leaves_while_it_waits_for_its_turn_holds_nobody_up() -> None:
    service = SignalingService()
    newcomers = [Newcomer() for _ in range(6)]
    serving = [asyncio.create_task(service.serve(one)) for one in newcomers]
    await until(service, 2)
    for task in serving[3:5]:
        task.cancel()
    await until(service, 4)
    assert [member.id for member in service.hub.members(ROOM)] == [
        newcomers[number].member.introduction.id for number in (0, 1, 2, 5)
    ]
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)
    await service.stop()

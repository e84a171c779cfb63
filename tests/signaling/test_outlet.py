"""An outlet sends what is in a mailbox, in order and once, whatever the mailbox and the link do meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.signaling.limits import Limits
from fsm_rtc.signaling.mailbox import Mailbox, MemoryMailboxes
from fsm_rtc.signaling.outlet import LinkLostError, Outlet
from tests.peer.peers import turns


class MemoryLink:
    """A link that takes so many texts before it is full."""

    path = "/kitchen"

    def __init__(self, room: int = 1_000_000) -> None:
        self.room = room
        self.written: list[str] = []
        self.is_cut = False
        self._emptied = asyncio.Event()

    @property
    def has_room(self) -> bool:
        return self.room > 0 and not self.is_cut

    def write(self, text: str) -> None:
        if not self.is_cut:
            self.room -= 1
            self.written.append(text)

    async def wait_for_room(self) -> None:
        while not self.has_room and not self.is_cut:
            self._emptied.clear()
            await self._emptied.wait()

    def empty(self, room: int) -> None:
        self.room = room
        self._emptied.set()

    async def receive(self) -> str:
        raise LinkLostError

    async def close(self, code: int, reason: str) -> None:
        self.abort()

    def abort(self) -> None:
        self.is_cut = True
        self._emptied.set()


class SlowMailbox:
    """A mailbox that takes its time over everything, as one on another host does."""

    def __init__(self, mailbox: Mailbox, random: Random | None = None) -> None:
        self.texts: list[str] = []
        self._mailbox = mailbox
        self._random = random

    async def _wait(self) -> None:
        await turns(self._random.randint(0, 3) if self._random is not None else 1)

    async def append(self, text: str) -> int:
        await self._wait()
        number = await self._mailbox.append(text)
        self.texts.append(text)
        await self._wait()
        return number

    async def read(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        await self._wait()
        found = await self._mailbox.read(after, limit)
        await self._wait()
        return found

    async def trim(self, upto: int) -> None:
        await self._wait()
        await self._mailbox.trim(upto)

    async def length(self) -> int:
        return await self._mailbox.length()

    async def delete(self) -> None:
        await self._mailbox.delete()


class BrokenMailbox(SlowMailbox):
    async def read(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        raise ConnectionError("redis://secret is gone")


def outlet_of(mailbox: Mailbox | None = None, limits: Limits | None = None) -> Outlet:
    return Outlet(mailbox or MemoryMailboxes().of("anna"), limits or Limits(stall_seconds=1000.0))


async def test_a_link_that_keeps_up_is_written_to_at_once() -> None:
    outlet, link = outlet_of(), MemoryLink()
    await outlet.attach(link, 0)
    await outlet.deliver("one")
    await outlet.deliver("two")
    assert link.written == ["one", "two"]
    assert (outlet.last, outlet.unseen, outlet.unseen_bytes) == (2, 2, 6)


async def test_what_was_seen_is_not_kept() -> None:
    mailbox = MemoryMailboxes().of("anna")
    outlet, link = outlet_of(mailbox), MemoryLink()
    await outlet.attach(link, 0)
    for text in ("one", "two", "three"):
        await outlet.deliver(text)
    await outlet.acknowledge(2)
    assert (outlet.unseen, outlet.unseen_bytes, await mailbox.length()) == (1, 5, 1)
    await outlet.acknowledge(1)
    assert outlet.unseen == 1
    assert [outlet.can_resume(number) for number in range(5)] == [False, False, True, True, False]


async def test_a_slow_link_gets_everything_in_order_when_it_has_room() -> None:
    outlet, link = outlet_of(), MemoryLink(room=1)
    await outlet.attach(link, 0)
    for number in range(200):
        await outlet.deliver(str(number))
    assert link.written == ["0"]
    await turns(3)
    link.empty(1000)
    await turns(10)
    assert link.written == [str(number) for number in range(200)]
    await outlet.deliver("and at once again")
    assert link.written[-1] == "and at once again"


async def test_a_link_that_reads_nothing_is_cut_and_its_mail_waits() -> None:
    outlet, link = outlet_of(limits=Limits(stall_seconds=0.01)), MemoryLink(room=0)
    await outlet.attach(link, 0)
    await outlet.deliver("one")
    async with asyncio.timeout(60):
        await link.wait_for_room()
    assert link.is_cut
    outlet.detach(link)
    again = MemoryLink()
    await outlet.attach(again, 0)
    await turns(3)
    assert again.written == ["one"]


async def test_a_mailbox_that_fails_cuts_the_link_and_says_nothing_of_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outlet, link = outlet_of(BrokenMailbox(MemoryMailboxes().of("anna"))), MemoryLink(room=0)
    await outlet.attach(link, 0)
    await outlet.deliver("one")
    async with asyncio.timeout(60):
        await link.wait_for_room()
    assert "ConnectionError" in caplog.text
    assert "secret" not in caplog.text
    outlet.detach(link)


@given(st.data())
async def test_every_text_is_sent_once_and_in_order_behind_what_was_seen(data: st.DataObject) -> None:
    mailbox = SlowMailbox(MemoryMailboxes().of("anna"), Random(data.draw(st.integers(0, 10**6))))
    outlet, link, behind = outlet_of(mailbox), MemoryLink(), 0
    await outlet.attach(link, 0)
    for step in range(data.draw(st.integers(1, 20))):
        match data.draw(st.sampled_from(["deliver", "together", "see", "cut", "fill", "empty"])):
            case "deliver":
                await outlet.deliver(f"{step}")
            case "together":  # which of two senders comes first is the mailbox' matter
                await asyncio.gather(outlet.deliver(f"{step} left"), outlet.deliver(f"{step} right"))
            case "see":
                await outlet.acknowledge(data.draw(st.integers(outlet.seen, outlet.sent)))
            case "cut":
                link.abort()
                outlet.detach(link)
                behind = data.draw(st.integers(outlet.seen, outlet.last))
                link = MemoryLink()
                await outlet.attach(link, behind)
            case "fill":
                link.room = 0
            case "empty":
                link.empty(100)
    link.empty(1_000)
    await turns(200)
    assert link.written == mailbox.texts[behind:]
    outlet.detach(link)

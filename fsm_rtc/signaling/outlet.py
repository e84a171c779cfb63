"""Outlet: what one member has coming, from its mailbox to its link."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from fsm_rtc.signaling.link import Link
from fsm_rtc.signaling.mailbox import Mailbox

__all__ = ["Outlet"]

_LOG = logging.getLogger("fsm_rtc.signaling")

BATCH = 64
"""So many deliveries are read from the mailbox at once."""


class Outlet:
    """Sends what is in a member's mailbox, in order and as fast as the member reads it.

    While the link keeps up, a text is written where it arrives. If it doesn't, or if there was no link, a task reads
    the mailbox behind what was sent, until it has caught up.

    Args:
        mailbox: the member's.
        stall_seconds: how long a member may read nothing; then its link is cut off.

    Attributes:
        last: the number of the last delivery.
        sent: the number of the last one that was sent on the present link, or that was seen before it.
        seen: the number of the last one that the member has told it has seen.
        unseen_bytes: how much is kept until it tells so.
    """

    __slots__ = (
        "_arrived",
        "_link",
        "_mailbox",
        "_pump",
        "_sizes",
        "_stall_seconds",
        "last",
        "seen",
        "sent",
        "unseen_bytes",
    )

    def __init__(self, mailbox: Mailbox, stall_seconds: float) -> None:
        self.last = self.sent = self.seen = self.unseen_bytes = 0
        self._mailbox = mailbox
        self._stall_seconds = stall_seconds
        self._sizes: deque[int] | None = None
        self._link: Link | None = None
        self._arrived = False
        self._pump: asyncio.Task[None] | None = None

    @property
    def unseen(self) -> int:
        """How many deliveries are kept until the member tells that it has seen them."""
        return self.last - self.seen

    def can_resume(self, seen: int) -> bool:
        """Whether what follows so many deliveries is still there."""
        return self.seen <= seen <= self.last

    async def attach(self, link: Link, seen: int) -> None:
        """Send on this link from now on, behind so many deliveries."""
        self._detach()
        self._link = link
        self.sent = seen
        await self.acknowledge(seen)
        if self.last > seen:
            self._start(link)

    async def deliver(self, text: str) -> None:
        """Keep a text, and send it when its turn comes."""
        number = await self._mailbox.append(text)
        self.last = max(self.last, number)
        size = len(text)
        self.unseen_bytes += size
        if self._sizes is None:
            self._sizes = deque()
        self._sizes.append(size)
        link = self._link
        if link is None:
            return
        if self._pump is None and number == self.sent + 1 and link.has_room:
            self.sent = number
            link.write(text)
        else:
            self._start(link)

    async def acknowledge(self, seen: int) -> None:
        """The member has seen so many: they need not be kept.

        Args:
            seen: at most `sent`.
        """
        sizes = self._sizes
        if sizes is None or seen <= self.seen:
            return
        for _ in range(seen - self.seen):
            self.unseen_bytes -= sizes.popleft()
        if not sizes:
            self._sizes = None  # an empty deque takes as much as a full one, and most members are idle
        self.seen = seen
        await self._mailbox.trim(seen)

    def detach(self, link: Link) -> None:
        """This link is gone, if it is still the one that is sent on."""
        if self._link is link:
            self._detach()

    async def delete(self) -> None:
        """The member is gone, and its mailbox with it."""
        self._detach()
        await self._mailbox.delete()

    def _detach(self) -> None:
        self._link = None
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None

    def _start(self, link: Link) -> None:
        self._arrived = True
        if self._pump is None:
            self._pump = asyncio.create_task(self._catch_up(link), name="signalling outlet")

    async def _catch_up(self, link: Link) -> None:
        try:
            while self._arrived:
                self._arrived = False
                while batch := await self._mailbox.read(self.sent, BATCH):
                    for number, text in batch:
                        if not link.has_room and not await self._has_room_again(link):
                            return  # the link is gone, and this is let go when that is known
                        self.sent = number
                        link.write(text)
            self._pump = None
        except Exception as broken:
            _LOG.error("a mailbox can't be read (%s); its member's link is cut", type(broken).__qualname__)
            link.abort()

    async def _has_room_again(self, link: Link) -> bool:
        try:
            async with asyncio.timeout(self._stall_seconds):
                await link.wait_for_room()
        except TimeoutError:
            link.abort()  # what it didn't read waits until it comes back
            return False
        return link.has_room

"""Outlet: what one member has coming, from its mailbox to its link; and the link itself, as each front end brings it.

Theory. What one sender may keep in a mailbox is as much as is left free for the others: the first one at most half of
it, a second one at most half of the rest. So a member that sends without end has its own messages refused, not the
recipient thrown out, and for the other senders there is room. The server's own messages, of who came and went, have as
much room of their own.

What holds:

- Texts are written in the order of their numbers, each once on a link.
- `seen` <= `sent` <= `last`. What is kept is what lies behind `seen`.
- Delivering never waits for the member that reads: a text is written at once if the link has room, and else by a task
  that reads the mailbox behind what was sent.
- A link that reads nothing for `stall_seconds` is cut; its member may come back and go on.

Source: A. Choudhury and E. Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from fsm_rtc.messages.wire import ErrorCode
from fsm_rtc.signaling.limits import Limits
from fsm_rtc.signaling.mailbox import Mailbox

_LOG = logging.getLogger("fsm_rtc.signaling")

LEAVING = frozenset({1000, 1001})
"""The WebSocket close codes with which a client says that it doesn't come back. Source: RFC 6455, section 7.4.1."""


class LinkLostError(Exception):
    """A socket is gone.

    Attributes:
        code: the close code that the client sent, or None if it sent none.
        refused: why it was closed by this side's socket itself, for what it could not or would not read; None if it
            wasn't.
    """

    def __init__(self, code: int | None = None, *, refused: ErrorCode | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.refused = refused


class Link(Protocol):
    """One client's socket. Only `receive`, `wait_for_room` and `close` may suspend."""

    @property
    def path(self) -> str:
        """What the client asked for, percent-encoded, with a leading slash."""

    @property
    def has_room(self) -> bool:
        """Whether little of what was written is waiting to be sent."""

    def write(self, text: str) -> None:
        """Send a text behind what was written before; nothing happens on a closed one."""

    async def wait_for_room(self) -> None:
        """Return when there is room, or the socket is closed."""

    async def receive(self) -> str | bytes:
        """The next frame.

        Raises:
            LinkLostError: it is gone.
        """

    async def close(self, code: int, reason: str) -> None:
        """Close it; when this returns, or is cancelled, it is closed. It takes only so long."""

    def abort(self) -> None:
        """Cut it off."""


BATCH = 64
"""So many deliveries are read from the mailbox at once."""

SERVER = ""
"""The sender of the server's own words."""


@dataclass(slots=True)
class _KeptText:
    """How much of one sender's is kept."""

    messages: int = 0
    size: int = 0


_NONE = _KeptText()


@dataclass(slots=True, eq=False)
class Outlet:
    """Sends what is in a member's mailbox, in order and as fast as the member reads it.

    While the link keeps up, a text is written where it arrives. If it doesn't, or if there was no link, a task reads
    the mailbox behind what was sent, until it has caught up.

    Args:
        mailbox: the member's.
        limits: how much is kept, and how long a member may read nothing before its link is cut off.

    Attributes:
        last: the number of the last delivery.
        sent: the number of the last one that was sent on the present link, or that was seen before it.
        seen: the number of the last one that the member has told it has seen.
        unseen_bytes: how much is kept until it tells so.
    """

    _mailbox: Mailbox
    _limits: Limits
    last: int = field(default=0, init=False)
    sent: int = field(default=0, init=False)
    seen: int = field(default=0, init=False)
    unseen_bytes: int = field(default=0, init=False)
    _sizes: deque[tuple[str, int]] | None = field(default=None, init=False)
    _kept: dict[str, _KeptText] | None = field(default=None, init=False)
    _link: Link | None = field(default=None, init=False)
    _arrived: bool = field(default=False, init=False)
    _pump: asyncio.Task[None] | None = field(default=None, init=False)

    @property
    def unseen(self) -> int:
        """How many deliveries are kept until the member tells that it has seen them."""
        return self.last - self.seen

    def can_resume(self, seen: int) -> bool:
        """Whether what follows so many deliveries is still there."""
        return self.seen <= seen <= self.last

    def has_room_for(self, text: str, sender: str = SERVER) -> bool:
        """Whether a text may be kept.

        Args:
            text: it.
            sender: whose it is, by id.
        """
        limits = self._limits
        if self._kept is None:
            return True
        its = self._kept.get(sender, _NONE)
        if sender == SERVER:
            return its.messages < limits.unread_messages and its.size + _size(text) <= limits.unread_bytes
        own = self._kept.get(SERVER, _NONE)
        free_messages = limits.unread_messages - (self.unseen - own.messages)
        free_bytes = limits.unread_bytes - (self.unseen_bytes - own.size)
        return its.messages < free_messages and its.size + _size(text) <= free_bytes

    async def attach(self, link: Link, seen: int) -> None:
        """Send on this link from now on, behind so many deliveries."""
        self._detach()
        self._link = link
        self.sent = seen
        await self.acknowledge(seen)
        if self.last > seen:
            self._start(link)

    async def deliver(self, text: str, sender: str = SERVER) -> None:
        """Keep a text, and send it when its turn comes.

        Args:
            text: it.
            sender: whose it is, by id.
        """
        size = _size(text)
        self._keep(sender, size)  # before it is written, which others may be at too
        try:
            number = await self._mailbox.append(text)
        except BaseException:
            self._let_go(sender, size)
            raise
        self.last = max(self.last, number)
        if self._sizes is None:
            self._sizes = deque()
        self._sizes.append((sender, size))
        link = self._link
        if link is None:
            return
        # Only the next text in order, on a link that keeps up; anything else is the pump's, or texts would overtake
        # each other.
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
            self._let_go(*sizes.popleft())
        if not sizes:
            self._sizes = None  # an empty deque takes as much as a full one, and most members are idle
        self.seen = seen
        await self._mailbox.trim(seen)

    def _keep(self, sender: str, size: int) -> None:
        if self._kept is None:
            self._kept = {}
        kept = self._kept.setdefault(sender, _KeptText())
        kept.messages += 1
        kept.size += size
        self.unseen_bytes += size

    def _let_go(self, sender: str, size: int) -> None:
        if self._kept is None:
            return
        kept = self._kept[sender]
        kept.messages -= 1
        kept.size -= size
        self.unseen_bytes -= size
        if not kept.messages:
            del self._kept[sender]
        if not self._kept:
            self._kept = None  # most members are idle

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
            async with asyncio.timeout(self._limits.stall_seconds):
                await link.wait_for_room()
        except TimeoutError:
            link.abort()  # what it didn't read waits until it comes back
            return False
        return link.has_room


def _size(text: str) -> int:
    """Its bytes in UTF-8."""
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))

"""What a client keeps of its link: the events between the socket and their reader, and what resuming the session takes.

The events are in order, bounded and safe to cancel. Source of the session's counts: docs/protocol.md, "Sessions".
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from fsm_rtc.connection.channel import MessageReceived, PeerJoined, PeerLeft, SignalingEvent
from fsm_rtc.connection.saving.saved import SavedLink
from fsm_rtc.messages.wire import IceServerInfo, Introduction, MemberJoined, MemberLeft, PeerMessage
from fsm_rtc.peer.configuration import IceServer


class Inbox:
    """A bounded queue that is read with ``async for``; it ends when it was ended and is read empty.

    Waiting for an event may be cancelled at any time, nothing is lost by it and the reading may go on.

    Args:
        limit: how many events may wait; those that tell the link's own state come on top.
        limit_bytes: how many bytes the frames may have together that brought them.
        on_read: is told of each event that is read, with its frame's bytes; 0 of the link's own state.
    """

    def __init__(
        self, limit: int, limit_bytes: int = 2**62, on_read: Callable[[int], object] = lambda size: None
    ) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._on_read = on_read
        self._bytes = 0
        self._events: deque[tuple[SignalingEvent | None, int]] = deque()  # None is the end
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._events)

    @property
    def is_full(self) -> bool:
        return len(self._events) >= self._limit or self._bytes >= self._limit_bytes

    def offer(self, event: SignalingEvent, size: int = 0) -> bool:
        """Add an event if there is room; False if there is none.

        Args:
            event: it.
            size: how many bytes the frame had that brought it.
        """
        if self.is_full:
            return False
        self.put(event, size)
        return True

    def put(self, event: SignalingEvent, size: int = 0) -> None:
        """Add an event even if there is no room: the link's own state must not get lost."""
        self._events.append((event, size))
        self._bytes += size
        self._changed.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._events.append((None, 0))
        self._changed.set()

    async def wait_for_room(self) -> None:
        """Return when an event has room."""
        while self.is_full:
            await self._change()

    def __aiter__(self) -> Inbox:
        return self

    async def __anext__(self) -> SignalingEvent:
        while not self._events:
            await self._change()
        event, size = self._events[0]
        if event is None:
            raise StopAsyncIteration
        self._events.popleft()
        self._bytes -= size
        self._changed.set()
        self._on_read(size)
        return event

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


def event_of(message: PeerMessage | MemberJoined | MemberLeft, frame: str | bytes) -> SignalingEvent:
    """What a delivery tells.

    Args:
        message: it.
        frame: the frame that brought it.
    """
    if isinstance(message, MemberJoined):
        return PeerJoined(message.member)
    if isinstance(message, MemberLeft):
        return PeerLeft(message.id, message.session)
    return MessageReceived(frame, message)


def ice_servers_of(told: tuple[IceServerInfo, ...]) -> tuple[IceServer, ...]:
    """What the server offers; a URL that none could use is left out."""
    servers = []
    for offered in told:
        with suppress(ValueError):
            servers.append(IceServer(offered.urls, offered.username or None, offered.credential or None))
    return tuple(servers)


ACKNOWLEDGE_EVERY, ACKNOWLEDGE_BYTES = 32, 65_536
"""So many deliveries are read, or so many bytes of them, before the server is told."""

TELL_SECONDS = 1.0
"""So long after it was read the server is told of a delivery, if nothing else is."""

MAX_UNTAKEN_MESSAGES = 256
"""So many messages are kept until the server says that it has taken them."""


MAX_MEMBERS = 1024
"""So many members are known at most; a server that names more without end forgets the first."""


class Resumption:
    """One session's counts, either way, and who is in the room.

    What has come counts for resuming; what was read of it is what the server is told. So a server that keeps no more
    than a bound of what it wasn't told sends no more than this side reads, and nobody in the room can make it more.

    Attributes:
        seen: how many deliveries came; None before the first welcome.
    """

    def __init__(self) -> None:
        self.seen: int | None = None
        self._read = self._acknowledged = self._read_bytes = 0
        self._unread_before = 0
        self._posts = 0
        self._untaken: deque[str] = deque()
        self._members: dict[str, Introduction] = {}

    @property
    def members(self) -> tuple[Introduction, ...]:
        """Who else is there, as far as it was told."""
        return tuple(self._members.values())

    @property
    def is_full(self) -> bool:
        """Whether no more can be sent until the server has taken some."""
        return len(self._untaken) >= MAX_UNTAKEN_MESSAGES

    def export(self) -> SavedLink | None:
        """What another run of the program needs to go on with the session; None before it has begun."""
        if self.seen is None:
            return None
        return SavedLink(self.seen, self._posts, tuple(self._untaken), self.members)

    def restore(self, saved: SavedLink) -> None:
        """Go on with the session of another run."""
        self.seen = self._read = self._acknowledged = saved.seen
        self._posts = saved.posts
        self._untaken.extend(saved.untaken)
        self._members = {member.id: member for member in saved.members}

    def begin(self, members: tuple[Introduction, ...]) -> None:
        """The server knows nothing of this session, or no longer: all counts begin anew."""
        self._unread_before += (self.seen or 0) - self._read
        self.seen = self._read = self._acknowledged = self._read_bytes = self._posts = 0
        self._untaken.clear()
        self._members = {member.id: member for member in members}

    def go_on(self, taken: int) -> tuple[str, ...]:
        """The session goes on; what to send again."""
        self.taken(taken)
        self._acknowledged, self._read_bytes = self.seen or 0, 0  # it was told so when the link was made
        self._posts = max(self._posts, taken)  # another run may have sent more than it could keep
        return tuple(self._untaken)

    def posted(self, text: str) -> None:
        """A message is sent."""
        self._posts += 1
        self._untaken.append(text)

    def taken(self, number: int) -> None:
        """The server has taken so many messages."""
        while self._untaken and self._posts - len(self._untaken) < number:
            self._untaken.popleft()

    def delivered(self, message: PeerMessage | MemberJoined | MemberLeft) -> None:
        """A delivery came."""
        if isinstance(message, MemberJoined):
            self._members[message.member.id] = message.member
            if len(self._members) > MAX_MEMBERS:
                del self._members[next(iter(self._members))]
        elif isinstance(message, MemberLeft):
            member = self._members.get(message.id)
            if member is not None and member.session == message.session:
                del self._members[message.id]
        self.seen = (self.seen or 0) + 1

    def read(self, size: int) -> bool:
        """A delivery of so many bytes was read; whether the server is to be told now."""
        if self._unread_before:  # of the session that ended before this one began
            self._unread_before -= 1
            return False
        self._read += 1
        self._read_bytes += size
        return self._read - self._acknowledged >= ACKNOWLEDGE_EVERY or self._read_bytes >= ACKNOWLEDGE_BYTES

    def told(self) -> int | None:
        """The server is told now; the number, or None if it knows."""
        self._read_bytes = 0
        if self._read <= self._acknowledged:
            return None
        self._acknowledged = self._read
        return self._acknowledged

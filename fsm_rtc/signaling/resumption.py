"""Resumption: what a client keeps, to go on with its session on another socket.

Source: docs/protocol.md, "Sessions".
"""

from __future__ import annotations

from collections import deque

from fsm_rtc.connection.saved import SavedLink
from fsm_rtc.messages.wire import Introduction, Joined, Left, PeerMessage

__all__ = [
    "ACKNOWLEDGE_BYTES",
    "ACKNOWLEDGE_EVERY",
    "MAX_MEMBERS",
    "MAX_UNTAKEN_MESSAGES",
    "TELL_SECONDS",
    "Resumption",
]

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
        self._read = self._told = self._read_bytes = 0
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
        self.seen = self._read = self._told = saved.seen
        self._posts = saved.posts
        self._untaken.extend(saved.untaken)
        self._members = {member.id: member for member in saved.members}

    def begin(self, members: tuple[Introduction, ...]) -> None:
        """The server knows nothing of this session, or no longer: all counts begin anew."""
        self._unread_before += (self.seen or 0) - self._read
        self.seen = self._read = self._told = self._read_bytes = self._posts = 0
        self._untaken.clear()
        self._members = {member.id: member for member in members}

    def go_on(self, taken: int) -> tuple[str, ...]:
        """The session goes on; what to send again."""
        self.taken(taken)
        self._told, self._read_bytes = self.seen or 0, 0  # it was told so when the link was made
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

    def delivered(self, message: PeerMessage | Joined | Left) -> None:
        """A delivery came."""
        if isinstance(message, Joined):
            self._members[message.member.id] = message.member
            if len(self._members) > MAX_MEMBERS:
                del self._members[next(iter(self._members))]
        elif isinstance(message, Left):
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
        return self._read - self._told >= ACKNOWLEDGE_EVERY or self._read_bytes >= ACKNOWLEDGE_BYTES

    def told(self) -> int | None:
        """The server is told now; the number, or None if it knows."""
        self._read_bytes = 0
        if self._read <= self._told:
            return None
        self._told = self._read
        return self._told

"""Resumption: what a client keeps, to go on with its session on another socket.

Source: docs/protocol.md, "Sessions".
"""

from __future__ import annotations

from collections import deque

from fsm_rtc.connection.saved import SavedLink
from fsm_rtc.messages.wire import Introduction, Joined, Left, PeerMessage

__all__ = ["ACKNOWLEDGE_EVERY", "MAX_UNTAKEN_MESSAGES", "Resumption"]

ACKNOWLEDGE_EVERY = 32
"""So many deliveries are seen before the server is told."""

MAX_UNTAKEN_MESSAGES = 256
"""So many messages are kept until the server says that it has taken them."""


class Resumption:
    """One session's counts, either way, and who is in the room.

    Attributes:
        seen: how many deliveries came; None before the first welcome.
    """

    def __init__(self) -> None:
        self.seen: int | None = None
        self._told = 0
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
        self.seen = self._told = saved.seen
        self._posts = saved.posts
        self._untaken.extend(saved.untaken)
        self._members = {member.id: member for member in saved.members}

    def begin(self, members: tuple[Introduction, ...]) -> None:
        """The server knows nothing of this session, or no longer: all counts begin anew."""
        self.seen = self._told = self._posts = 0
        self._untaken.clear()
        self._members = {member.id: member for member in members}

    def go_on(self, taken: int) -> tuple[str, ...]:
        """The session goes on; what to send again."""
        self.taken(taken)
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

    def delivered(self, message: PeerMessage | Joined | Left) -> int | None:
        """A delivery came: the number to tell the server now, or None."""
        if isinstance(message, Joined):
            self._members[message.member.id] = message.member
        elif isinstance(message, Left):
            member = self._members.get(message.id)
            if member is not None and member.session == message.session:
                del self._members[message.id]
        self.seen = (self.seen or 0) + 1
        if self.seen - self._told < ACKNOWLEDGE_EVERY:
            return None
        self._told = self.seen
        return self.seen

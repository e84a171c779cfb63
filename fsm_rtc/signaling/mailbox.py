"""What a session has not yet confirmed: its mailbox, from which a client that lost its socket resumes.

Each session has one of its own. Texts are numbered from 1 without gaps; a reader names the last number that it has, and
is given what follows; what it confirmed is thrown away. Numbers go on when everything was thrown away, and begin anew
only when the mailbox was deleted.

The operations are those of a Redis stream (version 7), whose ids have the millisecond 0, so that the sequence number
alone counts: each docstring names its command.

Left out: bounds and grace times, which are for the hub to keep.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol


class Mailbox(Protocol):
    """One session's texts, in the order in which they were appended."""

    async def append(self, text: str) -> int:
        """Add a text and return its number, from 1.

        Source: Redis, ``XADD key 0-* text TEXT``; the id that it answers is ``0-N``.
        """

    async def read(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """The texts that follow a number, each with its own, in order.

        Args:
            after: the last number that the reader has; 0 for none.
            limit: how many to return at most; 1 or more.

        Source: Redis, ``XRANGE key (0-AFTER + COUNT LIMIT``.
        """

    async def trim(self, upto: int) -> None:
        """Throw away what the reader has confirmed.

        Args:
            upto: the last number that goes; 0 for none. One that was not given out yet throws away what there is.

        Source: Redis, ``XTRIM key MINID = 0-(UPTO + 1)``.
        """

    async def length(self) -> int:
        """How many texts are in it.

        Source: Redis, ``XLEN key``.
        """

    async def delete(self) -> None:
        """Throw away everything, the count too: the session is gone.

        Source: Redis, ``DEL key``.
        """


class Mailboxes(Protocol):
    """Where mailboxes are kept."""

    def of(self, session_key: str) -> Mailbox:
        """The mailbox of a session; it is the same one each time, and empty at first.

        Args:
            session_key: names the session, in all rooms and among all members.
        """


@dataclass(slots=True)
class _Stream:
    last: int = 0
    texts: deque[str] | None = None


class MemoryMailbox:
    """A mailbox in this process' memory. Its coroutines never suspend.

    Args:
        streams: the contents of every mailbox that was ever written to; those of this one are made with its first text.
        session_key: its own place in there.
    """

    __slots__ = ("_session_key", "_streams")

    def __init__(self, streams: dict[str, _Stream], session_key: str) -> None:
        self._streams = streams
        self._session_key = session_key

    async def append(self, text: str) -> int:
        stream = self._streams.setdefault(self._session_key, _Stream())
        if stream.texts is None:
            stream.texts = deque()
        stream.texts.append(text)
        stream.last += 1
        return stream.last

    async def read(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        stream = self._streams.get(self._session_key)
        if stream is None or stream.texts is None:
            return ()
        trimmed = stream.last - len(stream.texts)
        start = max(after, trimmed)
        return tuple(enumerate(islice(stream.texts, start - trimmed, start - trimmed + limit), start + 1))

    async def trim(self, upto: int) -> None:
        stream = self._streams.get(self._session_key)
        if stream is None or stream.texts is None:
            return
        if upto >= stream.last:
            stream.texts = None  # an empty deque is some 600 bytes; most sessions are idle
            return
        for _ in range(upto - (stream.last - len(stream.texts))):
            stream.texts.popleft()

    async def length(self) -> int:
        stream = self._streams.get(self._session_key)
        return 0 if stream is None or stream.texts is None else len(stream.texts)

    async def delete(self) -> None:
        self._streams.pop(self._session_key, None)


class MemoryMailboxes:
    """Mailboxes in this process' memory: they end with it. One that nobody ever wrote to, or that was deleted, costs
    nothing here.
    """

    __slots__ = ("_streams",)

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}

    def of(self, session_key: str) -> MemoryMailbox:
        return MemoryMailbox(self._streams, session_key)

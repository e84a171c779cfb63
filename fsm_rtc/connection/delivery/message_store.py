"""MessageStore: the messages with each peer of a program that are not done with, either way.

They belong to the peer, by its id, and to nothing shorter-lived: not to a channel, a peer connection, an exchange, a
session, a call that failed, or another peer who came in between. Two things end them, this side's `aclose` and the
peer's goodbye. With a `Persistence` they outlive the program too; there each change is kept before it counts.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fsm_rtc.connection.delivery.frames import size_of
from fsm_rtc.connection.delivery.messages import Delivery
from fsm_rtc.connection.saving.persistence import KeptMessages, Persistence
from fsm_rtc.errors import SnapshotError
from fsm_rtc.messages.signing import new_session

__all__ = ["KEPT_PEERS", "KEPT_STREAMS", "IncomingStream", "MessageStore", "PeerMessages"]

logger = logging.getLogger("fsm_rtc.connection")

KEPT_STREAMS = 8
"""Of so many of a peer's streams, one for each of its runs, it is known what came; the one longest unheard goes."""

KEPT_PEERS = 64
"""With so many peers messages are kept; who has nothing waiting goes first, and of those who was here longest ago."""


@contextmanager
def tolerated() -> Iterator[None]:
    """What only makes the place smaller may fail: what stays there too long does no harm to the next run."""
    try:
        yield
    except SnapshotError as error:
        logger.warning("the call goes on, but what is over stays where it is kept: %s", error)


class IncomingStream:
    """What has come of one of a peer's streams.

    Attributes:
        name: the stream's id.
        handed_over: the number of the last message that was handed over.
        acknowledged: up to this number its readers are done.
    """

    __slots__ = ("_done", "acknowledged", "handed_over", "name")

    def __init__(self, name: str, before: int) -> None:
        self.name = name
        self.handed_over = self.acknowledged = before
        self._done: set[int] = set()

    def done_up_to(self, number: int) -> int:
        """Up to which number all is done, if a reader is done with this one; nothing changes yet."""
        up_to = self.acknowledged
        while up_to + 1 == number or up_to + 1 in self._done:
            up_to += 1
        return up_to

    def settle(self, number: int, up_to: int) -> None:
        """A reader is done with this one, and so all is up to another."""
        self._done.add(number)
        self._done.difference_update(range(self.acknowledged + 1, up_to + 1))
        self.acknowledged = max(self.acknowledged, up_to)


class PeerMessages:
    """The messages with one peer.

    Args:
        stream: the id of this side's messages to it.
        peer: its id.
        place: keeps them for another run, or None.
        kept: what another run has left.

    Attributes:
        sent: the number of this side's last message.
        bytes_waiting: how many bytes of this side's are not acknowledged.
        unread: what was handed over to a call that is over, and was read by nobody.
        on_done: told of the stream when its readers are done with more of it; the present conversation's.
    """

    def __init__(
        self, stream: str, peer: str = "", place: Persistence | None = None, kept: KeptMessages | None = None
    ) -> None:
        kept = kept or KeptMessages()
        self.stream = kept.stream or stream
        self.sent = kept.sent
        self.bytes_waiting = 0
        self.unread: deque[Delivery] = deque()
        self.on_done: Callable[[IncomingStream], None] | None = None
        self._peer = peer
        self._place = place
        self._waiting: deque[tuple[str | bytes, int]] = deque()
        for message in kept.unacknowledged:
            self._append(message, size_of(message))
        self._streams = OrderedDict((name, IncomingStream(name, up_to)) for name, up_to in kept.taken.items())
        self._forget_old_streams()

    @property
    def waiting(self) -> int:
        """How many messages of this side are not acknowledged."""
        return len(self._waiting)

    @property
    def first_waiting(self) -> int:
        """The number of the first of them; of the next message if there is none."""
        return self.sent - len(self._waiting) + 1

    @property
    def received(self) -> dict[str, int]:
        """Up to which number this side is done with each of the peer's streams."""
        return {stream.name: stream.acknowledged for stream in self._streams.values()}

    def add(self, message: str | bytes) -> int:
        """Take a message of this side; its number.

        Raises:
            TypeError: it is neither text nor bytes.
            ValueError: it is too long.
            SnapshotError: it can't be kept; then it is not taken.
        """
        size = size_of(message)
        if self._place is not None:
            self._place.message_sent(self._peer, self.stream, self.sent + 1, message)
        self.sent += 1
        self._append(message, size)
        return self.sent

    def numbered(self, number: int) -> str | bytes:
        """The message of this side with a number, which is not acknowledged."""
        return self._waiting[number - self.first_waiting][0]

    def acknowledged(self, up_to: int) -> None:
        """The peer is done with this side's messages up to a number."""
        if up_to < self.first_waiting or not self._waiting:
            return
        if self._place is not None:
            with tolerated():
                self._place.messages_acknowledged(self._peer, up_to)
        while self._waiting and self.first_waiting <= up_to:
            self.bytes_waiting -= self._waiting.popleft()[1]

    def stream_of_peer(self, name: str) -> IncomingStream | None:
        """What has come of one of the peer's streams; None of one that isn't known."""
        return self._streams.get(name)

    def hear(self, name: str, before: int) -> IncomingStream:
        """The peer goes on with a stream, or begins one behind the number `before`."""
        if name not in self._streams:
            self._streams[name] = IncomingStream(name, before)
        self._streams.move_to_end(name)
        self._forget_old_streams()
        return self._streams[name]

    def done(self, stream: IncomingStream, number: int) -> None:
        """A reader is done with a message of the peer.

        Raises:
            SnapshotError: that can't be kept; then it doesn't count.
        """
        up_to = stream.done_up_to(number)
        has_more = up_to > stream.acknowledged
        if has_more and self._place is not None and stream.name in self._streams:
            self._place.messages_taken(self._peer, stream.name, up_to)
        stream.settle(number, up_to)
        if has_more and self.on_done is not None:
            self.on_done(stream)

    def _append(self, message: str | bytes, size: int) -> None:
        self._waiting.append((message, size))
        self.bytes_waiting += size

    def _forget_old_streams(self) -> None:
        while len(self._streams) > KEPT_STREAMS:
            name, _ = self._streams.popitem(last=False)
            if self._place is not None:
                with tolerated():
                    self._place.stream_forgotten(self._peer, name)


class MessageStore:
    """See the module.

    Args:
        place: keeps them for another run, or None.
    """

    def __init__(self, place: Persistence | None = None) -> None:
        self._place = place
        self._peers: OrderedDict[str, PeerMessages | None] = OrderedDict()  # None: in the place, and not asked for yet
        if place is not None:
            self._peers.update(dict.fromkeys(place.peers()))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept with anybody."""
        return not self._peers

    def of(self, peer: str) -> PeerMessages:
        """The messages with this peer, by its id; who was not there before has none."""
        known = self._peers.get(peer)
        if known is None:
            kept = self._place.messages(peer) if self._place is not None else None
            known = self._peers[peer] = PeerMessages(new_session(), peer, self._place, kept)
        self._peers.move_to_end(peer)
        if len(self._peers) > KEPT_PEERS:
            self._let_one_go(peer)
        return known

    def forget(self, peer: str) -> None:
        """It is over with this peer, in order: keep nothing of it."""
        self._peers.pop(peer, None)
        if self._place is not None:
            with tolerated():
                self._place.forget(peer)

    def clear(self) -> None:
        """It is over with everybody."""
        self._peers.clear()
        if self._place is not None:
            with tolerated():
                self._place.clear()

    def _waits(self, peer: str, messages: PeerMessages | None) -> bool:
        """Whether there are messages for this peer; who has not been asked for yet is looked up in the place."""
        if messages is not None:
            return messages.waiting > 0
        try:
            return self._place is not None and bool(self._place.messages(peer).unacknowledged)
        except SnapshotError:
            return True

    def _let_one_go(self, but: str) -> None:
        others = [(peer, messages) for peer, messages in self._peers.items() if peer != but]
        gone = next((peer for peer, messages in others if not self._waits(peer, messages)), None)
        if gone is None:
            gone = others[0][0]
            logger.warning("messages wait for more than %d peers; those for %s are dropped", KEPT_PEERS, gone)
        self.forget(gone)

"""Messages in order, each once, over signalling that may lose, repeat and reorder them. No clock, no socket.

Source: docs/protocol.md. Each side numbers its messages to the other from 1; the other acknowledges the number up to
which it has them all. What is not acknowledged is sent again, unchanged, at growing intervals while the link is up.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["GIVE_UP_SECONDS", "Incoming", "Outgoing"]

MessageT = TypeVar("MessageT")

FIRST_REPEAT_SECONDS = 1.0
LONGEST_REPEAT_SECONDS = 8.0
GIVE_UP_SECONDS = 45.0
"""How long a message is sent again, with the link up and nothing acknowledged, before the peer counts as gone.

Longer than a library takes to notice that a peer is dead (fact 1: up to 36 s): a peer that still holds on to a dead one
acknowledges nothing of the next.
"""

MAX_HELD_CHARACTERS = 1024 * 1024
"""So much is kept of what came before its turn; two offers with many candidates have a tenth of it."""


@dataclass(slots=True)
class _Sent:
    text: str
    next_at: float
    interval: float


class Outgoing:
    """What was sent and is not acknowledged.

    Attributes:
        sequence: the number of the last message; the next one gets the next.
    """

    def __init__(self) -> None:
        self.sequence = 0
        self._unacknowledged: OrderedDict[int, _Sent] = OrderedDict()
        self._paused = False
        self._waiting_since = 0.0

    def sent(self, text: str, now: float) -> None:
        """Message number `sequence` is on its way; it is kept until it is acknowledged."""
        if not self._unacknowledged:
            self._waiting_since = now
        self._unacknowledged[self.sequence] = _Sent(text, now + FIRST_REPEAT_SECONDS, FIRST_REPEAT_SECONDS)

    def acknowledged(self, sequence: int, now: float) -> None:
        """The peer has every message up to this number."""
        while self._unacknowledged and next(iter(self._unacknowledged)) <= sequence:
            self._unacknowledged.popitem(last=False)
            self._waiting_since = now

    def pause(self) -> None:
        """The link is down: there is no use in sending, and time doesn't count."""
        self._paused = True

    def resume(self, now: float) -> list[str]:
        """The link is up: everything that is not acknowledged is to be sent again, at once and then as at first."""
        self._paused = False
        self._waiting_since = now
        for waiting in self._unacknowledged.values():
            waiting.interval = FIRST_REPEAT_SECONDS
            waiting.next_at = now + FIRST_REPEAT_SECONDS
        return [waiting.text for waiting in self._unacknowledged.values()]

    def due(self, now: float) -> list[str]:
        """What is to be sent again now."""
        texts = []
        for waiting in self._unacknowledged.values() if not self._paused else ():
            if waiting.next_at <= now:
                texts.append(waiting.text)
                waiting.interval = min(2 * waiting.interval, LONGEST_REPEAT_SECONDS)
                waiting.next_at = now + waiting.interval
        return texts

    def next_at(self) -> float | None:
        """When there will be something to do, or None."""
        if self._paused or not self._unacknowledged:
            return None
        repeat = min(waiting.next_at for waiting in self._unacknowledged.values())
        return min(repeat, self._waiting_since + GIVE_UP_SECONDS)

    def is_hopeless(self, now: float) -> bool:
        """Whether nothing was acknowledged for too long."""
        waits = bool(self._unacknowledged) and not self._paused
        return waits and now >= self._waiting_since + GIVE_UP_SECONDS

    def restart(self, now: float) -> None:
        """Count the time in which nothing is acknowledged from now."""
        self._waiting_since = now

    @property
    def unacknowledged(self) -> tuple[tuple[int, str], ...]:
        """What was not acknowledged, with its numbers."""
        return tuple((number, sent.text) for number, sent in self._unacknowledged.items())

    def restore(self, sequence: int, unacknowledged: tuple[tuple[int, str], ...], now: float) -> None:
        """Go on where another run has stopped; `resume` gives what is to be sent again."""
        self.sequence = sequence
        for number, text in unacknowledged:
            self._unacknowledged[number] = _Sent(text, now + FIRST_REPEAT_SECONDS, FIRST_REPEAT_SECONDS)

    def forget(self) -> None:
        """Send nothing again."""
        self._unacknowledged.clear()


class Incoming(Generic[MessageT]):
    """What came before its turn.

    Attributes:
        next_sequence: the number of the message whose turn it is.
        owes: whether the peer is to be told what has arrived.
    """

    def __init__(self) -> None:
        self.next_sequence = 1
        self.owes = False
        self._held: dict[int, tuple[MessageT, int]] = {}
        self._held_size = 0

    def hold(self, sequence: int, message: MessageT, size: int = 0) -> None:
        """Keep a message until its turn; one for which there is no room will come again, for it isn't acknowledged.

        Args:
            sequence: its number.
            message: it.
            size: how many characters it holds.
        """
        self.owes = True
        if sequence not in self._held and self._held_size + size <= MAX_HELD_CHARACTERS:
            self._held[sequence] = message, size
            self._held_size += size

    def take_turn(self) -> None:
        """The message whose turn it was has been delivered."""
        self.next_held()
        self.next_sequence += 1
        self.owes = True

    def next_held(self) -> MessageT | None:
        """The message whose turn it is now, if it came early."""
        message, size = self._held.pop(self.next_sequence, (None, 0))
        self._held_size -= size
        return message

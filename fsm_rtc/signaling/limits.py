"""What a signalling server bears: how much, how many, how fast and how long."""

from __future__ import annotations

from dataclasses import dataclass, fields

from fsm_rtc.messages.wire import MAX_MESSAGE_BYTES

__all__ = ["Limits", "TokenBucket"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of a signalling server.

    Attributes:
        message_bytes: how long a frame may be, in bytes; at most the protocol's own bound.
        messages_per_second: how many messages a member may send in the long run.
        burst: how many it may send at once, before that counts.
        unread_messages: how many deliveries are kept for a member that doesn't read them.
        unread_bytes: how much is kept for it, in characters.
        members: how many members a room has at most.
        rooms: how many rooms there are at most.
        connections_per_address: how many sockets one IP address may have.
        handshake_seconds: how long a client may take for its HTTP request, and again for its hello.
        grace_seconds: how long a member whose socket is lost may stay away.
        stall_seconds: how long a client may read nothing of what is sent to it, before its socket is cut off.

    Raises:
        ValueError: one of them is not above 0, or the message size is above the protocol's.
    """

    message_bytes: int = MAX_MESSAGE_BYTES
    messages_per_second: float = 100.0
    burst: int = 500
    unread_messages: int = 1024
    unread_bytes: int = 4 * 1024 * 1024
    members: int = 16
    rooms: int = 10_000
    connections_per_address: int = 500
    handshake_seconds: float = 10.0
    grace_seconds: float = 30.0
    stall_seconds: float = 20.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ValueError(f"{field.name} is {value!r}; give a number above 0")
        if self.message_bytes > MAX_MESSAGE_BYTES:
            raise ValueError(f"message_bytes is {self.message_bytes}; the protocol's bound is {MAX_MESSAGE_BYTES}")


class TokenBucket:
    """How fast somebody may go: a burst at once, and a rate in the long run.

    Args:
        per_second: how many in a second, in the long run.
        burst: how many at once.
        now: seconds; the bucket is full.
    """

    __slots__ = ("_at", "_burst", "_level", "_per_second")

    def __init__(self, per_second: float, burst: float, now: float) -> None:
        self._per_second = per_second
        self._burst = self._level = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Take one, if there is one."""
        level = min(self._burst, self._level + (now - self._at) * self._per_second)
        self._at = now
        if level < 1:
            self._level = level
            return False
        self._level = level - 1
        return True

"""What a server grants to each of its clients, so that none takes it from the others, and how it refuses.

A bound that is reached has its `ErrorCode` and its WebSocket close code; which of them a retry can mend is `FINAL`'s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from fsm_rtc.errors import Rejected
from fsm_rtc.machines.session import place_is_left, room_is_left, server_takes_sessions
from fsm_rtc.messages.wire import MAX_MESSAGE_BYTES, ErrorCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of a server. Each is above 0.

    Args:
        message_bytes: the longest frame that is read; at most the protocol's limit, which is the default.
        messages_per_second: how many messages a client may send on average, and four times as many pings, pongs and
            pieces of messages; it need not be a whole number.
        burst: how many of them a client may send at once, after it was silent for a while; 1 or more.
        unread_messages: how many messages of others a mailbox holds that its client has not confirmed, of one sender at
            most as many as are left free for the rest; and as many again of the server's own words, of who came and
            went; 1 or more.
        unread_bytes: how many bytes of text these are together, in UTF-8; at least ``message_bytes``, or a message that
            is let in could never be delivered.
        handshake_seconds: how long a client may take for its HTTP request, and again for its hello.
        members: how many a room holds, those in grace too; 2 or more.
        rooms: how many rooms there are at most; 1 or more.
        connections_per_address: how many sockets one IP address may have open, those in the handshake too; 1 or more.
        grace_seconds: how long a client that lost its socket may take to resume, before the others learn that it left.
        stall_seconds: how long a client may leave unread what was written to its socket, before that is cut off.

    Raises:
        ValueError: a bound that is out of its range; the message names it.
    """

    message_bytes: int = MAX_MESSAGE_BYTES
    messages_per_second: float = 50.0
    burst: int = 200
    unread_messages: int = 1024
    unread_bytes: int = 4 * 1024 * 1024
    handshake_seconds: float = 10.0
    members: int = 16
    rooms: int = 10_000
    connections_per_address: int = 200
    grace_seconds: float = 30.0
    stall_seconds: float = 20.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, int) and (not isinstance(value, int) or isinstance(value, bool)):
                raise ValueError(f"{field.name} is {value!r}; give a whole number")
            if not isinstance(value, int | float):
                raise ValueError(f"{field.name} is {value!r}; give a number above 0")
            if not 0 < value < math.inf:
                raise ValueError(f"{field.name} is {value}; give a number above 0")
        if self.message_bytes > MAX_MESSAGE_BYTES:
            raise ValueError(
                f"message_bytes is {self.message_bytes}; give at most the protocol's limit, {MAX_MESSAGE_BYTES}"
            )
        if self.unread_bytes < self.message_bytes:
            raise ValueError(
                f"unread_bytes is {self.unread_bytes}; give at least one message's, message_bytes, {self.message_bytes}"
            )
        if self.members < 2:
            raise ValueError(f"members is {self.members}; give 2 or more, for somebody to talk to")


class TokenBucket:
    """How often a client may still do something: it is full at first, and fills up as time goes by.

    In any span of time no more than ``burst + span * per_second`` takes succeed, and a taker that stays below
    ``per_second`` is never refused. A clock that goes backwards fills nothing, and takes nothing away.

    Args:
        per_second: how much is filled in each second; above 0.
        burst: how much it holds; 1 or more.
        now: the time, in seconds of any clock.

    Raises:
        ValueError: a number that is out of its range.
    """

    __slots__ = ("_burst", "_filled", "_level", "_per_second")

    def __init__(self, per_second: float, burst: int, now: float) -> None:
        if not 0 < per_second < math.inf:
            raise ValueError(f"per_second is {per_second}; give a number above 0")
        if not 1 <= burst < math.inf:
            raise ValueError(f"burst is {burst}; give 1 or more")
        self._per_second = per_second
        self._burst = burst
        self._level = float(burst)
        self._filled = now

    def take(self, now: float) -> bool:
        """Take one out; False, and nothing is taken, if there is none.

        Args:
            now: the time, in seconds of the same clock.
        """
        if now > self._filled:
            self._level = min(self._burst, self._level + (now - self._filled) * self._per_second)
            self._filled = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


CLOSE_CODES = {
    ErrorCode.BAD_MESSAGE: 4000,
    ErrorCode.BAD_HELLO: 4001,
    ErrorCode.WRONG_PROTOCOL: 4002,
    ErrorCode.WRONG_ROOM: 4003,
    ErrorCode.ROOM_FULL: 4004,
    ErrorCode.REPLACED: 4005,
    ErrorCode.HANDSHAKE_TIMEOUT: 4006,
    ErrorCode.SHUTTING_DOWN: 4007,
    ErrorCode.NO_ACCESS: 4008,
    ErrorCode.TOO_FAST: 4009,
    ErrorCode.MAILBOX_FULL: 4010,
    ErrorCode.TOO_MANY_ROOMS: 4011,
    ErrorCode.TOO_MANY_CONNECTIONS: 4012,
}
"""The close codes, from the range that RFC 6455 (section 7.4.2) leaves to applications. ``not_here`` and
``recipient_full`` close nothing."""

FINAL = frozenset(
    {ErrorCode.BAD_HELLO, ErrorCode.NO_ACCESS, ErrorCode.REPLACED, ErrorCode.WRONG_PROTOCOL, ErrorCode.WRONG_ROOM}
)
"""A retry meets the same answer; or, replaced, two programs with one key would throw each other out for ever."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a client is told that is refused.

    Attributes:
        code: why.
        message: the same for people, and what to do.
    """

    code: ErrorCode
    message: str


SHUTTING_DOWN = Refusal(ErrorCode.SHUTTING_DOWN, "the server is shutting down; try again in a while")

_BY_GUARD = {
    server_takes_sessions.__name__: SHUTTING_DOWN,
    room_is_left.__name__: Refusal(ErrorCode.TOO_MANY_ROOMS, "the server has all the rooms it can hold; try later"),
    place_is_left.__name__: Refusal(ErrorCode.ROOM_FULL, "the room has its {members} members; choose another room"),
}


def refusal_of(rejected: Rejected, limits: Limits) -> Refusal:
    """What to say to whom `Session.claim` refuses.

    Args:
        rejected: the refusal, by a guard.
        limits: the server's.
    """
    refusal = _BY_GUARD[rejected.guard or ""]
    return Refusal(refusal.code, refusal.message.format(members=limits.members))

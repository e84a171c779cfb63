"""What a server refuses: each `ErrorCode` with its WebSocket close code, and which of them a retry can mend."""

from __future__ import annotations

from fsm_rtc.messages.wire import ErrorCode

__all__ = ["CLOSE_CODES", "FINAL"]

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
    {
        ErrorCode.BAD_HELLO,
        ErrorCode.NO_ACCESS,
        ErrorCode.REPLACED,
        ErrorCode.WRONG_PROTOCOL,
        ErrorCode.WRONG_ROOM,
    }
)
"""A retry meets the same answer; or, replaced, two programs with one key would throw each other out for ever."""

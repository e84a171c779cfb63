"""Link: one client's socket, as the signalling service sees it. Each front end brings its own."""

from __future__ import annotations

from typing import Protocol

from fsm_rtc.messages.wire import ErrorCode

__all__ = ["LEAVING", "Link", "LinkLostError"]

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

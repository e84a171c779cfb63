"""A `Link` on a socket of the `websockets` server."""

from __future__ import annotations

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from fsm_rtc.messages.wire import MAX_MESSAGE_BYTES, ErrorCode
from fsm_rtc.signaling.bounded import BoundedConnection
from fsm_rtc.signaling.link import LinkLostError
from fsm_rtc.signaling.sockets import WRITE_BUFFER_BYTES, close

__all__ = ["WebSocketLink"]

_UNREADABLE = {1002, 1007, 1009}
"""Close codes with which the library itself ends a link: protocol error, invalid UTF-8, too big (RFC 6455, 7.4.1)."""


class WebSocketLink:
    """One client's WebSocket.

    Args:
        socket: it, with its HTTP request done.
        close_timeout_seconds: how long to wait for the client's part in closing.
    """

    __slots__ = ("_close_timeout_seconds", "_socket")

    def __init__(self, socket: ServerConnection, close_timeout_seconds: float) -> None:
        self._socket = socket
        self._close_timeout_seconds = close_timeout_seconds

    @property
    def path(self) -> str:
        return self._socket.request.path if self._socket.request is not None else ""

    @property
    def has_room(self) -> bool:
        return self._is_open and self._socket.transport.get_write_buffer_size() <= WRITE_BUFFER_BYTES

    @property
    def _is_open(self) -> bool:
        return self._socket.state is State.OPEN and not self._socket.transport.is_closing()

    def write(self, text: str) -> None:
        if not self._is_open:
            return
        broadcast((self._socket,), text)
        if self._socket.transport.get_write_buffer_size() > MAX_MESSAGE_BYTES + WRITE_BUFFER_BYTES:
            self.abort()  # it hasn't read for long, and nobody waits for it here

    async def wait_for_room(self) -> None:
        while self._is_open and not self.has_room:
            try:
                await self._socket.ping()  # returns when the buffer has room
            except ConnectionClosed:
                return

    async def receive(self) -> str | bytes:
        try:
            return await self._socket.recv()
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd is not None else None
            raise LinkLostError(code, refused=self._refused(closed)) from closed

    def _refused(self, closed: ConnectionClosed) -> ErrorCode | None:
        if isinstance(self._socket, BoundedConnection) and self._socket.is_cut_off:
            return ErrorCode.TOO_FAST
        sent = closed.sent.code if closed.sent is not None and not closed.rcvd_then_sent else None
        return ErrorCode.BAD_MESSAGE if sent in _UNREADABLE else None

    async def close(self, code: int, reason: str) -> None:
        await close(self._socket, code, reason, timeout_seconds=self._close_timeout_seconds)

    def abort(self) -> None:
        self._socket.transport.abort()

"""WebSockets of the `websockets` library, with the bounds that it lacks, and how they are closed.

Theory. `websockets` answers each ping at once, into a write buffer without a bound: a peer that sends pings and reads
nothing has all of its pongs kept. And a frame costs the same to read whether it holds a message, a piece of one, or
nothing. So here

- what is unwritten is looked at after each read: above a bound the socket is cut off;
- pings, pongs and pieces of messages are counted against a `TokenBucket`, and whole messages as they wait to be read
  (their reader counts them too): when there are too many the peer is told with close code 4009, ``too_fast``, and
  cut off after the closing timeout, or at once if it goes on;
- sockets are known from their beginning, by address, so that those in the handshake count too.

Source of the answers: RFC 6455, section 5.5.2; websockets, ``Protocol.recv_frame``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import State

from fsm_rtc.errors import SignalingError
from fsm_rtc.messages.wire import MAX_MESSAGE_BYTES, ErrorCode
from fsm_rtc.signaling.limits import CLOSE_CODES, TokenBucket
from fsm_rtc.signaling.outlet import LinkLostError

if TYPE_CHECKING:
    from websockets.protocol import Event

SILENT = logging.Logger("fsm_rtc.signaling.websockets", level=logging.CRITICAL + 1)  # noqa: LOG001
"""The library's logger for our sockets, out of reach of any configuration: it would log frames, which hold SDP and
keys, and peers' addresses. What is worth knowing is logged by code in `fsm_rtc.signaling`."""

WRITE_BUFFER_BYTES = 32_768
"""More than that unwritten, and who sends to this socket waits."""


async def close(socket: Connection, code: int = 1000, reason: str = "", *, timeout_seconds: float) -> None:
    """Close a socket; it is closed when this returns, and also when it is cancelled.

    The library's own deadline doesn't cover a peer that reads nothing while much is unwritten: it waits to write first.

    Args:
        socket: which; may be closed already.
        code: the WebSocket close code.
        reason: at most 123 bytes of UTF-8.
        timeout_seconds: how long to wait for the peer's part of it.
    """
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await socket.close(code, reason)
    finally:
        socket.transport.abort()


UNWRITTEN_BYTES = MAX_MESSAGE_BYTES + WRITE_BUFFER_BYTES
"""The longest message may be written while as much waits as is let wait; more, and the peer hasn't read for long."""

GOES_ON_BYTES = 1_048_576
"""So much of what was under way is thrown away, while the peer learns that it was too fast."""

FRAMES_A_MESSAGE = 4
"""So many frames may a message come in, on average: a proxy may cut it in pieces."""

QUEUED_FRAMES = 4096
"""So many frames may be read at once; a server that is resumed at sends a mailbox of short messages."""

CONTROL_FRAMES_PER_SECOND, CONTROL_FRAMES_BURST = 20.0, 100
"""What a client bears of a server, whose messages come as fast as its members send: those wait in the socket."""


class BoundedConnection(Connection):
    """What both sides' sockets have in common."""

    frames_per_second = CONTROL_FRAMES_PER_SECOND
    frames_burst = CONTROL_FRAMES_BURST
    unwritten_bytes: float = UNWRITTEN_BYTES
    counts_pieces = False
    _bucket: TokenBucket | None = None
    _cutting: asyncio.TimerHandle | None = None
    _discarded_bytes = 0

    @property
    def is_cut_off(self) -> bool:
        """Whether the peer sent more frames than it may."""
        return self._cutting is not None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._cutting is not None:
            self._discarded_bytes += len(data)
        unwritten = self.transport.get_write_buffer_size()
        if unwritten > self.unwritten_bytes or self._discarded_bytes > GOES_ON_BYTES:
            self.transport.abort()

    def process_event(self, event: Event) -> None:
        if self._cutting is not None:
            return
        if isinstance(event, Frame) and not self._bears(event):
            self._too_fast()
        else:
            super().process_event(event)

    def _bears(self, frame: Frame) -> bool:
        if frame.opcode in DATA_OPCODES:
            if len(self.recv_messages.frames) >= QUEUED_FRAMES:
                return False
            if not self.counts_pieces or (frame.fin and frame.opcode is not Opcode.CONT):
                return True
        if self._bucket is None:
            self._bucket = TokenBucket(self.frames_per_second, self.frames_burst, self.loop.time())
        return self._bucket.take(self.loop.time())

    def _too_fast(self) -> None:
        if self.protocol.state is State.OPEN:
            self.protocol.fail(CLOSE_CODES[ErrorCode.TOO_FAST], ErrorCode.TOO_FAST.value)
            self.send_data()
        self._cutting = self.loop.call_later(self.close_timeout or 0, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._cutting is not None:
            self._cutting.cancel()
        super().connection_lost(exc)


class BoundedClient(BoundedConnection, ClientConnection):
    """A client's socket."""


class Addresses(Counter[str]):
    """How many sockets each IP address has.

    Args:
        limit: how many one may have.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit


class BoundedServer(BoundedConnection, ServerConnection):
    """A server's socket, known from its beginning; the library tells of one only after its HTTP request.

    Attributes:
        is_one_too_many: whether its address had all of its sockets already.
    """

    counts_pieces = True
    connections: WeakSet[BoundedServer]
    addresses: Addresses
    address = ""
    is_one_too_many = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.connections.add(self)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else ""
        self.addresses[self.address] += 1
        self.is_one_too_many = self.addresses[self.address] > self.addresses.limit
        super().connection_made(transport)
        if self.addresses[self.address] > 2 * self.addresses.limit:
            self.transport.abort()  # nothing was promised to it, and telling it why costs as much as serving it

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.addresses[self.address] -= 1
        if not self.addresses[self.address]:
            del self.addresses[self.address]


def bounded_server(
    connections: WeakSet[BoundedServer],
    addresses: Addresses,
    *,
    messages_per_second: float,
    burst: int,
    unwritten_bytes: float = UNWRITTEN_BYTES,
) -> type[ServerConnection]:
    """A `BoundedServer` with bounds of its own, for ``serve(create_connection=…)``.

    Args:
        connections: where each socket is noted.
        addresses: where they are counted.
        messages_per_second: how many messages a client may send on average.
        burst: how many at once, after it was silent for a while.
        unwritten_bytes: how much may wait to be written, when something was read.
    """
    bounds = {
        "connections": connections,
        "addresses": addresses,
        "frames_per_second": FRAMES_A_MESSAGE * messages_per_second,
        "frames_burst": FRAMES_A_MESSAGE * burst,
        "unwritten_bytes": unwritten_bytes,
    }
    return type("BoundedServer", (BoundedServer,), bounds)


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


EVENTS_NOT_READ = "events_not_read"
"""The code of the error with which the link is dropped when too many events wait unread."""

SERVER_TOO_FAST = "server_too_fast"
"""The code of the error with which the link is dropped when the server sends more pings than a client bears."""

_MAX_TEXT = 300
"""So many characters of a server's own words are repeated in an error."""

T = TypeVar("T")


class Losses:
    """Why there is no link to a server.

    Args:
        url: the room's address.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def error(self, why: str, cause: Exception | None = None) -> SignalingError:
        """What to tell of a link that failed."""
        error = SignalingError(f"no link to {self._url}: {why}; is a signalling server running there?")
        error.__cause__ = cause
        return error

    async def explained(self, work: Awaitable[T], socket: ClientConnection | None = None) -> T:
        """What the work returns.

        Args:
            work: it.
            socket: on which, if there is one.

        Raises:
            SignalingError: it failed, in whatever way.
        """
        try:
            return await work
        except SignalingError:
            raise
        except Exception as failed:
            error = self._of(failed, socket)
            raise error from error.__cause__

    def _of(self, failed: Exception, socket: ClientConnection | None) -> SignalingError:
        match failed:
            case ConnectionClosed():
                return _refusal(failed) or _floods(socket) or self.error("the link was lost", failed)
            case InvalidStatus():
                return self.error(f"it answers HTTP {failed.response.status_code} to a WebSocket", failed)
            case OSError():
                return self.error(failed.strerror or str(failed) or type(failed).__name__, failed)
            case _:  # whatever it is, the channel's user is told
                return self.error(str(failed) or type(failed).__name__, failed)


def refused(code: ErrorCode, message: str) -> SignalingError:
    """The server's refusal; its text comes from outside, so nothing in it reaches a terminal unseen."""
    text = "".join(character if character.isprintable() else "?" for character in message[:_MAX_TEXT])
    return SignalingError(f"the server refused ({code.value}): {text}", code=code.value)


def _floods(socket: ClientConnection | None) -> SignalingError | None:
    """What to say of a server with which this side's own socket broke off."""
    if not isinstance(socket, BoundedClient) or not socket.is_cut_off:
        return None
    most = f"{CONTROL_FRAMES_PER_SECOND:g} a second"
    return SignalingError(f"the server sends more pings than {most}, so the link was dropped", code=SERVER_TOO_FAST)


def _refusal(lost: ConnectionClosed) -> SignalingError | None:
    """The refusal that a close frame tells, if the error before it got lost."""
    for code, number in CLOSE_CODES.items():
        if lost.rcvd is not None and lost.rcvd.code == number:
            return refused(code, "it closed the link")
    return None

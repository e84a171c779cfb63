"""A WebSocket whose peer can't fill this side's memory, nor take its time, by what the library does of its own accord.

`websockets` answers each ping at once, into a write buffer without a bound: a peer that sends pings and reads nothing
has all of its pongs kept. And a frame costs the same to read whether it holds a message, a piece of one, or nothing.
So here

- what is unwritten is looked at after each read: above a bound the socket is cut off;
- pings, pongs and pieces of messages are counted against a `TokenBucket`, and whole messages as they wait to be read
  (who reads them counts them too): when there are too many the peer is told with close code 4009, ``too_fast``, and
  cut off after the closing timeout, or at once if it goes on;
- sockets are known from their beginning, by address, so that those in the handshake count too.

Source of the answers: RFC 6455, section 5.5.2; websockets, ``Protocol.recv_frame``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from weakref import WeakSet

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import State

from fsm_rtc.messages.wire import MAX_MESSAGE_BYTES, ErrorCode
from fsm_rtc.signaling.limits import TokenBucket
from fsm_rtc.signaling.refusals import CLOSE_CODES
from fsm_rtc.signaling.sockets import WRITE_BUFFER_BYTES

if TYPE_CHECKING:
    import asyncio

    from websockets.protocol import Event

__all__ = ["Addresses", "BoundedClient", "BoundedConnection", "BoundedServer", "bounded_server"]

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

"""The signalling server: rooms on WebSockets. It carries texts between two members; it can't forge what they sign.

A socket's life: `challenge` out, `hello` in, `welcome` out, then peer messages either way, until it closes or does
something that the protocol doesn't allow. What is decided about rooms is decided in `fsm_rtc.signaling.rooms`; here it
is done. Whatever is sent is first put into the sockets' buffers, all of it, in the order of the decisions; then who
caused it waits until his recipient has read.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Iterable
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from fsm_rtc.errors import MessageError, SignalingError
from fsm_rtc.messages.signing import is_genuine_introduction, is_proof
from fsm_rtc.messages.wire import (
    MAX_MESSAGE_BYTES,
    PROTOCOL,
    Challenge,
    Error,
    ErrorCode,
    Hello,
    Introduction,
    Message,
    PeerMessage,
    decode,
    encode,
)
from fsm_rtc.signaling.address import room_of_path
from fsm_rtc.signaling.refusals import CLOSE_CODES
from fsm_rtc.signaling.rooms import Effect, Refuse, Relay, Rooms, Send
from fsm_rtc.signaling.sockets import SILENT, WRITE_BUFFER_BYTES, close, wait_for_room

if TYPE_CHECKING:
    from ssl import SSLContext

    from websockets.http11 import Request, Response

__all__ = ["SignalingServer"]

_LOG = logging.getLogger("fsm_rtc.signaling")

_NONCE_BYTES = 32

_GREETING = "This is a signalling server of fsm_rtc. Open a WebSocket at /ROOM, on both sides the same.\n"

_SHUTTING_DOWN = "the server is shutting down; try again in a while"

_UNREADABLE = {1002, 1007, 1009}
"""Close codes with which the library itself ends a link: protocol error, invalid UTF-8, too big (RFC 6455, 7.4.1)."""


class _RefusedError(Exception):
    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


class SignalingServer:
    """A server for rooms of two, while its ``async with`` block runs.

    Args:
        host: the address to listen on; ``0.0.0.0`` for every one of the host's.
        port: the port; 0 for a free one, see `port`.
        handshake_timeout_seconds: how long a client may take for its HTTP request, and again for its hello.
        stall_timeout_seconds: how long a client may leave unread what was sent to it, before it is cut off.
        close_timeout_seconds: how long to wait for a client's part in closing.
        ping_interval_seconds: how often to look whether a silent client is still there; it has as long to answer.
        ssl: a TLS context, for ``wss``.

    Attributes:
        refused: how often something was refused, by code.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        handshake_timeout_seconds: float = 10.0,
        stall_timeout_seconds: float = 20.0,
        close_timeout_seconds: float = 2.0,
        ping_interval_seconds: float = 20.0,
        ssl: SSLContext | None = None,
    ) -> None:
        self.refused: Counter[ErrorCode] = Counter()
        self._host = host
        self._port = port
        self._handshake_timeout_seconds = handshake_timeout_seconds
        self._stall_timeout_seconds = stall_timeout_seconds
        self._close_timeout_seconds = close_timeout_seconds
        self._ping_interval_seconds = ping_interval_seconds
        self._ssl = ssl
        self._rooms: Rooms[ServerConnection] = Rooms()
        self._sockets: set[ServerConnection] = set()
        self._connections: WeakSet[ServerConnection] = WeakSet()
        self._closing: dict[ServerConnection, asyncio.Task[None]] = {}
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """The port it listens on.

        Raises:
            SignalingError: it isn't listening.
        """
        if self._server is None:
            raise SignalingError("the server isn't listening; enter its `async with` block first")
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def url(self) -> str:
        """Its address without a room, ``ws://host:port``.

        Raises:
            SignalingError: it isn't listening.
        """
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'ws' if self._ssl is None else 'wss'}://{host}:{self.port}"

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            SignalingError: the address or the port can't be had.
        """
        if self._server is not None:
            raise SignalingError("the server is listening already; make a second one with a port of its own")
        try:
            self._server = await serve(
                self._serve,
                self._host,
                self._port,
                ssl=self._ssl,
                process_request=_answer_http,
                server_header=None,
                compression=None,  # it would be decompressed before it is known who sent it
                open_timeout=self._handshake_timeout_seconds,
                close_timeout=self._close_timeout_seconds,
                ping_interval=self._ping_interval_seconds,
                ping_timeout=self._ping_interval_seconds,
                max_size=MAX_MESSAGE_BYTES,
                write_limit=WRITE_BUFFER_BYTES,
                logger=SILENT,
                create_connection=_remembered_in(self._connections),
            )
        except OSError as refused:
            why = refused.strerror or str(refused)
            raise SignalingError(f"can't listen on {self._host}:{self._port}: {why}; choose another") from refused
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop listening, tell every client, and close. Idempotent; the server may be entered again."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close(close_connections=False)
        for connection in self._connections:
            if connection.state is State.CONNECTING:  # it may never ask for anything; nothing was promised to it
                connection.transport.abort()
        for socket in tuple(self._sockets):
            self._rooms.leave(socket)  # before anyone is told: nobody needs to hear of every other one
            self._refuse(socket, ErrorCode.SHUTTING_DOWN, _SHUTTING_DOWN)
        await server.wait_closed()
        while self._closing:
            await asyncio.wait(set(self._closing.values()))

    async def _serve(self, socket: ServerConnection) -> None:
        self._sockets.add(socket)
        try:
            if self._server is None:  # it came in while the others were being told
                raise _RefusedError(ErrorCode.SHUTTING_DOWN, _SHUTTING_DOWN)
            await self._talk(socket)
        except _RefusedError as refused:
            self._refuse(socket, refused.code, refused.message)
        except ConnectionClosed as closed:
            if closed.sent is not None and closed.sent.code in _UNREADABLE and not closed.rcvd_then_sent:
                self._count(ErrorCode.BAD_MESSAGE)
        except Exception as bug:
            # The type alone: its text may hold what the client sent.
            _LOG.error("a socket's handler failed with %s; please report it", type(bug).__qualname__)
        finally:
            self._sockets.discard(socket)
            self._write(self._rooms.leave(socket))
            await asyncio.wait({self._close(socket, 1000, "")})

    async def _talk(self, socket: ServerConnection) -> None:
        room = room_of_path(socket.request.path if socket.request is not None else "")
        introduction = await self._introduced(socket, room)
        if room is None:
            raise _RefusedError(ErrorCode.WRONG_ROOM, "the URL names no room; use one like ws://host:port/room")
        await self._perform(socket, self._rooms.join(socket, room, introduction))
        while True:
            frame = await socket.recv()
            message = _decoded(frame)
            if not isinstance(message, PeerMessage) or not isinstance(frame, str):
                raise _RefusedError(ErrorCode.BAD_MESSAGE, "only messages to the other member are in place here")
            await self._perform(socket, self._rooms.relay(socket, message, frame))

    async def _introduced(self, socket: ServerConnection, room: str | None) -> Introduction:
        """Let the client say who it is, and prove it."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        try:
            async with asyncio.timeout(self._handshake_timeout_seconds):
                await socket.send(encode(Challenge(protocol=PROTOCOL, nonce=nonce)))
                hello = _decoded(await socket.recv())
        except TimeoutError:
            raise _RefusedError(
                ErrorCode.HANDSHAKE_TIMEOUT,
                f"no answer to the challenge within {self._handshake_timeout_seconds:g} s; send hello",
            ) from None
        if not isinstance(hello, Hello):
            raise _RefusedError(ErrorCode.BAD_HELLO, "the first message must be a hello that answers the challenge")
        if hello.protocol != PROTOCOL:
            raise _RefusedError(ErrorCode.WRONG_PROTOCOL, f"this server speaks {PROTOCOL}; update the older side")
        if room is None or hello.room != room:
            raise _RefusedError(ErrorCode.WRONG_ROOM, "the hello's room is not the URL's; join ws://host:port/room")
        if not is_genuine_introduction(hello.introduction, room):
            raise _RefusedError(ErrorCode.BAD_HELLO, "the introduction is not signed by its key; join with an identity")
        if not is_proof(hello.introduction, nonce, room, hello.proof):
            raise _RefusedError(ErrorCode.BAD_HELLO, "the proof is not of this challenge; sign its nonce")
        return hello.introduction

    # What was decided is done

    async def _perform(self, socket: ServerConnection, effects: Iterable[Effect[ServerConnection]]) -> None:
        """Send, and wait for who must read it: the sender's own socket and the recipient of what he sent on."""
        effects = tuple(effects)
        self._write(effects)
        for effect in effects:
            if effect.to is socket or isinstance(effect, Relay):
                await wait_for_room(effect.to, timeout_seconds=self._stall_timeout_seconds)

    def _write(self, effects: Iterable[Effect[ServerConnection]]) -> None:
        for effect in effects:
            if isinstance(effect, Refuse):
                self._refuse(effect.to, effect.code, effect.message)
            elif isinstance(effect, Relay):
                broadcast((effect.to,), effect.text)
            else:
                if isinstance(effect.message, Error):
                    self._count(effect.message.code)
                self._send(effect)

    def _send(self, effect: Send[ServerConnection]) -> None:
        broadcast((effect.to,), encode(effect.message))
        if effect.to.transport.get_write_buffer_size() > MAX_MESSAGE_BYTES + WRITE_BUFFER_BYTES:
            effect.to.transport.abort()  # it hasn't read for long, and nobody waits for it here

    def _refuse(self, socket: ServerConnection, code: ErrorCode, message: str) -> None:
        """Say why and close, without waiting for it."""
        if socket in self._closing:
            return
        self._count(code)
        broadcast((socket,), encode(Error(code=code, message=message)))
        self._close(socket, CLOSE_CODES[code], code.value)

    def _close(self, socket: ServerConnection, code: int, reason: str) -> asyncio.Task[None]:
        """The task that closes a socket, which is at it already or begins now."""
        if socket not in self._closing:
            closing = close(socket, code, reason, timeout_seconds=self._close_timeout_seconds)
            task = self._closing[socket] = asyncio.create_task(closing, name="close a signalling socket")
            task.add_done_callback(lambda _: self._closing.pop(socket, None))
        return self._closing[socket]

    def _count(self, code: ErrorCode) -> None:
        self.refused[code] += 1
        _LOG.info("refused: %s", code.value)


def _remembered_in(connections: WeakSet[ServerConnection]) -> type[ServerConnection]:
    """A connection that is known from its beginning; the library tells of one only after its HTTP request."""

    class Remembered(ServerConnection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            connections.add(self)
            super().connection_made(transport)

    return Remembered


def _decoded(frame: str | bytes) -> Message:
    if not isinstance(frame, str):
        raise _RefusedError(ErrorCode.BAD_MESSAGE, "a binary frame; send JSON as text")
    try:
        return decode(frame)
    except MessageError as malformed:
        raise _RefusedError(ErrorCode.BAD_MESSAGE, f"{malformed.reason.value}; see docs/protocol.md") from None


def _answer_http(socket: ServerConnection, request: Request) -> Response | None:
    """Tell a browser what this is; None for a WebSocket, which goes on."""
    if "websocket" in request.headers.get("Upgrade", "").lower():
        return None
    if request.path.partition("?")[0] == "/":
        return socket.respond(HTTPStatus.OK, _GREETING)
    return socket.respond(HTTPStatus.UPGRADE_REQUIRED, "Open a WebSocket here: this is a room's address.\n")

"""The signalling server on WebSockets: the `websockets` library in front of a `SignalingService`."""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.protocol import State

from fsm_rtc.engine.doors import finite_seconds, is_number, text, tls_context, told
from fsm_rtc.errors import SignalingError
from fsm_rtc.messages.wire import ErrorCode
from fsm_rtc.signaling import sockets
from fsm_rtc.signaling.http_answers import answer_to
from fsm_rtc.signaling.service import Settings, SignalingService

if TYPE_CHECKING:
    from ssl import SSLContext

    from websockets.http11 import Request, Response


class SignalingServer:
    """A signalling server, while its ``async with`` block runs.

    Args:
        host: the address to listen on; ``0.0.0.0`` for every one of the host's.
        port: the port; 0 for a free one, see `port`.
        settings: its bounds, who may join, and what members are offered; None for the defaults.
        close_timeout_seconds: how long to wait for a client's part in closing.
        ping_interval_seconds: how often to look whether a silent client is still there; it has as long to answer.
        ssl: a TLS context, for ``wss``.

    Attributes:
        service: who is in which room, what was refused and counted.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        settings: Settings | None = None,
        *,
        close_timeout_seconds: float = 2.0,
        ping_interval_seconds: float = 20.0,
        ssl: SSLContext | None = None,
    ) -> None:
        given: object = settings
        if given is not None and not isinstance(given, Settings):
            raise SignalingError(f"settings is a {type(given).__name__}; give fsm_rtc.signaling.Settings(…), or None")
        if not text(host, "the host to listen on", SignalingError).isprintable():
            raise SignalingError(f"the host to listen on is {told(host)}; give a name or an address, such as 127.0.0.1")
        tls_context(ssl, SignalingError)
        if not is_number(port) or port not in range(65_536):
            raise SignalingError(f"the port is {told(port)}; give a whole number from 0 to 65535")
        finite_seconds(close_timeout_seconds, "close_timeout_seconds")
        finite_seconds(ping_interval_seconds, "ping_interval_seconds")
        self.service = SignalingService(settings)
        self._host = host
        self._port = port
        self._settings = settings or Settings()
        self._close_timeout_seconds = close_timeout_seconds
        self._ping_interval_seconds = ping_interval_seconds
        self._ssl = ssl
        self._connections: WeakSet[sockets.BoundedServer] = WeakSet()
        self._addresses = sockets.Addresses(self._settings.limits.connections_per_address)
        self._server: Server | None = None

    @property
    def connection_count(self) -> int:
        """How many TCP connections there are, those included that have asked for nothing yet."""
        return self._addresses.total()

    @property
    def refused(self) -> Counter[ErrorCode]:
        """How often something was refused, by code."""
        return self.service.refused

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
        limits = self._settings.limits
        if not self.service.hub.machine.permits("answer"):  # it has served before
            self.service = SignalingService(self._settings)
        try:
            self._server = await serve(
                self._serve,
                self._host,
                self._port,
                ssl=self._ssl,
                process_request=self._answer_http,
                server_header=None,
                compression=None,  # it would be decompressed before it is known who sent it
                open_timeout=limits.handshake_seconds,
                close_timeout=self._close_timeout_seconds,
                ping_interval=self._ping_interval_seconds,
                ping_timeout=self._ping_interval_seconds,
                max_size=limits.message_bytes,
                write_limit=sockets.WRITE_BUFFER_BYTES,
                logger=sockets.SILENT,
                create_connection=sockets.bounded_server(
                    self._connections,
                    self._addresses,
                    messages_per_second=limits.messages_per_second,
                    burst=limits.burst,
                ),
            )
        except OSError as refused:
            why = refused.strerror or str(refused)
            raise SignalingError(f"can't listen on {self._host}:{self._port}: {why}; choose another") from refused
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def drain(self) -> None:
        """Let nobody new in and tell everybody; return when all have left, or the grace time is over."""
        await self.service.drain()

    async def aclose(self) -> None:
        """Stop listening, tell every client, and close. Idempotent; the server may be entered again."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close(close_connections=False)
        for connection in self._connections:
            if connection.state is State.CONNECTING:  # it may never ask for anything; nothing was promised to it
                connection.transport.abort()
        await self.service.stop()
        await server.wait_closed()

    async def _serve(self, socket: ServerConnection) -> None:
        link = sockets.WebSocketLink(socket, self._close_timeout_seconds)
        if isinstance(socket, sockets.BoundedServer) and socket.is_one_too_many:
            await self.service.turn_away(link, ErrorCode.TOO_MANY_CONNECTIONS, _too_many(self._settings))
        else:
            await self.service.serve(link)

    def _answer_http(self, socket: ServerConnection, request: Request) -> Response | None:
        """Tell a browser what this is; None for a WebSocket, which goes on."""
        if "websocket" in request.headers.get("Upgrade", "").lower():
            return None
        answer = answer_to(request.path.partition("?")[0], self.service)
        response = socket.respond(answer.status, answer.body.decode())
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = answer.content_type
        response.headers.update(answer.headers)
        return response


def _too_many(settings: Settings) -> str:
    return f"this address has its {settings.limits.connections_per_address} connections; close some"

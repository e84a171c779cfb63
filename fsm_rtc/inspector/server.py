"""The inspector on a port of its own, served by the `websockets` library.

async with serve_inspector(journal) as inspector:
    print(inspector.url)
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Collection, Iterable
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol

from fsm_rtc.inspector.access import SUBPROTOCOL, Gate, InspectorError, is_loopback
from fsm_rtc.inspector.answers import FEED, InspectorAnswer, answer_to
from fsm_rtc.inspector.attending import attend
from fsm_rtc.inspector.charts import ChartBook
from fsm_rtc.inspector.feed import Feed
from fsm_rtc.inspector.source import RecordSource
from fsm_rtc.signaling.sockets import Addresses, BoundedServer, bounded_server

if TYPE_CHECKING:
    from websockets.http11 import Request

    from fsm_rtc.diagrams.drawable import ChartClass

__all__ = ["Inspector", "serve_inspector"]

SILENT = logging.Logger("fsm_rtc.inspector.websockets", level=logging.CRITICAL + 1)  # noqa: LOG001
"""The library's logger for our sockets, out of reach of any configuration: it would log the token."""

WRITE_BUFFER_BYTES = 262_144
MAX_REQUEST_BYTES = 1024
"""A page says nothing on its socket."""

MESSAGES_PER_SECOND, BURST = 1.0, 16
"""Nor does its browser send more than a pong every 20 s."""

SOCKETS_PER_ADDRESS = 128
"""A page has one for its feed, and one for each request that is under way."""

ANSWER_SECONDS = 120.0
"""An export of 100,000 records has some 20 MB; who takes longer gets it cut, which shows by its length."""

CLOSE_SECONDS = 2.0


class Inspector:
    """An inspector's server, while its ``async with`` block runs.

    Args:
        feed: what it shows.
        gate: who may look.
        host: the address to listen on.
        port: the port; 0 for a free one, see `port`.

    Raises:
        InspectorError: the address is not only this host's own, and there is no token.
    """

    def __init__(self, feed: Feed, gate: Gate, host: str = "127.0.0.1", port: int = 0) -> None:
        if gate.token is None and not is_loopback(host):
            raise InspectorError(
                f"on {host or 'every address'} others could look on: give a token (fsm_rtc.inspector.new_token() makes "
                "one), or listen on 127.0.0.1"
            )
        self.feed = feed
        self._gate = gate
        self._host = host
        self._port = port
        self._server: Server | None = None
        self._sockets: WeakSet[BoundedServer] = WeakSet()
        self._addresses = Addresses(SOCKETS_PER_ADDRESS)

    @property
    def port(self) -> int:
        """The port it listens on.

        Raises:
            InspectorError: it isn't listening.
        """
        if self._server is None:
            raise InspectorError("the inspector isn't listening; enter its `async with` block first")
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def url(self) -> str:
        """The page's address, with the token if there is one; who has it may look.

        Raises:
            InspectorError: it isn't listening.
        """
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/" + (f"#token={self._gate.token}" if self._gate.token is not None else "")

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            InspectorError: the address or the port can't be had.
        """
        if self._server is not None:
            raise InspectorError("the inspector is listening already; make a second one with a port of its own")
        try:
            self._server = await serve(
                self._serve,
                self._host,
                self._port,
                process_request=self._answer,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                server_header=None,
                compression=None,  # it would cost the process that is looked at more than the bytes do
                open_timeout=ANSWER_SECONDS,  # of HTTP, the answer counts too
                close_timeout=CLOSE_SECONDS,
                max_size=MAX_REQUEST_BYTES,
                write_limit=WRITE_BUFFER_BYTES,
                logger=SILENT,
                create_connection=bounded_server(
                    self._sockets,
                    self._addresses,
                    messages_per_second=MESSAGES_PER_SECOND,
                    burst=BURST,
                    unwritten_bytes=math.inf,  # a snapshot is long, and waits until it is read
                ),
            )
        except OSError as refused:
            why = refused.strerror or str(refused)
            raise InspectorError(f"can't listen on {self._host}:{self._port}: {why}; choose another") from refused
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop listening, tell every page what came last, and let it go. Idempotent."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close(close_connections=False)
        for socket in self._sockets:
            if socket.state is State.CONNECTING:  # an answer under way is cut, which shows by its length
                socket.transport.abort()
        await self.feed.aclose()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await server.wait_closed()
        except TimeoutError:
            for page in server.connections:  # it reads nothing
                page.transport.abort()
            await server.wait_closed()

    async def _serve(self, socket: ServerConnection) -> None:
        await socket.close(await attend(self.feed, socket.send, _until_it_speaks(socket)))

    async def _answer(self, socket: ServerConnection, request: Request) -> Response | None:
        if isinstance(socket, BoundedServer) and socket.is_one_too_many:
            text = f"This address has its {SOCKETS_PER_ADDRESS} connections; close some.\n"
            return _response(InspectorAnswer(HTTPStatus.TOO_MANY_REQUESTS, text.encode()))
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        path = request.path.partition("?")[0]
        if path == FEED and "websocket" in headers.get("upgrade", "").lower():
            offered = [one.strip() for one in headers.get("sec-websocket-protocol", "").split(",")]
            refused = self._gate.refuse_host(headers) or self._gate.refuse_stranger(headers, offered)
            return None if refused is None else _response(InspectorAnswer(refused[0], refused[1].encode()))
        return _response(await answer_to(path, headers, self.feed, self._gate))


def serve_inspector(
    source: RecordSource,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    *,
    name: str = "",
    charts: Iterable[ChartClass] = (),
    names: Collection[str] = (),
) -> Inspector:
    """An inspector of a journal, to be entered with ``async with``.

    Args:
        source: the `Journal` that the connections write.
        host: the address to listen on.
        port: the port; 0 for a free one.
        token: what a page must present; needed on any address but loopback, see `new_token`.
        name: what is looked at, for the page's heading.
        charts: charts of your own that are watched.
        names: the host names by which it is reached, besides its address and ``localhost``.

    Raises:
        InspectorError: the address is not only this host's own, and there is no token; or the token is too short.
    """
    return Inspector(Feed(source, ChartBook(charts), name), Gate(token, names), host, port)


async def _until_it_speaks(socket: ServerConnection) -> None:
    """Until the page is gone. A page says nothing, so what says something is none, and is let go as well."""
    with suppress(ConnectionClosed):
        await socket.recv()


def _response(answer: InspectorAnswer) -> Response:
    headers = Headers({**answer.headers, "Connection": "close"})
    return Response(answer.status.value, answer.status.phrase, headers, answer.body)

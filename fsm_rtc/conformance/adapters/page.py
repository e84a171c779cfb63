"""Serves the adapter's page to one browser on 127.0.0.1, and asks it through the WebSocket that the page opens back."""

from __future__ import annotations

import asyncio
import logging
import secrets
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from fsm_rtc.errors import AdapterError

__all__ = ["Page"]

FILES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "adapter.js": ("adapter.js", "text/javascript; charset=utf-8"),
    "adapted_peer.js": ("adapted_peer.js", "text/javascript; charset=utf-8"),
}
SOCKET = "lines"
FAULT = 4000
"""The close code with which the page says that the adapter itself failed."""

SILENT = logging.Logger("fsm_rtc.conformance.page", level=logging.CRITICAL + 1)  # noqa: LOG001


class Page:
    """The page, while its ``async with`` block runs.

    Args:
        stack: the name that `hello` tells.
    """

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self._token = secrets.token_urlsafe(16)
        self._server: Server | None = None
        self._socket: asyncio.Future[ServerConnection] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._connected,
            "127.0.0.1",
            0,
            process_request=self._served,
            compression=None,
            max_size=None,
            ping_interval=None,
            close_timeout=1.0,
            logger=SILENT,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where a browser finds it. The path has a secret, so that no other page can open the WebSocket."""
        assert self._server is not None, "the page is served inside its `async with` block"  # noqa: S101
        port = next(iter(self._server.sockets)).getsockname()[1]
        return f"http://127.0.0.1:{port}/{self._token}/#{quote(self._stack)}"

    async def is_open(self) -> None:
        """Wait until a browser has opened it."""
        await asyncio.shield(self._socket)

    async def ask(self, line: str) -> str:
        """The page's reply to one request.

        Raises:
            AdapterError: the page has gone, or its script failed.
        """
        socket = await asyncio.shield(self._socket)
        try:
            await socket.send(line)
            return str(await socket.recv(decode=True))
        except ConnectionClosed:
            raise AdapterError(_why_gone(socket)) from None

    async def is_gone(self) -> str:
        """Wait until it is there no more; a sentence that says why."""
        socket = await asyncio.shield(self._socket)
        await socket.wait_closed()
        return _why_gone(socket)

    async def _connected(self, socket: ServerConnection) -> None:
        self._socket.set_result(socket)
        await socket.wait_closed()

    def _served(self, connection: ServerConnection, request: Request) -> Response | None:
        token, _, name = request.path.removeprefix("/").partition("/")
        if token == self._token and name == SOCKET and not self._socket.done():
            return None
        if token != self._token or name not in FILES:
            return connection.respond(HTTPStatus.NOT_FOUND, "There is nothing here.\n")
        file, kind = FILES[name]
        body = (Path(__file__).parent / file).read_bytes()
        headers = Headers({"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"})
        return Response(HTTPStatus.OK, "OK", headers, body)


def _why_gone(socket: ServerConnection) -> str:
    if socket.close_code == FAULT:
        return f"the adapter's script failed: {socket.close_reason}"
    return "the browser or its page has gone by itself; see what it wrote above, and start again"

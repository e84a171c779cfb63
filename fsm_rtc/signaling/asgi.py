"""The signalling server as an ASGI application, to mount in Starlette, FastAPI or whatever speaks ASGI 3.

    app = FastAPI()
    app.mount("/signaling", SignalingApp())

The room is the whole path, as its members' URLs have it and sign it: ``signaling/kitchen`` of
``ws://host/signaling/kitchen``. A proxy in front must not rewrite it. Source: the ASGI specification 3.0, with its
WebSocket, HTTP and lifespan protocols of version 2.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from fsm_rtc.messages.wire import MAX_MESSAGE_BYTES, ErrorCode
from fsm_rtc.signaling.http_answers import answer_to
from fsm_rtc.signaling.outlet import LinkLostError
from fsm_rtc.signaling.service import Settings, SignalingService
from fsm_rtc.signaling.sockets import WRITE_BUFFER_BYTES

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

CLOSED_WITHOUT_CODE = {1005, 1006}
"""What servers tell where no close frame came. Source: RFC 6455, section 7.4.1."""


class SignalingApp:
    """An ASGI application that is a signalling server.

    The server in front of it bounds the HTTP request and the keepalive; give uvicorn ``ws_max_size`` and
    ``ws_ping_interval`` if its defaults aren't yours.

    Args:
        settings: its bounds, who may join, and what members are offered; None for the defaults.
        close_timeout_seconds: how long to wait until what was written last is sent.

    Attributes:
        service: who is in which room, what was refused and counted.
    """

    def __init__(self, settings: Settings | None = None, *, close_timeout_seconds: float = 2.0) -> None:
        self.service = SignalingService(settings)
        self._close_timeout_seconds = close_timeout_seconds
        self._addresses: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        match scope["type"]:
            case "websocket":
                await self._websocket(scope, receive, send)
            case "http":
                await self._http(scope, send)
            case "lifespan":
                await self._lifespan(receive, send)

    async def drain(self) -> None:
        """Let nobody new in and tell everybody; return when all have left, or the grace time is over."""
        await self.service.drain()

    async def aclose(self) -> None:
        """Tell every client, and close. A mounted application must be told: nobody tells it of its server's end."""
        await self.service.stop()

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        link = _AsgiLink(_whole_path(scope), receive, send, self._close_timeout_seconds)
        address = str((scope.get("client") or ("",))[0])
        self._addresses[address] += 1
        try:
            most = self.service.settings.limits.connections_per_address
            if self._addresses[address] > most:
                text = f"this address has its {most} connections; close some"
                await self.service.turn_away(link, ErrorCode.TOO_MANY_CONNECTIONS, text)
            else:
                await self.service.serve(link)
        finally:
            link.abort()
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

    async def _http(self, scope: Scope, send: Send) -> None:
        answer = answer_to(_path_behind_mount(scope), self.service)
        headers = [(b"content-type", answer.content_type.encode()), (b"content-length", str(len(answer.body)).encode())]
        headers += [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": int(answer.status), "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _whole_path(scope: Scope) -> str:
    """The path as the client asked for it, percent-encoded, whether the server counts the mount to it or not."""
    root, path = str(scope.get("root_path", "")), str(scope["path"])
    return quote(path if path.startswith(root) else root + path, safe="/")


def _path_behind_mount(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(str(scope.get("root_path", "")))


class _AsgiLink:
    """A `Link` on a WebSocket scope. One task, which lives while there is something to write, does all sending."""

    def __init__(self, path: str, receive: Receive, send: Send, close_timeout_seconds: float) -> None:
        self.path = path
        self._receive = receive
        self._send = send
        self._close_timeout_seconds = close_timeout_seconds
        self._waiting: deque[str] = deque()
        self._waiting_characters = 0
        self._writer: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        self._cut = asyncio.Event()

    @property
    def has_room(self) -> bool:
        return not self._cut.is_set() and self._waiting_characters <= WRITE_BUFFER_BYTES

    def write(self, text: str) -> None:
        if self._cut.is_set():
            return
        self._waiting.append(text)
        self._waiting_characters += len(text)
        if self._waiting_characters > MAX_MESSAGE_BYTES + WRITE_BUFFER_BYTES:
            self.abort()  # it hasn't read for long, and nobody waits for it here
        elif self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="signalling writer")

    async def _write(self) -> None:
        with suppress(Exception):  # servers say in ways of their own that the socket is gone
            while self._waiting:
                text = self._waiting.popleft()
                await self._send({"type": "websocket.send", "text": text})
                self._waiting_characters -= len(text)
                self._moved.set()
            self._writer = None
            return
        self.abort()

    async def wait_for_room(self) -> None:
        while not self.has_room and not self._cut.is_set():
            self._moved.clear()
            await self._moved.wait()

    async def receive(self) -> str | bytes:
        event = await self._next()
        if event is None:
            raise LinkLostError
        if event["type"] == "websocket.disconnect":
            code = event.get("code")
            self.abort()
            raise LinkLostError(None if code in CLOSED_WITHOUT_CODE else code)
        text: str | bytes | None = event.get("text")
        return text if text is not None else bytes(event.get("bytes") or b"")

    async def _next(self) -> Event | None:
        """The next event; None if the link is cut first."""
        receiving = asyncio.ensure_future(self._receive())
        cut = asyncio.ensure_future(self._cut.wait())
        try:
            await asyncio.wait({receiving, cut}, return_when=asyncio.FIRST_COMPLETED)
            return receiving.result() if receiving.done() else None
        finally:
            for task in (receiving, cut):
                task.cancel()
            await asyncio.wait({receiving, cut})

    async def close(self, code: int, reason: str) -> None:
        try:
            if not self._cut.is_set():
                with suppress(Exception):
                    async with asyncio.timeout(self._close_timeout_seconds):
                        if self._writer is not None:
                            await asyncio.wait({self._writer})
                        await self._send({"type": "websocket.close", "code": code, "reason": reason})
        finally:
            self.abort()

    def abort(self) -> None:
        self._cut.set()
        self._moved.set()
        self._waiting.clear()
        if self._writer is not None:
            self._writer.cancel()
            self._writer = None

"""The inspector as an ASGI application, to mount in Starlette, FastAPI or whatever speaks ASGI 3.

    app.mount("/inspector", InspectorApp(journal, token="..."))

Source: the ASGI specification 3.0, with its WebSocket, HTTP and lifespan protocols of version 2.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fsm_rtc.inspector.access import SUBPROTOCOL, Gate, is_loopback
from fsm_rtc.inspector.answers import FEED, InspectorAnswer, answer_to
from fsm_rtc.inspector.attending import CloseCode, attend
from fsm_rtc.inspector.charts import ChartBook
from fsm_rtc.inspector.feed import Feed
from fsm_rtc.inspector.source import RecordSource

if TYPE_CHECKING:
    from fsm_rtc.diagrams.drawable import ChartClass

__all__ = ["InspectorApp"]

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

ELSEWHERE = HTTPStatus.FORBIDDEN, "From another host the inspector needs a token; give one when it is made.\n"


class InspectorApp:
    """An ASGI application that is an inspector.

    Args:
        source: the `Journal` that the connections write.
        token: what a page must present, in its address: ``…/inspector/#token=…``; None to let this host's own users
            look, and nobody else. Behind a proxy give a token: to the application, all who come by it are this host.
        name: what is looked at, for the page's heading.
        charts: charts of your own that are watched.
        names: the host names by which it is reached, besides addresses and ``localhost``.

    Raises:
        InspectorError: the token is too short.
    """

    def __init__(
        self,
        source: RecordSource,
        *,
        token: str | None,
        name: str = "",
        charts: Iterable[ChartClass] = (),
        names: Collection[str] = (),
    ) -> None:
        self.feed = Feed(source, ChartBook(charts), name)
        self._gate = Gate(token, names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        match scope["type"]:
            case "websocket":
                await self._websocket(scope, receive, send)
            case "http":
                await self._http(scope, send)
            case "lifespan":
                await self._lifespan(receive, send)

    async def aclose(self) -> None:
        """Let every page go. A mounted application must be told: nobody tells it of its server's end."""
        await self.feed.aclose()

    async def _http(self, scope: Scope, send: Send) -> None:
        if (refused := self._refuse_elsewhere(scope)) is not None:
            answer = InspectorAnswer(refused[0], refused[1].encode())
        elif scope["method"] not in ("GET", "HEAD"):
            answer = InspectorAnswer(
                HTTPStatus.METHOD_NOT_ALLOWED, b"The inspector only shows.\n", more={"Allow": "GET, HEAD"}
            )
        else:
            answer = await answer_to(_path_behind_mount(scope), _headers(scope), self.feed, self._gate)
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": int(answer.status), "headers": raw})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        headers, offered = _headers(scope), [str(one) for one in scope.get("subprotocols", ())]
        refused = (
            self._refuse_elsewhere(scope)
            or self._gate.refuse_host(headers)
            or self._gate.refuse_stranger(headers, offered)
        )
        if refused is not None or _path_behind_mount(scope) != FEED or SUBPROTOCOL not in offered:
            await send({"type": "websocket.close", "code": int(CloseCode.REFUSED)})
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})

        async def send_text(text: str) -> None:
            await send({"type": "websocket.send", "text": text})

        goodbye = await attend(self.feed, send_text, _until_it_speaks(receive))
        with suppress(Exception):  # it may be gone already
            await send({"type": "websocket.close", "code": int(goodbye)})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _refuse_elsewhere(self, scope: Scope) -> tuple[HTTPStatus, str] | None:
        """Without a token only this host's own may look, whatever the server listens on."""
        if self._gate.token is not None:
            return None
        ends = [scope.get("client"), scope.get("server")]
        return None if all(end and is_loopback(str(end[0])) for end in ends) else ELSEWHERE


async def _until_it_speaks(receive: Receive) -> None:
    """Until the page is gone. A page says nothing, so what says something is none, and is let go as well."""
    await receive()


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _path_behind_mount(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(str(scope.get("root_path", "")))

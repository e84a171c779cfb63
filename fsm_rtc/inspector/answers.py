"""What an inspector answers to plain HTTP, whichever front end it has."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from importlib.resources import files

from fsm_rtc.engine.journal import line_of
from fsm_rtc.inspector.access import Gate
from fsm_rtc.inspector.feed import Feed

__all__ = ["FEED", "InspectorAnswer", "answer_to"]

FEED = "/feed"
"""Where the WebSocket is."""

JOURNAL = "/journal.jsonl"
DRAWING = re.compile(r"/charts/([0-9a-f]{16})\.svg")

TEXT = "text/plain; charset=utf-8"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

STEP = 2000
"""So many lines of a journal are written at once, before the loop's other work has its turn."""


@dataclass(frozen=True, slots=True)
class InspectorAnswer:
    """One answer.

    Attributes:
        status: its HTTP status.
        body: its bytes.
        content_type: what the body is.
        more: headers besides those that every answer has.
    """

    status: HTTPStatus
    body: bytes
    content_type: str = TEXT
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """Every header."""
        if self.status == HTTPStatus.NO_CONTENT:
            return {**HEADERS}
        described = {"Content-Type": self.content_type, "Content-Length": str(len(self.body))}
        return {**HEADERS, **described, **self.more}


async def answer_to(path: str, headers: Mapping[str, str], feed: Feed, gate: Gate) -> InspectorAnswer:
    """The answer to a request that asks for no WebSocket.

    Args:
        path: behind where the inspector is mounted, without the query.
        headers: with their names in lower case.
        feed: what is looked at.
        gate: who may look.
    """
    refused = gate.refuse_host(headers)
    if refused is None and (path == JOURNAL or DRAWING.fullmatch(path)):
        refused = gate.refuse_stranger(headers)
    if refused is not None:
        return _words(*refused)
    if path == JOURNAL:
        return await _journal(feed)
    if (asked := DRAWING.fullmatch(path)) is not None:
        drawing = await feed.book.drawing(asked[1])
        if drawing is not None:
            return InspectorAnswer(HTTPStatus.OK, drawing.encode(), "image/svg+xml; charset=utf-8")
        return InspectorAnswer(HTTPStatus.NO_CONTENT, b"")  # no error: the page shows the chart as a table
    if path == FEED:
        return _words(HTTPStatus.UPGRADE_REQUIRED, "Open a WebSocket here.\n")
    asset = _assets().get("/index.html" if path == "/" else path)
    return asset or _words(HTTPStatus.NOT_FOUND, "There is nothing here; the inspector's page is at its root.\n")


@cache
def _assets() -> dict[str, InspectorAnswer]:
    folder = files("fsm_rtc.inspector") / "page"
    return {
        f"/{file.name}": InspectorAnswer(HTTPStatus.OK, file.read_bytes(), TYPES[suffix])
        for file in folder.iterdir()
        if (suffix := f".{file.name.rpartition('.')[2]}") in TYPES
    }


async def _journal(feed: Feed) -> InspectorAnswer:
    lines: list[str] = []
    for number, record in enumerate(feed.source, start=1):
        lines.append(line_of(record) + "\n")
        if number % STEP == 0:
            await asyncio.sleep(0)
    more = {"Content-Disposition": 'attachment; filename="journal.jsonl"'}
    return InspectorAnswer(HTTPStatus.OK, "".join(lines).encode(), "application/jsonl; charset=utf-8", more)


def _words(status: HTTPStatus, text: str) -> InspectorAnswer:
    return InspectorAnswer(status, text.encode())

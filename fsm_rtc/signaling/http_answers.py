"""What a signalling service answers to plain HTTP, whichever front end it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType

from fsm_rtc.browser import assets
from fsm_rtc.signaling.service import SignalingService

TEXT = "text/plain; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

GREETING = "This is a signalling server of fsm_rtc. Open a WebSocket at /ROOM, on both sides the same.\n"


PAGE_HEADERS = MappingProxyType(
    {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; media-src blob: mediastream:; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
)
"""With the page and its files: nothing is loaded from elsewhere, and nobody frames it."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One answer.

    Attributes:
        status: its HTTP status.
        body: its text, in UTF-8.
        content_type: what the body is.
        headers: the others, by name.
    """

    status: HTTPStatus
    body: bytes
    content_type: str = TEXT
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_to(path: str, service: SignalingService) -> HttpAnswer:
    """The answer to a request that asks for no WebSocket.

    Args:
        path: with its leading slash, without the query.
        service: whose health and figures are asked for.
    """
    if service.settings.page and (asset := assets().get(path or "/")) is not None:
        return HttpAnswer(HTTPStatus.OK, asset.body, asset.media_type, PAGE_HEADERS)
    match path:
        case "/" | "":
            return HttpAnswer(HTTPStatus.OK, GREETING.encode())
        case "/healthz" if not service.hub.takes_sessions:
            return HttpAnswer(HTTPStatus.SERVICE_UNAVAILABLE, b"draining\n")
        case "/healthz":
            return HttpAnswer(HTTPStatus.OK, b"ok\n")
        case "/metrics":
            return _metrics(service)
        case _:
            text = "Open a WebSocket here: this is a room's address.\n"
            return HttpAnswer(HTTPStatus.UPGRADE_REQUIRED, text.encode())


def _metrics(service: SignalingService) -> HttpAnswer:
    try:
        from fsm_rtc.signaling.metrics import exposition
    except ImportError:
        text = "There are no metrics without prometheus-client: pip install prometheus-client\n"
        return HttpAnswer(HTTPStatus.NOT_IMPLEMENTED, text.encode())
    return HttpAnswer(HTTPStatus.OK, exposition(service), PROMETHEUS)

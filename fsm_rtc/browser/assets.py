"""The files that a server hands to browsers: the module, and the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

__all__ = ["Asset", "assets"]

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file.

    Attributes:
        body: what it holds.
        media_type: what that is, as HTTP says it.
    """

    body: bytes
    media_type: str


@cache
def assets() -> Mapping[str, Asset]:
    """Every file by its path on the server: the page is ``/``, the module ``/_fsm_rtc/fsm_rtc.js``."""
    folder = resources.files("fsm_rtc.browser")
    found = {}
    for place, prefix in ((folder, "/_fsm_rtc/"), (folder / "page", "/_fsm_rtc/page/")):
        for file in sorted(place.iterdir(), key=lambda one: one.name):
            suffix = file.name[file.name.rfind(".") :]
            if suffix in MEDIA_TYPES:
                found[prefix + file.name] = Asset(file.read_bytes(), MEDIA_TYPES[suffix])
    page = found.pop("/_fsm_rtc/page/index.html")
    # A browser asks for all modules at once, not for each when it has read who imports it.
    links = "".join(f'    <link rel="modulepreload" href="{path[1:]}">\n' for path in found if path.endswith(".js"))
    found["/"] = Asset(page.body.replace(b"  </head>", links.encode() + b"  </head>"), page.media_type)
    return MappingProxyType(found)

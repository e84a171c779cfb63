"""The address of a room: ``ws://host:port/room``, and the room in it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from fsm_rtc.engine.doors import told
from fsm_rtc.errors import SignalingError

MAX_ROOM_CHARACTERS = 128
"""The protocol's limit for a room's name."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a room is.

    Attributes:
        url: as a WebSocket client takes it: the room is percent-encoded.
        room: its name.
        secure: whether the link runs over TLS.
        local: whether it is on this very host, where no proxy leads.
    """

    url: str
    room: str
    secure: bool
    local: bool

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read an address as a person gives it.

        Args:
            url: ``ws://host:port/room`` or ``wss://host:port/room``; the room may be percent-encoded.

        Raises:
            SignalingError: it is none; the message says which part is missing or wrong.
        """
        if not isinstance(url, str):
            raise SignalingError(f"{told(url)} is no address of a room; give text like ws://host:port/room")
        try:
            url.encode()
        except UnicodeEncodeError:
            raise _no_address(url, "it is no text that UTF-8 can hold") from None
        try:
            parts = urlsplit(url.strip())
            host, _ = parts.hostname, parts.port  # the port is checked when it is asked for
        except ValueError as wrong:
            raise _no_address(url, str(wrong)) from wrong
        if parts.scheme not in ("ws", "wss"):
            raise _no_address(url, f"its scheme is {parts.scheme!r}" if parts.scheme else "it has no scheme")
        if not host:
            raise _no_address(url, "it names no host")
        if parts.fragment:
            raise _no_address(url, "it has a fragment (#), which never reaches a server; write %23 if the room has one")
        room = room_of_path(parts.path)
        if room is None:
            raise _no_address(url, f"it names no room of 1 to {MAX_ROOM_CHARACTERS} characters")
        path = "/" + quote(room, safe="/")
        encoded = urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
        return cls(encoded, room, secure=parts.scheme == "wss", local=_is_loopback(host))


def room_of_path(path: str) -> str | None:
    """The room that a URL's path names, or None if it names none.

    Args:
        path: as it stands in the URL or in the request, percent-encoded, perhaps with a query.
    """
    try:
        room = unquote(path.partition("?")[0].removeprefix("/"), errors="strict")
    except UnicodeDecodeError:
        return None
    return room if 0 < len(room) <= MAX_ROOM_CHARACTERS else None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _no_address(url: str, why: str) -> SignalingError:
    return SignalingError(f"{url!r} is no address of a room: {why}; give one like ws://host:port/room")

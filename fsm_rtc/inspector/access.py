"""Who may look: a token for all but this host's own, and no page of another origin.

The token goes in the fragment of the page's address, which no browser sends and no server logs; the page presents it
in the `Authorization` header, and for its WebSocket as a subprotocol, since a page can set no header there. A browser
that was led here by a name that an attacker made to resolve to this host (DNS rebinding) says that name as `Host`, and
is refused; so is a WebSocket that another origin's page opens.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from fsm_rtc.engine.doors import text
from fsm_rtc.errors import FsmRtcError

__all__ = ["SUBPROTOCOL", "Gate", "InspectorError", "is_loopback", "new_token", "token_for"]

SUBPROTOCOL = "fsm-rtc-inspector"
TOKEN_PREFIX = "token."  # noqa: S105
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,}")
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class InspectorError(FsmRtcError):
    """An inspector that can't be had as it was asked for; the message says what to do."""


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


def is_loopback(host: str) -> bool:
    """Whether an address, or the name of one, is this host's own and no other host's."""
    if host.lower() in ("localhost", "localhost."):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def token_for(host: str) -> str | None:
    """A new token, if an inspector on this address needs one."""
    return None if is_loopback(host) else new_token()


class Gate:
    """Decides about requests.

    Args:
        token: what a page must present; None to ask for none.
        names: the host names by which the inspector is reached, besides addresses and ``localhost``.

    Raises:
        InspectorError: the token is too short, or can't stand in an address.
    """

    def __init__(self, token: str | None, names: Collection[str] = ()) -> None:
        if token is not None and not TOKEN.fullmatch(text(token, "the token", InspectorError, is_secret=True)):
            raise InspectorError(
                "a token has 16 or more letters, digits, - and _; "
                "make one with: python -c 'import secrets; print(secrets.token_urlsafe())'"
            )
        self.token = token
        self._names = {name.lower() for name in names}

    def refuse_host(self, headers: Mapping[str, str]) -> tuple[HTTPStatus, str] | None:
        """Why a request is refused by how it came here; None if it isn't.

        Args:
            headers: with their names in lower case.
        """
        host = headers.get("host", "")
        name = _name_in(host)
        if not (is_loopback(name) or name in self._names or (self.token is not None and _address(name))):
            return (
                HTTPStatus.MISDIRECTED_REQUEST,
                "The inspector isn't reached by this name. Open it by its address, or give the name when it is made.\n",
            )
        if self.token is None and any(name in headers for name in FORWARDED):
            return HTTPStatus.FORBIDDEN, "Behind a proxy the inspector needs a token; give one when it is made.\n"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return HTTPStatus.FORBIDDEN, "Only the inspector's own page may ask this.\n"
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate":
            return HTTPStatus.FORBIDDEN, "Only the inspector's own page may ask this.\n"
        return None

    def refuse_stranger(self, headers: Mapping[str, str], offered: Sequence[str] = ()) -> tuple[HTTPStatus, str] | None:
        """Why a request for what is recorded is refused by who asks; None if it isn't.

        Args:
            headers: with their names in lower case.
            offered: the subprotocols of a WebSocket.
        """
        if self.token is None:
            return None
        kind, _, presented = headers.get("authorization", "").partition(" ")
        presented = presented.strip() if kind.lower() == "bearer" else ""
        for one in offered:
            if one.startswith(TOKEN_PREFIX):
                presented = one.removeprefix(TOKEN_PREFIX)
        if hmac.compare_digest(presented.encode(), self.token.encode()):
            return None
        return (
            HTTPStatus.UNAUTHORIZED,
            "The inspector's token is missing or wrong. Open the whole address that was printed, with #token=…\n",
        )


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _name_in(host: str) -> str:
    """A Host header without its port; empty if it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
